/* Imports: which lines are one row, and when it is complete. */
#include "base/memory.h"
#include "imports/compose.h"
#include "imports/convert.h"
#include "imports/presets.h"
#include "message/error.h"

void privy_import_config_init(privy_import_config *config) {
  *config = (privy_import_config){0};
}

/* ---- creating ---- */

static void take_setting(privy_map_plan *plan, const char *given, privy_span *setting) {
  if (given) *setting = privy_map_copy_text(plan, given, strlen(given));
}

static const char *text_or_null(privy_span setting) {
  return setting.length ? setting.text : NULL;
}

static bool is_capital(char byte) {
  return byte >= 'A' && byte <= 'Z';
}

static void check_settings(privy_import *import) {
  static const privy_span preset = {"preset", 6}, country = {"country", 7}, currency = {"currency", 8};
  privy_map_plan *plan = &import->plan;
  const privy_span name = plan->preset;
  if (name.length && !privy_text_is(name.text, name.length, "auto")) {
    import->preset = privy_preset_find(plan, name);
    if (import->preset == PRIVY_NO_PRESET) privy_preset_refuse(plan, preset.text, plan->preset.text);
  }
  const privy_span place = plan->country, money = plan->currency;
  if (place.length && (place.length != 2 || !is_capital(place.text[0]) || !is_capital(place.text[1])))
    privy_map_fault(plan, country, PRIVY_CODE_INCLUSION, "must be two capital letters, such as US");
  if (money.length &&
      (money.length != 3 || !is_capital(money.text[0]) || !is_capital(money.text[1]) || !is_capital(money.text[2])))
    privy_map_fault(plan, currency, PRIVY_CODE_INVALID_CURRENCY, "must be three capital letters, such as USD");
}

static void read_settings(privy_import *import, const privy_import_config *config) {
  privy_map_plan *plan = &import->plan;
  if (config->map) privy_map_read(plan, config->map, config->map_length);
  take_setting(plan, config->preset, &plan->preset);
  take_setting(plan, config->country, &plan->country);
  take_setting(plan, config->currency, &plan->currency);
  take_setting(plan, config->timezone, &plan->timezone);
  check_settings(import);
  import->config.map = text_or_null(plan->source);
  import->config.country = text_or_null(plan->country);
  import->config.currency = text_or_null(plan->currency);
  import->config.timezone = text_or_null(plan->timezone);
}

static privy_status finish_new(privy_import *import, privy_import **out, privy_error *error) {
  privy_status status = PRIVY_OK;
  if (import->plan.no_memory || import->plan.texts.failed)
    status = privy_error_no_memory(error);
  else if (import->plan.faults.count)
    status = privy_error_from_details(error, &import->plan.faults, "invalid map: ");
  if (status == PRIVY_OK)
    *out = import;
  else
    privy_import_free(import);
  return status;
}

privy_status privy_import_new(const privy_import_config *config, privy_import **out, privy_error *error) {
  *out = NULL;
  privy_import *import = privy_calloc(1, sizeof *import);
  if (!import) return privy_error_no_memory(error);
  import->config = *config;
  import->plan.operation = config->operation;
  import->preset = PRIVY_NO_PRESET;
  import->key = import->currency = import->country = import->quantity = import->price = PRIVY_NO_COLUMN;
  import->ready.end = &import->ready.first;
  read_settings(import, config);
  return finish_new(import, out, error);
}

static void free_groups(privy_import *import) {
  while (import->ready.first) {
    privy_draft *draft = import->ready.first;
    import->ready.first = draft->next;
    privy_draft_free(draft);
  }
  for (size_t i = 0; i < import->waiting_count; i++) privy_draft_free(import->waiting[i]);
  privy_free(import->waiting);
  privy_draft_free(import->current);
  privy_draft_free(import->taken);
}

void privy_import_free(privy_import *import) {
  if (!import) return;
  free_groups(import);
  privy_map_clear(&import->ends);
  privy_map_clear(&import->parked);
  privy_map_clear(&import->done);
  privy_buffer_clear(&import->scratch);
  privy_buffer_clear(&import->element);
  privy_free(import->header);
  privy_free(import->used);
  privy_free(import->rejects);
  privy_free(import->order);
  privy_map_clear_plan(&import->plan);
  privy_free(import);
}

const char *privy_import_timezone(const privy_import *import) {
  return import->config.timezone;
}

/* ---- rows that are complete ---- */

static void complete(privy_import *import, privy_draft *draft) {
  privy_compose_row(import, draft);
  *import->ready.end = draft;
  import->ready.end = &draft->next;
}

