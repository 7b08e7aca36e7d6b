#include "policy/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "message/error.h"
#include "json/reader.h"

/* Seconds: a request with the token may take as long. */
#define MIN_VALIDITY 30.0
/* Seconds, for a response without expires_in. */
#define DEFAULT_LIFE 7200.0

void privy_token_clear(privy_token *token) {
  privy_free(token->text);
  *token = (privy_token){0};
}

bool privy_token_is_fresh(const privy_token *token, double now) {
  return token->text && now + MIN_VALIDITY < token->expires_at;
}

static bool add_pair(privy_buffer *out, const char *name, const char *value) {
  return privy_buffer_text(out, name) && privy_buffer_percent(out, value, strlen(value));
}

bool privy_token_form(privy_buffer *out, const char *client_id, const char *client_secret, const char *scopes) {
  return privy_buffer_text(out, "grant_type=client_credentials") && add_pair(out, "&client_id=", client_id) &&
         add_pair(out, "&client_secret=", client_secret) && (!scopes || add_pair(out, "&scope=", scopes));
}

static bool read_members(privy_value root, privy_value *text, double *life) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, root);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (privy_value_is(key, "access_token")) *text = value;
    if (privy_value_is(key, "expires_in") && value.type == PRIVY_NUMBER) {
      char number[32] = "";
      memcpy(number, value.text, value.length < sizeof number ? value.length : sizeof number - 1);
      *life = strtod(number, NULL);
    }
  }
  return text->type == PRIVY_STRING && !text->escaped && privy_token_text_is_safe(text->text, text->length);
}

bool privy_token_text_is_safe(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (text[i] <= ' ' || text[i] > '~') return false;
  return length > 0 && length <= 4096;
}

privy_status privy_token_read(const privy_response *response, double now, privy_token *out, privy_error *error) {
  privy_value text = {.type = PRIVY_ABSENT};
  double life = DEFAULT_LIFE;
  if (!read_members(privy_response_json(response), &text, &life))
    return privy_error_set(error, PRIVY_API_STATUS, "the token endpoint's response has no access_token");
  char *copy = privy_copy(text.text, text.length);
  if (!copy) return privy_error_no_memory(error);
  privy_token_clear(out);
  *out = (privy_token){copy, now + life};
  return PRIVY_OK;
}
