/* Conversions of text, and the table of all. */
#include "imports/convert.h"

#include "base/text.h"
#include "json/writer.h"

/* ---- texts and codes ---- */

static privy_span without_apostrophe(privy_span text) {
  return text.length > 1 && text.text[0] == '\'' ? privy_clean(privy_span_cut(text, 1, 0)) : text;
}

static bool convert_text(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  return privy_put(job, out, text.text, text.length);
}

static size_t first_word_of(privy_span text) {
  const char *space = memchr(text.text, ' ', text.length);
  return space ? (size_t)(space - text.text) : text.length;
}

static bool convert_first_word(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  return privy_put(job, out, text.text, first_word_of(text));
}

static bool convert_other_words(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  const privy_span rest = privy_clean(privy_span_cut(text, first_word_of(text), 0));
  return privy_put(job, out, rest.text, rest.length);
}

static bool convert_code(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  text = without_apostrophe(text);
  return !privy_refuse_shortened(job, text) && privy_put(job, out, text.text, text.length);
}

/* "17850.0" is how a table of numbers writes 17850. */
static privy_span without_zero_fraction(privy_span text) {
  size_t digits = 0;
  while (digits < text.length && privy_is_digit(text.text[digits])) digits++;
  return digits && digits + 2 == text.length && text.text[digits] == '.' && text.text[digits + 1] == '0'
             ? privy_span_cut(text, 0, 2)
             : text;
}

static bool convert_id(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  text = without_apostrophe(text);
  if (privy_refuse_shortened(job, text)) return false;
  text = without_zero_fraction(text);
  return privy_put(job, out, text.text, text.length);
}

static bool convert_order_number(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  text = without_apostrophe(text);
  if (text.length > 1 && text.text[0] == '#') text = privy_span_cut(text, 1, 0);
  if (!convert_id(job, text, out)) return false;
  for (size_t i = 0; i < out->length; i++) {
    if (privy_is_digit(out->data[i])) continue;
    privy_job_fault(job, privy_detail_code_text(PRIVY_CODE_INVALID_ORDER_ID),
                    "must have digits only: the map can remove a prefix (strip_prefix), use another column, or leave "
                    "such lines out (skip)");
    return false;
  }
  return true;
}

static bool convert_email(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  if (text.length > 2 && text.text[0] == '<' && text.text[text.length - 1] == '>') text = privy_span_cut(text, 1, 1);
  if (privy_text_starts(text.text, text.length, "mailto:")) text = privy_span_cut(text, 7, 0);
  return privy_put(job, out, text.text, text.length);
}

/* ---- yes and no ---- */

/* 1: yes, 0: no, -1: neither. */
static int truth_of(privy_span text) {
  static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"0", "1"},     {"n", "y"},
                                         {"off", "on"}, {"nein", "ja"},    {"non", "oui"}, {"0.0", "1.0"}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    for (int truth = 0; truth < 2; truth++)
      if (privy_text_is_nocase(text.text, text.length, words[i][truth])) return truth;
  return -1;
}

static bool convert_boolean(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  const int truth = truth_of(text);
  if (truth >= 0) return privy_put(job, out, truth ? "true" : "false", truth ? 4 : 5);
  privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_NOT_A_BOOLEAN),
                  "must be yes or no: the map's values can say what another word means");
  return false;
}

/* The API's own words, in any case; otherwise yes or no. */
static bool convert_consent(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  const privy_enum *values = job->mapping->leaf ? job->mapping->leaf->enum_values : NULL;
  for (size_t i = 0; values && i < values->count; i++) {
    const privy_enum_entry *entry = &values->values[i];
    if (privy_text_is_nocase(text.text, text.length, entry->name))
      return privy_put(job, out, entry->name, entry->name_length);
  }
  const int truth = truth_of(text);
  if (truth == 0) return true;
  if (truth < 0) return privy_put(job, out, text.text, text.length);
  return privy_put(job, out, values->values[0].name, values->values[0].name_length);
}

/* ---- lists ---- */

static bool convert_list(const privy_conversion_job *job, privy_span text, privy_buffer *out) {
  privy_writer writer;
  size_t count = 0;
  privy_writer_init(&writer, out);
  privy_writer_begin_array(&writer);
  while (text.length) {
    const char *end = memchr(text.text, job->mapping->separator, text.length);
    const size_t length = end ? (size_t)(end - text.text) : text.length;
    const privy_span word = privy_clean((privy_span){text.text, length});
    if (word.length) privy_writer_string(&writer, word.text, word.length);
    count += word.length > 0;
    text = privy_span_cut(text, end ? length + 1 : length, 0);
  }
  privy_writer_end_array(&writer);
  if (writer.failed) job->draft->texts.failed = true;
  if (count == 0) out->length = 0;
  return !writer.failed;
}

/* ---- the table ---- */

