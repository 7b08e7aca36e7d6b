/* Reads maps that are written in TOML, as JSON. */
#include <stdio.h>

#include "base/buffer.h"
#include "imports/texts.h"
#include "message/error.h"
#include "json/reader.h"
#include "json/writer.h"

#define MOST_PARTS 16 /* of a key */
#define MOST_LEVELS 16

typedef enum node_kind { NODE_TABLE, NODE_TABLES, NODE_LIST, NODE_TEXT, NODE_JSON } node_kind;

typedef struct node {
  node_kind kind;
  bool closed; /* no key may be added: it was written as a value */
  bool named;  /* a header has named it */
  privy_span key;
  privy_span text; /* of TEXT and JSON */
  struct node *first, *last, *next;
} node;

typedef struct toml {
  const char *start, *at, *end;
  privy_texts texts;
  const char *fault; /* NULL: none; static */
  unsigned levels;   /* of values that are open */
} toml;

typedef struct key {
  privy_span parts[MOST_PARTS];
  size_t count;
} key;

static bool fail(toml *in, const char *fault) {
  if (!in->fault) in->fault = fault;
  return false;
}

/* ---- nodes ---- */

static node *new_node(toml *in, node_kind kind) {
  node *made = (node *)(void *)privy_texts_bytes(&in->texts, sizeof *made);
  if (made)
    *made = (node){.kind = kind};
  else
    (void)fail(in, "");
  return made;
}

static void append(node *parent, node *child) {
  if (parent->last)
    parent->last->next = child;
  else
    parent->first = child;
  parent->last = child;
}

static node *find(const node *table, privy_span name) {
  for (node *child = table->first; child; child = child->next)
    if (child->key.length == name.length && memcmp(child->key.text, name.text, name.length) == 0) return child;
  return NULL;
}

static node *add(toml *in, node *table, privy_span name, node_kind kind) {
  node *child = new_node(in, kind);
  if (!child) return NULL;
  child->key = name;
  append(table, child);
  return child;
}

/* The table of that name inside another, added if it is missing. Of a list of tables it is the last one. */
static node *enter(toml *in, node *table, privy_span name) {
  node *child = find(table, name);
  if (!child) return add(in, table, name, NODE_TABLE);
  if (child->kind == NODE_TABLES) return child->last;
  if (child->kind == NODE_TABLE && !child->closed) return child;
  (void)fail(in, "a key is given twice");
  return NULL;
}

/* ---- spaces ---- */

static bool is_at(const toml *in, char byte) {
  return in->at < in->end && *in->at == byte;
}

static bool take(toml *in, char byte) {
  if (!is_at(in, byte)) return false;
  in->at++;
  return true;
}

static void skip_spaces(toml *in) {
  while (is_at(in, ' ') || is_at(in, '\t')) in->at++;
}

static void skip_comment(toml *in) {
  if (!is_at(in, '#')) return;
  while (in->at < in->end && *in->at != '\n') in->at++;
}

/* Spaces, comments and line breaks. */
static void skip_lines(toml *in) {
  for (const char *before = NULL; before != in->at;) {
    before = in->at;
    skip_spaces(in);
    skip_comment(in);
    while (is_at(in, '\n') || is_at(in, '\r')) in->at++;
  }
}

static bool end_line(toml *in) {
  skip_spaces(in);
  skip_comment(in);
  (void)take(in, '\r');
  return in->at == in->end || take(in, '\n') || fail(in, "a line has more than one value: a line break is missing");
}

/* ---- strings ---- */

static bool take_scalar(toml *in, size_t digits, privy_buffer *out) {
  uint32_t scalar = 0;
  for (size_t i = 0; i < digits; i++) {
    const int value = in->at < in->end ? privy_hex_value(*in->at++) : -1;
    if (value < 0) return fail(in, "an escape \\u needs hexadecimal digits");
    scalar = scalar << 4 | (uint32_t)value;
  }
  if (scalar > 0x10ffff || (scalar >= 0xd800 && scalar < 0xe000)) return fail(in, "an escape \\u names no character");
  return privy_buffer_scalar(out, scalar) || fail(in, "");
}

static bool take_escape(toml *in, bool lines, privy_buffer *out) {
  static const char names[] = "btnfr\"\\e", values[] = "\b\t\n\f\r\"\\\x1b";
  const char name = in->at < in->end ? *in->at++ : '\0';
  if (name == 'u' || name == 'U') return take_scalar(in, name == 'u' ? 4 : 8, out);
  const char *found = name ? strchr(names, name) : NULL;
  if (found) return privy_buffer_byte(out, values[found - names]) || fail(in, "");
  if (!lines || (name != '\n' && name != ' ' && name != '\t' && name != '\r'))
    return fail(in, "an unknown escape: write \\\\ for a backslash");
  while (is_at(in, ' ') || is_at(in, '\t') || is_at(in, '\n') || is_at(in, '\r')) in->at++;
  return true;
}

