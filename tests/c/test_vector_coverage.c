/*
 * Compares the shared vectors with the tables: every field, rule, format, enum value and error class has a case that
 * passes and one that is refused. A new row needs its cases.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "harness.h"
#include "schema/schema.h"
#include "vectors.h"

/* The number of missing cases; the test fails unless it is 0 at the end. */
static size_t missing;

static PRIVY_PRINTF(1, 2) void lacks(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("no case: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  missing++;
}

static void end_of_test(void) {
  const size_t count = missing;
  missing = 0;
  if (count) fail_msg("%zu cases are missing", count);
}

static bool is_text(privy_value value, const char *text) {
  return vector_text_is(value, text, strlen(text));
}

/* Whether the question is true of any case. `about` is its argument. */
typedef bool question(const vector_case *one, const void *about);

static bool any_case(question *ask, const void *about) {
  const vector_list list = vectors();
  for (size_t i = 0; i < list.count; i++)
    if (ask(&list.items[i], about)) return true;
  return false;
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

/* A parameter, and the value or the message that a case must have; NULL: any. */
typedef struct wanted {
  const privy_operation *operation;
  const char *name;
  const char *member; /* of the nested objects that the parameter holds */
  const char *value;
  const char *message;
} wanted;

/* Whether the value, or the nested object or one of the nested objects in it, is what is wanted. */
static bool value_fits(privy_value value, const wanted *about) {
  privy_cursor cursor;
  privy_value key, element;
  if (!about->member) return about->value ? is_text(value, about->value) : value.type > PRIVY_NULL;
  if (value.type == PRIVY_OBJECT) return vector_member(value, about->member).type > PRIVY_NULL;
  privy_cursor_init(&cursor, value);
  while (privy_cursor_next(&cursor, &key, &element))
    if (vector_member(element, about->member).type > PRIVY_NULL) return true;
  return false;
}

static bool passes(const vector_case *one, const void *context) {
  const wanted *about = context;
  return one->operation == about->operation && one->request.type == PRIVY_OBJECT &&
         value_fits(vector_member(one->params, about->name), about);
}

static bool passes_null(const vector_case *one, const void *context) {
  const wanted *about = context;
  return one->operation == about->operation && one->request.type == PRIVY_OBJECT &&
         vector_member(one->params, about->name).type == PRIVY_NULL;
}

/* The field of a detail: the parameter, something in it, or the wanted member. */
static bool field_fits(privy_value field, const wanted *about) {
  char *text = vector_text(field, NULL);
  const size_t length = strlen(about->name);
  const char *rest = text + length;
  bool fits = strncmp(text, about->name, length) == 0 && (*rest == '\0' || *rest == '.' || *rest == '[');
  if (fits && about->member) {
    if (*rest == '[') rest = strchr(rest, ']') + 1;
    fits = *rest == '.' && strcmp(rest + 1, about->member) == 0;
  }
  free(text);
  return fits;
}

static bool is_refused(const vector_case *one, const void *context) {
  const wanted *about = context;
  privy_cursor cursor;
  privy_value key, detail;
  if (one->operation != about->operation) return false;
  if (about->value && !is_text(vector_member(one->params, about->name), about->value)) return false;
  privy_cursor_init(&cursor, one->details);
  while (privy_cursor_next(&cursor, &key, &detail))
    if (field_fits(vector_member(detail, "field"), about) &&
        (!about->message || is_text(vector_member(detail, "message"), about->message)))
      return true;
  return false;
}

static void demand_members(const privy_operation *operation, const privy_field_info *param) {
  privy_field_info field;
  for (size_t i = 0; param->object && privy_object_field(param->object, i, &field); i++) {
    const wanted about = {.operation = operation, .name = param->name, .member = field.name};
    if (!any_case(passes, &about)) lacks("%s passes with %s.%s", operation->name, param->name, field.name);
    if (!any_case(is_refused, &about)) lacks("%s is refused for %s.%s", operation->name, param->name, field.name);
  }
}

static void demand_param(const privy_operation *operation, const privy_field_info *param) {
  const wanted about = {.operation = operation, .name = param->name};
  const wanted null = {.operation = operation, .name = param->name, .message = "must not be null"};
  const wanted absent = {.operation = operation, .name = param->name, .message = "is required"};
  if (!any_case(passes, &about)) lacks("%s passes with %s", operation->name, param->name);
  if (!any_case(is_refused, &about)) lacks("%s is refused for %s", operation->name, param->name);
  if (param->nullable && !any_case(passes_null, &about)) lacks("%s passes with %s null", operation->name, param->name);
  if (!param->nullable && !any_case(is_refused, &null)) lacks("%s refuses %s null", operation->name, param->name);
  if (param->required && !any_case(is_refused, &absent)) lacks("%s misses %s", operation->name, param->name);
  demand_members(operation, param);
}

static void every_parameter_of_every_operation_passes_and_is_refused(void **state) {
  (void)state;
  const privy_operation *operation;
  privy_field_info param;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++)
    for (size_t j = 0; privy_operation_param(operation, j, &param); j++) demand_param(operation, &param);
  end_of_test();
}

static void demand_enum_value(const privy_operation *operation, const char *name, const privy_enum_entry *enum_value) {
  char message[160];
  snprintf(message, sizeof message, "%s %s", enum_value->name, enum_value->reason);
  const wanted taken = {.operation = operation, .name = name, .value = enum_value->name};
  const wanted refused = {.operation = operation, .name = name, .value = enum_value->name, .message = message};
  const bool takes = enum_value->accepted_by & 1u << operation->id;
  if (takes && !any_case(passes, &taken)) lacks("%s passes with %s %s", operation->name, name, enum_value->name);
  if (!takes && !any_case(is_refused, &refused)) lacks("%s: %s", operation->name, message);
}

static void every_enum_value_is_sent_or_refused(void **state) {
  (void)state;
  const privy_operation *operation;
  privy_field_info param;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++)
    for (size_t j = 0; privy_operation_param(operation, j, &param); j++)
      for (size_t k = 0; param.enum_values && k < param.enum_values->count; k++)
        demand_enum_value(operation, param.name, &param.enum_values->values[k]);
  end_of_test();
}