typedef bool (*converter)(const privy_conversion_job *job, privy_span text, privy_buffer *out);

static const converter converters[PRIVY_CONVERSIONS] = {
    [PRIVY_CONVERT_TEXT] = convert_text,
    [PRIVY_CONVERT_CODE] = convert_code,
    [PRIVY_CONVERT_ID] = convert_id,
    [PRIVY_CONVERT_ORDER_NUMBER] = convert_order_number,
    [PRIVY_CONVERT_FIRST_WORD] = convert_first_word,
    [PRIVY_CONVERT_OTHER_WORDS] = convert_other_words,
    [PRIVY_CONVERT_AMOUNT] = privy_convert_amount,
    [PRIVY_CONVERT_NONZERO] = privy_convert_nonzero,
    [PRIVY_CONVERT_INTEGER] = privy_convert_integer,
    [PRIVY_CONVERT_PHONE] = privy_convert_phone,
    [PRIVY_CONVERT_TIME] = privy_convert_time,
    [PRIVY_CONVERT_BOOLEAN] = convert_boolean,
    [PRIVY_CONVERT_CURRENCY] = privy_convert_currency,
    [PRIVY_CONVERT_EMAIL] = convert_email,
    [PRIVY_CONVERT_LIST] = convert_list,
    [PRIVY_CONVERT_CONSENT] = convert_consent,
};

static bool is_raw(privy_conversion conversion) {
  static const bool raw[] = {
#define CONVERSION(id, name, is_json, doc) is_json,
#include "imports/conversions.def"
#undef CONVERSION
  };
  return raw[conversion];
}

/* Takes the place of a text in the map's values. False: the map says null, so nothing is sent. */
static bool replace(const privy_conversion_job *job, privy_buffer *room, privy_span *text) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, job->mapping->values);
  while (privy_cursor_next(&cursor, &key, &value)) {
    room->length = 0;
    if (privy_value_decode(key, room) != PRIVY_OK) job->draft->texts.failed = true;
    if (!privy_text_equal_nocase(room->data, room->length, text->text, text->length)) continue;
    room->length = 0;
    if (value.type == PRIVY_NULL) return false;
    if (value.type != PRIVY_STRING) {
      if (privy_put(job, room, value.text, value.length)) *text = (privy_span){room->data, room->length};
    } else if (privy_value_decode(value, room) != PRIVY_OK) {
      job->draft->texts.failed = true;
    } else {
      *text = (privy_span){room->data, room->length};
    }
    return true;
  }
  return true;
}

privy_span privy_without_affixes(const privy_mapping *mapping, privy_span text) {
  const privy_span front = mapping->prefix, back = mapping->suffix;
  if (front.length && text.length > front.length && memcmp(text.text, front.text, front.length) == 0)
    text = privy_span_cut(text, front.length, 0);
  if (back.length && text.length > back.length &&
      memcmp(text.text + text.length - back.length, back.text, back.length) == 0)
    text = privy_span_cut(text, 0, back.length);
  return text;
}

static void record(const privy_conversion_job *job, const privy_buffer *out) {
  const bool same = out->length == job->text.length && memcmp(out->data, job->text.text, out->length) == 0;
  if (same || job->mapping->origin != PRIVY_FROM_COLUMNS) return;
  const privy_conversion conversion = (privy_conversion)job->mapping->conversion;
  if (out->length == 0 && (conversion == PRIVY_CONVERT_NONZERO || conversion == PRIVY_CONVERT_OTHER_WORDS)) return;
  const privy_span after = {out->data, out->length}, clean = privy_clean(job->text);
  const bool stripped = clean.length == out->length && memcmp(clean.text, out->data, clean.length) == 0;
  privy_draft_change(job->draft, job->line, privy_job_column(job), job->text, after,
                     stripped ? "strip" : privy_import_conversion_at(conversion)->name);
}

privy_converted privy_convert(const privy_conversion_job *job, privy_buffer *out, bool *raw) {
  privy_buffer room = PRIVY_BUFFER_EMPTY;
  privy_span text = privy_clean(job->text);
  bool done = true;
  *raw = is_raw((privy_conversion)job->mapping->conversion);
  if (job->mapping->origin != PRIVY_FROM_TEMPLATE) text = privy_without_affixes(job->mapping, text);
  if (job->mapping->values.type == PRIVY_ABSENT || replace(job, &room, &text))
    done = converters[job->mapping->conversion](job, text, out);
  privy_buffer_clear(&room);
  if (job->draft->texts.failed) return PRIVY_CONVERTED_FAULT;
  if (!done) return job->mapping->omits_invalid ? PRIVY_CONVERTED_NOTHING : PRIVY_CONVERTED_FAULT;
  record(job, out);
  return out->length ? PRIVY_CONVERTED : PRIVY_CONVERTED_NOTHING;
}
