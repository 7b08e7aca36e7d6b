/* Reads the rows of a journal one by one. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "jobs/journal.h"
#include "jobs/journal_view.h"
#include "message/error.h"
#include "schema/schema.h"

struct privy_journal_entries {
  privy_journal_view *view;
  privy_entries_kind kind;
  privy_view_row row;
  privy_cursor cursor; /* of its details */
  size_t index;        /* of the next detail */
  bool open;           /* the row has more details */
  privy_buffer text;   /* of the detail that was returned */
};

/* ---- a row ---- */

void privy_view_row_clear(privy_view_row *row) {
  privy_buffer_clear(&row->text);
}

/* Columns of PRIVY_VIEW_ROW. */
enum { ID, SOURCE_ROW, KEY, REQUEST, HTTP_STATUS, MESSAGE, DETAILS, IDEMPOTENCY_KEY, FIRST_SENT, DECIDED };

/* Appends the text of a column with a NUL. `*at`: where it begins; SIZE_MAX: the column is NULL. */
static bool append_column(privy_query *query, int column, privy_buffer *out, size_t *at) {
  const char *text = privy_query_read_text(query, column);
  *at = text ? out->length : SIZE_MAX;
  return !text || privy_buffer_append(out, text, strlen(text) + 1);
}

static const char *text_at(const privy_view_row *row, size_t at) {
  return at == SIZE_MAX ? NULL : row->text.data + at;
}

/* The JSON of a column, which must be of that type. */
static privy_status read_json(privy_query *query, const char *text, privy_type type, privy_value *out,
                              privy_error *error) {
  privy_error cause;
  *out = (privy_value){.type = PRIVY_ABSENT};
  if (!text || !*text) return PRIVY_OK;
  privy_error_init(&cause);
  const privy_status status = privy_value_parse(text, strlen(text), out, &cause);
  privy_error_clear(&cause);
  if (status == PRIVY_NO_MEMORY) return privy_error_no_memory(error);
  return status == PRIVY_OK && out->type == type ? PRIVY_OK
                                                 : privy_database_refuse(query->file, PRIVY_DATABASE_DAMAGED, error);
}

static privy_status read_row(privy_query *query, privy_view_row *row, privy_error *error) {
  size_t key, request, message, details, idempotency_key;
  const int64_t id = privy_query_read_integer(query, ID);
  if (id <= row->id) return privy_database_refuse(query->file, PRIVY_DATABASE_DAMAGED, error);
  row->id = id;
  row->text.length = 0;
  row->source_row = (uint64_t)privy_query_read_integer(query, SOURCE_ROW);
  row->http_status = (int)privy_query_read_integer(query, HTTP_STATUS);
  row->first_sent = privy_query_read_number(query, FIRST_SENT);
  row->decided = privy_query_read_integer(query, DECIDED);
  if (!append_column(query, KEY, &row->text, &key) || !append_column(query, REQUEST, &row->text, &request) ||
      !append_column(query, MESSAGE, &row->text, &message) || !append_column(query, DETAILS, &row->text, &details) ||
      !append_column(query, IDEMPOTENCY_KEY, &row->text, &idempotency_key))
    return privy_error_no_memory(error);
  row->key = text_at(row, key);
  row->message = text_at(row, message);
  row->idempotency_key = text_at(row, idempotency_key);
  const privy_status status = read_json(query, text_at(row, request), PRIVY_OBJECT, &row->request, error);
  return status == PRIVY_OK ? read_json(query, text_at(row, details), PRIVY_ARRAY, &row->details, error) : status;
}

static privy_status next_row(privy_journal_view *view, privy_entries_kind kind, privy_view_row *row, bool *found,
                             privy_error *error) {
  privy_error ignored;
  privy_query query = privy_view_query(view, kind == PRIVY_ENTRIES_REFUSED ? PRIVY_VIEW_REFUSED : PRIVY_VIEW_IN_DOUBT);
  privy_query_integer(&query, 1, row->id);
  *found = privy_query_step(&query);
  const privy_status status = *found ? read_row(&query, row, error) : PRIVY_OK;
  if (status == PRIVY_OK) return privy_query_end(&query, error);
  privy_error_init(&ignored);
  (void)!privy_query_end(&query, &ignored);
  privy_error_clear(&ignored);
  return status;
}

privy_status privy_view_next_row(privy_journal_view *view, privy_entries_kind kind, privy_view_row *row, bool *found,
                                 privy_error *error) {
  privy_status status = privy_view_lock(view, error);
  if (status == PRIVY_OK) status = next_row(view, kind, row, found, error);
  return privy_view_unlock(view, status);
}

/* ---- its error details ---- */

static privy_value value_of_text(const char *text) {
  return (privy_value){.text = text, .length = (uint32_t)strlen(text), .type = PRIVY_STRING};
}

/* The detail of an error that is not about fields. */
static privy_view_detail general_detail(const privy_view_row *row) {
  return (privy_view_detail){.field = value_of_text("base"),
                             .message = value_of_text(row->message ? row->message : "the row was refused"),
                             .code = value_of_text("call_failed"),
                             .count = -1};
}

static bool read_detail(privy_value object, privy_view_detail *out) {
  privy_cursor cursor;
  privy_value key, value;
  *out = (privy_view_detail){.count = -1};
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (privy_text_is(key.text, key.length, "field")) out->field = value;
    if (privy_text_is(key.text, key.length, "message")) out->message = value;
    if (privy_text_is(key.text, key.length, "code")) out->code = value;
    if (privy_text_is(key.text, key.length, "count")) (void)privy_parse_int64(value.text, value.length, &out->count);
  }
  return out->field.type == PRIVY_STRING && out->message.type == PRIVY_STRING && out->code.type == PRIVY_STRING;
}