static void every_rule_is_broken_by_every_operation_that_it_binds(void **state) {
  (void)state;
  const privy_operation *operation;
  const privy_rule *rule;
  for (size_t i = 0; (rule = privy_rule_at(i)); i++)
    for (size_t j = 0; (operation = privy_operation_at(j)); j++) {
      const wanted about = {.operation = operation, .name = "base", .message = rule->message};
      if ((rule->operations & 1u << operation->id) && !any_case(is_refused, &about))
        lacks("%s: %s", operation->name, rule->message);
    }
  end_of_test();
}

static bool says(const vector_case *one, const void *words) {
  privy_cursor cursor;
  privy_value key, detail;
  privy_cursor_init(&cursor, one->details);
  while (privy_cursor_next(&cursor, &key, &detail))
    if (is_text(vector_member(detail, "message"), words)) return true;
  return false;
}

static void every_format_is_missed(void **state) {
  (void)state;
  static const char *const formats[] = {
#define FORMAT(id, check, code, words) words,
#include "schema/formats.def"
#undef FORMAT
  };
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (*formats[i] && !any_case(says, formats[i])) lacks("%s", formats[i]);
  end_of_test();
}

static bool has_code(const vector_case *one, const void *code) {
  privy_cursor cursor;
  privy_value key, detail;
  privy_cursor_init(&cursor, one->details);
  while (privy_cursor_next(&cursor, &key, &detail))
    if (is_text(vector_member(detail, "code"), code)) return true;
  return false;
}

/* Of values that JSON does not have, of texts that are too long for a case, and of the server: the languages test
 * them. */
static bool has_no_case(privy_detail_code code) {
  static const privy_detail_code others[] = {
      PRIVY_CODE_MISSING_VALUE, PRIVY_CODE_NOT_FINITE,        PRIVY_CODE_WITHOUT_TIME_ZONE, PRIVY_CODE_INVALID_NAME,
      PRIVY_CODE_TOO_LARGE,     PRIVY_CODE_INVALID_ENCODING,  PRIVY_CODE_CIRCULAR,          PRIVY_CODE_NOT_ENCODABLE,
      PRIVY_CODE_REJECTED,      PRIVY_CODE_CONVERSION_FAILED, PRIVY_CODE_CALL_FAILED};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (others[i] == code) return true;
  return false;
}

static void every_code_has_a_case(void **state) {
  const privy_detail_code_info *info;
  (void)state;
  for (size_t i = 0; (info = privy_detail_code_at(i)); i++)
    if (!has_no_case((privy_detail_code)i) && !any_case(has_code, info->code)) lacks("%s", info->code);
  end_of_test();
}

/* ---- responses --------------------------------------------------------------------------------------------------- */

/* A field of a response, and the value or the alias that a case must have. */
typedef struct response_field {
  const privy_object *object;
  const char *name;
  const char *value;
  const char *aliases;
} response_field;

static bool object_fits(privy_value object, const response_field *about) {
  const privy_value value = vector_member(object, about->name);
  return about->value ? is_text(value, about->value) : value.type > PRIVY_NULL;
}

static bool body_holds(const vector_case *one, const char *word) {
  char *body = vector_text(vector_member(one->response, "body"), NULL), quoted[80];
  snprintf(quoted, sizeof quoted, "\"%s\"", word);
  const bool holds = strstr(body, quoted) != NULL;
  free(body);
  return holds;
}

static bool has_field(const vector_case *one, const void *context) {
  const response_field *about = context;
  privy_cursor cursor;
  privy_value key, record;
  if (one->response.type == PRIVY_ABSENT || (about->aliases && !body_holds(one, about->aliases))) return false;
  if (about->object == &privy_object_page) return object_fits(vector_member(one->page, "pagination"), about);
  if (!one->operation || one->operation->object != about->object) return false;
  if (object_fits(one->object, about)) return true;
  privy_cursor_init(&cursor, vector_member(one->page, "records"));
  while (privy_cursor_next(&cursor, &key, &record))
    if (object_fits(record, about)) return true;
  return false;
}

