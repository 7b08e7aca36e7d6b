/*
 * A delimited file. The first byte chooses the map; the second one says in which pieces the file comes the second time.
 * How it is cut must not change the rows; their fields are valid JSON, and a row that is ready is a valid request.
 */
#include <string.h>

#include "fuzz.h"
#include "privy_imports.h"

static const char orders_map[] =
    "{\"timezone\":\"UTC\",\"country\":\"US\",\"columns\":{\"order_id\":\"a\",\"total\":\"b\",\"order_date\":\"c\","
    "\"email\":[\"d\",\"e\"],\"phone\":\"e\",\"currency\":{\"column\":\"f\",\"default\":\"USD\"},\"line_items\":{"
    "\"sku\":"
    "\"g\",\"quantity\":\"h\",\"price\":\"i\"},\"tax_lines\":{\"1\":{\"title\":\"g\",\"amount\":\"i\"}}},"
    "\"skip\":{\"column\":\"a\",\"starts_with\":\"C\"}}";
static const char events_map[] =
    "{\"date_format\":\"d/m/y\",\"decimal\":\",\",\"columns\":{\"event_type\":{\"template\":\"{a}_{b}\","
    "\"strip_prefix\":\"x\"},\"email\":\"c\",\"event_time\":\"d\",\"event_data\":{\"n\":{\"column\":\"e\",\"convert\":"
    "\"amount\",\"invalid\":\"omit\"},\"list\":{\"1\":{\"column\":\"f\",\"convert\":\"list\"},\"2\":\"g\"},\"yes\":"
    "{\"column\":\"h\",\"convert\":\"boolean\",\"values\":{\"si\":true,\"nada\":null}}}}}";

static const struct {
  const char *operation, *map, *preset;
} ways[] = {
    {"orders.upsert", orders_map, NULL}, {"events.ingest", events_map, NULL}, {"contacts.upsert", NULL, NULL},
    {"orders.upsert", NULL, NULL},       {"orders.upsert", NULL, "auto"},     {"contacts.upsert", NULL, "auto"},
};

/* ---- a row ---- */

static void pass(privy_request *request, privy_value value);

static void pass_members(privy_request *request, privy_value container) {
  privy_cursor cursor;
  privy_value key, value;
  privy_buffer name = PRIVY_BUFFER_EMPTY;
  privy_cursor_init(&cursor, container);
  while (privy_cursor_next(&cursor, &key, &value)) {
    name.length = 0;
    HOLDS(key.type != PRIVY_STRING || privy_value_decode(key, &name) == PRIVY_OK);
    if (key.type == PRIVY_STRING) privy_request_key(request, name.data, name.length);
    pass(request, value);
  }
  privy_buffer_clear(&name);
}

static void pass(privy_request *request, privy_value value) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const bool array = value.type == PRIVY_ARRAY;
  if (value.type == PRIVY_STRING) {
    HOLDS(privy_value_decode(value, &text) == PRIVY_OK);
    privy_request_string(request, text.length ? text.data : "", text.length);
  } else if (value.type == PRIVY_NUMBER) {
    privy_request_number(request, value.text, value.length);
  } else if (value.type == PRIVY_TRUE || value.type == PRIVY_FALSE) {
    privy_request_boolean(request, value.type == PRIVY_TRUE);
  } else if (value.type == PRIVY_NULL) {
    privy_request_null(request);
  } else {
    (array ? privy_request_begin_array : privy_request_begin_object)(request);
    pass_members(request, value);
    (array ? privy_request_end_array : privy_request_end_object)(request);
  }
  privy_buffer_clear(&text);
}

static void check_request(const privy_operation *operation, privy_value fields) {
  privy_request *request;
  privy_error error;
  privy_error_init(&error);
  HOLDS(privy_request_new(operation, &request) == PRIVY_OK);
  pass_members(request, fields);
  HOLDS(privy_request_finish(request, &error) == PRIVY_OK);
  privy_request_free(request);
}

