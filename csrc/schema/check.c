#include "schema/check_frame.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/visible.h"
#include "schema/format.h"
#include "schema/reason.h"
#include "json/scan.h"

static const char money_error_message[] = PRIVY_REASON_MONEY;

void privy_check_init(privy_check *check, const privy_operation *operation, privy_check_mode mode) {
  memset(check, 0, offsetof(privy_check, frames));
  check->operation = operation;
  check->mode = mode;
  check->depth = 1;
  open_frame(&check->frames[0], operation ? FRAME_PARAMS : FRAME_FREE, operation ? operation->object : NULL);
}

void privy_check_clear(privy_check *check) {
  privy_details_clear(&check->details);
  privy_buffer_clear(&check->keys);
  privy_free(check->deep_frames);
}

/* ---- errors ---- */

static privy_verdict refused(privy_check *check, privy_detail_code code, const char *message) {
  privy_check_refuse(check, code, message);
  return PRIVY_VERDICT_REFUSED;
}

/* Adds the error in `words`, which `done` says is complete, and clears the buffer. */
static privy_verdict refuse_limit(privy_check *check, privy_detail_code code, int64_t limit, bool done,
                                  privy_buffer *words) {
  if (done && privy_buffer_terminate(words))
    privy_check_refuse_limit(check, code, limit, words->data);
  else
    check->no_memory = true;
  privy_buffer_clear(words);
  return PRIVY_VERDICT_REFUSED;
}

/* The same for a rule without a limit. */
static privy_verdict refuse_with(privy_check *check, privy_detail_code code, bool done, privy_buffer *words) {
  return refuse_limit(check, code, PRIVY_NO_LIMIT, done, words);
}

static privy_verdict refuse_enum_value(privy_check *check, const privy_field *field, int position) {
  privy_buffer words = PRIVY_BUFFER_EMPTY;
  return refuse_with(check, privy_reason_enum_code(field, position),
                     privy_reason_enum_value(&words, check->operation, field, position), &words);
}

privy_verdict privy_check_refuse_type(privy_check *check, const privy_field *field) {
  privy_buffer words = PRIVY_BUFFER_EMPTY;
  return refuse_with(check, privy_reason_type_code(field), privy_reason_type(&words, check->operation, field), &words);
}

/* ---- keys ---- */

/* Refuses the name of a parameter; its value is passed over. */
static void refuse_key(privy_check *check, privy_detail_code code, const char *message) {
  top(check)->kind = FRAME_IGNORED;
  top(check)->checked = NULL;
  privy_check_refuse(check, code, message);
}

static void refuse_unknown(privy_check *check, const char *name, size_t length) {
  privy_buffer words = PRIVY_BUFFER_EMPTY;
  top(check)->kind = FRAME_IGNORED;
  (void)refuse_with(check, PRIVY_CODE_UNKNOWN_FIELD, privy_reason_name(&words, check->operation, name, length), &words);
}

/* What a name is to the operation. */
typedef enum { NAME_ACCEPTED, NAME_REPEATED, NAME_READ_ONLY, NAME_UNKNOWN } name_class;

static uint64_t bit_of(const privy_check *check, const privy_field *field) {
  return UINT64_C(1) << (field - check->frames[0].object->fields);
}

static name_class classify(const privy_check *check, const privy_field *field) {
  if (!field) return NAME_UNKNOWN;
  if (field->accepted_by & (1u << check->operation->id))
    return check->given & bit_of(check, field) ? NAME_REPEATED : NAME_ACCEPTED;
  return field->accepted_by ? NAME_UNKNOWN : NAME_READ_ONLY;
}

/* Judges the name of a parameter, whose field the frame has. Returns the field if the operation accepts it. */
static const privy_field *params_key(privy_check *check, const char *name, size_t length) {
  privy_check_frame *frame = top(check);
  const privy_field *field = frame->field;
  const bool strict = check->mode == PRIVY_CHECK_STRICT;
  const name_class class = classify(check, field);
  if (class == NAME_ACCEPTED || class == NAME_REPEATED) {
    frame->checked = check->lenient ? NULL : field;
    check->given |= bit_of(check, field);
    if (class == NAME_REPEATED && strict) refuse_key(check, PRIVY_CODE_REPEATED, "is given twice");
    return field;
  }
  frame->checked = NULL;
  if (check->lenient)
    check->unknown = true;
  else if (strict && class == NAME_READ_ONLY)
    refuse_key(check, PRIVY_CODE_READ_ONLY, "is read-only");
  else if (strict)
    refuse_unknown(check, name, length);
  return NULL;
}

