/* Columns as a schema of the Arrow C data interface. */
#include <string.h>

#include "base/memory.h"
#include "columns/column.h"

typedef struct exported_schema {
  char *name;
  struct ArrowSchema *schemas, **children;
  struct ArrowSchema dictionary;
} exported_schema;

static void release_child(struct ArrowSchema *schema) {
  if (schema->release) schema->release(schema);
}

static void release_schema(struct ArrowSchema *schema) {
  exported_schema *own = schema->private_data;
  for (int64_t i = 0; i < schema->n_children; i++) release_child(&own->schemas[i]);
  release_child(&own->dictionary);
  privy_free(own->schemas);
  privy_free(own->children);
  privy_free(own->name);
  privy_free(own);
  schema->release = NULL;
}

static bool add_children(struct ArrowSchema *out, size_t count) {
  exported_schema *own = out->private_data;
  own->schemas = privy_calloc(count, sizeof *own->schemas);
  own->children = privy_calloc(count, sizeof *own->children);
  if (!own->schemas || !own->children) return false;
  for (size_t i = 0; i < count; i++) own->children[i] = &own->schemas[i];
  out->children = own->children;
  out->n_children = (int64_t)count;
  return true;
}

/* Makes a schema whose `children` are released. */
static bool schema_new(struct ArrowSchema *out, const char *format, const char *name, int64_t flags, size_t children) {
  exported_schema *own = privy_calloc(1, sizeof *own);
  if (!own) return false;
  *out = (struct ArrowSchema){.format = format, .flags = flags, .release = release_schema, .private_data = own};
  out->name = own->name = privy_copy(name, strlen(name));
  if (own->name && (children == 0 || add_children(out, children))) return true;
  release_schema(out);
  return false;
}

static const char *format_of(privy_column_type type) {
  switch (type) {
  case PRIVY_COLUMN_TEXT: return "u";
  case PRIVY_COLUMN_ENUM: return "c";
  case PRIVY_COLUMN_TIME: return "tsu:UTC";
  case PRIVY_COLUMN_BOOLEAN: return "b";
  case PRIVY_COLUMN_INTEGER: return "l";
  case PRIVY_COLUMN_LIST: return "+l";
  }
  return "";
}

static bool export_dictionary(struct ArrowSchema *out) {
  exported_schema *own = out->private_data;
  if (!schema_new(&own->dictionary, format_of(PRIVY_COLUMN_TEXT), "", ARROW_FLAG_NULLABLE, 0)) return false;
  out->dictionary = &own->dictionary;
  return true;
}

static bool export_schema(const privy_column *column, struct ArrowSchema *out) {
  const bool list = column->type == PRIVY_COLUMN_LIST;
  if (!schema_new(out, format_of(column->type), column->name, ARROW_FLAG_NULLABLE, list)) return false;
  bool done = true;
  if (list) done = export_schema(column->child, out->children[0]);
  if (column->type == PRIVY_COLUMN_ENUM) done = export_dictionary(out);
  if (!done) release_schema(out);
  return done;
}

bool privy_columns_schema(const privy_column *columns, size_t count, struct ArrowSchema *out) {
  if (!schema_new(out, "+s", "", 0, count)) return false;
  for (size_t i = 0; i < count; i++) {
    if (export_schema(&columns[i], out->children[i])) continue;
    release_schema(out);
    return false;
  }
  return true;
}
