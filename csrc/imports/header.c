/* The header of a file: which column of the map is where. */
#include "base/memory.h"
#include "imports/blank.h"
#include "imports/convert.h"
#include "imports/emit.h"
#include "imports/presets.h"
#include "message/error.h"
#include "schema/reason.h"

static bool is_name(privy_span a, privy_span b) {
  return privy_text_equal_nocase(a.text, a.length, b.text, b.length);
}

static privy_span under_columns(privy_map_plan *plan, privy_span path) {
  const privy_span place = privy_texts_format(&plan->texts, "columns.%.*s", (int)path.length, path.text);
  if (plan->texts.failed) plan->no_memory = true;
  return place;
}

/* ---- names to positions ---- */

static size_t find_column(const privy_import *import, privy_span name) {
  const privy_span clean = privy_clean(name);
  for (size_t i = 0; i < import->width; i++)
    if (is_name(import->header[i], clean)) return i;
  return PRIVY_NO_COLUMN;
}

static void refuse_column(privy_import *import, privy_span place, privy_span name) {
  privy_slice *known = privy_calloc(import->width ? import->width : 1, sizeof *known);
  if (!known) {
    import->plan.no_memory = true;
    return;
  }
  for (size_t i = 0; i < import->width; i++) known[i] = (privy_slice){import->header[i].text, import->header[i].length};
  const size_t near = privy_suggest_among(known, import->width, name.text, name.length);
  if (near == SIZE_MAX)
    privy_map_fault(&import->plan, place, PRIVY_CODE_UNKNOWN_FIELD, "the file has no column \"%.*s\"", (int)name.length,
                    name.text);
  else
    privy_map_fault(&import->plan, place, PRIVY_CODE_UNKNOWN_FIELD,
                    "the file has no column \"%.*s\": did you mean \"%.*s\"?", (int)name.length, name.text,
                    (int)known[near].length, known[near].text);
  privy_free(known);
}

static void check_twice(privy_import *import, privy_span place, size_t column) {
  for (size_t i = column + 1; i < import->width; i++) {
    if (!is_name(import->header[i], import->header[column])) continue;
    privy_map_fault(&import->plan, place, PRIVY_CODE_REPEATED, "the file has two columns \"%.*s\"",
                    (int)import->header[column].length, import->header[column].text);
    return;
  }
}

/* Whether the file has the column. */
static bool place_column(privy_import *import, privy_span place, privy_column_name *column) {
  column->index = find_column(import, column->name);
  if (column->index == PRIVY_NO_COLUMN) return false;
  import->used[column->index] = true;
  check_twice(import, place, column->index);
  return true;
}

static void place_mapping(privy_import *import, privy_mapping *mapping) {
  if (mapping->column_count == 0) return;
  const privy_span place = under_columns(&import->plan, mapping->hidden ? (privy_span){"country", 7} : mapping->path);
  const bool all = mapping->origin == PRIVY_FROM_TEMPLATE;
  size_t found = 0;
  for (size_t i = 0; i < mapping->column_count; i++) {
    if (place_column(import, place, &mapping->columns[i]))
      found++;
    else if (all)
      refuse_column(import, place, mapping->columns[i].name);
  }
  if (found || all) return;
  if (mapping->of_preset)
    mapping->origin = mapping->constant.length ? PRIVY_FROM_CONSTANT : PRIVY_FROM_NOTHING;
  else
    refuse_column(import, place, mapping->columns[0].name);
}

static void place_skips(privy_import *import) {
  static const privy_span place = {"skip", 4};
  for (size_t i = 0; i < import->plan.skip_count; i++) {
    privy_column_name *column = &import->plan.skips[i].column;
    if (!place_column(import, place, column)) refuse_column(import, place, column->name);
  }
}

/* ---- what the import needs of the map ---- */

static size_t find_path(const privy_import *import, const char *path) {
  const privy_mapping *mapping = privy_map_find(&import->plan, (privy_span){path, strlen(path)});
  const bool given = mapping && mapping->origin != PRIVY_FROM_NOTHING;
  return given ? (size_t)(mapping - import->plan.mappings) : PRIVY_NO_COLUMN;
}

/* Fills a field that the map does not fill with the currency of the import. */
static void add_currency(privy_import *import, const privy_field *field) {
  privy_map_plan *plan = &import->plan;
  const char *currency = import->config.currency;
  if (!currency) return;
  const privy_span path = {field->name, field->name_length};
  privy_mapping *mapping = privy_map_find(plan, path);
  if (!mapping) {
    mapping = privy_map_add(plan, path);
    if (mapping) mapping->origin = PRIVY_FROM_CONSTANT;
  }
  if (!mapping || mapping->constant.length) return;
  mapping->constant = privy_texts_format(&plan->texts, "\"%.20s\"", currency);
  if (mapping->origin == PRIVY_FROM_NOTHING) mapping->origin = PRIVY_FROM_CONSTANT;
}

