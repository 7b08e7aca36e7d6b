/*
 * The public interface of imports: the lines of a file, and the rows that a map makes of them. It completes privy.h,
 * and follows its rules on ownership and threads.
 */
#ifndef PRIVY_IMPORTS_H
#define PRIVY_IMPORTS_H

#include "privy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- lines of a file --------------------------------------------------------------------------------------------- */

/*
 * Reads a delimited file (CSV, TSV) from its bytes, in pieces of any size. Finds the encoding (byte order mark, UTF-8,
 * else Windows-1252) and the delimiter. Cells may be in quotes; line breaks are LF, CRLF or CR. Empty lines are left
 * out. A byte that is invalid in the encoding becomes U+FFFD.
 */
typedef struct privy_lines privy_lines;

/* Text in UTF-8; not NUL-terminated. */
typedef struct privy_span {
  const char *text;
  size_t length;
} privy_span;
typedef struct privy_line {
  uint64_t number; /* of the line of the file on which it begins, from 1 */
  const privy_span *cells;
  size_t count;
} privy_line;

/* `delimiter`: an ASCII character, or 0: found in the first line. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_lines_new(char delimiter, privy_lines **out);
PRIVY_API void privy_lines_free(privy_lines *lines);
/* Adds bytes of the file. PRIVY_OK, or PRIVY_NO_MEMORY: then free it. Ends the lifetime of the last line. */
PRIVY_API PRIVY_NODISCARD privy_status privy_lines_feed(privy_lines *lines, const char *bytes, size_t length);
/* The file has no more bytes. Returns as privy_lines_feed does. */
PRIVY_API PRIVY_NODISCARD privy_status privy_lines_end(privy_lines *lines);
/* The next complete line, valid until the next call; `*out` is NULL if there is none yet. PRIVY_OK; PRIVY_VALIDATION
 * for a quote that is not closed or a line of more than 1 MiB; or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_lines_next(privy_lines *lines, const privy_line **out, privy_error *error);
/* What was found: "utf-8", "windows-1252", "utf-16-le", "utf-16-be". Static. Known after the last line. */
PRIVY_API const char *privy_lines_encoding(const privy_lines *lines);
/* The delimiter; ',' before the first line is read. */
PRIVY_API char privy_lines_delimiter(const privy_lines *lines);
/* Appends cells as one line of CSV without a line break, in quotes where needed. False when memory runs out. */
PRIVY_API PRIVY_NODISCARD bool privy_csv_append(privy_buffer *out, const privy_span *cells, size_t count,
                                                char delimiter);

/* ---- imports ----------------------------------------------------------------------------------------------------- */

/*
 * An import makes rows of an operation from the lines of a file, by a map: which column becomes which field, and how
 * (docs/import.md describes maps, presets and conversions). Lines of one order become one row. A value that is not
 * certain is refused with a reason, and not guessed.
 *
 *   privy_import_new(&config, &import, &error);
 *   privy_import_columns(import, header, &error);
 *   for each line: privy_import_survey(import, line);      the first reading
 *   for each line: privy_import_add(import, line);         the second reading
 *                  while (privy_import_take(import, &row)) …use the row…
 *   privy_import_end(import); while (privy_import_take(import, &row)) …
 *   privy_import_free(import);
 *
 * The first reading is optional. It decides what one line cannot: whether 1,234 is a thousand, whether 03/04/2026 is in
 * April, and where an order ends whose lines are scattered over the file. Without it such values are refused.
 */
typedef struct privy_import privy_import;