/* Whether the string's end is here: its quote, or three of them. */
static bool take_quotes(toml *in, char quote, bool lines) {
  const size_t count = lines ? 3 : 1;
  if ((size_t)(in->end - in->at) < count) return false;
  for (size_t i = 0; i < count; i++)
    if (in->at[i] != quote) return false;
  in->at += count;
  return true;
}

static bool read_characters(toml *in, char quote, bool lines, privy_buffer *out) {
  while (!take_quotes(in, quote, lines)) {
    if (in->at == in->end || (*in->at == '\n' && !lines)) return fail(in, "a text in quotes does not end");
    const char byte = *in->at++;
    if (byte == '\\' && quote == '"') {
      if (!take_escape(in, lines, out)) return false;
    } else if (!privy_buffer_byte(out, byte)) {
      return fail(in, "");
    }
  }
  return true;
}

/* A string in either kind of quotes, on one line or on several. */
static bool read_string(toml *in, privy_span *out) {
  const char quote = *in->at;
  const bool lines = take_quotes(in, quote, true);
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  if (!lines) in->at++;
  if (lines && is_at(in, '\r')) in->at++;
  if (lines && is_at(in, '\n')) in->at++;
  const bool read = read_characters(in, quote, lines, &text);
  *out = privy_texts_copy(&in->texts, text.data, text.length);
  privy_buffer_clear(&text);
  return read;
}

/* ---- keys ---- */

static bool is_quote(char byte) {
  return byte == '"' || byte == '\'';
}

static bool read_part(toml *in, privy_span *out) {
  if (in->at < in->end && is_quote(*in->at)) return read_string(in, out);
  const char *from = in->at;
  while (in->at < in->end && (privy_is_alnum(*in->at) || *in->at == '_' || *in->at == '-')) in->at++;
  *out = (privy_span){from, (size_t)(in->at - from)};
  return out->length || fail(in, "a key is missing: put a name that has spaces in quotes");
}

static bool read_key(toml *in, key *out) {
  out->count = 0;
  do {
    skip_spaces(in);
    if (out->count == MOST_PARTS) return fail(in, "a key has too many parts");
    if (!read_part(in, &out->parts[out->count++])) return false;
    skip_spaces(in);
  } while (take(in, '.'));
  return true;
}

/* ---- values ---- */

static node *read_value(toml *in);
static bool read_pair(toml *in, node *table);

static node *read_list(toml *in) {
  node *list = new_node(in, NODE_LIST);
  in->at++;
  for (skip_lines(in); list && !take(in, ']'); skip_lines(in)) {
    node *element = read_value(in);
    if (!element) return NULL;
    append(list, element);
    skip_lines(in);
    if (!take(in, ',') && !is_at(in, ']')) {
      (void)fail(in, "a list needs a comma or a ] here");
      return NULL;
    }
  }
  return list;
}

static void close_table(node *table) {
  table->closed = true;
  for (node *child = table->first; child; child = child->next)
    if (child->kind == NODE_TABLE && !child->closed) close_table(child);
}

static node *read_inline(toml *in) {
  node *table = new_node(in, NODE_TABLE);
  in->at++;
  for (skip_lines(in); table && !take(in, '}'); skip_lines(in)) {
    if (!read_pair(in, table)) return NULL;
    skip_lines(in);
    if (!take(in, ',') && !is_at(in, '}')) {
      (void)fail(in, "a table in braces needs a comma or a } here");
      return NULL;
    }
  }
  if (table) close_table(table);
  return table;
}

/* A number without underscores and plus. */
static bool plain_number(privy_span word, privy_buffer *out) {
  for (size_t i = 0; i < word.length; i++)
    if (word.text[i] != '_' && (i || word.text[i] != '+') && !privy_buffer_byte(out, word.text[i])) return false;
  return true;
}

static bool is_date(privy_span word) {
  return word.length >= 10 && word.text[4] == '-' && word.text[7] == '-' && privy_is_digit(word.text[0]);
}

static node *read_word(toml *in) {
  const char *from = in->at;
  while (in->at < in->end && !strchr(",]}# \t\r\n", *in->at)) in->at++;
  const privy_span word = {from, (size_t)(in->at - from)};
  privy_buffer number = PRIVY_BUFFER_EMPTY;
  node *made = new_node(in, is_date(word) ? NODE_TEXT : NODE_JSON);
  if (!plain_number(word, &number)) (void)fail(in, "");
  const bool known = privy_text_is(word.text, word.length, "true") || privy_text_is(word.text, word.length, "false") ||
                     is_date(word) || privy_json_number(number.data, number.length, NULL);
  if (made) made->text = privy_texts_copy(&in->texts, number.data, number.length);
  privy_buffer_clear(&number);
  if (known) return made;
  (void)fail(in, "a value is missing, or is no text, number, true or false: put texts in quotes");
  return NULL;
}

