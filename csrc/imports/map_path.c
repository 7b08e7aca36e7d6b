/* Paths of fields in a map: what they name, and the conversion of a field's kind. */
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "imports/map.h"
#include "schema/details.h"
#include "schema/reason.h"

bool privy_path_next(privy_span *path, privy_span *part) {
  if (path->length == 0) return false;
  const char *point = memchr(path->text, '.', path->length);
  const size_t length = point ? (size_t)(point - path->text) : path->length;
  *part = (privy_span){path->text, length};
  const size_t used = length + (point != NULL);
  *path = (privy_span){path->text + used, path->length - used};
  return true;
}

bool privy_path_is_number(privy_span part) {
  for (size_t i = 0; i < part.length; i++)
    if (!privy_is_digit(part.text[i])) return false;
  return part.length > 0 && part.length < 4;
}

void privy_map_fault(privy_map_plan *plan, privy_span field, privy_detail_code code, const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  const size_t cut = length < 0 ? 0 : (size_t)length < sizeof message ? (size_t)length : sizeof message - 1;
  const char *name = privy_detail_code_text(code);
  if (!privy_details_add(&plan->faults, (privy_slice){field.text, field.length},
                         (privy_slice){message, privy_utf8_whole(message, cut)}, (privy_slice){name, strlen(name)},
                         PRIVY_NO_LIMIT))
    plan->no_memory = true;
}

privy_span privy_map_copy_text(privy_map_plan *plan, const char *text, size_t length) {
  const privy_span copy = privy_texts_copy(&plan->texts, text, length);
  if (plan->texts.failed) plan->no_memory = true;
  return copy;
}

privy_mapping *privy_map_find(const privy_map_plan *plan, privy_span path) {
  for (size_t i = 0; i < plan->count; i++) {
    const privy_span other = plan->mappings[i].path;
    if (other.length == path.length && memcmp(other.text, path.text, path.length) == 0) return &plan->mappings[i];
  }
  return NULL;
}

static bool begins(privy_span path, privy_span with) {
  return path.length > with.length && path.text[with.length] == '.' && memcmp(path.text, with.text, with.length) == 0;
}

bool privy_map_has(const privy_map_plan *plan, privy_span path) {
  for (size_t i = 0; i < plan->count; i++) {
    const privy_mapping *other = &plan->mappings[i];
    if (!other->hidden && (begins(path, other->path) || begins(other->path, path))) return true;
  }
  return privy_map_find(plan, path) != NULL;
}

/* ---- what a path names ---- */

static privy_span place_of(privy_map_plan *plan, privy_span path) {
  const privy_span place = privy_texts_format(&plan->texts, "columns.%.*s", (int)path.length, path.text);
  if (plan->texts.failed) plan->no_memory = true;
  return place;
}

static void refuse_field(privy_map_plan *plan, privy_span path, privy_span name) {
  privy_buffer words = PRIVY_BUFFER_EMPTY;
  if (privy_reason_name(&words, plan->operation, name.text, name.length) && privy_buffer_terminate(&words))
    privy_map_fault(plan, place_of(plan, path), PRIVY_CODE_UNKNOWN_FIELD, "%s", words.data);
  else
    plan->no_memory = true;
  privy_buffer_clear(&words);
}

static bool refuse_parts(privy_map_plan *plan, privy_span path, const char *message) {
  privy_map_fault(plan, place_of(plan, path), PRIVY_CODE_UNKNOWN_FIELD, "%s", message);
  return false;
}

/* The part of an object: known to its table, or a name of the user's own. */
static bool resolve_part(privy_map_plan *plan, privy_span path, privy_span rest, privy_mapping *mapping) {
  privy_span part, more = rest;
  if (!privy_path_next(&more, &part) || part.length == 0)
    return refuse_parts(plan, path, "names a whole object: name a part of it, such as line_items.sku");
  if (mapping->top->kind == PRIVY_KIND_FLAT && more.length)
    return refuse_parts(plan, path, "has too many parts: the object does not accept nested values");
  if (mapping->top->object && more.length == 0)
    mapping->leaf = privy_object_lookup(mapping->top->object, part.text, part.length);
  return true;
}

static bool resolve_list(privy_map_plan *plan, privy_span path, privy_span rest, privy_mapping *mapping) {
  privy_span part, more = rest;
  mapping->per_line = !privy_path_next(&more, &part) || !privy_path_is_number(part);
  return resolve_part(plan, path, mapping->per_line ? rest : more, mapping);
}

