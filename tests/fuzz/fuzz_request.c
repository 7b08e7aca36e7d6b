/*
 * The bytes after the first are calls of the builder, in the order that privy.h asks for. A value is one letter and
 * what it needs: s text, n number, w time, d date (all four: a length byte and as many bytes), i integer (a length byte
 * and as many bytes, the low one first), t true, f false, z null, r a value without a JSON form, [ and { containers,
 * which ] ends. Inside an object, and at top level, a key (a length byte and its bytes) precedes each value; k in
 * the place of its length, with the high bit set, and another length and bytes: one that is no text. At top level x, q
 * and h in that place call privy_request_extra, _query and _header.
 */
#include <string.h>

#include "base/text.h"
#include "fuzz.h"

#define DEEPEST 200

typedef struct walk {
  const uint8_t *at, *end;
  privy_request *request;
  bool raw;
  size_t depth;
  bool array[DEEPEST];
} walk;

static uint8_t take_byte(walk *w) {
  return w->at < w->end ? *w->at++ : 0;
}

static privy_slice take_text(walk *w, size_t wanted) {
  const size_t left = (size_t)(w->end - w->at), length = wanted < left ? wanted : left;
  const privy_slice text = {(const char *)w->at, length};
  w->at += length;
  return text;
}

static int64_t take_integer(walk *w) {
  const privy_slice bytes = take_text(w, take_byte(w) % 9);
  uint64_t value = 0;
  for (size_t i = bytes.length; i > 0; i--) value = value << 8 | (uint8_t)bytes.text[i - 1];
  return (int64_t)value;
}

static void open_container(walk *w, bool array) {
  if (w->depth == DEEPEST) {
    privy_request_null(w->request);
    return;
  }
  w->array[w->depth++] = array;
  (array ? privy_request_begin_array : privy_request_begin_object)(w->request);
}

static void close_container(walk *w) {
  (w->array[--w->depth] ? privy_request_end_array : privy_request_end_object)(w->request);
}

static void take_value(walk *w) {
  const uint8_t letter = take_byte(w);
  const bool texts = letter == 's' || letter == 'n' || letter == 'd' || letter == 'w';
  const privy_slice text = take_text(w, texts ? take_byte(w) : 0);
  switch (letter) {
  case 's': privy_request_string(w->request, text.text, text.length); break;
  case 'n': privy_request_number(w->request, text.text, text.length); break;
  case 'i': privy_request_integer(w->request, take_integer(w)); break;
  case 'd': privy_request_date(w->request, text.text, text.length); break;
  case 'w': privy_request_time(w->request, text.text, text.length); break;
  case 't': privy_request_boolean(w->request, true); break;
  case 'f': privy_request_boolean(w->request, false); break;
  case 'r': privy_request_refuse(w->request, PRIVY_CODE_NOT_ENCODABLE, "has no JSON form"); break;
  case '[': open_container(w, true); break;
  case '{': open_container(w, false); break;
  default: privy_request_null(w->request);
  }
}

static void take_no_key(walk *w) {
  const uint8_t byte = take_byte(w);
  const privy_slice name = take_text(w, byte & 0x7f);
  privy_request_no_key(w->request, byte < 0x80 ? name.text : NULL, byte < 0x80 ? name.length : 0);
}

/* True when a key was named, so that a value must follow. */
static bool take_key(walk *w) {
  const uint8_t byte = take_byte(w);
  if (byte < 0x80) {
    const privy_slice name = take_text(w, byte);
    privy_request_key(w->request, name.text, name.length);
    return true;
  }
  if ((byte & 0x7f) == 'k') take_no_key(w);
  if (w->depth) return false;
  if ((byte & 0x7f) == 'x' && !w->raw) privy_request_extra(w->request);
  if ((byte & 0x7f) == 'q' && w->raw) privy_request_query(w->request);
  if ((byte & 0x7f) == 'h' && w->raw) privy_request_header(w->request);
  return false;
}

static void take_item(walk *w) {
  if (w->depth && *w->at == ']') {
    w->at++;
    close_container(w);
  } else if ((w->depth && w->array[w->depth - 1]) || take_key(w)) {
    take_value(w);
  }
}

