/* Writes values by their paths into a JSON object. */
#ifndef PRIVY_IMPORTS_EMIT_H
#define PRIVY_IMPORTS_EMIT_H

#include "imports/map.h"
#include "json/writer.h"

/* Most parts of a path. */
#define PRIVY_PATH_PARTS 16

typedef struct privy_emitter {
  privy_writer writer;
  privy_span open[PRIVY_PATH_PARTS]; /* the parts of the objects and arrays that are open */
  bool arrays[PRIVY_PATH_PARTS];
  size_t depth;
} privy_emitter;

/* Begins the object. */
void privy_emit_begin(privy_emitter *emitter, privy_buffer *out);
/* Writes a value: JSON text if `raw`, else a string. Values of one object must follow each other. */
void privy_emit(privy_emitter *emitter, privy_span path, privy_span text, bool raw);
/* Ends the object. False when memory has run out. */
PRIVY_NODISCARD bool privy_emit_end(privy_emitter *emitter);
/* How many parts two paths have in common at their beginning, their last parts excluded. */
size_t privy_path_common(privy_span a, privy_span b);

#endif
