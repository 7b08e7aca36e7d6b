/* Writes the rows of a journal that were refused to a file, to be corrected and imported again. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/new_file.h"
#include "jobs/journal_view.h"
#include "message/error.h"
#include "privy_imports.h"
#include "json/reader.h"
#include "json/writer.h"

/* The file holds personal data. */
#define MODE 0600

/* Columns that say what is wrong, two of PRIVY_IMPORT_REJECTS: an import does not use them. */
static const char field_column[] = "privy_field", reason_column[] = "privy_reason";

typedef struct rejects {
  privy_journal_view *view; /* its own, in one transaction: a run must not add a column meanwhile */
  privy_rejects_format format;
  privy_view_row row;
  privy_map positions; /* of the columns, by their names */
  privy_buffer names;  /* the cells of the line of names */
  privy_value *cells;  /* of a row: PRIVY_ABSENT is empty */
  size_t count;
  uint64_t rows;
  privy_buffer line, text, fields, reasons;
  privy_new_file file;
  int number; /* of the system's error; ENOMEM becomes PRIVY_NO_MEMORY */
} rejects;

/* ---- cells ---- */

/* Appends a cell; an empty text is in quotes, because an empty cell is a missing value. */
static bool append_cell(privy_buffer *out, const char *text, size_t length) {
  const privy_span cell = {text, length};
  return length ? privy_csv_append(out, &cell, 1, ',') : privy_buffer_text(out, "\"\"");
}

/* Appends a text as it is, and any other value as its JSON. */
static bool append_value(rejects *self, privy_value value) {
  if (value.type == PRIVY_ABSENT || value.type == PRIVY_NULL) return true;
  if (value.type != PRIVY_STRING || !value.escaped) return append_cell(&self->line, value.text, value.length);
  self->text.length = 0;
  return privy_value_decode(value, &self->text) == PRIVY_OK &&
         append_cell(&self->line, self->text.data, self->text.length);
}

/* ---- columns ---- */

/* The name of a member, decoded. False when memory runs out. */
static bool read_name(rejects *self, privy_value key, privy_slice *out) {
  self->text.length = 0;
  if (key.escaped && privy_value_decode(key, &self->text) != PRIVY_OK) return false;
  *out = key.escaped ? (privy_slice){self->text.data, self->text.length} : (privy_slice){key.text, key.length};
  return true;
}

static bool is_own_column(privy_slice name) {
  return privy_text_is(name.text, name.length, field_column) || privy_text_is(name.text, name.length, reason_column);
}

static bool add_column(rejects *self, privy_slice name) {
  if (is_own_column(name) || privy_map_get(&self->positions, name.text, name.length) != PRIVY_MAP_NONE) return true;
  return privy_map_set(&self->positions, name.text, name.length, self->count++) &&
         privy_buffer_byte(&self->names, ',') && append_cell(&self->names, name.text, name.length);
}

static bool add_columns(rejects *self) {
  privy_cursor cursor;
  privy_value key, value;
  privy_slice name;
  privy_cursor_init(&cursor, self->row.request);
  while (privy_cursor_next(&cursor, &key, &value))
    if (!read_name(self, key, &name) || !add_column(self, name)) return false;
  return true;
}

/* ---- lines ---- */

static bool write_line(rejects *self) {
  if (!privy_buffer_text(&self->line, self->format == PRIVY_REJECTS_CSV ? "\r\n" : "\n")) return false;
  self->number = privy_new_file_write(&self->file, self->line.data, self->line.length);
  self->line.length = 0;
  return self->number == 0;
}

static bool write_names(rejects *self) {
  return privy_buffer_text(&self->line, field_column) && privy_buffer_byte(&self->line, ',') &&
         privy_buffer_text(&self->line, reason_column) &&
         privy_buffer_append(&self->line, self->names.data, self->names.length) && write_line(self);
}

static bool place_cells(rejects *self) {
  privy_cursor cursor;
  privy_value key, value;
  privy_slice name;
  for (size_t i = 0; i < self->count; i++) self->cells[i] = (privy_value){.type = PRIVY_ABSENT};
  privy_cursor_init(&cursor, self->row.request);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (!read_name(self, key, &name)) return false;
    const size_t at = privy_map_get(&self->positions, name.text, name.length);
    if (at != PRIVY_MAP_NONE) self->cells[at] = value;
  }
  return true;
}

static bool append_part(privy_buffer *out, size_t index, privy_value text) {
  return (index == 0 || privy_buffer_text(out, "; ")) && privy_value_decode(text, out) == PRIVY_OK;
}

/* "email must be an e-mail address"; a message about several fields is a sentence of its own. */
static bool append_message(privy_buffer *out, size_t index, const privy_view_detail *detail) {
  if (privy_value_is(detail->field, "base")) return append_part(out, index, detail->message);
  return append_part(out, index, detail->field) && privy_buffer_byte(out, ' ') &&
         privy_value_decode(detail->message, out) == PRIVY_OK;
}

/* Joins the fields and the reasons of the details. */
static privy_status join_details(rejects *self, privy_error *error) {
  privy_cursor cursor;
  privy_view_detail detail;
  bool found = true;
  self->fields.length = self->reasons.length = 0;
  privy_cursor_init(&cursor, self->row.details);
  for (size_t i = 0; found; i++) {
    if (privy_view_next_detail(self->view, &self->row, &cursor, i, &detail, &found, error) != PRIVY_OK)
      return error->code;
    if (found && (!append_part(&self->fields, i, detail.field) || !append_message(&self->reasons, i, &detail)))
      return privy_error_no_memory(error);
  }
  return PRIVY_OK;
}

