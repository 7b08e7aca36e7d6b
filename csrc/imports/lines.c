/* Lines of a delimited file, from bytes in any pieces. */
#include <stdio.h>

#include "base/memory.h"
#include "imports/sniff.h"
#include "message/error.h"
#include "privy_imports.h"

/* Most bytes of a line: a quote that is never closed would make a line of the rest of the file. */
#define LONGEST_LINE ((size_t)1 << 20)

struct privy_lines {
  privy_buffer input; /* bytes that are not decoded yet */
  privy_buffer text;  /* UTF-8 */
  size_t at;          /* where the next line begins in `text` */
  uint64_t number;    /* of that line */
  privy_encoding encoding;
  char delimiter; /* 0: not known yet */
  bool ended;
  privy_line line;
  privy_span *cells;
  size_t capacity;
};

privy_status privy_lines_new(char delimiter, privy_lines **out) {
  *out = privy_calloc(1, sizeof **out);
  if (!*out) return PRIVY_NO_MEMORY;
  (*out)->delimiter = delimiter;
  (*out)->number = 1;
  return PRIVY_OK;
}

void privy_lines_free(privy_lines *lines) {
  if (!lines) return;
  privy_buffer_clear(&lines->input);
  privy_buffer_clear(&lines->text);
  privy_free(lines->cells);
  privy_free(lines);
}

const char *privy_lines_encoding(const privy_lines *lines) {
  return privy_encoding_name(lines->encoding);
}

char privy_lines_delimiter(const privy_lines *lines) {
  return lines->delimiter ? lines->delimiter : ',';
}

static void drop_read(privy_lines *lines) {
  if (lines->at) memmove(lines->text.data, lines->text.data + lines->at, lines->text.length - lines->at);
  lines->text.length -= lines->at;
  lines->at = 0;
}

privy_status privy_lines_feed(privy_lines *lines, const char *bytes, size_t length) {
  drop_read(lines);
  const bool fits = privy_buffer_append(&lines->input, bytes, length) &&
                    privy_decode(&lines->encoding, &lines->input, false, &lines->text);
  return fits ? PRIVY_OK : PRIVY_NO_MEMORY;
}

privy_status privy_lines_end(privy_lines *lines) {
  drop_read(lines);
  lines->ended = true;
  return privy_decode(&lines->encoding, &lines->input, true, &lines->text) ? PRIVY_OK : PRIVY_NO_MEMORY;
}

/* ---- where a line ends ---- */

/* The text that is left, as far as a line break at its end is complete. */
static privy_slice rest_of(const privy_lines *lines) {
  const privy_slice rest = {lines->text.data + lines->at, lines->text.length - lines->at};
  const bool open = rest.length && rest.text[rest.length - 1] == '\r' && !lines->ended;
  return (privy_slice){rest.text, rest.length - open};
}

static bool is_break(char byte) {
  return byte == '\n' || byte == '\r';
}

/* Moves past a line break. */
static size_t after_break(privy_slice text, size_t at) {
  const bool pair = text.text[at] == '\r' && at + 1 < text.length && text.text[at + 1] == '\n';
  return at + 1 + pair;
}

/* The closing quote of a cell whose text begins at `at`; the length of the text if there is none. */
static size_t closing_quote(privy_slice text, size_t at) {
  for (;;) {
    const char *quote = at < text.length ? memchr(text.text + at, '"', text.length - at) : NULL;
    if (!quote) return text.length;
    at = (size_t)(quote - text.text);
    if (at + 1 >= text.length || text.text[at + 1] != '"') return at;
    at += 2;
  }
}

/* The line break that ends the line at the start of the text; the length of the text if there is none. Sets `*quoted`
 * if the text ends inside quotes. */
static size_t line_end(privy_slice text, char delimiter, bool *quoted) {
  size_t at = 0;
  *quoted = false;
  for (bool begins = true; at < text.length && !is_break(text.text[at]); at++) {
    if (begins && text.text[at] == '"') {
      at = closing_quote(text, at + 1);
      *quoted = at == text.length;
      begins = false;
      if (*quoted) break;
    } else {
      begins = text.text[at] == delimiter;
    }
  }
  return at;
}

/* ---- cells ---- */

PRIVY_NODISCARD static bool add_cell(privy_lines *lines, const char *text, size_t length) {
  privy_span *cells = privy_grow(lines->cells, lines->line.count, &lines->capacity, sizeof *cells);
  if (!cells) return false;
  lines->cells = cells;
  cells[lines->line.count++] = (privy_span){text, length};
  return true;
}

/* Removes the quotes of a cell from its text, in place. Returns its length. */
static size_t unquote(char *text, size_t length) {
  size_t to = 0;
  bool inside = true;
  for (size_t from = 1; from < length; from++) {
    if (text[from] == '"' && inside) {
      if (from + 1 < length && text[from + 1] == '"')
        from++;
      else {
        inside = false;
        continue;
      }
    }
    text[to++] = text[from];
  }
  return to;
}

