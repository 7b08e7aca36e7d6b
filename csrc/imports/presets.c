#include "imports/presets.h"

#include "base/buffer.h"
#include "base/text.h"

typedef enum preset_id {
#define PRESET(id, name, operation, doc) ID_##id,
#define MARK(id, column)
#define COLUMN(id, column, field, conversion)
#define OMIT(id, field)
#define VALUE(id, field, json)
#define IGNORE(id, column)
#include "imports/presets.def"
  PRESET_COUNT
} preset_id;
#undef PRESET
#undef MARK
#undef COLUMN
#undef OMIT
#undef VALUE
#undef IGNORE

typedef enum row_kind { ROW_MARK, ROW_COLUMN, ROW_OMIT, ROW_VALUE, ROW_IGNORE } row_kind;

typedef struct preset_row {
  preset_id preset;
  row_kind kind;
  const char *column;
  const char *field;
  const char *json;
  privy_conversion conversion;
} preset_row;

#define PRIVY_CONVERT_AUTO PRIVY_CONVERSIONS

static const preset_row rows[] = {
#define PRESET(id, name, operation, doc)
#define MARK(id, column) {ID_##id, ROW_MARK, column, NULL, NULL, PRIVY_CONVERSIONS},
#define COLUMN(id, column, field, conversion) {ID_##id, ROW_COLUMN, column, field, NULL, PRIVY_CONVERT_##conversion},
#define OMIT(id, field) {ID_##id, ROW_OMIT, NULL, field, NULL, PRIVY_CONVERSIONS},
#define VALUE(id, field, json) {ID_##id, ROW_VALUE, NULL, field, json, PRIVY_CONVERSIONS},
#define IGNORE(id, column) {ID_##id, ROW_IGNORE, column, NULL, NULL, PRIVY_CONVERSIONS},
#include "imports/presets.def"
#undef PRESET
#undef MARK
#undef COLUMN
#undef OMIT
#undef VALUE
#undef IGNORE
};
#define ROWS (sizeof rows / sizeof *rows)

const privy_import_preset_info *privy_import_preset_at(size_t index) {
  static const privy_import_preset_info presets[] = {
#define PRESET(id, name, operation, doc) {name, operation, doc},
#define MARK(id, column)
#define COLUMN(id, column, field, conversion)
#define OMIT(id, field)
#define VALUE(id, field, json)
#define IGNORE(id, column)
#include "imports/presets.def"
#undef PRESET
#undef MARK
#undef COLUMN
#undef OMIT
#undef VALUE
#undef IGNORE
  };
  return index < PRESET_COUNT ? &presets[index] : NULL;
}

static bool is_of(size_t preset, const privy_map_plan *plan) {
  return strcmp(privy_import_preset_at(preset)->operation, plan->operation->name) == 0;
}

size_t privy_preset_find(const privy_map_plan *plan, privy_span name) {
  for (size_t i = 0; i < PRESET_COUNT; i++)
    if (is_of(i, plan) && privy_text_is(name.text, name.length, privy_import_preset_at(i)->name)) return i;
  return PRIVY_NO_PRESET;
}

static bool header_has(const privy_span *header, size_t count, const char *column) {
  for (size_t i = 0; i < count; i++)
    if (privy_text_is_nocase(header[i].text, header[i].length, column)) return true;
  return false;
}

static bool fits(size_t preset, const privy_span *header, size_t count) {
  bool marked = false;
  for (size_t i = 0; i < ROWS; i++) {
    if (rows[i].preset != preset || rows[i].kind != ROW_MARK) continue;
    if (!header_has(header, count, rows[i].column)) return false;
    marked = true;
  }
  return marked;
}

