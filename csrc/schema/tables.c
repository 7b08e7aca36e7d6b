#include "schema/format.h"
#include "schema/schema.h"

#include "privy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The names of operations and flags in the .def files. */
enum {
#define OPERATION(id, name, method, path, scope, object, response, body_limit, deprecation, doc) id = PRIVY_OP_BIT(id),
#include "schema/endpoints.def"
#undef OPERATION
  REQUIRED = PRIVY_FIELD_REQUIRED,
  FALSE_IF_ABSENT = PRIVY_FIELD_FALSE_IF_ABSENT,
  FROM_STATUS = PRIVY_FIELD_FROM_STATUS,
  IN_PATH = PRIVY_FIELD_PATH,
  ROW_KEY = PRIVY_FIELD_ROW_KEY,
  NULLABLE = PRIVY_FIELD_NULLABLE
};

/* A name and its length, and the same with the JSON key between them. */
#define NAMED(name) #name, (uint8_t)(sizeof(#name) - 1)
#define KEYED(name) #name, "\"" #name "\":", (uint8_t)(sizeof(#name) - 1)

/* ---- enumerations ---- */

#define ENUM(enumeration) static const privy_enum_entry enumeration##_values[] = {
#define ENUM_VALUE(enumeration, value, accepted_by, code, reason, aliases)                                             \
  {NAMED(value), accepted_by, PRIVY_CODE_##code, reason, aliases},
#define ENUM_END(enumeration)                                                                                          \
  }                                                                                                                    \
  ;                                                                                                                    \
  const privy_enum privy_enum_##enumeration = {#enumeration, enumeration##_values, COUNT(enumeration##_values)};
#include "schema/enums.def"
#undef ENUM
#undef ENUM_VALUE
#undef ENUM_END

/* ---- nested parts of an order ---- */

#define PART_BEGIN(part) static const privy_field part##_fields[] = {
#define PART_FIELD(part, name, kind, doc)                                                                              \
  {KEYED(name), PRIVY_KIND_##kind, PRIVY_FORMAT_NONE, 0, PRIVY_NO_INDEX, 1, 0, ORDER, ORDER, NULL, NULL, "", NULL, doc},
#define PART_END(part, doc)                                                                                            \
  }                                                                                                                    \
  ;                                                                                                                    \
  const privy_object privy_object_##part = {#part, doc, part##_fields, COUNT(part##_fields), NULL, 0};
#include "schema/parts.def"
#undef PART_BEGIN
#undef PART_FIELD
#undef PART_END

/* ---- objects ---- */

#define PLAIN NULL, NULL
#define VALUES_OF(enumeration) &privy_enum_##enumeration, NULL
#define PART(part) NULL, &privy_object_##part
#define FIELD(response_index, name, kind, enum_values, object, format, min, max, accepted_by, nullable_in, flags,      \
              aliases, doc)                                                                                            \
  {KEYED(name), PRIVY_KIND_##kind, PRIVY_FORMAT_##format, flags,  response_index, min,  max,                           \
   accepted_by, nullable_in,       enum_values,           object, aliases,        NULL, doc},
#define SEND(...) FIELD(PRIVY_NO_INDEX, __VA_ARGS__)
#define HEADER(name, header, accepted_by, flags, doc)                                                                  \
  {KEYED(name),                                                                                                        \
   PRIVY_KIND_STRING,                                                                                                  \
   PRIVY_FORMAT_HEADER,                                                                                                \
   PRIVY_FIELD_HEADER | (flags),                                                                                       \
   PRIVY_NO_INDEX,                                                                                                     \
   0,                                                                                                                  \
   0,                                                                                                                  \
   accepted_by,                                                                                                        \
   0,                                                                                                                  \
   NULL,                                                                                                               \
   NULL,                                                                                                               \
   "",                                                                                                                 \
   header,                                                                                                             \
   doc},

#define READ(name, ...) FIELD(PRIVY_INDEX_CONTACT_##name, name, __VA_ARGS__)
#define BOTH READ
static const privy_field contact_fields[] = {
#include "schema/contact.def"
};
#undef READ
#define READ(name, ...) FIELD(PRIVY_INDEX_ORDER_##name, name, __VA_ARGS__)
static const privy_field order_fields[] = {
#include "schema/order.def"
};
#undef READ
#define READ(name, ...) FIELD(PRIVY_INDEX_EVENT_##name, name, __VA_ARGS__)
static const privy_field event_fields[] = {
#include "schema/event.def"
};
#undef READ
#define READ(name, ...) FIELD(PRIVY_INDEX_PAGE_##name, name, __VA_ARGS__)
static const privy_field page_fields[] = {
#include "schema/page.def"
};
#undef READ
#undef SEND
#undef HEADER

