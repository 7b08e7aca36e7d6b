/* Runs the shared vectors: parameters become exactly this request or these details, a response exactly that object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "harness.h"
#include "vectors.h"

#define LEAST_CASES 250

/* cmocka's own printing cuts long lines. */
#define say(...) fprintf(stderr, __VA_ARGS__)

/* What became of one run of a case. */
typedef enum completion { HOLDS, FAILS, RAN_OUT } completion;

/* While it is not 0, this allocation of every step of a case fails. `met`: it did in some step. */
static size_t failing;
static bool met;

static void step_begins(void) {
  privy_memory_fail_at(failing);
}

/* True when the step reported that memory ran out, and it had. */
static bool step_ran_out(privy_status status) {
  const bool failed = failing && privy_memory_failed();
  privy_memory_fail_at(0);
  met = met || failed;
  return failed && status == PRIVY_NO_MEMORY;
}

/* Prints what a case expected; the caller prints what it got. */
static void print_expected(const vector_case *one, const char *what, privy_value expected) {
  say("\n%s\n  expected %s %.*s\n  got      ", one->name, what, (int)expected.length,
      expected.text ? expected.text : "");
}

/* ---- what is given ----------------------------------------------------------------------------------------------- */

/* Large enough for every string of the vectors, so that decoding allocates nothing while allocations fail. */
static privy_buffer scratch = PRIVY_BUFFER_EMPTY;

static void decode(privy_value string) {
  scratch.length = 0;
  if (privy_value_decode(string, &scratch) != PRIVY_OK) fail_msg("%s", "a string is longer than the scratch buffer");
}

static void feed(privy_request *request, privy_value value);

static void feed_members(privy_request *request, privy_value container) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, container);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (key.type == PRIVY_STRING) {
      decode(key);
      privy_request_key(request, scratch.data, scratch.length);
    }
    feed(request, value);
  }
}

static void feed_number(privy_request *request, privy_value number) {
  int64_t integer;
  if (number.integral && privy_parse_int64(number.text, number.length, &integer))
    privy_request_integer(request, integer);
  else
    privy_request_number(request, number.text, number.length);
}

static void feed(privy_request *request, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_TRUE:
  case PRIVY_FALSE: privy_request_boolean(request, value.type == PRIVY_TRUE); break;
  case PRIVY_NUMBER: feed_number(request, value); break;
  case PRIVY_STRING:
    decode(value);
    privy_request_string(request, scratch.data, scratch.length);
    break;
  case PRIVY_ARRAY:
    privy_request_begin_array(request);
    feed_members(request, value);
    privy_request_end_array(request);
    break;
  case PRIVY_OBJECT:
    privy_request_begin_object(request);
    feed_members(request, value);
    privy_request_end_object(request);
    break;
  default: privy_request_null(request);
  }
}

static privy_status build_raw(const vector_case *one, privy_request **out) {
  size_t method_length, path_length;
  char *method = vector_text(vector_member(one->params, "method"), &method_length);
  char *path = vector_text(vector_member(one->params, "path"), &path_length);
  step_begins();
  const privy_status status = privy_request_new_raw(method, method_length, path, path_length, out);
  if (status == PRIVY_OK) {
    const privy_value body = vector_member(one->params, "body");
    if (body.type != PRIVY_ABSENT) feed(*out, body);
    privy_request_query(*out);
    feed_members(*out, vector_member(one->params, "params"));
    privy_request_header(*out);
    feed_members(*out, vector_member(one->params, "headers"));
  }
  free(method);
  free(path);
  return status;
}

static privy_status build(const vector_case *one, privy_request **out, privy_error *error) {
  privy_status status;
  if (one->operation) {
    step_begins();
    status = privy_request_new(one->operation, out);
    if (status == PRIVY_OK) {
      feed_members(*out, one->params);
      privy_request_extra(*out);
      feed_members(*out, one->extra);
      if (one->extra_headers.type != PRIVY_ABSENT) privy_request_header(*out);
      feed_members(*out, one->extra_headers);
    }
  } else {
    status = build_raw(one, out);
  }
  return status == PRIVY_OK ? privy_request_finish(*out, error) : status;
}

/* ---- requests and details ---------------------------------------------------------------------------------------- */

static bool same_text(privy_value expected, const char *text) {
  return text && vector_text_is(expected, text, strlen(text));
}

/* The order of headers means nothing. */
static bool same_headers(privy_value expected, const privy_request *request) {
  const char *name, *value;
  size_t count = 0;
  for (; privy_request_header_at(request, count, &name, &value); count++)
    if (!same_text(vector_member(expected, name), value)) return false;
  return count == vector_names(expected);
}

