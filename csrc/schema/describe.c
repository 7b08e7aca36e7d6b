/* The tables as the bindings read them. */
#include <string.h>

#include "schema/schema.h"

/* Free text may contain personal data. */
static bool is_personal(const privy_field *field) {
  switch ((privy_kind)field->kind) {
  case PRIVY_KIND_STRING: return field->format != PRIVY_FORMAT_CONTACT_ID;
  case PRIVY_KIND_STRINGS:
  case PRIVY_KIND_FLAT:
  case PRIVY_KIND_ANY:
  case PRIVY_KIND_OBJECT:
  case PRIVY_KIND_OBJECTS: return true;
  default: return false;
  }
}

static void describe(const privy_operation *operation, const privy_field *field, privy_field_info *out) {
  out->name = field->name;
  out->doc = field->doc;
  out->kind = (privy_kind)field->kind;
  out->enum_values = field->enum_values;
  out->object = field->object;
  out->required = operation && (field->flags & PRIVY_FIELD_REQUIRED);
  out->row_key = operation && (field->flags & PRIVY_FIELD_ROW_KEY);
  out->nullable =
      operation ? (field->nullable_in & (1u << operation->id)) != 0 : (field->flags & PRIVY_FIELD_NULLABLE) != 0;
  out->personal = is_personal(field);
}

const char *privy_enum_name(const privy_enum *enum_values) {
  return enum_values->name;
}

size_t privy_enum_count(const privy_enum *enum_values) {
  return enum_values->count;
}

const char *privy_enum_value(const privy_enum *enum_values, size_t index) {
  return index < enum_values->count ? enum_values->values[index].name : NULL;
}

int privy_enum_index(const privy_enum *enum_values, const char *text, size_t length, bool aliases) {
  for (size_t i = 0; i < enum_values->count; i++) {
    const privy_enum_entry *enum_value = &enum_values->values[i];
    if (enum_value->name_length == length && memcmp(enum_value->name, text, length) == 0) return (int)i;
  }
  for (size_t i = 0; aliases && i < enum_values->count; i++)
    if (privy_aliases_have(enum_values->values[i].aliases, text, length)) return (int)i;
  return -1;
}

bool privy_aliases_have(const char *aliases, const char *text, size_t length) {
  if (!*aliases) return false;
  privy_slice list = {aliases, strlen(aliases)};
  privy_slice word;
  while (privy_next_word(&list, '|', &word))
    if (word.length == length && memcmp(word.text, text, length) == 0) return true;
  return false;
}

const privy_object *privy_object_find(const char *name) {
  const privy_object *object;
  for (size_t i = 0; (object = privy_object_at(i)); i++)
    if (strcmp(object->name, name) == 0) return object;
  return NULL;
}

const char *privy_object_name(const privy_object *object) {
  return object->name;
}

const char *privy_object_doc(const privy_object *object) {
  return object->doc;
}

size_t privy_object_count(const privy_object *object) {
  return object->response_fields ? object->response_field_count : object->field_count;
}

bool privy_object_field(const privy_object *object, size_t index, privy_field_info *out) {
  if (index >= privy_object_count(object)) return false;
  describe(NULL, &object->fields[object->response_fields ? object->response_fields[index] : index], out);
  return true;
}

int privy_object_index(const privy_object *object, const char *name, size_t length) {
  for (size_t i = 0; i < object->response_field_count; i++) {
    const privy_field *field = &object->fields[object->response_fields[i]];
    if (field->name_length == length && memcmp(field->name, name, length) == 0) return (int)i;
  }
  for (size_t i = 0; i < object->response_field_count; i++)
    if (privy_aliases_have(object->fields[object->response_fields[i]].aliases, name, length)) return (int)i;
  return -1;
}

static const privy_field *row_between(const privy_field *from, const privy_field *to, const char *name, size_t length) {
  for (const privy_field *field = from; field < to; field++)
    if (privy_field_is(field, name, length)) return field;
  return NULL;
}

const privy_field *privy_object_lookup(const privy_object *object, const char *name, size_t length) {
  return row_between(object->fields, object->fields + object->field_count, name, length);
}

const privy_field *privy_object_lookup_after(const privy_object *object, const privy_field *last, const char *name,
                                             size_t length) {
  const privy_field *from = last ? last + 1 : object->fields;
  const privy_field *field = row_between(from, object->fields + object->field_count, name, length);
  return field ? field : row_between(object->fields, from, name, length);
}

const privy_operation *privy_operation_find(const char *name) {
  const privy_operation *operation;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++)
    if (strcmp(operation->name, name) == 0) return operation;
  return NULL;
}

const char *privy_operation_name(const privy_operation *operation) {
  return operation->name;
}

const char *privy_operation_method(const privy_operation *operation) {
  return operation->method;
}

const char *privy_operation_path(const privy_operation *operation) {
  return operation->path;
}

const char *privy_operation_scope(const privy_operation *operation) {
  return privy_scope_name(operation->scope);
}

const char *privy_operation_doc(const privy_operation *operation) {
  return operation->doc;
}

const char *privy_operation_deprecation(const privy_operation *operation) {
  return operation->deprecation;
}

const privy_object *privy_operation_object(const privy_operation *operation) {
  return operation->object;
}

bool privy_operation_paged(const privy_operation *operation) {
  return operation->response == PRIVY_RESPONSE_PAGE;
}

size_t privy_operation_count(const privy_operation *operation) {
  size_t count = 0;
  for (size_t i = 0; i < operation->object->field_count; i++)
    if (operation->object->fields[i].accepted_by & (1u << operation->id)) count++;
  return count;
}

bool privy_operation_param(const privy_operation *operation, size_t index, privy_field_info *out) {
  for (size_t i = 0; i < operation->object->field_count; i++) {
    const privy_field *field = &operation->object->fields[i];
    if (!(field->accepted_by & (1u << operation->id)) || index-- > 0) continue;
    describe(operation, field, out);
    return true;
  }
  return false;
}

privy_location privy_operation_location(const privy_operation *operation) {
  const char *method = operation->method;
  return strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0 ? PRIVY_LOCATION_QUERY : PRIVY_LOCATION_BODY;
}

privy_location privy_field_location(const privy_operation *operation, const privy_field *field) {
  if (field->flags & PRIVY_FIELD_HEADER) return PRIVY_LOCATION_HEADER;
  if ((field->flags & PRIVY_FIELD_PATH) && (field->accepted_by & (1u << operation->id))) return PRIVY_LOCATION_PATH;
  return privy_operation_location(operation);
}