const privy_import_row *privy_import_take(privy_import *import) {
  privy_draft_free(import->taken);
  import->taken = import->ready.first;
  if (!import->taken) return NULL;
  import->ready.first = import->taken->next;
  if (!import->ready.first) import->ready.end = &import->ready.first;
  return &import->taken->row;
}

/* ---- which row a line belongs to ---- */

/* Keeps an order whose last line is still to come. */
static bool park(privy_import *import, privy_draft *draft) {
  privy_draft **waiting =
      privy_grow(import->waiting, import->waiting_count, &import->waiting_capacity, sizeof *waiting);
  if (!waiting) return false;
  import->waiting = waiting;
  if (!privy_map_set(&import->parked, draft->row.key.text, draft->row.key.length, import->waiting_count)) return false;
  waiting[import->waiting_count++] = draft;
  return true;
}

static privy_draft *unpark(privy_import *import, privy_span key) {
  const size_t at = privy_map_get(&import->parked, key.text, key.length);
  if (at == PRIVY_MAP_NONE) return NULL;
  privy_draft *draft = import->waiting[at];
  import->waiting[at] = NULL;
  privy_map_remove(&import->parked, key.text, key.length);
  return draft;
}

/* The current order has no further line for now. */
static bool leave_current(privy_import *import) {
  privy_draft *draft = import->current;
  if (!draft) return true;
  const uint64_t line = draft->lines[draft->row.line_count - 1].number;
  if (draft->last > line) {
    if (!park(import, draft)) return false;
    import->current = NULL;
    return true;
  }
  import->current = NULL;
  complete(import, draft);
  return import->has_survey || !import->grouped || draft->row.key.length == 0 ||
         privy_map_set(&import->done, draft->row.key.text, draft->row.key.length, (size_t)line);
}

/* Without a first reading, the order may be complete, and sent, before this line. */
static void refuse_scattered(privy_import *import, privy_draft *draft, const privy_line *line, size_t before) {
  privy_import_fault fault = {.line = line->number, .column = {"", 0}, .field = {"base", 4}, .value = draft->row.key};
  fault.column = import->header[import->plan.mappings[import->key].columns[0].index];
  fault.code = privy_import_code_text(PRIVY_IMPORT_SCATTERED);
  fault.message = privy_texts_format(
      &draft->texts, "the order ended in line %zu: its lines must follow each other; sort the file", before);
  privy_draft_fault(draft, &fault);
}

static privy_draft *begin(privy_import *import, privy_span key, const privy_line *line) {
  privy_draft *draft = privy_draft_new(import->plan.count);
  if (!draft) return NULL;
  draft->row.key = privy_texts_copy(&draft->texts, key.text, key.length);
  if (!import->grouped || key.length == 0) return draft;
  const size_t end = privy_map_get(&import->ends, key.text, key.length);
  if (end != PRIVY_MAP_NONE) draft->last = end;
  const size_t before = privy_map_get(&import->done, key.text, key.length);
  if (before != PRIVY_MAP_NONE) refuse_scattered(import, draft, line, before);
  return draft;
}

static bool is_current(const privy_import *import, privy_span key) {
  if (!import->current || !import->grouped || key.length == 0) return false;
  const privy_span other = import->current->row.key;
  return other.length == key.length && memcmp(other.text, key.text, key.length) == 0;
}

static bool find_group(privy_import *import, const privy_line *line) {
  const privy_span key = privy_line_key(import, line);
  if (is_current(import, key)) return true;
  if (!leave_current(import)) return false;
  import->current = import->grouped && key.length ? unpark(import, key) : NULL;
  if (!import->current) import->current = begin(import, key, line);
  return import->current != NULL;
}

static privy_status status_of(privy_import *import, bool done) {
  if (!done) import->no_memory = true;
  return import->no_memory ? PRIVY_NO_MEMORY : PRIVY_OK;
}

privy_status privy_import_add(privy_import *import, const privy_line *line) {
  if (import->no_memory) return PRIVY_NO_MEMORY;
  if (privy_line_is_idle(import, line)) return PRIVY_OK;
  if (!find_group(import, line)) return status_of(import, false);
  privy_draft *draft = import->current;
  privy_compose_line(import, draft, line);
  const bool last = !import->grouped || draft->row.key.length == 0 || draft->last == line->number;
  return status_of(import, !draft->texts.failed && (!last || leave_current(import)));
}

privy_status privy_import_end(privy_import *import) {
  if (import->no_memory) return PRIVY_NO_MEMORY;
  bool done = leave_current(import);
  for (size_t i = 0; done && i < import->waiting_count; i++) {
    if (import->waiting[i]) complete(import, import->waiting[i]);
    import->waiting[i] = NULL;
  }
  return status_of(import, done);
}