static void close_all(walk *w) {
  while (w->depth) close_container(w);
}

/* One value, to the end of its containers. */
static void take_body(walk *w) {
  take_value(w);
  while (w->depth && w->at < w->end) take_item(w);
  close_all(w);
}

/* ---- what must hold ---------------------------------------------------------------------------------------------- */

static bool is_clean(const char *text) {
  for (; *text; text++)
    if (*text == '\r' || *text == '\n') return false;
  return true;
}

/* Undoes one level of percent-encoding in place; false when there was none. */
static bool decode(char *text) {
  bool found = false;
  char *out = text;
  for (; *text; text++) {
    if (*text == '%' && privy_hex_value(text[1]) >= 0 && privy_hex_value(text[2]) >= 0) {
      const int byte = privy_hex_value(text[1]) << 4 | privy_hex_value(text[2]);
      *out++ = byte ? (char)byte : '/';
      text += 2;
      found = true;
    } else {
      *out++ = *text;
    }
  }
  *out = '\0';
  return found;
}

/* However often a server decodes the path, it names nothing above the base URL. */
static void check_path(const char *target) {
  char path[256] = "";
  const size_t length = strcspn(target, "?");
  memcpy(path, target, length < sizeof path ? length : sizeof path - 1);
  do {
    for (const char *at = path; (at = strstr(at, "..")); at++)
      HOLDS((at > path && !strchr("/\\;", at[-1])) || (at[2] && !strchr("/\\;", at[2])));
  } while (decode(path));
}

static void check_request(const privy_request *request) {
  size_t length;
  const char *name, *value, *body = privy_request_body(request, &length);
  privy_value json;
  privy_error error;
  privy_error_init(&error);
  if (length) HOLDS(privy_value_parse(body, length, &json, &error) == PRIVY_OK);
  privy_error_clear(&error);
  HOLDS(*privy_request_target(request) == '/');
  for (const char *at = privy_request_target(request); *at; at++) HOLDS(*at > ' ' && *at <= '~');
  for (size_t i = 0; privy_request_header_at(request, i, &name, &value); i++)
    HOLDS(*name && is_clean(name) && is_clean(value) && !strpbrk(name, ": "));
  HOLDS(*privy_request_method(request));
}

static void check_faults(const privy_error *error) {
  HOLDS(error->code == PRIVY_VALIDATION && error->details.count > 0 && error->attempts == 0 && *error->message);
  for (const char *at = error->message; *at; at++) HOLDS((unsigned char)*at >= ' ' && *at != 0x7f);
  for (size_t i = 0; i < error->details.count; i++) {
    const privy_detail *fault = &error->details.items[i];
    HOLDS(*fault->message && privy_utf8_valid(fault->message, strlen(fault->message)) == strlen(fault->message));
    HOLDS(privy_utf8_valid(fault->field, strlen(fault->field)) == strlen(fault->field));
  }
}

static privy_status new_raw(walk *w) {
  char method[16] = "", path[128] = "";
  const privy_slice word = take_text(w, take_byte(w) % sizeof method);
  memcpy(method, word.text, word.length);
  const privy_slice target = take_text(w, take_byte(w) % sizeof path);
  memcpy(path, target.text, target.length);
  const privy_status status = privy_request_new_raw(method, strlen(method), path, strlen(path), &w->request);
  if (status != PRIVY_OK) return status;
  if (take_byte(w)) take_body(w);
  privy_request_query(w->request);
  return PRIVY_OK;
}

int fuzz_request(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  const privy_operation *operation = fuzz_operation(data[0]);
  walk w = {.at = data + 1, .end = data + size, .raw = !operation};
  privy_error error;
  privy_error_init(&error);
  HOLDS((operation ? privy_request_new(operation, &w.request) : new_raw(&w)) == PRIVY_OK);
  while (w.at < w.end) take_item(&w);
  close_all(&w);
  if (privy_request_finish(w.request, &error) == PRIVY_OK) {
    check_request(w.request);
    if (w.raw) check_path(privy_request_target(w.request));
  } else {
    check_faults(&error);
  }
  privy_error_clear(&error);
  privy_request_free(w.request);
  return 0;
}
