/*
 * The tables: the description of the API as data, in .def files, one fact per row:
 *
 *   endpoints.def  operations: name, method, path, scope, kind of response
 *   contact.def, order.def, event.def, page.def   fields: kind, format, limits, operations, aliases
 *   parts.def      nested parts of an order
 *   enums.def      enums: values, operations that may send them, aliases
 *   formats.def    formats of strings, with their error messages
 *   rules.def      rules over several fields
 *   scopes.def     scopes of tokens
 *
 * privy.h lets the bindings read them (privy_operation_*, privy_object_*, privy_enum_*).
 */
#ifndef PRIVY_SCHEMA_SCHEMA_H
#define PRIVY_SCHEMA_SCHEMA_H

#include <string.h>

#include "base/text.h"
#include "privy.h"
#include "json/writer.h"

typedef enum privy_operation_id {
#define OPERATION(id, name, method, path, scope, object, response, body_limit, deprecation, doc) PRIVY_OP_##id,
#include "schema/endpoints.def"
#undef OPERATION
  PRIVY_OP_COUNT
} privy_operation_id;

/* A set of operations. */
typedef uint32_t privy_operations;
#define PRIVY_OP_BIT(id) (1u << PRIVY_OP_##id)

typedef enum privy_scope {
#define SCOPE(id, name, operation, query) PRIVY_SCOPE_##id,
#include "schema/scopes.def"
#undef SCOPE
  PRIVY_SCOPE_COUNT
} privy_scope;

typedef enum privy_format {
#define FORMAT(id, check, code, message) PRIVY_FORMAT_##id,
#include "schema/formats.def"
#undef FORMAT
  PRIVY_FORMAT_COUNT
} privy_format;

/*
 * Positions of fields (PRIVY_FIELD_CONTACT_email) and of response fields (PRIVY_INDEX_CONTACT_email). SEND fields are
 * parameters, READ fields are in responses, BOTH fields are both, HEADER fields are sent as a header.
 */
#define SEND(name, ...) PRIVY_FIELD_CONTACT_##name,
#define READ SEND
#define BOTH SEND
#define HEADER SEND
typedef enum privy_contact_field {
#include "schema/contact.def"
  PRIVY_CONTACT_FIELDS
} privy_contact_field;
#undef SEND
#define SEND(name, ...) PRIVY_FIELD_ORDER_##name,
typedef enum privy_order_field {
#include "schema/order.def"
  PRIVY_ORDER_FIELDS
} privy_order_field;
#undef SEND
#define SEND(name, ...) PRIVY_FIELD_EVENT_##name,
typedef enum privy_event_field {
#include "schema/event.def"
  PRIVY_EVENT_FIELDS
} privy_event_field;
#undef SEND
#undef READ
#undef BOTH
#undef HEADER
#define SEND(...)
#define HEADER(...)
#define BOTH READ
#define READ(name, ...) PRIVY_INDEX_CONTACT_##name,
typedef enum privy_contact_index {
#include "schema/contact.def"
  PRIVY_CONTACT_INDEXES
} privy_contact_index;
#undef READ
#define READ(name, ...) PRIVY_INDEX_ORDER_##name,
typedef enum privy_order_index {
#include "schema/order.def"
  PRIVY_ORDER_INDEXES
} privy_order_index;
#undef READ
#define READ(name, ...) PRIVY_INDEX_EVENT_##name,
typedef enum privy_event_index {
#include "schema/event.def"
  PRIVY_EVENT_INDEXES
} privy_event_index;
#undef READ
#define READ(name, ...) PRIVY_INDEX_PAGE_##name,
typedef enum privy_page_index {
#include "schema/page.def"
  PRIVY_PAGE_INDEXES
} privy_page_index;
#undef SEND
#undef READ
#undef BOTH
#undef HEADER

/* Positions of the values of enumerations (PRIVY_sms_consent_pending). */
#define ENUM(name) typedef enum privy_##name {
#define ENUM_VALUE(name, value, accepted_by, code, reason, aliases) PRIVY_##name##_##value,
#define ENUM_END(name)                                                                                                 \
  PRIVY_##name##_count                                                                                                 \
  }                                                                                                                    \
  privy_##name;
#include "schema/enums.def"
#undef ENUM
#undef ENUM_VALUE
#undef ENUM_END

/* A value of an enumeration. */
typedef struct privy_enum_entry {
  const char *name;
  uint8_t name_length;
  privy_operations accepted_by; /* operations that may send it */
  privy_detail_code code;       /* code of the error for other operations */
  const char *reason;           /* its message; "": that of a text that is not a value */
  const char *aliases;          /* older names in responses, separated by '|' */
} privy_enum_entry;

struct privy_enum {
  const char *name;
  const privy_enum_entry *values;
  size_t count;
};

#define PRIVY_NO_INDEX 0xff
#define PRIVY_MAX_FIELDS 64 /* of an object: sets of fields are bit masks */
#define PRIVY_KEY_EXTRA 3

