/*
 * Columns of Arrow arrays that another library exports: their types from a schema, and their cells. Sizes of buffers
 * are not part of the interface. What it states is checked: numbers of buffers and children, lengths, offsets,
 * positions in dictionaries. An array that contradicts itself has cells of type PRIVY_ARROW_CELL_INVALID.
 */
#ifndef PRIVY_COLUMNS_ARROW_COLUMN_H
#define PRIVY_COLUMNS_ARROW_COLUMN_H

#include "privy.h"

/* The deepest nesting of types. */
#define PRIVY_ARROW_DEPTH 32

typedef enum privy_arrow_kind {
  PRIVY_ARROW_NULL,
  PRIVY_ARROW_BOOLEAN,
  PRIVY_ARROW_INTEGER,
  PRIVY_ARROW_UNSIGNED,
  PRIVY_ARROW_REAL,
  PRIVY_ARROW_DECIMAL,
  PRIVY_ARROW_TEXT, /* offsets and bytes; of binary columns too */
  PRIVY_ARROW_VIEW, /* the same as views into several buffers */
  PRIVY_ARROW_FIXED,
  PRIVY_ARROW_DATE,
  PRIVY_ARROW_TIME,
  PRIVY_ARROW_TIMESTAMP,
  PRIVY_ARROW_DURATION,
  PRIVY_ARROW_LIST,
  PRIVY_ARROW_FIXED_LIST,
  PRIVY_ARROW_STRUCT,
  PRIVY_ARROW_MAP
} privy_arrow_kind;

typedef struct privy_arrow_column privy_arrow_column;
struct privy_arrow_column {
  privy_arrow_kind kind;
  uint8_t width;    /* bytes of a value, or of an offset */
  bool binary;      /* of texts: bytes */
  bool zoned;       /* of timestamps: instants */
  int32_t scale;    /* of decimals */
  int64_t size;     /* of fixed sizes: bytes or elements */
  int64_t unit;     /* of times: units per second */
  const char *name; /* in the schema */
  size_t count;
  privy_arrow_column *children;
  privy_arrow_column *dictionary; /* NULL: the values are not positions in a dictionary */
  const struct ArrowArray *array; /* of the current batch */
};

/* Fills a column, which is then cleared, from its schema; the schema outlives it. PRIVY_OK; PRIVY_NO_MEMORY; or
 * PRIVY_CONFIG_ERROR for a type that is not read: `*format` is then its format. */
PRIVY_NODISCARD privy_status privy_arrow_column_init(privy_arrow_column *column, const struct ArrowSchema *schema,
                                                     int depth, const char **format);
void privy_arrow_column_clear(privy_arrow_column *column);
/* Sets the arrays of the column and all below. False if an array does not have the shape of its type. */
bool privy_arrow_column_load(privy_arrow_column *column, const struct ArrowArray *array);
/* The cell at an index of the array, from 0. */
void privy_arrow_column_cell(const privy_arrow_column *column, int64_t index, privy_arrow_cell *out);

#endif
