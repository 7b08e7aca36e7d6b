/* Suggestions for unknown parameter names. */
#include "base/visible.h"
#include "schema/reason.h"

/* Longer than any name of the tables. */
#define LONGEST 40

/* A name as the tables write them: lower case, words joined by '_'. */
typedef struct plain_name {
  char text[LONGEST];
  size_t length;
} plain_name;

static bool is_upper(char byte) {
  return byte >= 'A' && byte <= 'Z';
}

/* "firstName", " First Name" and "first-name" become "first_name"; what cannot be seen is left out. False: too long. */
static bool make_plain(const char *name, size_t length, plain_name *out) {
  out->length = 0;
  for (size_t at = 0, bytes; at < length; at += bytes) {
    bytes = privy_utf8_sequence(name + at, length - at);
    if (bytes == 0) bytes = 1;
    if (privy_is_invisible(privy_utf8_scalar(name + at, bytes)) || name[at] == '"' || name[at] == '\'') continue;
    const bool gap = name[at] == ' ' || name[at] == '-' || name[at] == '.';
    const bool word = is_upper(name[at]) && at > 0 && !is_upper(name[at - 1]) && privy_is_alnum(name[at - 1]);
    if (gap && out->length == 0) continue;
    if (out->length + bytes + word > sizeof out->text) return false;
    if (word) out->text[out->length++] = '_';
    for (size_t i = 0; i < bytes; i++) out->text[out->length++] = gap ? '_' : privy_lower(name[at + i]);
  }
  while (out->length && out->text[out->length - 1] == '_') out->length--;
  return out->length > 0;
}

static size_t minimum(size_t a, size_t b) {
  return a < b ? a : b;
}

/* The edit distance: characters to add, remove, replace or swap with their neighbour. */
static size_t distance(const plain_name *from, const char *to, size_t length) {
  size_t rows[3][LONGEST + 1], *before = rows[0], *above = rows[1], *row = rows[2];
  for (size_t j = 0; j <= length; j++) above[j] = j;
  for (size_t i = 1; i <= from->length; i++) {
    row[0] = i;
    for (size_t j = 1; j <= length; j++) {
      const bool same = from->text[i - 1] == to[j - 1];
      row[j] = minimum(minimum(above[j], row[j - 1]) + 1, above[j - 1] + !same);
      const bool swapped = i > 1 && j > 1 && from->text[i - 1] == to[j - 2] && from->text[i - 2] == to[j - 1];
      if (swapped) row[j] = minimum(row[j], before[j - 2] + 1);
    }
    size_t *done = before;
    before = above;
    above = row;
    row = done;
  }
  return above[length];
}

/* The largest distance of a suggestion. */
static size_t tolerance(size_t length) {
  return length < 5 ? 1 : length < 12 ? 2 : 3;
}

/* True when one name begins with all words of the other: "phone" and "phone_number". */
static bool shares_words(const plain_name *name, const char *other, size_t length) {
  const size_t common = minimum(name->length, length);
  if (memcmp(name->text, other, common) != 0) return false;
  if (name->length > length) return name->text[length] == '_';
  return other[name->length] == '_';
}

static const privy_field *closest(const privy_operation *operation, const plain_name *name) {
  const privy_object *object = operation->object;
  const privy_field *found = NULL;
  size_t best = tolerance(name->length) + 1;
  for (size_t i = 0; i < object->field_count; i++) {
    const privy_field *field = &object->fields[i];
    if (!(field->accepted_by & (1u << operation->id)) || field->name_length > LONGEST) continue;
    const bool aliases = privy_aliases_have(field->aliases, name->text, name->length);
    const size_t edits = aliases ? 0 : distance(name, field->name, field->name_length);
    if (edits >= best) continue;
    best = edits;
    found = field;
  }
  return found;
}

/* NULL if there are several. */
static const privy_field *only_one_sharing(const privy_operation *operation, const plain_name *name) {
  const privy_object *object = operation->object;
  const privy_field *found = NULL;
  for (size_t i = 0; i < object->field_count; i++) {
    const privy_field *field = &object->fields[i];
    if (!(field->accepted_by & (1u << operation->id)) || !shares_words(name, field->name, field->name_length)) continue;
    if (found) return NULL;
    found = field;
  }
  return found;
}

const privy_field *privy_suggest(const privy_operation *operation, const char *name, size_t length) {
  plain_name plain;
  if (!make_plain(name, length, &plain)) return NULL;
  const privy_field *found = closest(operation, &plain);
  return found ? found : only_one_sharing(operation, &plain);
}

size_t privy_suggest_among(const privy_slice *names, size_t count, const char *name, size_t length) {
  plain_name plain, other;
  if (!make_plain(name, length, &plain)) return SIZE_MAX;
  size_t found = SIZE_MAX, best = tolerance(plain.length) + 1;
  for (size_t i = 0; i < count; i++) {
    if (!make_plain(names[i].text, names[i].length, &other)) continue;
    const size_t edits = distance(&plain, other.text, other.length);
    if (edits >= best) continue;
    best = edits;
    found = i;
  }
  return found;
}