static void check_row(const privy_operation *operation, const privy_import_row *row, privy_buffer *out) {
  privy_value fields;
  privy_error error;
  privy_error_init(&error);
  HOLDS(privy_value_parse(row->fields.text, row->fields.length, &fields, &error) == PRIVY_OK);
  HOLDS(fields.type == PRIVY_OBJECT && row->line_count > 0);
  HOLDS((row->state == PRIVY_IMPORT_REFUSED) == (row->fault_count > 0));
  if (row->state == PRIVY_IMPORT_READY) check_request(operation, fields);
  HOLDS(privy_buffer_append(out, row->fields.text, row->fields.length));
  for (size_t i = 0; i < row->fault_count; i++)
    HOLDS(privy_buffer_text(out, row->faults[i].code) &&
          privy_buffer_append(out, row->faults[i].message.text, row->faults[i].message.length));
  for (size_t i = 0; i < row->change_count; i++)
    HOLDS(privy_buffer_append(out, row->changes[i].after.text, row->changes[i].after.length));
}

/* ---- a file ---- */

typedef struct reading {
  privy_import *import;
  privy_lines *lines;
  const privy_operation *operation;
  bool header, survey;
  privy_buffer *out;
} reading;

/* Uses the lines that are complete. False: the file is refused. */
static bool use_lines(reading *of) {
  const privy_line *line;
  privy_error error;
  const privy_import_row *row;
  bool done = true;
  privy_error_init(&error);
  while (done && (done = privy_lines_next(of->lines, &line, &error) == PRIVY_OK) && line) {
    if (!of->header)
      done = !of->survey || privy_import_columns(of->import, line, &error) == PRIVY_OK;
    else
      HOLDS((of->survey ? privy_import_survey : privy_import_add)(of->import, line) == PRIVY_OK);
    of->header = true;
    while ((row = privy_import_take(of->import))) check_row(of->operation, row, of->out);
  }
  if (!done) HOLDS(error.message && privy_buffer_text(of->out, error.message));
  privy_error_clear(&error);
  return done;
}

static bool read_file(reading *of, const char *bytes, size_t size, size_t piece, bool survey) {
  bool done = true;
  of->survey = survey;
  of->header = false;
  HOLDS(privy_lines_new(0, &of->lines) == PRIVY_OK);
  for (size_t at = 0; done && at < size; at += piece) {
    HOLDS(privy_lines_feed(of->lines, bytes + at, size - at < piece ? size - at : piece) == PRIVY_OK);
    done = use_lines(of);
  }
  HOLDS(!done || privy_lines_end(of->lines) == PRIVY_OK);
  done = done && use_lines(of);
  privy_lines_free(of->lines);
  return done && of->header;
}

static void run(size_t way, const char *bytes, size_t size, size_t piece, privy_buffer *out) {
  privy_import_config config;
  privy_error error;
  const privy_import_row *row;
  privy_import_config_init(&config);
  config.operation = privy_operation_find(ways[way].operation);
  config.map = ways[way].map;
  config.map_length = config.map ? strlen(config.map) : 0;
  config.preset = ways[way].preset;
  config.currency = way == 4 ? "USD" : NULL;
  reading of = {.operation = config.operation, .out = out};
  privy_error_init(&error);
  HOLDS(privy_import_new(&config, &of.import, &error) == PRIVY_OK);
  if (read_file(&of, bytes, size, piece, true) && read_file(&of, bytes, size, piece, false))
    HOLDS(privy_import_end(of.import) == PRIVY_OK);
  while ((row = privy_import_take(of.import))) check_row(of.operation, row, out);
  privy_import_free(of.import);
}

int fuzz_import(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  privy_buffer whole = PRIVY_BUFFER_EMPTY, pieces = PRIVY_BUFFER_EMPTY;
  const size_t way = data[0] % (sizeof ways / sizeof *ways);
  run(way, (const char *)data + 2, size - 2, size - 2, &whole);
  run(way, (const char *)data + 2, size - 2, 1 + data[1] % 16, &pieces);
  HOLDS(whole.length == pieces.length);
  HOLDS(whole.length == 0 || memcmp(whole.data, pieces.data, whole.length) == 0);
  privy_buffer_clear(&whole);
  privy_buffer_clear(&pieces);
  return 0;
}