/* The end of the cell that begins at `at`. */
static size_t cell_end(privy_slice line, size_t at, char delimiter) {
  if (at < line.length && line.text[at] == '"') at = closing_quote(line, at + 1);
  const char *end = at < line.length ? memchr(line.text + at, delimiter, line.length - at) : NULL;
  return end ? (size_t)(end - line.text) : line.length;
}

PRIVY_NODISCARD static bool split(privy_lines *lines, char *text, size_t length) {
  lines->line.count = 0;
  for (size_t at = 0;; at++) {
    const size_t end = cell_end((privy_slice){text, length}, at, lines->delimiter);
    const bool quoted = end > at && text[at] == '"';
    const size_t bytes = quoted ? unquote(text + at, end - at) : end - at;
    if (!add_cell(lines, text + at, bytes)) return false;
    if (end == length) return true;
    at = end;
  }
}

static uint64_t count_breaks(privy_slice text) {
  uint64_t count = 0;
  for (size_t at = 0; at < text.length;) {
    if (!is_break(text.text[at])) {
      at++;
      continue;
    }
    at = after_break(text, at);
    count++;
  }
  return count;
}

/* ---- the next line ---- */

static privy_status refuse_quote(const privy_lines *lines, privy_error *error) {
  return privy_error_set(error, PRIVY_VALIDATION,
                         "line %llu: a text in quotes begins here and does not end: close the quote, or double it",
                         (unsigned long long)lines->number);
}

/* Finds the delimiter in the first line. False: the line is not complete. */
static bool find_delimiter(privy_lines *lines, privy_slice rest) {
  bool quoted = false, named;
  size_t at = 0;
  for (; at < rest.length && (quoted || !is_break(rest.text[at])); at++) quoted ^= rest.text[at] == '"';
  if (at == rest.length && !lines->ended && at <= LONGEST_LINE) return false;
  lines->delimiter = privy_sniff_delimiter((privy_slice){rest.text, at}, &named);
  if (!named) return true;
  lines->at += at < rest.length ? after_break(rest, at) : at;
  lines->number++;
  return true;
}

/* The end of the next line in `rest`. False: there is none yet, or an error. */
static bool find_line(const privy_lines *lines, privy_slice rest, size_t *end, privy_status *status,
                      privy_error *error) {
  bool quoted;
  *end = line_end(rest, lines->delimiter, &quoted);
  const bool open = *end == rest.length;
  if (quoted && (lines->ended || rest.length > LONGEST_LINE)) {
    *status = refuse_quote(lines, error);
  } else if (open && rest.length > LONGEST_LINE) {
    *status = privy_error_set(error, PRIVY_VALIDATION, "line %llu is longer than 1 MiB: this is not a table of text",
                              (unsigned long long)lines->number);
  }
  return *status == PRIVY_OK && (!open || lines->ended);
}

/* Takes one line. False: there is none yet, or an error. */
static bool take_line(privy_lines *lines, privy_status *status, privy_error *error) {
  if (!lines->delimiter && !find_delimiter(lines, rest_of(lines))) return false;
  const privy_slice rest = rest_of(lines);
  size_t end;
  if (rest.length == 0 || !find_line(lines, rest, &end, status, error)) return false;
  const size_t next = end < rest.length ? after_break(rest, end) : end;
  lines->line.number = lines->number;
  lines->number += count_breaks((privy_slice){rest.text, next});
  if (!split(lines, lines->text.data + lines->at, end)) *status = privy_error_no_memory(error);
  lines->at += next;
  lines->line.cells = lines->cells;
  return *status == PRIVY_OK;
}

privy_status privy_lines_next(privy_lines *lines, const privy_line **out, privy_error *error) {
  privy_status status = PRIVY_OK;
  *out = NULL;
  while (take_line(lines, &status, error)) {
    if (lines->line.count == 1 && lines->line.cells[0].length == 0) continue;
    *out = &lines->line;
    break;
  }
  return status;
}

/* ---- writing ---- */

static bool needs_quotes(privy_span cell, char delimiter) {
  for (size_t i = 0; i < cell.length; i++)
    if (cell.text[i] == delimiter || cell.text[i] == '"' || is_break(cell.text[i])) return true;
  return cell.length && (cell.text[0] == ' ' || cell.text[cell.length - 1] == ' ');
}

PRIVY_NODISCARD static bool write_cell(privy_buffer *out, privy_span cell, char delimiter) {
  if (!needs_quotes(cell, delimiter)) return privy_buffer_append(out, cell.text, cell.length);
  bool fits = privy_buffer_byte(out, '"');
  for (size_t i = 0; fits && i < cell.length; i++)
    fits = (cell.text[i] != '"' || privy_buffer_byte(out, '"')) && privy_buffer_byte(out, cell.text[i]);
  return fits && privy_buffer_byte(out, '"');
}

bool privy_csv_append(privy_buffer *out, const privy_span *cells, size_t count, char delimiter) {
  const size_t before = out->length;
  bool fits = true;
  for (size_t i = 0; fits && i < count; i++)
    fits = (i == 0 || privy_buffer_byte(out, delimiter)) && write_cell(out, cells[i], delimiter);
  if (!fits) out->length = before;
  return fits;
}
