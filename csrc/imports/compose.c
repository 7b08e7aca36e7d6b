/* From lines to the values of a row. */
#include "imports/compose.h"

#include "base/memory.h"
#include "imports/blank.h"
#include "imports/convert.h"
#include "imports/emit.h"

/* ---- lines ---- */

bool privy_line_pick(const privy_mapping *mapping, const privy_line *line, privy_span *text, size_t *column) {
  for (size_t i = 0; i < mapping->column_count; i++) {
    const size_t index = mapping->columns[i].index;
    if (index >= line->count || privy_is_blank(privy_clean(line->cells[index]))) continue;
    *text = line->cells[index];
    *column = index;
    return true;
  }
  return false;
}

privy_span privy_line_key(const privy_import *import, const privy_line *line) {
  privy_span text = {"", 0};
  size_t column;
  if (import->key == PRIVY_NO_COLUMN) return text;
  (void)privy_line_pick(&import->plan.mappings[import->key], line, &text, &column);
  return privy_clean(text);
}

static bool is_header(const privy_import *import, const privy_line *line) {
  if (line->count != import->width) return false;
  for (size_t i = 0; i < line->count; i++) {
    const privy_span cell = privy_clean(line->cells[i]), name = import->header[i];
    if (!privy_text_equal_nocase(cell.text, cell.length, name.text, name.length)) return false;
  }
  return true;
}

/* Files that were joined have the header of the second one in the middle. */
bool privy_line_is_idle(const privy_import *import, const privy_line *line) {
  size_t i = 0;
  while (i < line->count && privy_clean(line->cells[i]).length == 0) i++;
  return i == line->count || is_header(import, line);
}

bool privy_line_is_complete(const privy_import *import, const privy_line *line) {
  for (size_t i = import->width; i < line->count; i++)
    if (privy_clean(line->cells[i]).length) return false;
  return line->count >= import->width;
}

/* A line with one cell more than others has a delimiter inside a text, even if its last cell is empty: its values are
 * in wrong columns. If all lines have more cells than the header, they end with delimiters. */
static bool fits(const privy_import *import, const privy_line *line) {
  return privy_line_is_complete(import, line) && (line->count == import->width || line->count <= import->least);
}

static privy_import_fault fault_of(uint64_t line, const char *code) {
  return (privy_import_fault){.line = line, .column = {"", 0}, .field = {"base", 4}, .value = {"", 0}, .code = code};
}

static void refuse_cells(privy_import *import, privy_draft *draft, const privy_line *line) {
  const bool more = line->count > import->width;
  privy_import_fault fault = fault_of(line->number, privy_import_code_text(PRIVY_IMPORT_CELLS));
  fault.message =
      privy_texts_format(&draft->texts, "the line has %zu cells, and the header has %zu%s", line->count, import->width,
                         more ? ": put a text that has the delimiter in it in quotes" : ": cells are missing");
  if (more) fault.value = line->cells[import->width];
  privy_draft_fault(draft, &fault);
}

/* ---- skipping ---- */

static bool test_skip(const privy_skip *skip, const privy_line *line) {
  const bool there = skip->column.index < line->count;
  const privy_span text = there ? privy_clean(line->cells[skip->column.index]) : (privy_span){"", 0};
  privy_amount amount;
  switch (skip->test) {
  case PRIVY_SKIP_EQUALS: return privy_text_equal_nocase(text.text, text.length, skip->text.text, skip->text.length);
  case PRIVY_SKIP_STARTS: return privy_text_starts(text.text, text.length, skip->text.text);
  case PRIVY_SKIP_EMPTY: return privy_is_blank(text);
  default: return privy_amount_read(text.text, text.length, '.', &amount) == PRIVY_AMOUNT_READ && amount.negative;
  }
}

/* Why the map leaves the line out; NULL if it does not. */
static const privy_skip *find_skip(const privy_import *import, const privy_line *line) {
  for (size_t i = 0; i < import->plan.skip_count; i++)
    if (test_skip(&import->plan.skips[i], line)) return &import->plan.skips[i];
  return NULL;
}

/* ---- values of a line ---- */

static privy_conversion_job job_of(privy_import *import, privy_draft *draft, const privy_mapping *mapping,
                                   uint64_t line) {
  return (privy_conversion_job){.import = import,
                                .draft = draft,
                                .mapping = mapping,
                                .line = line,
                                .column = PRIVY_NO_COLUMN,
                                .element = PRIVY_NO_COLUMN,
                                .text = {"", 0}};
}