/* Codes of the faults of a row that PRIVY_DETAIL_CODES lacks: X(constant, code, what is wrong). */
#define PRIVY_IMPORT_CODES(X)                                                                                          \
  X(CELLS, "wrong_number_of_cells", "The line has more or fewer cells than the header.")                               \
  X(DAMAGED, "damaged_text", "The text has bytes that its encoding does not have.")                                    \
  X(SHORTENED, "shortened_number", "A spreadsheet has shortened the number, such as 1.5551E+10.")                      \
  X(AMBIGUOUS_AMOUNT, "ambiguous_amount", "1,234 can be a thousand or a fraction.")                                    \
  X(AMBIGUOUS_DATE, "ambiguous_date", "03/04/2026 can be in March or in April.")                                       \
  X(OTHER_CURRENCY, "other_currency", "The sign of the amount is not that of the row's currency.")                     \
  X(DISAGREE, "lines_disagree", "Two lines of one order have different values for one field of the order.")            \
  X(SCATTERED, "scattered_lines", "A line of an order comes after the order was complete.")                            \
  X(REFUND, "refund", "A total is negative.")                                                                          \
  X(NOT_A_BOOLEAN, "not_a_boolean", "The text is neither yes nor no.")                                                 \
  X(NOT_A_LOCAL_TIME, "not_a_local_time", "Clocks skip this time of day: they change to summer time.")

/* What a callback knows of a local time. */
typedef enum privy_zone_result {
  PRIVY_ZONE_EXACT,
  PRIVY_ZONE_REPEATED, /* clocks show it twice; the offset is that of the first */
  PRIVY_ZONE_SKIPPED,  /* clocks do not show it */
  PRIVY_ZONE_UNKNOWN   /* there is no such zone */
} privy_zone_result;

typedef struct privy_import_config {
  const privy_operation *operation; /* orders.upsert, contacts.upsert or events.ingest */
  const char *map;                  /* a JSON object, or NULL */
  size_t map_length;
  const char *preset;   /* the name of a preset, "auto": found by the header; NULL (default): that of the map, if any */
  const char *country;  /* of phone numbers without +: two letters; NULL (default): that of the map */
  const char *currency; /* of rows without one; NULL (default): that of the map */
  const char *timezone; /* of times without an offset; NULL (default): that of the map. The core knows "UTC" and fixed
                           offsets such as "+02:00" */
  /* Appends the E.164 form of a phone number. `country`: two letters, or NULL. PRIVY_OK; PRIVY_VALIDATION if it is
   * none; or PRIVY_NO_MEMORY. NULL: only numbers that have a + are accepted. */
  privy_status (*phone)(void *context, const char *text, size_t length, const char *country, privy_buffer *out);
  /* The offset of a zone, in seconds east of UTC, at a local time in seconds since 1970. NULL: no named zones. */
  privy_zone_result (*zone_offset)(void *context, const char *zone, int64_t local, int32_t *offset);
  void *context; /* of the callbacks */
} privy_import_config;
PRIVY_API void privy_import_config_init(privy_import_config *config);

/* Appends a map that is written in TOML as JSON, for privy_import_config.map; times become texts. PRIVY_OK,
 * PRIVY_VALIDATION with the line of what is wrong, or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_import_read_toml(const char *text, size_t length, privy_buffer *out,
                                                              privy_error *error);

/* Reads the map. The import copies what it needs; free it with privy_import_free. PRIVY_OK, PRIVY_VALIDATION with a
 * detail for every fault of the map, or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_import_new(const privy_import_config *config, privy_import **out,
                                                        privy_error *error);
PRIVY_API void privy_import_free(privy_import *import);
/*
 * The names of the columns: call it once, before the first line. Names are compared without regard to case and
 * surrounding spaces. PRIVY_OK; PRIVY_VALIDATION with a detail for every column of the map that is missing or named
 * twice, every required field that no column fills, or the presets that fit; or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_import_columns(privy_import *import, const privy_line *header,
                                                            privy_error *error);
/* The name of the preset that is used, static; NULL: none. */
PRIVY_API const char *privy_import_preset(const privy_import *import);
/* The name of the zone of times without an offset, NULL if there is none. Valid as long as the import. */
PRIVY_API const char *privy_import_timezone(const privy_import *import);
/* The name of the column at `index`, without surrounding spaces; false past the end. */
PRIVY_API bool privy_import_column(const privy_import *import, size_t index, privy_span *out);
/* The name of the column at `index` that no field uses, counted among those; false past the end. Columns that a preset
 * ignores on purpose are not listed. */