typedef enum privy_field_flags {
  PRIVY_FIELD_REQUIRED = 1,
  PRIVY_FIELD_HEADER = 2,          /* sent as the header `header` */
  PRIVY_FIELD_FALSE_IF_ABSENT = 4, /* responses omit it when it is false */
  PRIVY_FIELD_FROM_STATUS = 8,     /* not in the body: true when the HTTP status is 201 */
  PRIVY_FIELD_PATH = 16,           /* sent in the path by every operation that accepts it */
  PRIVY_FIELD_ROW_KEY = 32,        /* rows of a bulk run that have the same value keep their order */
  PRIVY_FIELD_NULLABLE = 64        /* responses may hold null */
} privy_field_flags;

typedef struct privy_field {
  const char *name;
  char key[PRIVY_WRITER_KEY_ROOM]; /* as JSON writes it: "\"name\":", PRIVY_KEY_EXTRA bytes longer than the name */
  uint8_t name_length;
  uint8_t kind; /* a privy_kind */
  uint8_t format;
  uint8_t flags;
  uint8_t response_index; /* position in privy_object.response_fields, or PRIVY_NO_INDEX */
  int64_t min;            /* integers: smallest value; min > max: no limits */
  int64_t max;            /* integers: largest value; strings: most characters, 0 any; PRIVY_KIND_ANY: most levels */
  privy_operations accepted_by;
  privy_operations nullable_in; /* operations that accept null for it */
  const privy_enum *enum_values;
  const privy_object *object;
  const char *aliases; /* older names in responses, separated by '|' */
  const char *header;
  const char *doc;
} privy_field;

struct privy_object {
  const char *name;
  const char *doc;
  const privy_field *fields;
  size_t field_count;
  const uint8_t *response_fields; /* positions in `fields` of those that responses hold */
  size_t response_field_count;
};

typedef enum privy_response_kind {
  PRIVY_RESPONSE_DATA, /* {"data": object} */
  PRIVY_RESPONSE_PAGE, /* {"data": [object, …], "pagination": {…}} */
  PRIVY_RESPONSE_BARE  /* the object itself */
} privy_response_kind;

/*
 * Most bytes of a request's body, of its path, query and given headers together, and of a name inside the body. No
 * server takes as much, and every length that is kept in 32 bits holds it.
 */
#define PRIVY_LONGEST_BODY ((size_t)64 << 20)
#define PRIVY_LONGEST_HEAD ((size_t)32 << 10)
#define PRIVY_LONGEST_NAME ((size_t)64 << 10)

struct privy_operation {
  privy_operation_id id;
  const char *name;
  const char *method;
  const char *path;
  privy_scope scope;
  const privy_object *object; /* its parameters, and the records of its response */
  privy_response_kind response;
  size_t body_limit; /* most bytes of body, 0: PRIVY_LONGEST_BODY */
  const char *deprecation;
  const char *doc;
};

typedef enum privy_rule_kind {
  PRIVY_RULE_ANY_GIVEN,    /* any parameter that does not travel in the path, null included */
  PRIVY_RULE_AT_LEAST_ONE, /* one of the fields, not null */
  PRIVY_RULE_EXACTLY_ONE,
  PRIVY_RULE_NEEDS
} privy_rule_kind;

/* A rule over several fields of one object. Sets of fields are bit masks. */
typedef struct privy_rule {
  privy_operations operations;
  privy_rule_kind kind;
  uint64_t fields;      /* the fields of the rule; ANY_GIVEN: none; NEEDS: the fields needed */
  uint8_t when;         /* NEEDS: the field whose value… */
  uint32_t when_values; /* …being one of these (a bit per enum value; true is bit 1) makes `fields` needed */
  privy_detail_code code;
  const char *message;
} privy_rule;

extern const privy_object privy_object_contact, privy_object_order, privy_object_event, privy_object_page,
    privy_object_address, privy_object_line_item, privy_object_discount, privy_object_tax_line;
extern const privy_enum privy_enum_email_consent, privy_enum_sms_consent;

const privy_operation *privy_operation_get(privy_operation_id id);
const char *privy_scope_name(privy_scope scope);
/* Rule at `index`, NULL past the end. */
const privy_rule *privy_rule_at(size_t index);

/* Compares with the name inside `key`, because the key is written next. */
static inline bool privy_field_is(const privy_field *field, const char *name, size_t length) {
  return field->name_length == length && memcmp(field->key + 1, name, length) == 0;
}
/* The field called `name`, aliases excluded; NULL if there is none. */
const privy_field *privy_object_lookup(const privy_object *object, const char *name, size_t length);
/* The same, searching from after `last` (NULL: from the first field) and wrapping around. */
const privy_field *privy_object_lookup_after(const privy_object *object, const privy_field *last, const char *name,
                                             size_t length);
/* True if one of the words in `aliases` ("a|b") equals the text. */
bool privy_aliases_have(const char *aliases, const char *text, size_t length);
/* Position of the enum value, by its aliases too if `aliases` is true; -1 if the enum lacks it. */
int privy_enum_index(const privy_enum *enum_values, const char *text, size_t length, bool aliases);

typedef enum privy_location {
  PRIVY_LOCATION_BODY,
  PRIVY_LOCATION_QUERY,
  PRIVY_LOCATION_PATH,
  PRIVY_LOCATION_HEADER
} privy_location;
/* Where the operation sends parameters that have no location of their own. */
privy_location privy_operation_location(const privy_operation *operation);
/* Where the operation sends the parameter. */
privy_location privy_field_location(const privy_operation *operation, const privy_field *field);

#endif