/* Stores an unknown key for the paths of errors. False if it is not UTF-8; then its invalid bytes are replaced. */
static bool store_key(privy_check *check, const char *name, size_t length) {
  privy_check_frame *frame = top(check);
  bool ascii;
  (void)privy_is_plain(name, length, &ascii);
  const bool valid = ascii || privy_utf8_valid(name, length) == length;
  check->keys.length = frame->key_start;
  frame->key_length = PRIVY_CHECK_NO_KEY;
  if (!(valid ? privy_buffer_append : privy_buffer_utf8)(&check->keys, name, length)) {
    check->no_memory = true;
    return false;
  }
  frame->key_length = (uint32_t)(check->keys.length - frame->key_start);
  if (valid) return true;
  if (frame->kind != FRAME_IGNORED)
    privy_check_refuse(check, PRIVY_CODE_INVALID_NAME, "has a name that is not valid UTF-8");
  return false;
}

static const privy_field *take_field(privy_check *check, const privy_field *row) {
  privy_check_frame *frame = top(check);
  frame->field = frame->checked = row;
  frame->expected = row + 1;
  return check->depth == 1 ? params_key(check, row->name, row->name_length) : row;
}

/* The frame of the next key, no longer ignored if the last parameter was refused. */
static privy_check_frame *begin_key(privy_check *check) {
  privy_check_frame *frame = top(check);
  if (check->depth == 1 && check->operation) frame->kind = check->params_end ? FRAME_FREE : FRAME_PARAMS;
  return frame;
}

/* The key is not the one that was expected. */
static const privy_field *other_key(privy_check *check, const char *name, size_t length) {
  privy_check_frame *frame = top(check);
  const bool params = frame->kind == FRAME_PARAMS;
  if (params || frame->kind == FRAME_OBJECT) {
    const privy_field *row = privy_object_lookup_after(frame->object, frame->field, name, length);
    if (row) return take_field(check, row);
  }
  frame->field = frame->checked = NULL;
  return store_key(check, name, length) && params ? params_key(check, name, length) : NULL;
}

const privy_field *privy_check_key(privy_check *check, const char *name, size_t length) {
  const privy_check_frame *frame = begin_key(check);
  if (frame->expected == frame->end || !privy_field_is(frame->expected, name, length))
    return other_key(check, name, length);
  return take_field(check, frame->expected);
}

void privy_check_no_key(privy_check *check, const char *name, size_t length) {
  privy_check_frame *frame = begin_key(check);
  frame->field = frame->checked = NULL;
  frame->key_length = PRIVY_CHECK_NO_KEY;
  if (frame->kind == FRAME_IGNORED || (name && !store_key(check, name, length))) return;
  privy_check_refuse(check, PRIVY_CODE_INVALID_NAME,
                     name ? "must have a string as its name"
                          : "a value has no name: the row has more cells than its header");
}

void privy_check_end_params(privy_check *check) {
  check->params_end = true;
  check->frames[0].expected = check->frames[0].end;
}

void privy_check_param(privy_check *check, const privy_field *row) {
  (void)begin_key(check);
  (void)take_field(check, row);
}

bool privy_check_forget(privy_check *check) {
  privy_check_frame *frame = top(check);
  if (check->depth != 1 || frame->kind != FRAME_PARAMS || !frame->checked) return false;
  check->given &= ~bit_of(check, frame->checked);
  return true;
}

/* ---- values ---- */

static void note_enum_value(privy_check *check, const privy_field *field, uint8_t enum_value) {
  if (check->depth != 1) return;
  size_t row = (size_t)(field - check->frames[0].object->fields);
  check->noted |= UINT64_C(1) << row;
  check->enum_values[row] = enum_value;
}

static privy_verdict check_enum(privy_check *check, const privy_field *field, const char *text, size_t length) {
  int position = privy_enum_index(field->enum_values, text, length, false);
  if (position < 0 || !(field->enum_values->values[position].accepted_by & (1u << check->operation->id)))
    return refuse_enum_value(check, field, position);
  note_enum_value(check, field, (uint8_t)position);
  return PRIVY_VERDICT_PASSED;
}

/* Texts of few bytes have few characters: only others are counted. `most` of 0 is no limit. */
static bool is_longer(const char *text, size_t length, int64_t most) {
  return most > 0 && length > (size_t)most && privy_utf8_count(text, length) > (size_t)most;
}