PRIVY_API bool privy_import_unused(const privy_import *import, size_t index, privy_span *out);

/* Reads a line for the first time. PRIVY_OK, or PRIVY_NO_MEMORY: then free the import. */
PRIVY_API PRIVY_NODISCARD privy_status privy_import_survey(privy_import *import, const privy_line *line);
/* How many rows the lines of the first reading make; 0 without one. Lines that are skipped count as rows. */
PRIVY_API uint64_t privy_import_surveyed(const privy_import *import);
/* Adds a line, in the same order as in the first reading. PRIVY_OK, or PRIVY_NO_MEMORY: then free the import. */
PRIVY_API PRIVY_NODISCARD privy_status privy_import_add(privy_import *import, const privy_line *line);
/* There are no more lines: the last orders are complete. Returns as privy_import_add does. */
PRIVY_API PRIVY_NODISCARD privy_status privy_import_end(privy_import *import);

/* A value that was changed to be sendable. */
typedef struct privy_import_change {
  uint64_t line;
  privy_span column, before, after;
  const char *rule; /* the conversion, such as "amount" */
} privy_import_change;
/* Why a row is refused. */
typedef struct privy_import_fault {
  uint64_t line;
  privy_span column; /* empty: the fault is not one of a column */
  privy_span field;  /* as in error details: "line_items[0].price", or "base" */
  privy_span value;  /* as in the file */
  privy_span message;
  const char *code; /* of PRIVY_DETAIL_CODES or PRIVY_IMPORT_CODES */
} privy_import_fault;
/* A line that became part of a row. */
typedef struct privy_import_source {
  uint64_t number;
  privy_span csv; /* its cells, as privy_csv_append writes them with ',', without those of PRIVY_IMPORT_REJECTS */
} privy_import_source;

typedef enum privy_import_state {
  PRIVY_IMPORT_READY,   /* `fields` can be sent: the rules of the operation are checked */
  PRIVY_IMPORT_REFUSED, /* it has faults */
  PRIVY_IMPORT_SKIPPED  /* the map leaves the line out; `reason` says why */
} privy_import_state;
typedef struct privy_import_row {
  privy_import_state state;
  privy_span key; /* what a person calls the row: its order number, e-mail address or phone number; may be empty */
  privy_span
      fields; /* the parameters of the operation as a JSON object; of a refused row those that could be converted */
  privy_span reason; /* PRIVY_IMPORT_SKIPPED */
  const privy_import_source *lines;
  size_t line_count;
  const privy_import_change *changes;
  size_t change_count;
  const privy_import_fault *faults;
  size_t fault_count;
} privy_import_row;
/* Takes the next complete row; NULL if there is none. The import owns it until the next call. */
PRIVY_API const privy_import_row *privy_import_take(privy_import *import);

/* The columns that a file of rejects has in front of the original ones. An import does not use them, so that the file
 * can be corrected and imported again. */
#define PRIVY_IMPORT_REJECTS "privy_line,privy_field,privy_reason"
/* Appends the first line of a file of rejects, without a line break: PRIVY_IMPORT_REJECTS and the names of the columns.
 * False when memory runs out. */
PRIVY_API PRIVY_NODISCARD bool privy_import_rejects_header(const privy_import *import, privy_buffer *out);

/* The table of presets and of conversions, for help texts: the entry at `index`; NULL past the end. */
typedef struct privy_import_preset_info {
  const char *name;
  const char *operation;
  const char *doc;
} privy_import_preset_info;
PRIVY_API const privy_import_preset_info *privy_import_preset_at(size_t index);
typedef struct privy_import_conversion_info {
  const char *name;
  const char *doc;
} privy_import_conversion_info;
PRIVY_API const privy_import_conversion_info *privy_import_conversion_at(size_t index);

#ifdef __cplusplus
}
#endif

#endif
