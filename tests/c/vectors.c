#define _POSIX_C_SOURCE 200809L

#include "vectors.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/reader.h"

static struct {
  vector_case *items;
  size_t count, capacity;
  char *texts[64]; /* the files, which the cases point into */
  size_t files;
} all;

static PRIVY_PRINTF(1, 2) void give_up(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(EXIT_FAILURE);
}

static void *room(void *memory, size_t size) {
  void *grown = realloc(memory, size);
  if (!grown) give_up("vectors: memory ran out");
  return grown;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

privy_value vector_member(privy_value object, const char *name) {
  privy_cursor cursor;
  privy_value key, value, found = {.type = PRIVY_ABSENT};
  if (object.type != PRIVY_OBJECT) return found;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value))
    if (privy_value_is(key, name)) found = value;
  return found;
}

char *vector_text(privy_value string, size_t *length) {
  privy_buffer decoded = PRIVY_BUFFER_EMPTY;
  if (privy_value_decode(string, &decoded) != PRIVY_OK) give_up("vectors: memory ran out");
  char *text = room(NULL, decoded.length + 1);
  if (decoded.length) memcpy(text, decoded.data, decoded.length);
  text[decoded.length] = '\0';
  if (length) *length = decoded.length;
  privy_buffer_clear(&decoded);
  return text;
}

bool vector_text_is(privy_value string, const char *text, size_t length) {
  size_t own;
  if (string.type != PRIVY_STRING) return false;
  char *decoded = vector_text(string, &own);
  const bool same = own == length && memcmp(decoded, text, length) == 0;
  free(decoded);
  return same;
}

static bool same_strings(privy_value a, privy_value b) {
  size_t length;
  char *text = vector_text(b, &length);
  const bool same = vector_text_is(a, text, length);
  free(text);
  return same;
}

static bool same_arrays(privy_value a, privy_value b) {
  privy_cursor left, right;
  privy_value key, one, other;
  privy_cursor_init(&left, a);
  privy_cursor_init(&right, b);
  while (privy_cursor_next(&left, &key, &one))
    if (!privy_cursor_next(&right, &key, &other) || !vector_same(one, other)) return false;
  return !privy_cursor_next(&right, &key, &other);
}

static bool same_objects(privy_value a, privy_value b) {
  privy_cursor cursor;
  privy_value key, value;
  if (vector_names(a) != vector_names(b)) return false;
  privy_cursor_init(&cursor, a);
  while (privy_cursor_next(&cursor, &key, &value)) {
    char *name = vector_text(key, NULL);
    const bool same = vector_same(vector_member(a, name), vector_member(b, name));
    free(name);
    if (!same) return false;
  }
  return true;
}

bool vector_same(privy_value a, privy_value b) {
  if (a.type != b.type) return false;
  switch ((privy_type)a.type) {
  case PRIVY_NUMBER: return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
  case PRIVY_STRING: return same_strings(a, b);
  case PRIVY_ARRAY: return same_arrays(a, b);
  case PRIVY_OBJECT: return same_objects(a, b);
  default: return a.type != PRIVY_ABSENT;
  }
}

size_t vector_names(privy_value object) {
  privy_cursor cursor;
  privy_value key, value;
  size_t count = 0;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    char *name = vector_text(key, NULL);
    if (vector_member(object, name).text == value.text) count++;
    free(name);
  }
  return count;
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

/* The member of a case with that name; NULL if cases have none. */
static privy_value *place_of(vector_case *one, privy_value key) {
  const struct {
    const char *name;
    privy_value *place;
  } places[] = {{"params", &one->params},   {"extra", &one->extra},     {"extra_headers", &one->extra_headers},
                {"request", &one->request}, {"details", &one->details}, {"response", &one->response},
                {"object", &one->object},   {"page", &one->page},       {"error", &one->error}};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (privy_value_is(key, places[i].name)) return places[i].place;
  return NULL;
}