/* Whether a mapping fills the field or a part of it. */
static bool is_filled(const privy_import *import, const privy_field *field) {
  for (size_t i = 0; i < import->plan.count; i++)
    if (import->plan.mappings[i].top == field && import->plan.mappings[i].origin != PRIVY_FROM_NOTHING) return true;
  return false;
}

static void check_required(privy_import *import) {
  const privy_operation *operation = import->plan.operation;
  for (size_t i = 0; i < operation->object->field_count; i++) {
    const privy_field *field = &operation->object->fields[i];
    const bool required = (field->accepted_by & (1u << operation->id)) && (field->flags & PRIVY_FIELD_REQUIRED);
    if (field->format == PRIVY_FORMAT_CURRENCY && required) add_currency(import, field);
    if (!required || is_filled(import, field)) continue;
    privy_map_fault(&import->plan, under_columns(&import->plan, (privy_span){field->name, field->name_length}),
                    PRIVY_CODE_REQUIRED, "is required, and no column or constant fills it");
  }
}

/* The mapping of the first field that the test accepts. */
static size_t find_conversion(const privy_import *import, privy_conversion conversion) {
  for (size_t i = 0; i < import->plan.count; i++) {
    const privy_mapping *mapping = &import->plan.mappings[i];
    if (!mapping->hidden && mapping->leaf == mapping->top && mapping->conversion == conversion &&
        mapping->column_count && mapping->origin != PRIVY_FROM_NOTHING)
      return i;
  }
  return PRIVY_NO_COLUMN;
}

/* The constant of the map is the currency of amounts too. */
static void find_currency(privy_import *import) {
  privy_map_plan *plan = &import->plan;
  for (size_t i = 0; i < plan->count && plan->currency.length == 0; i++) {
    const privy_mapping *mapping = &plan->mappings[i];
    const bool text = mapping->constant.length == 5 && mapping->constant.text[0] == '"';
    if (text && mapping->leaf == mapping->top && mapping->conversion == PRIVY_CONVERT_CURRENCY)
      plan->currency = privy_map_copy_text(plan, mapping->constant.text + 1, 3);
  }
}

static void find_roles(privy_import *import) {
  find_currency(import);
  import->currency = find_conversion(import, PRIVY_CONVERT_CURRENCY);
  import->quantity = find_path(import, "line_items.quantity");
  import->price = find_path(import, "line_items.price");
  import->country = find_path(import, "billing_address.country_code");
  if (import->country == PRIVY_NO_COLUMN) import->country = find_path(import, "shipping_address.country_code");
  import->key = find_conversion(import, PRIVY_CONVERT_ORDER_NUMBER);
  import->grouped = import->key != PRIVY_NO_COLUMN;
  if (!import->grouped) import->key = find_conversion(import, PRIVY_CONVERT_EMAIL);
  if (import->key == PRIVY_NO_COLUMN) import->key = find_conversion(import, PRIVY_CONVERT_PHONE);
}

static void add_list(privy_import *import, const privy_field *top) {
  for (size_t i = 0; i < import->list_count; i++)
    if (import->list_tops[i] == top) return;
  if (import->list_count < PRIVY_LISTS) import->list_tops[import->list_count++] = top;
}

/* Where a mapping goes in the order: after those that share most of its path, else by its field. */
static size_t place_in_order(const privy_import *import, size_t count, const privy_mapping *mapping) {
  size_t place = count, best = 0;
  for (size_t i = 0; i < count; i++) {
    const privy_mapping *other = &import->plan.mappings[import->order[i]];
    const size_t common = privy_path_common(other->path, mapping->path);
    if (common && common >= best) best = common, place = i + 1;
  }
  for (size_t i = 0; best == 0 && i < count; i++)
    if (import->plan.mappings[import->order[i]].top > mapping->top) return i;
  return place;
}

static void order_mappings(privy_import *import) {
  import->order = privy_calloc(import->plan.count + 1, sizeof *import->order);
  if (!import->order) {
    import->plan.no_memory = true;
    return;
  }
  for (size_t i = 0; i < import->plan.count; i++) {
    const privy_mapping *mapping = &import->plan.mappings[i];
    const size_t place = place_in_order(import, i, mapping);
    memmove(import->order + place + 1, import->order + place, (i - place) * sizeof *import->order);
    import->order[place] = i;
    if (mapping->per_line) add_list(import, mapping->top);
  }
}

/* ---- the header ---- */