/* The positions in `fields` of those that responses hold, in the order of their slots. */
#define SEND(...)
#define HEADER(...)
#define READ(name, ...) PRIVY_FIELD_CONTACT_##name,
static const uint8_t contact_response_fields[] = {
#include "schema/contact.def"
};
#undef READ
#define READ(name, ...) PRIVY_FIELD_ORDER_##name,
static const uint8_t order_response_fields[] = {
#include "schema/order.def"
};
#undef READ
#define READ(name, ...) PRIVY_FIELD_EVENT_##name,
static const uint8_t event_response_fields[] = {
#include "schema/event.def"
};
#undef READ
#define READ(name, ...) PRIVY_INDEX_PAGE_##name,
static const uint8_t page_response_fields[] = {
#include "schema/page.def"
};
#undef READ
#undef BOTH
#undef SEND
#undef HEADER

#define OBJECT(id, name, doc)                                                                                          \
  const privy_object privy_object_##id = {                                                                             \
      name, doc, id##_fields, COUNT(id##_fields), id##_response_fields, COUNT(id##_response_fields)};
OBJECT(contact, "Contact", "A person that the store can send messages to.")
OBJECT(order, "Order", "An order as Privy stores it.")
OBJECT(event, "EventReceipt", "The receipt of an accepted event.")
OBJECT(page, "Pagination", "The position of a page among all pages.")

static const privy_object *const objects[] = {&privy_object_contact, &privy_object_order, &privy_object_event,
                                              &privy_object_page};

/* ---- operations, scopes, rules ---- */

static const privy_operation operations[] = {
#define OPERATION(id, name, method, path, scope, object, response, body_limit, deprecation, doc)                       \
  {PRIVY_OP_##id, name,        method, path, PRIVY_SCOPE_##scope, &privy_object_##object, PRIVY_RESPONSE_##response,   \
   body_limit,    deprecation, doc},
#include "schema/endpoints.def"
#undef OPERATION
};

static const char *const scope_names[] = {
#define SCOPE(id, name, operation, query) name,
#include "schema/scopes.def"
#undef SCOPE
};

#define F(object, field) (UINT64_C(1) << PRIVY_FIELD_##object##_##field)
#define V(enumeration, value) (1u << PRIVY_##enumeration##_##value)
#define TRUE 2u
static const privy_rule rules[] = {
#define RULE(operations, kind, fields, when, enum_values, code, message)                                               \
  {operations, PRIVY_RULE_##kind, fields, when, enum_values, PRIVY_CODE_##code, message},
#include "schema/rules.def"
#undef RULE
};

const privy_operation *privy_operation_get(privy_operation_id id) {
  return &operations[id];
}

const privy_operation *privy_operation_at(size_t index) {
  return index < COUNT(operations) ? &operations[index] : NULL;
}

const privy_object *privy_object_at(size_t index) {
  return index < COUNT(objects) ? objects[index] : NULL;
}

const char *privy_scope_name(privy_scope scope) {
  return scope_names[scope];
}

static const struct {
  privy_operation_id operation;
  const char *query;
} probes[] = {
#define SCOPE(id, name, operation, query) {PRIVY_OP_##operation, query},
#include "schema/scopes.def"
#undef SCOPE
};

bool privy_probe_at(size_t index, privy_probe *out) {
  if (index >= COUNT(probes)) return false;
  const privy_operation *operation = privy_operation_at(probes[index].operation);
  *out = (privy_probe){scope_names[index], operation->method, operation->path, probes[index].query,
                       strcmp(operation->method, "GET") != 0};
  return true;
}

const privy_rule *privy_rule_at(size_t index) {
  return index < COUNT(rules) ? &rules[index] : NULL;
}

/* ---- formats ---- */

typedef bool format_function(const char *text, size_t length);

static const struct {
  format_function *check;
  privy_detail_code code;
  const char *message;
} formats[] = {
#define FORMAT(id, check, code, message) {check, PRIVY_CODE_##code, message},
#include "schema/formats.def"
#undef FORMAT
};

const char *privy_format_check(privy_format format, const char *text, size_t length) {
  if (!formats[format].check || formats[format].check(text, length)) return NULL;
  return formats[format].message;
}

privy_detail_code privy_format_code(privy_format format) {
  return formats[format].code;
}
