/* The inside of an import, as the files of this layer use it. */
#ifndef PRIVY_IMPORTS_IMPORT_H
#define PRIVY_IMPORTS_IMPORT_H

#include "base/buffer.h"
#include "base/map.h"
#include "imports/amount.h"
#include "imports/map.h"
#include "schema/check.h"

/* Fields of an operation whose elements come from lines: an order has three. */
#define PRIVY_LISTS 4

/* The value of a mapping, from the first line of a row that has one. */
typedef struct privy_noted {
  privy_span text;
  uint64_t line; /* 0: no line has a value */
  size_t column;
} privy_noted;

/* A list whose elements come from lines. */
typedef struct privy_list {
  privy_buffer json; /* the elements so far, separated by commas */
  uint64_t *lines;   /* of each element */
  size_t count, capacity;
} privy_list;

/* A row that lines are added to, with the memory of all that `row` points to. */
typedef struct privy_draft {
  privy_import_row row;
  privy_texts texts;
  privy_import_source *lines;
  privy_import_change *changes;
  privy_import_fault *faults;
  size_t line_capacity, change_capacity, fault_capacity;
  privy_noted *noted; /* of each mapping */
  privy_list lists[PRIVY_LISTS];
  privy_buffer fields;
  privy_sum total, quantities; /* of the items */
  bool unsummed;               /* an item has no quantity or price that could be added */
  bool misfit;                 /* a line has more or fewer cells than the header: its values are not read */
  bool used;                   /* a line was not left out */
  char currency[4];            /* "" while no line has named it */
  uint64_t last;               /* the line that completes it; 0: not known */
  struct privy_draft *next;
} privy_draft;

typedef struct privy_draft_queue {
  privy_draft *first, **end;
} privy_draft_queue;

struct privy_import {
  privy_map_plan plan;
  privy_import_config config; /* its texts are those of the plan */
  size_t preset;
  privy_span *header; /* trimmed names */
  bool *used;         /* columns that a field uses */
  bool *rejects;      /* columns of PRIVY_IMPORT_REJECTS */
  size_t width;
  size_t *order; /* positions of mappings, so that parts of one object follow each other */
  const privy_field *list_tops[PRIVY_LISTS];
  size_t list_count;
  bool grouped;                  /* several lines may be one row: those with the same order number */
  size_t key, currency, country; /* positions of mappings, or PRIVY_NO_COLUMN */
  size_t quantity, price;
  /* of the first reading */
  bool has_survey;
  bool points, commas;           /* amounts that prove the decimal sign */
  bool days_first, months_first; /* dates that prove their order */
  privy_map ends;                /* the last line of each order */
  uint64_t surveyed;
  size_t least; /* cells that each complete line has at least; 0 without a first reading */
  /* of the second one */
  privy_map parked; /* orders that wait for scattered lines: positions in `waiting` */
  privy_draft **waiting;
  size_t waiting_count, waiting_capacity;
  privy_map done; /* without a first reading: the last line of orders that are complete */
  privy_draft *current;
  privy_draft_queue ready;
  privy_draft *taken;
  privy_check check;
  privy_buffer scratch, element; /* of one conversion; of one element of a list */
  bool no_memory;
};

#endif