static bool is_of_rejects(privy_span name) {
  privy_slice names = {PRIVY_IMPORT_REJECTS, strlen(PRIVY_IMPORT_REJECTS)}, word;
  while (privy_next_word(&names, ',', &word))
    if (privy_text_equal_nocase(name.text, name.length, word.text, word.length)) return true;
  return false;
}

static bool keep_header(privy_import *import, const privy_line *header) {
  import->header = privy_calloc(header->count + 1, sizeof *import->header);
  import->used = privy_calloc(header->count + 1, sizeof *import->used);
  import->rejects = privy_calloc(header->count + 1, sizeof *import->rejects);
  if (!import->header || !import->used || !import->rejects) return false;
  for (size_t i = 0; i < header->count; i++) {
    const privy_span name = privy_clean(header->cells[i]);
    import->header[i] = privy_map_copy_text(&import->plan, name.text, name.length);
    import->rejects[i] = is_of_rejects(import->header[i]);
  }
  import->width = header->count;
  return !import->plan.no_memory;
}

/* The path that a column's name is: its first part in lower case, so that Email fills email. */
static privy_span path_of(privy_map_plan *plan, privy_span name) {
  char *path = privy_texts_bytes(&plan->texts, name.length + 1);
  if (!path) return (privy_span){"", 0};
  memcpy(path, name.text, name.length + 1);
  for (size_t i = 0; i < name.length && path[i] != '.'; i++) path[i] = privy_lower(path[i]);
  return (privy_span){path, name.length};
}

/* Without a map and a preset, columns have the names of fields, such as email and line_items.sku. */
static void apply_names(privy_import *import) {
  const privy_operation *operation = import->plan.operation;
  for (size_t i = 0; i < import->width; i++) {
    const privy_span path = path_of(&import->plan, import->header[i]);
    privy_span rest = path, top;
    if (!privy_path_next(&rest, &top)) continue;
    const privy_field *field = privy_object_lookup(operation->object, top.text, top.length);
    if (!field || !(field->accepted_by & (1u << operation->id)) || privy_map_has(&import->plan, path)) continue;
    privy_mapping *mapping = privy_map_add(&import->plan, path);
    if (mapping) privy_map_add_column(&import->plan, mapping, import->header[i]);
  }
}

static void apply_preset(privy_import *import) {
  privy_map_plan *plan = &import->plan;
  if (!import->config.map && plan->preset.length == 0) apply_names(import);
  if (plan->preset.length == 0) return;
  if (privy_text_is(plan->preset.text, plan->preset.length, "auto"))
    import->preset = privy_preset_recognise(plan, import->header, import->width);
  if (import->preset != PRIVY_NO_PRESET) privy_preset_apply(plan, import->preset);
}

static privy_status finish(privy_import *import, privy_error *error) {
  privy_map_plan *plan = &import->plan;
  if (plan->no_memory || plan->texts.failed) return privy_error_no_memory(error);
  if (plan->faults.count == 0) return PRIVY_OK;
  return privy_error_from_details(error, &plan->faults, "the map does not fit the file: ");
}

privy_status privy_import_columns(privy_import *import, const privy_line *header, privy_error *error) {
  if (!keep_header(import, header)) return privy_error_no_memory(error);
  apply_preset(import);
  if (import->plan.faults.count == 0) {
    for (size_t i = 0; i < import->plan.count; i++) place_mapping(import, &import->plan.mappings[i]);
    place_skips(import);
    check_required(import);
    find_roles(import);
    order_mappings(import);
  }
  return finish(import, error);
}

const char *privy_import_preset(const privy_import *import) {
  const privy_import_preset_info *preset = privy_import_preset_at(import->preset);
  return preset ? preset->name : NULL;
}

bool privy_import_column(const privy_import *import, size_t index, privy_span *out) {
  if (index >= import->width) return false;
  *out = import->header[index];
  return true;
}

bool privy_import_unused(const privy_import *import, size_t index, privy_span *out) {
  for (size_t i = 0; i < import->width; i++) {
    if (import->used[i] || import->rejects[i] || import->header[i].length == 0) continue;
    if (import->preset != PRIVY_NO_PRESET && privy_preset_ignores(import->preset, import->header[i])) continue;
    if (index-- > 0) continue;
    *out = import->header[i];
    return true;
  }
  return false;
}

bool privy_import_rejects_header(const privy_import *import, privy_buffer *out) {
  bool fits = privy_buffer_text(out, PRIVY_IMPORT_REJECTS);
  for (size_t i = 0; fits && i < import->width; i++)
    if (!import->rejects[i]) fits = privy_buffer_byte(out, ',') && privy_csv_append(out, &import->header[i], 1, ',');
  return fits;
}