/* Appends the text of a template in which {Column} stands for a cell. False: a cell is blank. */
static bool fill_template(privy_draft *draft, const privy_mapping *mapping, const privy_line *line, privy_buffer *out) {
  const char *at = mapping->template.text, *const end = at + mapping->template.length;
  for (size_t i = 0; i < mapping->column_count; i++) {
    const char *open = memchr(at, '{', (size_t)(end - at)), *close = memchr(open, '}', (size_t)(end - open));
    const size_t index = mapping->columns[i].index;
    const privy_span cell = index < line->count ? privy_clean(line->cells[index]) : (privy_span){"", 0};
    const privy_span text = privy_without_affixes(mapping, cell);
    if (privy_is_blank(text)) return false;
    if (!privy_buffer_append(out, at, (size_t)(open - at)) || !privy_buffer_append(out, text.text, text.length))
      draft->texts.failed = true;
    at = close + 1;
  }
  if (!privy_buffer_append(out, at, (size_t)(end - at))) draft->texts.failed = true;
  return true;
}

/* Whether all bytes of the text were valid in the file's encoding; if not, the fault is recorded. */
static bool check_bytes(const privy_conversion_job *job) {
  const char *text = job->text.text;
  bool damaged = privy_utf8_valid(text, job->text.length) != job->text.length;
  for (size_t i = 0; !damaged && i + 3 <= job->text.length; i++) damaged = memcmp(text + i, "\xef\xbf\xbd", 3) == 0;
  if (damaged)
    privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_DAMAGED),
                    "has characters that cannot be read: save the file as UTF-8");
  return !damaged;
}

/* The value of the job's mapping in a line. `room` holds the text of a template. */
static bool find_value(privy_conversion_job *job, const privy_line *line, privy_buffer *room) {
  room->length = 0;
  if (job->mapping->origin == PRIVY_FROM_TEMPLATE) {
    if (!fill_template(job->draft, job->mapping, line, room)) return false;
    job->text = (privy_span){room->data, room->length};
    job->column = job->mapping->columns[0].index;
  } else if (job->mapping->origin != PRIVY_FROM_COLUMNS ||
             !privy_line_pick(job->mapping, line, &job->text, &job->column)) {
    return false;
  }
  return check_bytes(job);
}

static void refuse_other(privy_conversion_job *job, const privy_noted *noted) {
  const privy_span before = privy_clean(noted->text);
  privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_DISAGREE),
                  "differs from line %llu (%.*s): all lines of one order must agree", (unsigned long long)noted->line,
                  (int)(before.length > 80 ? 80 : before.length), before.text);
}

/* Keeps the value of a mapping that is one for the whole row. */
static void note(privy_conversion_job *job) {
  privy_noted *noted = &job->draft->noted[job->mapping - job->import->plan.mappings];
  const privy_span text = privy_clean(job->text), before = privy_clean(noted->text);
  if (noted->line == 0) {
    noted->text = privy_texts_copy(&job->draft->texts, job->text.text, job->text.length);
    noted->line = job->line;
    noted->column = job->column;
  } else if (job->mapping->takes_first) {
    return;
  } else if (text.length != before.length || memcmp(text.text, before.text, text.length) != 0) {
    refuse_other(job, noted);
  }
}

static void note_values(privy_import *import, privy_draft *draft, const privy_line *line) {
  for (size_t i = 0; i < import->plan.count; i++) {
    const privy_mapping *mapping = &import->plan.mappings[i];
    privy_conversion_job job = job_of(import, draft, mapping, line->number);
    if (!mapping->per_line && find_value(&job, line, &import->scratch)) note(&job);
  }
}

/* The currency of the row, which signs of amounts are compared with. */
static void note_currency(privy_import *import, privy_draft *draft) {
  const privy_span own = import->plan.currency;
  if (draft->currency[0]) return;
  const bool named = import->currency != PRIVY_NO_COLUMN && draft->noted[import->currency].line;
  const privy_span text = named ? privy_clean(draft->noted[import->currency].text) : own;
  if (text.length == 0 || privy_currency_read(text, own, draft->currency) != PRIVY_CURRENCY_READ)
    draft->currency[0] = '\0';
}