/* A case for each alias. */
static void demand_aliases(const response_field *about, const char *aliases) {
  privy_slice list = {aliases, strlen(aliases)}, word;
  char name[64];
  while (privy_next_word(&list, '|', &word)) {
    snprintf(name, sizeof name, "%.*s", (int)word.length, word.text);
    const response_field renamed = {
        .object = about->object, .name = about->name, .value = about->value, .aliases = name};
    if (!any_case(has_field, &renamed)) lacks("a response has %s", name);
  }
}

static void every_field_and_enum_value_is_in_a_response_under_each_name(void **state) {
  (void)state;
  const privy_object *object;
  for (size_t i = 0; (object = privy_object_at(i)); i++)
    for (size_t j = 0; j < object->response_field_count; j++) {
      const privy_field *field = &object->fields[object->response_fields[j]];
      const response_field about = {.object = object, .name = field->name};
      if (!any_case(has_field, &about)) lacks("a response has %s.%s", object->name, field->name);
      demand_aliases(&about, field->aliases);
      for (size_t k = 0; field->enum_values && k < field->enum_values->count; k++) {
        const response_field enum_value = {
            .object = object, .name = field->name, .value = field->enum_values->values[k].name};
        if (!any_case(has_field, &enum_value)) lacks("a response has %s %s", field->name, enum_value.value);
        demand_aliases(&enum_value, field->enum_values->values[k].aliases);
      }
    }
  end_of_test();
}

static bool is_error_of(const vector_case *one, const void *context) {
  const privy_error_info *info = context;
  if (!is_text(vector_member(one->error, "class"), info->name)) return false;
  if (!info->http_status) return true;
  const privy_value status = vector_member(one->error, "status");
  return status.type == PRIVY_NUMBER && strtol(status.text, NULL, 10) == info->http_status;
}

static void every_error_of_a_response_has_a_case(void **state) {
  (void)state;
  for (int code = 0; code < PRIVY_STATUS_COUNT; code++) {
    const privy_error_info *info = privy_error_describe((privy_status)code);
    const bool from_response = code == PRIVY_VALIDATION || code == PRIVY_API_STATUS || info->parent == PRIVY_API_STATUS;
    if (from_response && !any_case(is_error_of, info)) lacks("a response is a %s", info->name);
  }
  end_of_test();
}

/* ---- the size of a body: too much for a file of cases --------------------------------------------------------------
 */

/* The status of an event whose body is exactly `size` bytes. */
static privy_status build_event(size_t size, privy_error *error) {
  static const char empty[] = "{\"event_type\":\"x\",\"email\":\"a@b\",\"event_data\":{\"text\":\"\"}}";
  const size_t length = size - strlen(empty);
  privy_request *request = NULL;
  char *text = malloc(length);
  privy_status status = privy_request_new(privy_operation_find("events.ingest"), &request);
  if (!text || status != PRIVY_OK) abort();
  memset(text, 'x', length);
  privy_request_key(request, "event_type", 10);
  privy_request_string(request, "x", 1);
  privy_request_key(request, "email", 5);
  privy_request_string(request, "a@b", 3);
  privy_request_key(request, "event_data", 10);
  privy_request_begin_object(request);
  privy_request_key(request, "text", 4);
  privy_request_string(request, text, length);
  privy_request_end_object(request);
  status = privy_request_finish(request, error);
  if (status == PRIVY_OK) {
    size_t sent;
    (void)privy_request_body(request, &sent);
    assert_int_equal(sent, size);
  }
  privy_request_free(request);
  free(text);
  return status;
}

static void an_event_fills_256_KB_and_not_a_byte_more(void **state) {
  (void)state;
  privy_error error;
  privy_error_init(&error);
  assert_int_equal(build_event(262144, &error), PRIVY_OK);
  assert_int_equal(build_event(262145, &error), PRIVY_VALIDATION);
  assert_int_equal(error.details.count, 1);
  assert_string_equal(error.details.items[0].field, "base");
  assert_string_equal(error.details.items[0].message, "the body is 262145 bytes; at most 262144 are accepted");
  privy_error_clear(&error);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_parameter_of_every_operation_passes_and_is_refused),
      cmocka_unit_test(every_enum_value_is_sent_or_refused),
      cmocka_unit_test(every_rule_is_broken_by_every_operation_that_it_binds),
      cmocka_unit_test(every_format_is_missed),
      cmocka_unit_test(every_code_has_a_case),
      cmocka_unit_test(every_field_and_enum_value_is_in_a_response_under_each_name),
      cmocka_unit_test(every_error_of_a_response_has_a_case),
      cmocka_unit_test(an_event_fills_256_KB_and_not_a_byte_more),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vectors_free();
  return failed;
}