static bool write_cells(rejects *self) {
  if (!append_cell(&self->line, self->fields.data, self->fields.length) || !privy_buffer_byte(&self->line, ',') ||
      !append_cell(&self->line, self->reasons.data, self->reasons.length))
    return false;
  for (size_t i = 0; i < self->count; i++)
    if (!privy_buffer_byte(&self->line, ',') || !append_value(self, self->cells[i])) return false;
  return write_line(self);
}

static void write_member(privy_writer *writer, const char *name, const privy_buffer *text) {
  privy_writer_key(writer, name, strlen(name));
  privy_writer_string(writer, text->length ? text->data : "", text->length);
}

/* The row as an object. */
static bool write_object(rejects *self) {
  privy_cursor cursor;
  privy_value key, value;
  privy_slice name;
  privy_writer writer;
  privy_writer_init(&writer, &self->line);
  privy_writer_begin_object(&writer);
  write_member(&writer, field_column, &self->fields);
  write_member(&writer, reason_column, &self->reasons);
  privy_cursor_init(&cursor, self->row.request);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (!read_name(self, key, &name)) return false;
    if (is_own_column(name)) continue;
    privy_writer_key(&writer, name.text, name.length);
    privy_writer_value(&writer, value);
  }
  privy_writer_end_object(&writer);
  return !writer.failed && write_line(self);
}

/* ---- both passes ---- */

static privy_status fail(rejects *self, const char *path, privy_error *error) {
  if (self->number == 0 || self->number == ENOMEM) return privy_error_no_memory(error);
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "the file %s cannot be written", path);
}

static privy_status find_columns(rejects *self, privy_error *error) {
  bool found = true;
  while (found) {
    if (privy_view_next_row(self->view, PRIVY_ENTRIES_REFUSED, &self->row, &found, error) != PRIVY_OK)
      return error->code;
    if (found && !add_columns(self)) return privy_error_no_memory(error);
  }
  self->row.id = 0;
  self->cells = privy_calloc(self->count + 1, sizeof *self->cells);
  return self->cells ? PRIVY_OK : privy_error_no_memory(error);
}

static privy_status write_rows(rejects *self, const char *path, privy_error *error) {
  const bool is_csv = self->format == PRIVY_REJECTS_CSV;
  bool found = true;
  if (is_csv && !write_names(self)) return fail(self, path, error);
  for (;; self->rows++) {
    if (privy_view_next_row(self->view, PRIVY_ENTRIES_REFUSED, &self->row, &found, error) != PRIVY_OK)
      return error->code;
    if (!found) return PRIVY_OK;
    if (join_details(self, error) != PRIVY_OK) return error->code;
    if (!(is_csv ? place_cells(self) && write_cells(self) : write_object(self))) return fail(self, path, error);
  }
}

static privy_status write_file(rejects *self, const char *path, privy_error *error) {
  if (self->format == PRIVY_REJECTS_CSV && find_columns(self, error) != PRIVY_OK) return error->code;
  self->number = privy_new_file_open(&self->file, path, MODE);
  if (self->number) return fail(self, path, error);
  if (write_rows(self, path, error) != PRIVY_OK) {
    privy_new_file_abandon(&self->file);
    return error->code;
  }
  self->number = privy_new_file_complete(&self->file);
  return self->number ? fail(self, path, error) : PRIVY_OK;
}

/* ---- the interface ---- */

static privy_status begin(rejects *self, const char *path, privy_error *error) {
  struct stat journal, target;
  const char *name = self->view->file.sqlite->db_filename(self->view->file.database, "main");
  if (stat(name, &journal) == 0 && stat(path, &target) == 0 && journal.st_dev == target.st_dev &&
      journal.st_ino == target.st_ino)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s is the journal itself: choose another path", path);
  privy_status status = privy_view_lock(self->view, error);
  if (status == PRIVY_OK) {
    const int result = self->view->file.sqlite->exec(self->view->file.database, "BEGIN", NULL, NULL, NULL);
    if (result != PRIVY_SQLITE_OK) status = privy_database_fail(&self->view->file, result, error);
  }
  return privy_view_unlock(self->view, status);
}

static void clear(rejects *self) {
  privy_view_row_clear(&self->row);
  privy_map_clear(&self->positions);
  privy_buffer_clear(&self->names);
  privy_buffer_clear(&self->line);
  privy_buffer_clear(&self->text);
  privy_buffer_clear(&self->fields);
  privy_buffer_clear(&self->reasons);
  privy_free(self->cells);
  privy_journal_view_free(self->view);
}

privy_status privy_journal_view_write_rejects(privy_journal_view *view, const char *path, privy_rejects_format format,
                                              uint64_t *rows, int *number, privy_error *error) {
  rejects self = {.format = format, .file = {.descriptor = -1}};
  *number = 0;
  privy_status status = privy_view_reopen(view, &self.view, error);
  if (status == PRIVY_OK) status = begin(&self, path, error);
  if (status == PRIVY_OK) status = write_file(&self, path, error);
  if (status == PRIVY_CONFIG_ERROR) *number = self.number;
  if (rows) *rows = self.rows;
  clear(&self);
  return status;
}