static bool same_request(privy_value expected, const privy_request *request) {
  size_t length;
  const char *body = privy_request_body(request, &length);
  return same_text(vector_member(expected, "method"), privy_request_method(request)) &&
         same_text(vector_member(expected, "target"), privy_request_target(request)) &&
         vector_text_is(vector_member(expected, "body"), body, length) &&
         same_headers(vector_member(expected, "headers"), request);
}

static void print_request(const privy_request *request) {
  size_t length;
  const char *name, *value, *body = privy_request_body(request, &length);
  say("%s %s", privy_request_method(request), privy_request_target(request));
  for (size_t i = 0; privy_request_header_at(request, i, &name, &value); i++) say(" | %s: %s", name, value);
  say(" | %.*s\n", (int)length, body);
}

/* No limit is no count. */
static bool same_count(privy_value expected, int64_t count) {
  int64_t number = -1;
  if (expected.type != PRIVY_ABSENT && !privy_parse_int64(expected.text, expected.length, &number)) return false;
  return number == count;
}

static bool same_details(privy_value expected, const privy_details *details) {
  privy_cursor cursor;
  privy_value key, element;
  size_t index = 0;
  privy_cursor_init(&cursor, expected);
  for (; privy_cursor_next(&cursor, &key, &element); index++) {
    if (index == details->count) return false;
    if (!same_text(vector_member(element, "field"), details->items[index].field)) return false;
    if (!same_text(vector_member(element, "message"), details->items[index].message)) return false;
    if (!same_text(vector_member(element, "code"), details->items[index].code)) return false;
    if (!same_count(vector_member(element, "count"), details->items[index].count)) return false;
  }
  return index == details->count;
}

static void print_failure(const privy_error *error) {
  const char *code = error->api_code ? error->api_code : "-", *id = error->contact_id ? error->contact_id : "-";
  say("%s: %s (status %d, code %s, contact %s, retry after %g)\n", privy_error_describe(error->code)->name,
      error->message, error->http_status, code, id, error->retry_after);
  for (size_t i = 0; i < error->details.count; i++)
    say("           %s: %s (%s)\n", error->details.items[i].field, error->details.items[i].message,
        error->details.items[i].code);
}

static completion run_request(const vector_case *one) {
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  const privy_status status = build(one, &request, &error);
  completion came = HOLDS;
  if (step_ran_out(status)) {
    came = RAN_OUT;
  } else if (status == PRIVY_OK) {
    if (one->request.type == PRIVY_ABSENT || !same_request(one->request, request)) came = FAILS;
  } else if (status != PRIVY_VALIDATION || error.attempts || !same_details(one->details, &error.details)) {
    came = FAILS;
  }
  if (came == FAILS) {
    if (one->request.type == PRIVY_ABSENT)
      print_expected(one, "details", one->details);
    else
      print_expected(one, "request", one->request);
    if (status == PRIVY_OK)
      print_request(request);
    else
      print_failure(&error);
  }
  privy_request_free(request);
  privy_error_clear(&error);
  return came;
}

/* ---- responses --------------------------------------------------------------------------------------------------- */

/* Down to the second, and the fraction when there is one, without the zeros at its end. */
static void write_time(const privy_time *time, char *out, size_t size) {
  char fraction[16] = "";
  if (time->nanos / 1000) {
    snprintf(fraction, sizeof fraction, ".%06d", time->nanos / 1000);
    for (char *last = fraction + strlen(fraction) - 1; *last == '0'; last--) *last = '\0';
  }
  snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", time->year, time->month, time->day, time->hour, time->minute,
           time->second, fraction);
}

static bool same_time(privy_value expected, privy_value value) {
  size_t length;
  char written[64];
  privy_time time;
  if (value.type != PRIVY_STRING) return vector_same(expected, value);
  char *text = vector_text(value, &length);
  const bool is_time = privy_time_parse(text, length, &time);
  free(text);
  if (!is_time) return vector_same(expected, value);
  write_time(&time, written, sizeof written);
  return same_text(expected, written);
}

static bool same_field(const privy_field_info *field, privy_value expected, privy_value value) {
  if (field->kind == PRIVY_KIND_MONEY && value.type == PRIVY_NUMBER)
    return vector_text_is(expected, value.text, value.length);
  if (field->kind == PRIVY_KIND_TIME) return same_time(expected, value);
  if (value.enum_value && !same_text(expected, privy_enum_value(field->enum_values, value.enum_value - 1u)))
    return false;
  return vector_same(expected, value);
}