privy_status privy_view_next_detail(privy_journal_view *view, const privy_view_row *row, privy_cursor *cursor,
                                    size_t index, privy_view_detail *out, bool *found, privy_error *error) {
  privy_value key, object;
  *found = row->details.type == PRIVY_ARRAY ? privy_cursor_next(cursor, &key, &object) : index == 0;
  if (!*found) return PRIVY_OK;
  *out = general_detail(row);
  if (row->details.type != PRIVY_ARRAY || read_detail(object, out)) return PRIVY_OK;
  return privy_database_report(&view->file, PRIVY_JOURNAL_DAMAGED, error);
}

/* ---- the value of a field ---- */

static privy_value member_of(privy_value object, privy_slice name) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, object);
  while (object.type == PRIVY_OBJECT && privy_cursor_next(&cursor, &key, &value))
    if (key.length == name.length && memcmp(key.text, name.text, name.length) == 0) return value;
  return (privy_value){.type = PRIVY_ABSENT};
}

static privy_value element_of(privy_value array, privy_slice index) {
  privy_cursor cursor;
  privy_value key, value = {.type = PRIVY_ABSENT};
  int64_t at;
  if (array.type != PRIVY_ARRAY || !privy_parse_int64(index.text, index.length, &at)) return value;
  privy_cursor_init(&cursor, array);
  for (; at >= 0; at--)
    if (!privy_cursor_next(&cursor, &key, &value)) return (privy_value){.type = PRIVY_ABSENT};
  return value;
}

/* Follows "line_items[0].price". A field that does not exist, such as "base", has no value. */
static privy_value value_at(privy_value value, const char *path) {
  while (*path && value.type != PRIVY_ABSENT) {
    const bool index = *path == '[';
    if (index || *path == '.') path++;
    const size_t length = strcspn(path, index ? "]" : ".[");
    const privy_slice part = {path, length};
    value = index ? element_of(value, part) : member_of(value, part);
    path += length + (index && path[length]);
  }
  return value;
}

/* ---- entries ---- */

privy_status privy_journal_entries_new(privy_journal_view *view, privy_entries_kind kind, privy_journal_entries **out) {
  privy_journal_entries *entries = privy_calloc(1, sizeof *entries);
  if (!entries) return PRIVY_NO_MEMORY;
  entries->view = view;
  entries->kind = kind;
  *out = entries;
  return PRIVY_OK;
}

void privy_journal_entries_free(privy_journal_entries *entries) {
  if (!entries) return;
  privy_view_row_clear(&entries->row);
  privy_buffer_clear(&entries->text);
  privy_free(entries);
}

static privy_journal_entry entry_of(const privy_view_row *row) {
  return (privy_journal_entry){.row = row->source_row,
                               .key = row->key,
                               .request = row->request,
                               .http_status = row->http_status,
                               .count = -1,
                               .value = {.type = PRIVY_ABSENT}};
}

/* Whether the server may have forgotten the key of the event. */
static bool is_too_old(const privy_journal_view *view, double first_sent) {
  const privy_operation *operation = privy_operation_find(view->operation);
  return operation && operation->id == PRIVY_OP_EVENT && privy_wall_clock() - first_sent > PRIVY_JOURNAL_KEY_LIFETIME;
}

static bool append_text(privy_buffer *out, privy_value text, size_t *at) {
  *at = out->length;
  return privy_value_decode(text, out) == PRIVY_OK && privy_buffer_byte(out, '\0');
}

static privy_status take_detail(privy_journal_entries *entries, const privy_view_detail *detail,
                                privy_journal_entry *out, privy_error *error) {
  size_t field, message, code;
  privy_buffer *text = &entries->text;
  text->length = 0;
  if (!append_text(text, detail->field, &field) || !append_text(text, detail->message, &message) ||
      !append_text(text, detail->code, &code))
    return privy_error_no_memory(error);
  *out = entry_of(&entries->row);
  out->field = text->data + field;
  out->message = text->data + message;
  out->code = text->data + code;
  out->count = detail->count;
  out->value = value_at(entries->row.request, out->field);
  return PRIVY_OK;
}

static privy_status next_refused(privy_journal_entries *entries, privy_journal_entry *out, bool *found,
                                 privy_error *error) {
  privy_view_detail detail;
  for (;;) {
    if (!entries->open) {
      if (privy_view_next_row(entries->view, entries->kind, &entries->row, found, error) != PRIVY_OK)
        return error->code;
      if (!*found) return PRIVY_OK;
      privy_cursor_init(&entries->cursor, entries->row.details);
      entries->index = 0;
      entries->open = true;
    }
    if (privy_view_next_detail(entries->view, &entries->row, &entries->cursor, entries->index++, &detail, found,
                               error) != PRIVY_OK)
      return error->code;
    if (*found) return take_detail(entries, &detail, out, error);
    entries->open = false;
  }
}

static privy_status next_in_doubt(privy_journal_entries *entries, privy_journal_entry *out, bool *found,
                                  privy_error *error) {
  const privy_view_row *row = &entries->row;
  if (privy_view_next_row(entries->view, entries->kind, &entries->row, found, error) != PRIVY_OK) return error->code;
  if (!*found) return PRIVY_OK;
  *out = entry_of(row);
  out->idempotency_key = row->idempotency_key;
  out->first_sent = row->first_sent;
  out->too_old = is_too_old(entries->view, row->first_sent);
  out->decided = row->decided;
  return PRIVY_OK;
}

privy_status privy_journal_entries_next(privy_journal_entries *entries, privy_journal_entry *out, bool *found,
                                        privy_error *error) {
  *found = false;
  return entries->kind == PRIVY_ENTRIES_REFUSED ? next_refused(entries, out, found, error)
                                                : next_in_doubt(entries, out, found, error);
}
