/* From the values of a row to its fields: conversion, writing, and the rules of the operation. */
#include "imports/compose.h"
#include "imports/convert.h"
#include "imports/emit.h"

static privy_conversion_job job_at(privy_import *import, privy_draft *draft, size_t position) {
  const privy_noted *noted = &draft->noted[position];
  return (privy_conversion_job){.import = import,
                                .draft = draft,
                                .mapping = &import->plan.mappings[position],
                                .line = noted->line ? noted->line : draft->lines[0].number,
                                .column = noted->line ? noted->column : PRIVY_NO_COLUMN,
                                .element = PRIVY_NO_COLUMN,
                                .text = noted->text};
}

/* ---- writing ---- */

static void write_sum(const privy_conversion_job *job, privy_emitter *emitter) {
  char text[PRIVY_AMOUNT_SIZE];
  const privy_sum *total = &job->draft->total;
  if (job->draft->unsummed) {
    if (job->draft->row.fault_count == 0)
      privy_job_fault(job, privy_detail_code_text(PRIVY_CODE_REQUIRED),
                      "cannot be computed: an item has no quantity or no price");
    return;
  }
  if (total->units < 0) {
    privy_job_fault(job, privy_import_code_text(PRIVY_IMPORT_REFUND),
                    "is negative: a refund or a cancellation is not an order; the map can skip such lines");
    return;
  }
  const size_t length = privy_sum_text(total, text);
  privy_emit(emitter, job->mapping->path, (privy_span){text, length}, true);
}

static void write_quantities(const privy_conversion_job *job, privy_emitter *emitter) {
  char text[PRIVY_INT64_LENGTH];
  if (job->draft->unsummed) return;
  const size_t length = privy_format_int64(job->draft->quantities.units, text);
  privy_emit(emitter, job->mapping->path, (privy_span){text, length}, true);
}

static void write_value(privy_import *import, const privy_conversion_job *job, privy_emitter *emitter) {
  bool raw;
  import->scratch.length = 0;
  if (privy_convert(job, &import->scratch, &raw) != PRIVY_CONVERTED) return;
  privy_emit(emitter, job->mapping->path, (privy_span){import->scratch.data, import->scratch.length}, raw);
}

static void write_field(privy_import *import, privy_draft *draft, size_t position, privy_emitter *emitter) {
  const privy_conversion_job job = job_at(import, draft, position);
  const privy_mapping *mapping = job.mapping;
  if (mapping->origin == PRIVY_FROM_TOTALS)
    write_sum(&job, emitter);
  else if (mapping->origin == PRIVY_FROM_QUANTITIES)
    write_quantities(&job, emitter);
  else if (draft->noted[position].line)
    write_value(import, &job, emitter);
  else if (mapping->constant.length)
    privy_emit(emitter, mapping->path, mapping->constant, true);
}

static void write_list(privy_import *import, privy_draft *draft, size_t index, privy_emitter *emitter) {
  const privy_list *list = &draft->lists[index];
  const privy_field *top = import->list_tops[index];
  if (list->count == 0) return;
  import->scratch.length = 0;
  const bool fits = privy_buffer_byte(&import->scratch, '[') &&
                    privy_buffer_append(&import->scratch, list->json.data, list->json.length) &&
                    privy_buffer_byte(&import->scratch, ']');
  if (!fits) draft->texts.failed = true;
  const privy_span text = {import->scratch.data, import->scratch.length};
  if (fits) privy_emit(emitter, (privy_span){top->name, top->name_length}, text, true);
}

static size_t list_of(const privy_import *import, const privy_field *top) {
  size_t index = 0;
  while (index < import->list_count && import->list_tops[index] != top) index++;
  return index;
}

static void write_fields(privy_import *import, privy_draft *draft) {
  privy_emitter emitter;
  bool written[PRIVY_LISTS] = {false};
  privy_emit_begin(&emitter, &draft->fields);
  for (size_t i = 0; i < import->plan.count; i++) {
    const size_t position = import->order[i];
    const privy_mapping *mapping = &import->plan.mappings[position];
    if (mapping->hidden || mapping->origin == PRIVY_FROM_NOTHING) continue;
    if (!mapping->per_line) {
      write_field(import, draft, position, &emitter);
      continue;
    }
    const size_t list = list_of(import, mapping->top);
    if (list < import->list_count && !written[list]) write_list(import, draft, list, &emitter);
    if (list < import->list_count) written[list] = true;
  }
  if (!privy_emit_end(&emitter)) draft->texts.failed = true;
}

/* ---- the rules of the operation ---- */

/* The number in the first brackets of "line_items[3].price"; PRIVY_NO_COLUMN if there is none. */
static size_t element_of(const char *field) {
  const char *open = strchr(field, '['), *close = open ? strchr(open, ']') : NULL;
  int64_t number;
  if (!close || !privy_parse_int64(open + 1, (size_t)(close - open - 1), &number) || number < 0) return PRIVY_NO_COLUMN;
  return (size_t)number;
}