/* The known fields; `*seen` counts those that the record has. */
static bool same_slots(privy_value expected, const privy_record *record, size_t *seen) {
  privy_field_info field;
  for (size_t i = 0; privy_object_field(privy_record_object(record), i, &field); i++) {
    const privy_value value = privy_record_get(record, i), wanted = vector_member(expected, field.name);
    if (value.type == PRIVY_ABSENT && wanted.type == PRIVY_ABSENT) continue;
    if (!same_field(&field, wanted, value)) return false;
    ++*seen;
  }
  return true;
}

/* The fields that the tables do not know. */
static bool same_unknown(privy_value expected, const privy_record *record, size_t *seen) {
  const privy_value json = privy_record_json(record);
  privy_cursor cursor;
  privy_value key, value;
  bool same = true;
  privy_cursor_init(&cursor, json);
  while (same && privy_cursor_next(&cursor, &key, &value)) {
    size_t length;
    char *name = vector_text(key, &length);
    const bool unknown = privy_object_index(privy_record_object(record), name, length) < 0;
    if (unknown && vector_member(json, name).text == value.text) {
      same = vector_same(vector_member(expected, name), value);
      ++*seen;
    }
    free(name);
  }
  return same;
}

static bool same_record(privy_value expected, const privy_record *record) {
  size_t seen = 0;
  return same_slots(expected, record, &seen) && same_unknown(expected, record, &seen) && seen == vector_names(expected);
}

static void print_record(const privy_record *record) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  if (record && privy_record_write(record, &text) == PRIVY_OK)
    say("%.*s\n", (int)text.length, text.data);
  else
    say("no record\n");
  privy_buffer_clear(&text);
}

/* Written and loaded again, a record is still the same. */
static completion run_again(const vector_case *one, privy_value expected, const privy_record *record) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  privy_response *loaded = NULL;
  privy_error error;
  privy_error_init(&error);
  step_begins();
  privy_status status = privy_record_write(record, &text);
  if (status == PRIVY_OK)
    status = privy_response_load(privy_record_object(record), text.data, text.length, &loaded, &error);
  completion came = HOLDS;
  if (step_ran_out(status)) {
    came = RAN_OUT;
  } else if (status != PRIVY_OK || !same_record(expected, privy_response_record(loaded, 0))) {
    came = FAILS;
    print_expected(one, "to load from what it wrote", expected);
    say("%.*s\n", (int)text.length, text.data);
  }
  privy_buffer_clear(&text);
  privy_response_release(loaded);
  privy_error_clear(&error);
  return came;
}

static completion run_record(const vector_case *one, privy_value expected, const privy_record *record) {
  if (record && same_record(expected, record)) return run_again(one, expected, record);
  print_expected(one, "record", expected);
  print_record(record);
  return FAILS;
}

static completion run_page(const vector_case *one, const privy_response *response) {
  privy_cursor cursor;
  privy_value key, expected;
  size_t index = 0;
  completion came = run_record(one, vector_member(one->page, "pagination"), privy_response_pagination(response));
  privy_cursor_init(&cursor, vector_member(one->page, "records"));
  for (; came == HOLDS && privy_cursor_next(&cursor, &key, &expected); index++)
    came = run_record(one, expected, privy_response_record(response, index));
  if (came != HOLDS || index == privy_response_count(response)) return came;
  print_expected(one, "page", one->page);
  say("%zu records\n", privy_response_count(response));
  return FAILS;
}

static completion run_success(const vector_case *one, const privy_response *response) {
  if (one->page.type != PRIVY_ABSENT) return run_page(one, response);
  if (one->object.type == PRIVY_NULL && privy_response_count(response) == 0) return HOLDS;
  if (one->object.type == PRIVY_OBJECT && privy_response_count(response) == 1)
    return run_record(one, one->object, privy_response_record(response, 0));
  print_expected(one, one->error.type == PRIVY_ABSENT ? "object" : "error", one->error.type ? one->error : one->object);
  print_record(privy_response_record(response, 0));
  return FAILS;
}

/* A text or null. */
static bool same_or_none(privy_value expected, const char *text) {
  return expected.type == PRIVY_NULL ? !text : same_text(expected, text);
}

static bool same_seconds(privy_value expected, double seconds) {
  if (expected.type == PRIVY_NULL) return seconds < 0;
  const double wanted = strtod(expected.text, NULL);
  return expected.type == PRIVY_NUMBER && !(seconds < wanted) && !(seconds > wanted);
}