static privy_verdict check_text(privy_check *check, const privy_field *field, const char *text, size_t length) {
  const privy_format format = (privy_format)field->format;
  const char *detail = format == PRIVY_FORMAT_NONE ? NULL : privy_format_check(format, text, length);
  privy_buffer words = PRIVY_BUFFER_EMPTY;
  if (detail)
    return refuse_with(check, privy_format_code(format), privy_reason_format(&words, format, detail, text, length),
                       &words);
  if (field->kind == PRIVY_KIND_STRING && is_longer(text, length, field->max)) {
    const bool done = privy_buffer_format(&words, "must be at most %lld characters", (long long)field->max);
    return refuse_limit(check, PRIVY_CODE_TOO_LONG, field->max, done, &words);
  }
  return PRIVY_VERDICT_PASSED;
}

static privy_verdict check_string(privy_check *check, const privy_field *field, const char *text, size_t length) {
  switch ((privy_kind)field->kind) {
  case PRIVY_KIND_ENUM: return check_enum(check, field, text, length);
  case PRIVY_KIND_STRING:
  case PRIVY_KIND_TIME:
  case PRIVY_KIND_ORDER_ID: return check_text(check, field, text, length);
  case PRIVY_KIND_MONEY:
    return privy_json_number(text, length, NULL) ? PRIVY_VERDICT_NUMBER
                                                 : refused(check, PRIVY_CODE_NOT_A_NUMBER, money_error_message);
  default: return privy_check_refuse_type(check, field);
  }
}

privy_verdict privy_check_string(privy_check *check, const char *text, size_t length) {
  const privy_field *field;
  judge judged = judge_of(check, &field);
  if (judged == JUDGE_SILENT) return PRIVY_VERDICT_REFUSED;
  if (judged == JUDGE_ELEMENT_OBJECT) return refused(check, PRIVY_CODE_WRONG_TYPE, "must be an object");
  bool ascii, plain = privy_is_plain(text, length, &ascii);
  if (!ascii && privy_utf8_valid(text, length) != length)
    return refused(check, PRIVY_CODE_INVALID_ENCODING, "is not valid UTF-8");
  privy_verdict verdict = judged == JUDGE_FIELD ? check_string(check, field, text, length) : PRIVY_VERDICT_PASSED;
  return plain && verdict == PRIVY_VERDICT_PASSED ? PRIVY_VERDICT_PLAIN : verdict;
}

static privy_verdict refuse_integer(privy_check *check, const privy_field *field, bool large) {
  privy_buffer words = PRIVY_BUFFER_EMPTY;
  const bool done = privy_reason_integer(&words, field, large);
  return large ? refuse_limit(check, PRIVY_CODE_LESS_THAN_OR_EQUAL_TO, field->max, done, &words)
               : refuse_limit(check, PRIVY_CODE_GREATER_THAN_OR_EQUAL_TO, field->min, done, &words);
}

static bool has_limits(const privy_field *field) {
  return field->min <= field->max;
}

static bool is_within(const privy_field *field, int64_t value) {
  return !has_limits(field) || (value >= field->min && value <= field->max);
}

static privy_verdict check_digits(privy_check *check, const privy_field *field, const char *text, size_t length) {
  int64_t value = *text == '-' ? INT64_MIN : INT64_MAX; /* for what is beyond either */
  const bool read = privy_parse_int64(text, length, &value);
  if (!has_limits(field) || (read && is_within(field, value))) return PRIVY_VERDICT_PASSED;
  return refuse_integer(check, field, value > field->max || (value > 0 && !read));
}

static privy_verdict check_order_id(privy_check *check, const privy_field *field, const char *text, size_t length) {
  const bool plain = *text != '0' && privy_format_order_id(text, length);
  return plain ? PRIVY_VERDICT_PASSED : privy_check_refuse_type(check, field);
}

/* The verdict on what is neither text nor container, where no field judges it. */
static privy_verdict check_unnamed(privy_check *check, judge judged) {
  switch (judged) {
  case JUDGE_SILENT: return PRIVY_VERDICT_REFUSED;
  case JUDGE_ELEMENT_STRING: return refused(check, PRIVY_CODE_WRONG_TYPE, "must be a string");
  case JUDGE_ELEMENT_OBJECT: return refused(check, PRIVY_CODE_WRONG_TYPE, "must be an object");
  default: return PRIVY_VERDICT_PASSED;
  }
}

