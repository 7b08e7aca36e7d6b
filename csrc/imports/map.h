/* The map of an import: which column becomes which field, and how. */
#ifndef PRIVY_IMPORTS_MAP_H
#define PRIVY_IMPORTS_MAP_H

#include "imports/date.h"
#include "imports/texts.h"
#include "schema/schema.h"

typedef enum privy_conversion {
#define CONVERSION(id, name, raw, doc) PRIVY_CONVERT_##id,
#include "imports/conversions.def"
#undef CONVERSION
  PRIVY_CONVERSIONS /* the conversion of the field's kind */
} privy_conversion;
/* By its name; PRIVY_CONVERSIONS if there is none. */
privy_conversion privy_conversion_find(const char *name, size_t length);

#define PRIVY_NO_COLUMN SIZE_MAX

typedef struct privy_column_name {
  privy_span name;
  size_t index; /* PRIVY_NO_COLUMN: the file lacks it */
} privy_column_name;

typedef enum privy_origin {
  PRIVY_FROM_COLUMNS, /* the first of the columns that has a value */
  PRIVY_FROM_CONSTANT,
  PRIVY_FROM_TEMPLATE,
  PRIVY_FROM_TOTALS, /* the sum of quantity × price of the items */
  PRIVY_FROM_QUANTITIES,
  PRIVY_FROM_NOTHING /* a preset's field whose columns the file lacks */
} privy_origin;

/* Where the value of one field comes from. */
typedef struct privy_mapping {
  privy_span path; /* "billing_address.city", "line_items.sku", "tax_lines.1.title" */
  const privy_field *top;
  const privy_field *leaf; /* NULL: a name that the tables lack */
  uint8_t origin;          /* a privy_origin */
  uint8_t conversion;      /* a privy_conversion */
  bool per_line;           /* each line of an order adds an element to a list */
  bool hidden;             /* not sent: it helps to convert another one */
  bool of_preset;
  bool takes_first;   /* later lines of an order may have other values: that of the first one is sent */
  bool omits_invalid; /* a value that cannot be converted is not sent */
  privy_column_name *columns;
  size_t column_count;
  privy_span template;
  privy_span constant; /* JSON text: FROM_CONSTANT; otherwise the value of a row that has none, if any */
  privy_span prefix, suffix;
  char separator;     /* of LIST */
  privy_value values; /* an object: texts to replace */
  size_t country;     /* the mapping that gives a phone number's country, or PRIVY_NO_COLUMN */
} privy_mapping;

typedef enum privy_skip_test {
  PRIVY_SKIP_EQUALS,
  PRIVY_SKIP_STARTS,
  PRIVY_SKIP_EMPTY,
  PRIVY_SKIP_NEGATIVE
} privy_skip_test;
/* Lines that the map leaves out. */
typedef struct privy_skip {
  privy_column_name column;
  privy_skip_test test;
  privy_span text;
  privy_span reason;
} privy_skip;

typedef struct privy_map_plan {
  const privy_operation *operation;
  privy_texts texts;
  privy_span source; /* the map's JSON text, which values point into */
  privy_mapping *mappings;
  size_t count, capacity;
  privy_skip *skips;
  size_t skip_count, skip_capacity;
  privy_span preset, timezone, country, currency; /* empty: not given */
  char decimal;
  privy_date_order date_order;
  privy_details faults;
  bool no_memory;
} privy_map_plan;

/* Reads a map, a JSON object, into an empty plan. Faults are added to the plan. */
void privy_map_read(privy_map_plan *plan, const char *text, size_t length);
void privy_map_clear_plan(privy_map_plan *plan);
/* Adds a fault of the map or the header. */
void privy_map_fault(privy_map_plan *plan, privy_span field, privy_detail_code code, const char *format, ...)
    PRIVY_PRINTF(4, 5);
/* The mapping of a path, or NULL. */
privy_mapping *privy_map_find(const privy_map_plan *plan, privy_span path);
/* Whether the path, a part of it, or a path below it has a mapping. */
bool privy_map_has(const privy_map_plan *plan, privy_span path);
/* Adds a mapping for a path, with the conversion of its field. NULL if the path is none of the operation (a fault is
 * added), or memory runs out. It is valid until the next one is added. */
privy_mapping *privy_map_add(privy_map_plan *plan, privy_span path);
/* Adds a column to a mapping. */
void privy_map_add_column(privy_map_plan *plan, privy_mapping *mapping, privy_span name);
/* A copy in the plan's memory. */
privy_span privy_map_copy_text(privy_map_plan *plan, const char *text, size_t length);

/* Takes the next part of a path, up to a point. False at the end. */
bool privy_path_next(privy_span *path, privy_span *part);
/* Whether a part is the number of a list's element. */
bool privy_path_is_number(privy_span part);

#endif