/* ---- elements of lists ---- */

/* What an element adds to the sums. */
typedef struct line_item {
  privy_buffer quantity, price;
} line_item;

static void keep_number(const privy_import *import, const privy_mapping *mapping, privy_span number, line_item *item,
                        privy_draft *draft) {
  const size_t at = (size_t)(mapping - import->plan.mappings);
  privy_buffer *place = at == import->quantity ? &item->quantity : at == import->price ? &item->price : NULL;
  if (place && !privy_buffer_append(place, number.text, number.length)) draft->texts.failed = true;
}

static void add_to_sums(privy_draft *draft, const line_item *item) {
  const privy_slice quantity = {item->quantity.data, item->quantity.length}, one = {"1", 1};
  const privy_slice price = {item->price.data, item->price.length};
  if (quantity.length == 0 || !privy_sum_add(&draft->quantities, quantity, one) || price.length == 0 ||
      !privy_sum_add(&draft->total, quantity, price))
    draft->unsummed = true;
}

/* Writes one field of an element. Returns whether the line has a value for it. */
static bool write_part(privy_conversion_job *job, const privy_line *line, privy_emitter *emitter, line_item *item,
                       privy_buffer *room) {
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  privy_span path = job->mapping->path, top;
  bool raw;
  (void)privy_path_next(&path, &top);
  if (!find_value(job, line, room)) {
    if (job->mapping->constant.length) privy_emit(emitter, path, job->mapping->constant, true);
    return false;
  }
  if (privy_convert(job, &out, &raw) == PRIVY_CONVERTED) {
    const privy_span text = {out.data, out.length};
    privy_emit(emitter, path, text, raw);
    keep_number(job->import, job->mapping, text, item, job->draft);
  }
  privy_buffer_clear(&out);
  return true;
}

/* Adds the element that is written to its list. */
static void keep_element(privy_import *import, privy_draft *draft, privy_list *list, uint64_t line) {
  uint64_t *lines = privy_grow(list->lines, list->count, &list->capacity, sizeof *lines);
  if (lines) {
    list->lines = lines;
    lines[list->count] = line;
  }
  if (!lines || (list->count && !privy_buffer_byte(&list->json, ',')) ||
      !privy_buffer_append(&list->json, import->element.data, import->element.length))
    draft->texts.failed = true;
  else
    list->count++;
}

static void add_element(privy_import *import, privy_draft *draft, size_t index, const privy_line *line) {
  privy_emitter emitter;
  privy_list *list = &draft->lists[index];
  line_item item = {PRIVY_BUFFER_EMPTY, PRIVY_BUFFER_EMPTY};
  bool given = false, items = false;
  import->element.length = 0;
  privy_emit_begin(&emitter, &import->element);
  for (size_t i = 0; i < import->plan.count; i++) {
    const privy_mapping *mapping = &import->plan.mappings[import->order[i]];
    if (!mapping->per_line || mapping->top != import->list_tops[index]) continue;
    privy_conversion_job job = job_of(import, draft, mapping, line->number);
    job.element = list->count;
    if (write_part(&job, line, &emitter, &item, &import->scratch)) given = true;
    items = items || import->order[i] == import->quantity || import->order[i] == import->price;
  }
  if (!privy_emit_end(&emitter)) draft->texts.failed = true;
  if (given && items) add_to_sums(draft, &item);
  if (given) keep_element(import, draft, list, line->number);
  privy_buffer_clear(&item.quantity);
  privy_buffer_clear(&item.price);
}

void privy_compose_line(privy_import *import, privy_draft *draft, const privy_line *line) {
  privy_draft_line(import, draft, line);
  const privy_skip *skip = find_skip(import, line);
  if (draft->row.key.length == 0) {
    const privy_span key = privy_line_key(import, line);
    draft->row.key = privy_texts_copy(&draft->texts, key.text, key.length);
  }
  if (skip) {
    draft->row.reason = skip->reason;
    return;
  }
  draft->used = true;
  if (!fits(import, line)) {
    refuse_cells(import, draft, line);
    draft->misfit = true;
    return;
  }
  note_values(import, draft, line);
  note_currency(import, draft);
  for (size_t i = 0; i < import->list_count; i++) add_element(import, draft, i, line);
}