static bool is_whole(const vector_case *one) {
  const int asked = (one->request.type != PRIVY_ABSENT) + (one->details.type != PRIVY_ABSENT);
  const int read =
      (one->object.type != PRIVY_ABSENT) + (one->page.type != PRIVY_ABSENT) + (one->error.type != PRIVY_ABSENT);
  if (one->response.type == PRIVY_ABSENT) return one->params.type == PRIVY_OBJECT && asked == 1 && read == 0;
  return one->response.type == PRIVY_OBJECT && asked == 0 && read == 1;
}

static void keep_case(const char *file, privy_value json) {
  vector_case one = {.shared = strstr(file, "/core/") == NULL};
  privy_cursor cursor;
  privy_value key, value;
  char *operation = NULL;
  privy_cursor_init(&cursor, json);
  while (privy_cursor_next(&cursor, &key, &value)) {
    privy_value *place = place_of(&one, key);
    if (place)
      *place = value;
    else if (privy_value_is(key, "name") && !one.name)
      one.name = vector_text(value, NULL);
    else if (privy_value_is(key, "operation") && !operation)
      operation = vector_text(value, NULL);
    else
      give_up("%s: %s has a member that no case has: %.*s", file, one.name, (int)key.length, key.text);
  }
  if (!one.name || !operation || !is_whole(&one)) give_up("%s: %s is no case", file, one.name ? one.name : "?");
  one.operation = privy_operation_find(operation);
  if (!one.operation && strcmp(operation, "request") != 0) give_up("%s: %s: no operation", file, one.name);
  free(operation);
  for (size_t i = 0; i < all.count; i++)
    if (strcmp(all.items[i].name, one.name) == 0) give_up("%s: there are two cases \"%s\"", file, one.name);
  if (all.count == all.capacity)
    all.items = room(all.items, (all.capacity = all.capacity * 2 + 256) * sizeof *all.items);
  all.items[all.count++] = one;
}

static char *read_whole(const char *file, size_t *length) {
  FILE *stream = fopen(file, "rb");
  size_t capacity = 1 << 16, got;
  char *text = room(NULL, capacity);
  *length = 0;
  if (!stream) give_up("%s cannot be read", file);
  while ((got = fread(text + *length, 1, capacity - *length, stream)) > 0) {
    *length += got;
    if (*length == capacity) text = room(text, capacity *= 2);
  }
  fclose(stream);
  return text;
}

static void keep_file(const char *file) {
  size_t length;
  if (all.files == sizeof all.texts / sizeof *all.texts) give_up("there are more files than there is space for");
  const char *text = all.texts[all.files++] = read_whole(file, &length);
  privy_error error;
  privy_value list, key, json;
  privy_cursor cursor;
  privy_error_init(&error);
  if (privy_value_parse(text, length, &list, &error) != PRIVY_OK) give_up("%s: %s", file, error.message);
  if (list.type != PRIVY_ARRAY) give_up("%s is no list of cases", file);
  privy_cursor_init(&cursor, list);
  while (privy_cursor_next(&cursor, &key, &json)) keep_case(file, json);
}

vector_list vectors(void) {
  static const char *const folders[] = {"", "/core"};
  const char *directory = getenv("VECTORS_DIR");
  if (all.count) return (vector_list){all.items, all.count};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    char pattern[4096];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s%s/*.json", directory ? directory : "tests/vectors", folders[i]);
    if (glob(pattern, 0, NULL, &found) != 0) give_up("there is no %s", pattern);
    for (size_t file = 0; file < found.gl_pathc; file++) keep_file(found.gl_pathv[file]);
    globfree(&found);
  }
  return (vector_list){all.items, all.count};
}

void vectors_free(void) {
  for (size_t i = 0; i < all.count; i++) free(all.items[i].name);
  for (size_t i = 0; i < all.files; i++) free(all.texts[i]);
  free(all.items);
  memset(&all, 0, sizeof all);
}
