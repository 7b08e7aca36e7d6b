#include "message/error.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/visible.h"
#include "schema/details.h"

static const privy_error_info infos[] = {{PRIVY_OK, "", PRIVY_OK, 0, "The call succeeded."},
#define X(code, name, parent, status, doc) {PRIVY_##code, name, PRIVY_##parent, status, doc},
                                         PRIVY_ERRORS(X)
#undef X
};

const privy_error_info *privy_error_describe(privy_status status) {
  return &infos[status];
}

void privy_error_init(privy_error *error) {
  *error = (privy_error){.retry_after = -1};
}

void privy_error_clear(privy_error *error) {
  if (!error) return;
  if (error->message_owned) privy_free(error->message);
  privy_details_clear(&error->details);
  privy_free(error->api_code);
  privy_free(error->contact_id);
  privy_free(error->method);
  privy_free(error->path);
  privy_free(error->request_id);
  privy_free(error->idempotency_key);
  privy_response_release(error->response);
  privy_error_init(error);
}

static void replace_message(privy_error *error, char *message, bool owned) {
  if (error->message_owned) privy_free(error->message);
  error->message = message;
  error->message_owned = owned;
}

privy_status privy_error_no_memory(privy_error *error) {
  static char message[] = "out of memory";
  replace_message(error, message, false);
  return error->code = PRIVY_NO_MEMORY;
}

static bool copy_text(char **field, const char *text) {
  return !text || privy_error_text(field, text, strlen(text));
}

privy_status privy_error_copy(const privy_error *error, privy_error *copy) {
  copy->http_status = error->http_status;
  copy->may_have_succeeded = error->may_have_succeeded;
  copy->attempts = error->attempts;
  copy->waited = error->waited;
  copy->retryable = error->retryable;
  copy->retry_after = error->retry_after;
  copy->retry_at = error->retry_at;
  copy->resets_at = error->resets_at;
  if (!copy_text(&copy->api_code, error->api_code) || !copy_text(&copy->contact_id, error->contact_id) ||
      !copy_text(&copy->method, error->method) || !copy_text(&copy->path, error->path) ||
      !copy_text(&copy->request_id, error->request_id) || !copy_text(&copy->idempotency_key, error->idempotency_key))
    return privy_error_no_memory(copy);
  return privy_error_line(copy, error->code, error->message, strlen(error->message));
}

#define LONGEST_LINE 1023

/* NULL when memory runs out. */
static char *visible_line(const char *text, size_t length) {
  privy_buffer line = PRIVY_BUFFER_EMPTY;
  if (privy_buffer_visible(&line, text, length) && privy_buffer_terminate(&line)) return line.data;
  privy_buffer_clear(&line);
  return NULL;
}

privy_status privy_error_set(privy_error *error, privy_status code, const char *format, ...) {
  char text[LONGEST_LINE + 1];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return privy_error_line(error, code, text, length < 0 ? 0 : (size_t)length);
}

privy_status privy_error_line(privy_error *error, privy_status code, const char *text, size_t length) {
  char *message = visible_line(text, length > LONGEST_LINE ? privy_utf8_whole(text, LONGEST_LINE) : length);
  if (!message) return privy_error_no_memory(error);
  replace_message(error, message, true);
  return error->code = code;
}

bool privy_error_visible(char **field, const char *text, size_t length) {
  char *line = visible_line(text, length);
  if (!line) return false;
  privy_free(*field);
  *field = line;
  return true;
}

bool privy_error_may_pass(privy_status code, int http_status) {
  static const int passing[] = {408, 429, 500, 502, 503, 504};
  if (code == PRIVY_NO_MEMORY || code == PRIVY_INTERRUPTED) return false;
  if (code == PRIVY_CONNECTION || code == PRIVY_TIMEOUT || code == PRIVY_RATE_LIMIT) return true;
  for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
    if (http_status == passing[i]) return true;
  return false;
}

void privy_error_set_retry(privy_error *error, double retry_after, double wall) {
  error->retry_after = retry_after;
  error->retry_at = retry_after < 0 || isnan(wall) ? 0 : wall + retry_after;
  error->resets_at = error->code == PRIVY_RATE_LIMIT ? error->retry_at : 0;
}

void privy_error_append(privy_error *error, const char *words) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  if (privy_buffer_text(&text, error->message) && privy_buffer_text(&text, words) && privy_buffer_terminate(&text)) {
    replace_message(error, text.data, true);
  } else {
    privy_buffer_clear(&text);
    privy_error_no_memory(error);
  }
}

bool privy_error_text(char **field, const char *text, size_t length) {
  char *copy = privy_copy(text, length);
  if (!copy) return false;
  privy_free(*field);
  *field = copy;
  return true;
}

bool privy_error_list_details(privy_buffer *out, const privy_details *details) {
  bool done = true;
  for (size_t i = 0; done && i < details->count; i++) {
    const privy_detail *detail = &details->items[i];
    bool base = strcmp(detail->field, "base") == 0;
    done = privy_buffer_text(out, i ? "; " : "") &&
           (base || (privy_buffer_name(out, detail->field, strlen(detail->field)) && privy_buffer_byte(out, ' '))) &&
           privy_buffer_text(out, detail->message);
  }
  return done;
}

privy_status privy_error_from_details(privy_error *error, privy_details *details, const char *lead) {
  privy_buffer plain = PRIVY_BUFFER_EMPTY, masked = PRIVY_BUFFER_EMPTY;
  bool done = privy_buffer_text(&plain, lead) && privy_error_list_details(&plain, details) &&
              privy_mask(plain.data, plain.length, &masked) == PRIVY_OK;
  char *message = done ? visible_line(masked.data, masked.length) : NULL;
  privy_buffer_clear(&plain);
  privy_buffer_clear(&masked);
  privy_details_clear(&error->details);
  error->details = *details;
  *details = (privy_details){0};
  if (!message) return privy_error_no_memory(error);
  replace_message(error, message, true);
  return error->code = PRIVY_VALIDATION;
}