/* The names of the operation's presets, of all or of those that fit the header. */
static bool list_names(const privy_map_plan *plan, const privy_span *header, size_t count, privy_buffer *out) {
  bool done = true;
  for (size_t i = 0; done && i < PRESET_COUNT; i++) {
    if (!is_of(i, plan) || (header && !fits(i, header, count))) continue;
    done = privy_buffer_format(out, "%s%s", out->length ? ", " : "", privy_import_preset_at(i)->name);
  }
  return done && privy_buffer_terminate(out);
}

void privy_preset_refuse(privy_map_plan *plan, const char *field, const char *name) {
  privy_buffer names = PRIVY_BUFFER_EMPTY;
  const privy_span place = {field, strlen(field)};
  if (list_names(plan, NULL, 0, &names))
    privy_map_fault(plan, place, PRIVY_CODE_INCLUSION, "there is no preset %.60s for %s: there are %s", name,
                    plan->operation->name, names.data);
  else
    plan->no_memory = true;
  privy_buffer_clear(&names);
}

static void refuse_header(privy_map_plan *plan, const privy_span *header, size_t count, size_t found) {
  static const privy_span place = {"preset", 6};
  privy_buffer names = PRIVY_BUFFER_EMPTY;
  if (!list_names(plan, found ? header : NULL, count, &names))
    plan->no_memory = true;
  else if (found)
    privy_map_fault(plan, place, PRIVY_CODE_INCLUSION, "several presets fit the columns: choose one of %s", names.data);
  else
    privy_map_fault(plan, place, PRIVY_CODE_INCLUSION, "no preset fits the columns: give a map, or choose one of %s",
                    names.data);
  privy_buffer_clear(&names);
}

size_t privy_preset_recognise(privy_map_plan *plan, const privy_span *header, size_t count) {
  size_t found = 0, only = PRIVY_NO_PRESET;
  for (size_t i = 0; i < PRESET_COUNT; i++) {
    if (!is_of(i, plan) || !fits(i, header, count)) continue;
    found++;
    only = i;
  }
  if (found == 1) return only;
  refuse_header(plan, header, count, found);
  return PRIVY_NO_PRESET;
}

/* The mapping of the row's field, added if nothing fills it yet; NULL if the map does. */
static privy_mapping *mapping_for(privy_map_plan *plan, const preset_row *row) {
  const privy_span path = {row->field, strlen(row->field)};
  privy_mapping *mapping = privy_map_find(plan, path);
  if (mapping) return mapping->of_preset ? mapping : NULL;
  mapping = privy_map_add(plan, path);
  if (mapping) mapping->of_preset = true;
  return mapping;
}

static void apply_row(privy_map_plan *plan, const preset_row *row) {
  privy_mapping *mapping = mapping_for(plan, row);
  if (!mapping) return;
  if (row->kind == ROW_COLUMN) {
    privy_map_add_column(plan, mapping, (privy_span){row->column, strlen(row->column)});
    if (row->conversion != PRIVY_CONVERSIONS) mapping->conversion = (uint8_t)row->conversion;
    return;
  }
  if (row->kind == ROW_OMIT) {
    mapping->omits_invalid = true;
    return;
  }
  mapping->constant = (privy_span){row->json, strlen(row->json)};
  if (mapping->column_count == 0) mapping->origin = PRIVY_FROM_CONSTANT;
}

void privy_preset_apply(privy_map_plan *plan, size_t preset) {
  for (size_t i = 0; i < ROWS; i++)
    if (rows[i].preset == preset && rows[i].field) apply_row(plan, &rows[i]);
}

/* Whether the column is the one that a preset names; a final * of the name stands for any end. */
static bool is_named(privy_span column, const char *name) {
  const size_t length = strlen(name), front = length - 1;
  if (name[front] != '*') return privy_text_is_nocase(column.text, column.length, name);
  return column.length > front && privy_text_equal_nocase(column.text, front, name, front);
}

bool privy_preset_ignores(size_t preset, privy_span column) {
  for (size_t i = 0; i < ROWS; i++)
    if (rows[i].preset == preset && !rows[i].field && is_named(column, rows[i].column)) return true;
  return false;
}
