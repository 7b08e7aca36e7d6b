#include "imports/draft.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

privy_draft *privy_draft_new(size_t mappings) {
  privy_draft *draft = privy_calloc(1, sizeof *draft);
  if (!draft) return NULL;
  draft->noted = privy_calloc(mappings ? mappings : 1, sizeof *draft->noted);
  if (draft->noted) return draft;
  privy_free(draft);
  return NULL;
}

void privy_draft_free(privy_draft *draft) {
  if (!draft) return;
  for (size_t i = 0; i < PRIVY_LISTS; i++) {
    privy_buffer_clear(&draft->lists[i].json);
    privy_free(draft->lists[i].lines);
  }
  privy_buffer_clear(&draft->fields);
  privy_free(draft->noted);
  privy_free(draft->lines);
  privy_free(draft->changes);
  privy_free(draft->faults);
  privy_texts_clear(&draft->texts);
  privy_free(draft);
}

/* The cells of a line, without the reasons of an earlier file of rejects. */
PRIVY_NODISCARD static bool write_cells(const privy_import *import, const privy_line *line, privy_buffer *out) {
  bool fits = true, first = true;
  for (size_t i = 0; fits && i < line->count; i++) {
    if (i < import->width && import->rejects[i]) continue;
    fits = (first || privy_buffer_byte(out, ',')) && privy_csv_append(out, &line->cells[i], 1, ',');
    first = false;
  }
  return fits;
}

void privy_draft_line(const privy_import *import, privy_draft *draft, const privy_line *line) {
  privy_buffer csv = PRIVY_BUFFER_EMPTY;
  privy_import_source *lines = privy_grow(draft->lines, draft->row.line_count, &draft->line_capacity, sizeof *lines);
  if (!lines || !write_cells(import, line, &csv)) draft->texts.failed = true;
  if (lines) {
    draft->row.lines = draft->lines = lines;
    lines[draft->row.line_count++] =
        (privy_import_source){line->number, privy_texts_copy(&draft->texts, csv.data, csv.length)};
  }
  privy_buffer_clear(&csv);
}

static privy_span kept(privy_draft *draft, privy_span text) {
  return privy_texts_copy(&draft->texts, text.text, text.length);
}

void privy_draft_change(privy_draft *draft, uint64_t line, privy_span column, privy_span before, privy_span after,
                        const char *rule) {
  privy_import_change *changes =
      privy_grow(draft->changes, draft->row.change_count, &draft->change_capacity, sizeof *changes);
  if (!changes) {
    draft->texts.failed = true;
    return;
  }
  draft->row.changes = draft->changes = changes;
  changes[draft->row.change_count++] =
      (privy_import_change){line, column, kept(draft, before), kept(draft, after), rule};
}

void privy_draft_fault(privy_draft *draft, const privy_import_fault *fault) {
  privy_import_fault *faults =
      privy_grow(draft->faults, draft->row.fault_count, &draft->fault_capacity, sizeof *faults);
  if (!faults) {
    draft->texts.failed = true;
    return;
  }
  draft->row.faults = draft->faults = faults;
  faults[draft->row.fault_count++] = (privy_import_fault){
      fault->line, fault->column, kept(draft, fault->field), kept(draft, fault->value), kept(draft, fault->message),
      fault->code};
}

bool privy_draft_has_fault(const privy_draft *draft, const char *field, size_t length) {
  for (size_t i = 0; i < draft->row.fault_count; i++) {
    const privy_span other = draft->faults[i].field;
    if (other.length == length && memcmp(other.text, field, length) == 0) return true;
  }
  return false;
}

privy_span privy_job_column(const privy_conversion_job *job) {
  if (job->column == PRIVY_NO_COLUMN) return (privy_span){"", 0};
  return job->import->header[job->column];
}

bool privy_mapping_name(const privy_mapping *mapping, size_t element, privy_buffer *out) {
  privy_span rest = mapping->path, part;
  bool first = true, fits = true;
  while (fits && privy_path_next(&rest, &part)) {
    int64_t number;
    if (!first && privy_path_is_number(part) && privy_parse_int64(part.text, part.length, &number)) {
      fits = privy_buffer_format(out, "[%lld]", (long long)number - 1);
      continue;
    }
    fits = (first || privy_buffer_byte(out, '.')) && privy_buffer_append(out, part.text, part.length);
    if (fits && first && mapping->per_line && element != PRIVY_NO_COLUMN)
      fits = privy_buffer_format(out, "[%zu]", element);
    first = false;
  }
  return fits;
}

void privy_job_fault(const privy_conversion_job *job, const char *code, const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  const size_t cut = length < 0 ? 0 : (size_t)length < sizeof message ? (size_t)length : sizeof message - 1;
  privy_buffer name = PRIVY_BUFFER_EMPTY;
  if (job->mapping->omits_invalid) {
    privy_draft_change(job->draft, job->line, privy_job_column(job), job->text, (privy_span){"", 0}, "omit");
    return;
  }
  if (!privy_mapping_name(job->mapping, job->element, &name)) job->draft->texts.failed = true;
  const privy_import_fault fault = {.line = job->line,
                                    .column = privy_job_column(job),
                                    .field = {name.data, name.length},
                                    .value = job->text,
                                    .message = {message, privy_utf8_whole(message, cut)},
                                    .code = code};
  privy_draft_fault(job->draft, &fault);
  privy_buffer_clear(&name);
}

const char *privy_import_code_text(privy_import_code code) {
  static const char *const codes[] = {
#define X(id, name, doc) name,
      PRIVY_IMPORT_CODES(X)
#undef X
  };
  return codes[code];
}

bool privy_put(const privy_conversion_job *job, privy_buffer *out, const char *text, size_t length) {
  if (privy_buffer_append(out, text, length)) return true;
  job->draft->texts.failed = true;
  return false;
}

bool privy_refuse_shortened(const privy_conversion_job *job, privy_span text) {
  if (!privy_is_shortened(text.text, text.length)) return false;
  privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_SHORTENED),
                  "a spreadsheet has shortened this number, and its last digits are lost: export the file again "
                  "without opening it in a spreadsheet, or format the column as text first");
  return true;
}