static bool is_called(const privy_mapping *mapping, size_t element, const char *field, privy_draft *draft) {
  privy_buffer name = PRIVY_BUFFER_EMPTY;
  const bool fits = privy_mapping_name(mapping, element, &name) && privy_buffer_terminate(&name);
  const bool same = fits && strcmp(name.data, field) == 0;
  if (!fits) draft->texts.failed = true;
  privy_buffer_clear(&name);
  return same;
}

/* The line of an element; the first line of the row if it is not known. */
static uint64_t line_of(const privy_import *import, const privy_draft *draft, const privy_mapping *mapping,
                        size_t element) {
  const size_t list = list_of(import, mapping->top);
  return list < import->list_count && element < draft->lists[list].count ? draft->lists[list].lines[element]
                                                                         : draft->lines[0].number;
}

/* Where the value of a field comes from. */
static privy_import_fault locate(const privy_import *import, privy_draft *draft, const privy_detail *detail) {
  const size_t element = element_of(detail->field);
  privy_import_fault fault = {.line = draft->lines[0].number,
                              .column = {"", 0},
                              .field = {detail->field, strlen(detail->field)},
                              .value = {"", 0},
                              .message = {detail->message, strlen(detail->message)},
                              .code = ""};
  for (size_t i = 0; i < import->plan.count; i++) {
    const privy_mapping *mapping = &import->plan.mappings[i];
    if (mapping->hidden || !is_called(mapping, element, detail->field, draft)) continue;
    const privy_noted *noted = &draft->noted[i];
    if (mapping->per_line) fault.line = line_of(import, draft, mapping, element);
    if (noted->line) fault.line = noted->line;
    fault.value = noted->text;
    if (mapping->column_count && mapping->columns[0].index != PRIVY_NO_COLUMN)
      fault.column = import->header[noted->line ? noted->column : mapping->columns[0].index];
    break;
  }
  return fault;
}

static void add_detail(const privy_import *import, privy_draft *draft, const privy_detail *detail) {
  privy_import_fault fault = locate(import, draft, detail);
  fault.code = privy_texts_copy(&draft->texts, detail->code, strlen(detail->code)).text;
  privy_draft_fault(draft, &fault);
}

/* Whether a total is missing because of the faults of the items. */
static bool is_sum(const privy_import *import, const char *field, size_t length) {
  const privy_mapping *mapping = privy_map_find(&import->plan, (privy_span){field, length});
  return mapping && (mapping->origin == PRIVY_FROM_TOTALS || mapping->origin == PRIVY_FROM_QUANTITIES);
}

/* Whether a fault is one of a field that rules over several fields are about. */
static bool lacks_identity(const privy_import *import, const privy_draft *draft) {
  for (size_t i = 0; i < import->plan.count; i++) {
    const privy_mapping *mapping = &import->plan.mappings[i];
    const bool counts = mapping->conversion == PRIVY_CONVERT_EMAIL || mapping->conversion == PRIVY_CONVERT_PHONE ||
                        mapping->conversion == PRIVY_CONVERT_CONSENT || mapping->conversion == PRIVY_CONVERT_BOOLEAN;
    if (counts && privy_draft_has_fault(draft, mapping->path.text, mapping->path.length)) return true;
  }
  return false;
}

/* Whether the rule breaks because of a fault that is recorded already. */
static bool is_consequence(const privy_import *import, const privy_draft *draft, const char *field) {
  const size_t length = strlen(field);
  if (strcmp(field, "base") == 0) return lacks_identity(import, draft);
  return privy_draft_has_fault(draft, field, length) || is_sum(import, field, length);
}

static void check_rules(privy_import *import, privy_draft *draft) {
  privy_check *check = &import->check;
  const bool faulty = draft->row.fault_count > 0;
  privy_check_init(check, import->plan.operation, PRIVY_CHECK_STRICT);
  privy_check_members(
      check, (privy_value){.text = draft->fields.data, .length = (uint32_t)draft->fields.length, .type = PRIVY_OBJECT});
  privy_check_finish(check, 0);
  if (check->no_memory) draft->texts.failed = true;
  for (size_t i = 0; i < check->details.count; i++) {
    const privy_detail *detail = &check->details.items[i];
    if (faulty && is_consequence(import, draft, detail->field)) continue;
    add_detail(import, draft, detail);
  }
  privy_check_clear(check);
}

void privy_compose_row(privy_import *import, privy_draft *draft) {
  if (draft->used) {
    write_fields(import, draft);
    if (!draft->texts.failed && !draft->misfit) check_rules(import, draft);
    draft->row.fields = (privy_span){draft->fields.data, draft->fields.length};
    draft->row.state = draft->row.fault_count ? PRIVY_IMPORT_REFUSED : PRIVY_IMPORT_READY;
  } else {
    draft->row.fields = (privy_span){"{}", 2};
    draft->row.state = PRIVY_IMPORT_SKIPPED;
  }
  if (draft->texts.failed) import->no_memory = true;
}