static bool same_error_member(privy_value key, privy_value expected, const privy_error *error) {
  char number[16];
  char *name = vector_text(key, NULL);
  bool same = false;
  snprintf(number, sizeof number, "%d", error->http_status);
  if (strcmp(name, "class") == 0)
    same = same_text(expected, privy_error_describe(error->code)->name);
  else if (strcmp(name, "status") == 0)
    same = expected.type == PRIVY_NUMBER && privy_text_is(expected.text, expected.length, number);
  else if (strcmp(name, "code") == 0)
    same = same_or_none(expected, error->api_code);
  else if (strcmp(name, "contact_id") == 0)
    same = same_or_none(expected, error->contact_id);
  else if (strcmp(name, "details") == 0)
    same = same_details(expected, &error->details);
  else if (strcmp(name, "message") == 0)
    same = same_text(expected, error->message);
  else if (strcmp(name, "retry_after") == 0)
    same = same_seconds(expected, error->retry_after);
  else if (strcmp(name, "retryable") == 0)
    same = expected.type == (error->retryable ? PRIVY_TRUE : PRIVY_FALSE);
  free(name);
  return same;
}

static completion run_failure(const vector_case *one, const privy_error *error) {
  privy_cursor cursor;
  privy_value key, expected;
  bool same = one->error.type == PRIVY_OBJECT && error->message && *error->message && error->response;
  privy_cursor_init(&cursor, one->error);
  while (same && privy_cursor_next(&cursor, &key, &expected)) same = same_error_member(key, expected, error);
  if (same) return HOLDS;
  print_expected(one, "of the response", one->error.type ? one->error : one->page.type ? one->page : one->object);
  print_failure(error);
  return FAILS;
}

/* Header lines as they come from the network; to be cleared. */
static bool write_headers(privy_value headers, privy_buffer *out) {
  privy_cursor cursor;
  privy_value key, value;
  bool done = true;
  privy_cursor_init(&cursor, headers);
  while (done && privy_cursor_next(&cursor, &key, &value))
    done = privy_value_decode(key, out) == PRIVY_OK && privy_buffer_text(out, ": ") &&
           privy_value_decode(value, out) == PRIVY_OK && privy_buffer_text(out, "\r\n");
  return done;
}

static completion run_answer(const vector_case *one) {
  const privy_value status_value = vector_member(one->response, "status");
  privy_buffer headers = PRIVY_BUFFER_EMPTY, body = PRIVY_BUFFER_EMPTY;
  privy_response *response = NULL;
  privy_error error;
  int64_t http_status = 0;
  privy_error_init(&error);
  if (!privy_parse_int64(status_value.text, status_value.length, &http_status) ||
      !write_headers(vector_member(one->response, "headers"), &headers) ||
      privy_value_decode(vector_member(one->response, "body"), &body) != PRIVY_OK)
    fail_msg("%s: the response cannot be read", one->name);
  step_begins();
  const privy_status status =
      privy_response_parse(one->operation, (int)http_status, headers.data, headers.length, &body, &response, &error);
  completion came = RAN_OUT;
  if (!step_ran_out(status)) came = status == PRIVY_OK ? run_success(one, response) : run_failure(one, &error);
  if (body.length) {
    say("\n%s\n  the body was not taken\n", one->name);
    came = FAILS;
  }
  privy_buffer_clear(&headers);
  privy_buffer_clear(&body);
  privy_response_release(response);
  privy_error_clear(&error);
  return came;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static completion run_case(const vector_case *one) {
  return one->response.type == PRIVY_ABSENT ? run_request(one) : run_answer(one);
}

/* The 1st, 2nd, 3rd … allocation fails until a run needs no more: each run reports it, or is right all the same. */
static size_t sweep(const vector_case *one) {
  size_t failed = 0;
  for (failing = 1, met = true; met; failing++) {
    met = false;
    if (run_case(one) != FAILS) continue;
    say("  (while allocation %zu failed)\n", failing);
    failed++;
  }
  failing = 0;
  return failed;
}

static void every_case_holds_whichever_allocation_fails(void **state) {
  (void)state;
  const vector_list list = vectors();
  size_t failed = 0;
  for (size_t i = 0; i < list.count; i++)
    if (run_case(&list.items[i]) != HOLDS || sweep(&list.items[i])) failed++;
  if (failed) fail_msg("%zu of %zu cases", failed, list.count);
}

static void there_are_enough_cases(void **state) {
  (void)state;
  const vector_list list = vectors();
  size_t shared = 0;
  for (size_t i = 0; i < list.count; i++) shared += list.items[i].shared;
  print_message("             %zu cases for every language, %zu for the core alone\n", shared, list.count - shared);
  assert_true(shared >= LEAST_CASES);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(there_are_enough_cases),
      cmocka_unit_test(every_case_holds_whichever_allocation_fails),
  };
  if (!privy_buffer_reserve(&scratch, 1 << 20)) return EXIT_FAILURE;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  privy_buffer_clear(&scratch);
  vectors_free();
  return failed;
}
