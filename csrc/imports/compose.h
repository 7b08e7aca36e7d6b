/* Makes rows of lines. */
#ifndef PRIVY_IMPORTS_COMPOSE_H
#define PRIVY_IMPORTS_COMPOSE_H

#include "imports/draft.h"

/* The key of the line's row without surrounding spaces; empty if the line has none. */
privy_span privy_line_key(const privy_import *import, const privy_line *line);
/* Whether the line has nothing to import: all cells are blank, or it repeats the header. */
bool privy_line_is_idle(const privy_import *import, const privy_line *line);
/* Whether the line has as many cells as the header, blank ones at its end aside. */
bool privy_line_is_complete(const privy_import *import, const privy_line *line);
/* The cell of a mapping in the line: the first of its columns that is not blank. False if all are. */
bool privy_line_pick(const privy_mapping *mapping, const privy_line *line, privy_span *text, size_t *column);

/* Adds a line to a row. */
void privy_compose_line(privy_import *import, privy_draft *draft, const privy_line *line);
/* All lines are added: converts the values, checks the rules of the operation, and completes the row. */
void privy_compose_row(privy_import *import, privy_draft *draft);

#endif