privy_verdict privy_check_number(privy_check *check, const char *text, size_t length) {
  const privy_field *field;
  judge judged = judge_of(check, &field);
  bool integral;
  bool number = privy_json_number(text, length, &integral);
  const char *detail = number || judged == JUDGE_SILENT ? NULL : privy_reason_not_finite(text, length);
  const bool nan = detail && privy_reason_is_nan(text, length);
  if (detail) return refused(check, nan ? PRIVY_CODE_MISSING_VALUE : PRIVY_CODE_NOT_FINITE, detail);
  if (!number && (judged == JUDGE_FLAT || judged == JUDGE_NOTHING))
    return refused(check, PRIVY_CODE_NOT_FINITE, "must be a finite number");
  if (judged != JUDGE_FIELD) return check_unnamed(check, judged);
  switch ((privy_kind)field->kind) {
  case PRIVY_KIND_INTEGER:
    return integral ? check_digits(check, field, text, length) : privy_check_refuse_type(check, field);
  case PRIVY_KIND_ORDER_ID: return check_order_id(check, field, text, length);
  case PRIVY_KIND_MONEY:
    return number ? PRIVY_VERDICT_PASSED : refused(check, PRIVY_CODE_NOT_A_NUMBER, money_error_message);
  default: return privy_check_refuse_type(check, field);
  }
}

privy_verdict privy_check_integer(privy_check *check, int64_t value) {
  const privy_field *field;
  judge judged = judge_of(check, &field);
  if (judged != JUDGE_FIELD) return check_unnamed(check, judged);
  switch ((privy_kind)field->kind) {
  case PRIVY_KIND_INTEGER:
    return is_within(field, value) ? PRIVY_VERDICT_PASSED : refuse_integer(check, field, value > field->max);
  case PRIVY_KIND_ORDER_ID: return value > 0 ? PRIVY_VERDICT_PASSED : privy_check_refuse_type(check, field);
  case PRIVY_KIND_MONEY: return PRIVY_VERDICT_PASSED;
  default: return privy_check_refuse_type(check, field);
  }
}

privy_verdict privy_check_boolean(privy_check *check, bool value) {
  const privy_field *field;
  judge judged = judge_of(check, &field);
  if (judged != JUDGE_FIELD) return check_unnamed(check, judged);
  if (field->kind != PRIVY_KIND_BOOLEAN) return privy_check_refuse_type(check, field);
  note_enum_value(check, field, value);
  return PRIVY_VERDICT_PASSED;
}

privy_verdict privy_check_null(privy_check *check) {
  const privy_field *field;
  judge judged = judge_of(check, &field);
  if (judged != JUDGE_FIELD) return check_unnamed(check, judged);
  if (!(field->nullable_in & (1u << check->operation->id)))
    return refused(check, PRIVY_CODE_NOT_NULL, "must not be null");
  if (check->depth == 1) check->nulls |= UINT64_C(1) << (field - check->frames[0].object->fields);
  return PRIVY_VERDICT_PASSED;
}

void privy_check_unusable(privy_check *check, privy_detail_code code, const char *message) {
  const privy_field *field;
  if (judge_of(check, &field) != JUDGE_SILENT) privy_check_refuse(check, code, message);
}

void privy_check_other(privy_check *check, const char *type) {
  const privy_field *field;
  privy_buffer words = PRIVY_BUFFER_EMPTY;
  bool done, named = true;
  privy_detail_code code = PRIVY_CODE_WRONG_TYPE;
  switch (judge_of(check, &field)) {
  case JUDGE_SILENT: return;
  case JUDGE_FIELD:
    code = privy_reason_type_code(field);
    done = privy_reason_type(&words, check->operation, field);
    break;
  case JUDGE_ELEMENT_STRING: done = privy_buffer_text(&words, "must be a string"); break;
  case JUDGE_ELEMENT_OBJECT: done = privy_buffer_text(&words, "must be an object"); break;
  case JUDGE_FLAT: done = privy_buffer_text(&words, "must be a string, number, boolean or null"); break;
  default: code = PRIVY_CODE_NOT_ENCODABLE; done = named = false;
  }
  done = named ? done && privy_buffer_text(&words, ", not ") : privy_buffer_text(&words, "is a ");
  done = done && privy_buffer_name(&words, type, strlen(type));
  if (!named) done = done && privy_buffer_text(&words, ", which cannot be encoded as JSON");
  (void)refuse_with(check, code, done, &words);
}

bool privy_check_wants_time(privy_check *check) {
  const privy_field *field = top(check)->checked;
  return field && field->kind == PRIVY_KIND_TIME;
}
