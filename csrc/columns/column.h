/*
 * One column under construction: JSON values are appended, and become an Arrow array.
 *
 * A value that is absent or null is null. A column of text keeps every other value: a string as its text, anything else
 * as its JSON. In a column of another type, a value that does not fit the type is null.
 *
 * A function that returns false ran out of memory; the column can then only be cleared.
 */
#ifndef PRIVY_COLUMNS_COLUMN_H
#define PRIVY_COLUMNS_COLUMN_H

#include "base/buffer.h"
#include "base/map.h"
#include "privy.h"

/* Most values of one call of privy_column_add. */
#define PRIVY_COLUMN_CHUNK 100

typedef enum privy_column_type {
  PRIVY_COLUMN_TEXT,
  PRIVY_COLUMN_ENUM, /* a dictionary of texts */
  PRIVY_COLUMN_TIME,
  PRIVY_COLUMN_BOOLEAN,
  PRIVY_COLUMN_INTEGER,
  PRIVY_COLUMN_LIST /* of texts */
} privy_column_type;

typedef struct privy_column privy_column;
struct privy_column {
  const char *name;
  privy_column_type type;
  size_t rows, nulls;
  privy_buffer validity; /* a bit for each row */
  privy_buffer fixed;    /* offsets of texts and lists, positions, numbers, bits */
  privy_buffer text;     /* bytes of texts; of an enumeration: of the value just read */
  privy_column *child;   /* elements of a list; dictionary of an enumeration */
  const privy_enum *enum_values;
  privy_map unknown; /* values of the dictionary that the table lacks */
};

/* `enum_values` is that of an enumeration, else NULL. The name outlives the column. */
PRIVY_NODISCARD bool privy_column_init(privy_column *column, privy_column_type type, const char *name,
                                       const privy_enum *enum_values);
void privy_column_clear(privy_column *column);
/* Appends at most PRIVY_COLUMN_CHUNK values. */
PRIVY_NODISCARD bool privy_column_add(privy_column *column, const privy_value *values, size_t count);
/* Appends an integer to a column of integers. */
PRIVY_NODISCARD bool privy_column_add_integer(privy_column *column, int64_t integer);
/* True when another chunk of values might not fit into the dictionary: export the rows, then reset the dictionary. */
bool privy_column_is_full(const privy_column *column);
/* Reduces the dictionary to the values of the table. The column has no rows. */
PRIVY_NODISCARD bool privy_column_reset_dictionary(privy_column *column);

/* Moves the rows into an array, which the receiver releases; the column has no rows afterwards. */
PRIVY_NODISCARD bool privy_column_export(privy_column *column, struct ArrowArray *out);
/* Makes the array of a struct whose children are the columns, each of `rows` rows. */
PRIVY_NODISCARD bool privy_columns_export(privy_column *columns, size_t count, size_t rows, struct ArrowArray *out);
/* Makes the schema of that struct. */
PRIVY_NODISCARD bool privy_columns_schema(const privy_column *columns, size_t count, struct ArrowSchema *out);

#endif
