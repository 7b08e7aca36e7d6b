#include <string.h>

#include "sandbox/ids.h"
#include "sandbox/input.h"
#include "sandbox/respond.h"

/* The lifetime of an access token, in seconds. */
#define LIFETIME 7200

/* The fields of the form; an empty one was not sent. */
typedef struct fields {
  privy_slice grant_type, client_id, client_secret, scope;
} fields;

static void read_form(privy_slice body, privy_buffer *room, fields *out) {
  const struct {
    const char *name;
    privy_slice *value;
  } names[] = {{"grant_type", &out->grant_type},
               {"client_id", &out->client_id},
               {"client_secret", &out->client_secret},
               {"scope", &out->scope}};
  privy_slice name, value;
  while (privy_input_pair(&body, room, &name, &value)) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      if (privy_text_is(name.text, name.length, names[i].name)) *names[i].value = value;
    }
  }
}

static void write_member(privy_writer *writer, const char *key, const char *text, size_t length) {
  privy_writer_key(writer, key, strlen(key));
  privy_writer_string(writer, text, length);
}

static privy_status refuse(privy_exchange *exchange, int http_status, const char *code, const char *description) {
  privy_writer writer;
  privy_writer_init(&writer, &exchange->response->body);
  privy_writer_begin_object(&writer);
  write_member(&writer, "error", code, strlen(code));
  write_member(&writer, "error_description", description, strlen(description));
  privy_writer_end_object(&writer);
  return privy_respond_end(exchange, http_status, &writer);
}

PRIVY_NODISCARD static bool write_scopes(privy_writer *writer, privy_scopes scopes) {
  privy_buffer list = PRIVY_BUFFER_EMPTY;
  bool done = true;
  for (int i = 0; i < PRIVY_SCOPE_COUNT && done; i++) {
    if (scopes & 1u << i)
      done = privy_buffer_format(&list, "%s%s", list.length ? " " : "", privy_scope_name((privy_scope)i));
  }
  if (done) write_member(writer, "scope", list.data, list.length);
  privy_buffer_clear(&list);
  return done;
}

static privy_status issue_token(privy_exchange *exchange, privy_scopes scopes) {
  privy_sandbox *sandbox = exchange->sandbox;
  char token[PRIVY_SECRET_SIZE];
  privy_writer writer;
  privy_make_secret(token, sandbox->secrets + 1);
  privy_writer_init(&writer, &exchange->response->body);
  privy_writer_begin_object(&writer);
  write_member(&writer, "access_token", token, strlen(token));
  write_member(&writer, "token_type", "Bearer", strlen("Bearer"));
  privy_writer_key(&writer, "expires_in", strlen("expires_in"));
  privy_writer_integer(&writer, LIFETIME);
  if (!write_scopes(&writer, scopes)) return PRIVY_NO_MEMORY;
  privy_writer_key(&writer, "created_at", strlen("created_at"));
  privy_writer_integer(&writer, (int64_t)exchange->now);
  privy_writer_end_object(&writer);
  if (!privy_respond_header(exchange, "Cache-Control", "no-store")) return PRIVY_NO_MEMORY;
  const privy_status status = privy_respond_end(exchange, 200, &writer);
  if (status != PRIVY_OK) return status;
  privy_credentials_drop_expired(&sandbox->credentials, exchange->now);
  if (!privy_credentials_add_token(&sandbox->credentials, token, scopes, exchange->now + LIFETIME))
    return PRIVY_NO_MEMORY;
  sandbox->secrets++;
  return PRIVY_OK;
}

static privy_status grant(privy_exchange *exchange, const fields *form) {
  privy_scopes scopes;
  if (!privy_text_is(form->grant_type.text, form->grant_type.length, "client_credentials"))
    return refuse(exchange, 400, "unsupported_grant_type", "Only client_credentials is supported.");
  const privy_oauth_client *client =
      privy_credentials_client(&exchange->sandbox->credentials, form->client_id, form->client_secret);
  if (!client) return refuse(exchange, 401, "invalid_client", "The client is unknown or its secret is wrong.");
  if (form->scope.length == 0) return issue_token(exchange, client->scopes);
  if (!privy_scopes_read(form->scope.text, form->scope.length, &scopes) || (scopes & ~client->scopes))
    return refuse(exchange, 401, "invalid_scope", "A scope is unknown, or the client does not have it.");
  return issue_token(exchange, scopes);
}

privy_status privy_oauth_token(privy_exchange *exchange) {
  fields form = {{0}, {0}, {0}, {0}};
  if (!privy_buffer_reserve(&exchange->scratch, exchange->body.length)) return PRIVY_NO_MEMORY;
  read_form(exchange->body, &exchange->scratch, &form);
  return grant(exchange, &form);
}