/* Finds the field of the path, and what it is inside. */
static bool resolve(privy_map_plan *plan, privy_span path, privy_mapping *mapping) {
  privy_span name = {"", 0}, rest = path;
  (void)privy_path_next(&rest, &name);
  mapping->top = privy_object_lookup(plan->operation->object, name.text, name.length);
  if (!mapping->top || !(mapping->top->accepted_by & (1u << plan->operation->id))) {
    refuse_field(plan, path, name);
    return false;
  }
  switch ((privy_kind)mapping->top->kind) {
  case PRIVY_KIND_OBJECTS: return resolve_list(plan, path, rest, mapping);
  case PRIVY_KIND_OBJECT:
  case PRIVY_KIND_FLAT:
  case PRIVY_KIND_ANY: return resolve_part(plan, path, rest, mapping);
  default: break;
  }
  mapping->leaf = mapping->top;
  return rest.length == 0 || refuse_parts(plan, path, "has no parts: it is a single value");
}

/* ---- conversions of kinds ---- */

static bool is_named(const privy_field *field, const char *name) {
  return privy_field_is(field, name, strlen(name));
}

static privy_conversion conversion_of_text(const privy_field *field) {
  switch ((privy_format)field->format) {
  case PRIVY_FORMAT_EMAIL: return PRIVY_CONVERT_EMAIL;
  case PRIVY_FORMAT_PHONE: return PRIVY_CONVERT_PHONE;
  case PRIVY_FORMAT_CURRENCY: return PRIVY_CONVERT_CURRENCY;
  default: break;
  }
  if (is_named(field, "customer_id")) return PRIVY_CONVERT_ID;
  return is_named(field, "sku") || is_named(field, "postal_code") ? PRIVY_CONVERT_CODE : PRIVY_CONVERT_TEXT;
}

static privy_conversion conversion_of(const privy_field *field) {
  if (!field) return PRIVY_CONVERT_TEXT;
  switch ((privy_kind)field->kind) {
  case PRIVY_KIND_INTEGER: return PRIVY_CONVERT_INTEGER;
  case PRIVY_KIND_MONEY: return PRIVY_CONVERT_AMOUNT;
  case PRIVY_KIND_BOOLEAN: return PRIVY_CONVERT_BOOLEAN;
  case PRIVY_KIND_TIME: return PRIVY_CONVERT_TIME;
  case PRIVY_KIND_ENUM: return PRIVY_CONVERT_CONSENT;
  case PRIVY_KIND_STRINGS: return PRIVY_CONVERT_LIST;
  case PRIVY_KIND_ORDER_ID: return PRIVY_CONVERT_ORDER_NUMBER;
  default: return field->format == PRIVY_FORMAT_TIME_UTC ? PRIVY_CONVERT_TIME : conversion_of_text(field);
  }
}

privy_mapping *privy_map_add(privy_map_plan *plan, privy_span path) {
  privy_mapping mapping = {.separator = ',', .country = PRIVY_NO_COLUMN, .values = {.type = PRIVY_ABSENT}};
  if (!resolve(plan, path, &mapping)) return NULL;
  privy_mapping *mappings = privy_grow(plan->mappings, plan->count, &plan->capacity, sizeof *mappings);
  if (!mappings) {
    plan->no_memory = true;
    return NULL;
  }
  plan->mappings = mappings;
  mapping.path = privy_map_copy_text(plan, path.text, path.length);
  mapping.conversion = (uint8_t)conversion_of(mapping.leaf);
  mappings[plan->count] = mapping;
  return &mappings[plan->count++];
}

void privy_map_add_column(privy_map_plan *plan, privy_mapping *mapping, privy_span name) {
  privy_column_name *columns =
      (privy_column_name *)(void *)privy_texts_bytes(&plan->texts, (mapping->column_count + 1) * sizeof *columns);
  if (!columns) {
    plan->no_memory = true;
    return;
  }
  if (mapping->column_count) memcpy(columns, mapping->columns, mapping->column_count * sizeof *columns);
  columns[mapping->column_count++] =
      (privy_column_name){privy_map_copy_text(plan, name.text, name.length), PRIVY_NO_COLUMN};
  mapping->columns = columns;
}
