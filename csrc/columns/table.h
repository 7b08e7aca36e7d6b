/*
 * The columns of an object: one for each field that responses hold, in the order of the table. Objects inside a record
 * (such as custom fields) are columns of JSON, or (spread) a column for each of their members.
 *
 * A function that returns false ran out of memory; the table can then only be cleared.
 */
#ifndef PRIVY_COLUMNS_TABLE_H
#define PRIVY_COLUMNS_TABLE_H

#include "columns/column.h"

/* A member of objects that are spread: the column "field.member", and the types of its values. */
typedef struct privy_member {
  char *name;
  size_t slot; /* of the field */
  unsigned types;
} privy_member;

typedef struct privy_table {
  const privy_object *object;
  bool spread;
  privy_column *columns;
  uint8_t *slots; /* of each column: the field of the record; PRIVY_NO_SLOT for a member */
  size_t count, rows;
  privy_member *members;
  size_t member_count, member_capacity;
  privy_map member_names;
  size_t *member_columns;
  privy_value *member_values; /* of the chunk that is added: PRIVY_COLUMN_CHUNK of each member */
  privy_buffer name;          /* of the member just looked at */
} privy_table;
#define PRIVY_NO_SLOT 0xff

void privy_table_init(privy_table *table, const privy_object *object, bool spread);
void privy_table_clear(privy_table *table);
/* Spread only: looks which members a record has. Call it for all records before the table is opened. */
PRIVY_NODISCARD bool privy_table_discover(privy_table *table, const privy_record *record);
/* Makes the columns. */
PRIVY_NODISCARD bool privy_table_open(privy_table *table);
/* Appends at most PRIVY_COLUMN_CHUNK records of the table's object. */
PRIVY_NODISCARD bool privy_table_add(privy_table *table, const privy_record *const *records, size_t count);
/* True when the rows are to be exported before more are added, whatever their number. */
bool privy_table_is_full(const privy_table *table);
/* Moves the rows into an array, which the receiver releases. */
PRIVY_NODISCARD bool privy_table_export(privy_table *table, struct ArrowArray *out);

#endif