static node *read_text(toml *in) {
  node *made = new_node(in, NODE_TEXT);
  return made && read_string(in, &made->text) ? made : NULL;
}

static node *read_any(toml *in) {
  const char byte = in->at < in->end ? *in->at : '\0';
  if (is_quote(byte)) return read_text(in);
  if (byte == '[') return read_list(in);
  return byte == '{' ? read_inline(in) : read_word(in);
}

static node *read_value(toml *in) {
  if (++in->levels > MOST_LEVELS) {
    (void)fail(in, "values are nested too deep");
    return NULL;
  }
  node *made = read_any(in);
  in->levels--;
  return made;
}

/* key = value */
static bool read_pair(toml *in, node *table) {
  key name;
  if (!read_key(in, &name)) return false;
  for (size_t i = 0; table && i + 1 < name.count; i++) table = enter(in, table, name.parts[i]);
  if (!table) return false;
  const privy_span last = name.parts[name.count - 1];
  if (find(table, last)) return fail(in, "a key is given twice");
  if (!take(in, '=')) return fail(in, "a key needs = and a value");
  skip_spaces(in);
  node *value = read_value(in);
  if (!value) return false;
  value->key = last;
  append(table, value);
  return true;
}

/* ---- headers ---- */

static node *open_table(toml *in, node *parent, privy_span name) {
  node *table = enter(in, parent, name);
  if (table && table->named) (void)fail(in, "a table is given twice");
  if (table) table->named = true;
  return table;
}

static node *open_element(toml *in, node *parent, privy_span name) {
  node *list = find(parent, name);
  if (!list) list = add(in, parent, name, NODE_TABLES);
  if (list && list->kind != NODE_TABLES) (void)fail(in, "a key is given twice");
  node *table = in->fault ? NULL : new_node(in, NODE_TABLE);
  if (table) append(list, table);
  return table;
}

/* [table] and [[element of a list]]: the table that the next lines belong to. */
static node *read_header(toml *in, node *root) {
  key name;
  node *table = root;
  in->at++;
  const bool element = take(in, '[');
  if (!read_key(in, &name)) return NULL;
  for (size_t i = 0; table && i + 1 < name.count; i++) table = enter(in, table, name.parts[i]);
  if (!table) return NULL;
  if (!take(in, ']') || (element && !take(in, ']'))) {
    (void)fail(in, "the name of a table needs a ]");
    return NULL;
  }
  const privy_span last = name.parts[name.count - 1];
  return element ? open_element(in, table, last) : open_table(in, table, last);
}

static node *read_all(toml *in) {
  node *root = new_node(in, NODE_TABLE), *table = root;
  if (privy_text_starts(in->at, (size_t)(in->end - in->at), "\xef\xbb\xbf")) in->at += 3;
  for (skip_lines(in); table && !in->fault && in->at < in->end; skip_lines(in)) {
    if (is_at(in, '['))
      table = read_header(in, root);
    else if (!read_pair(in, table))
      break;
    if (in->fault || !end_line(in)) break;
  }
  return root;
}

/* ---- writing ---- */

static void write_node(privy_writer *writer, const node *value) {
  const bool table = value->kind == NODE_TABLE;
  if (value->kind == NODE_TEXT) {
    privy_writer_string(writer, value->text.text, value->text.length);
  } else if (value->kind == NODE_JSON) {
    privy_writer_raw(writer, value->text.text, value->text.length);
  } else {
    (table ? privy_writer_begin_object : privy_writer_begin_array)(writer);
    for (const node *child = value->first; child; child = child->next) {
      if (table) privy_writer_key(writer, child->key.text, child->key.length);
      write_node(writer, child);
    }
    (table ? privy_writer_end_object : privy_writer_end_array)(writer);
  }
}

static privy_status refuse(const toml *in, privy_error *error) {
  unsigned line = 1;
  for (const char *at = in->start; at < in->at; at++) line += *at == '\n';
  if (in->at > in->start && in->at[-1] == '\n') line--;
  return privy_error_set(error, PRIVY_VALIDATION, "invalid map: line %u of the TOML: %s", line, in->fault);
}

privy_status privy_import_read_toml(const char *text, size_t length, privy_buffer *out, privy_error *error) {
  toml in = {.start = text, .at = text, .end = text + length};
  privy_writer writer;
  privy_status status = PRIVY_OK;
  if (privy_utf8_valid(text, length) != length) in.fault = "the file is not UTF-8";
  const node *root = in.fault ? NULL : read_all(&in);
  privy_writer_init(&writer, out);
  if (root && !in.fault && !in.texts.failed) write_node(&writer, root);
  if (in.texts.failed || writer.failed || (in.fault && in.fault[0] == '\0'))
    status = privy_error_no_memory(error);
  else if (in.fault)
    status = refuse(&in, error);
  privy_texts_clear(&in.texts);
  return status;
}
