#include "jobs/identity.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "jobs/row_keys.h"

/* Digests of the members of all objects that are open: those of the innermost come last. */
typedef struct content_hasher {
  privy_buffer members;
  privy_buffer text; /* of a string with escapes */
} content_hasher;

void privy_identity_clear(privy_identity *identity) {
  privy_buffer_clear(&identity->key);
  privy_buffer_clear(&identity->other);
}

/* ---- the content ---- */

/* Adds the type and the length first, so that different values never add the same bytes. */
_Static_assert(PRIVY_OBJECT < 10, "the type is one digit");
static void add_bytes(privy_digest *digest, privy_type type, const char *bytes, size_t length) {
  char head[24];
  size_t at = sizeof head;
  head[--at] = ':';
  for (size_t rest = length; at == sizeof head - 1 || rest; rest /= 10) head[--at] = (char)('0' + rest % 10);
  head[--at] = ':';
  head[--at] = (char)('0' + type);
  privy_digest_add(digest, head + at, sizeof head - at);
  privy_digest_add(digest, bytes, length);
}

static bool add_string(content_hasher *hasher, privy_digest *digest, privy_value string) {
  if (!string.escaped) {
    add_bytes(digest, PRIVY_STRING, string.text, string.length);
    return true;
  }
  hasher->text.length = 0;
  if (privy_value_decode(string, &hasher->text) != PRIVY_OK) return false;
  add_bytes(digest, PRIVY_STRING, hasher->text.data, hasher->text.length);
  return true;
}

static int compare_digests(const void *one, const void *other) {
  return memcmp(one, other, PRIVY_DIGEST_SIZE);
}

static bool add_value(content_hasher *hasher, privy_digest *digest, privy_value value);

/* The digests of the members are sorted: their order does not count. Nesting is bounded by the reader. */
static bool add_members(content_hasher *hasher, privy_digest *digest, privy_value object) {
  const size_t from = hasher->members.length;
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    unsigned char end[PRIVY_DIGEST_SIZE];
    privy_digest member;
    privy_digest_init(&member);
    if (!add_string(hasher, &member, key) || !add_value(hasher, &member, value)) return false;
    privy_digest_end(&member, end);
    if (!privy_buffer_append(&hasher->members, (const char *)end, sizeof end)) return false;
  }
  const size_t length = hasher->members.length - from;
  if (length) qsort(hasher->members.data + from, length / PRIVY_DIGEST_SIZE, PRIVY_DIGEST_SIZE, compare_digests);
  add_bytes(digest, PRIVY_OBJECT, length ? hasher->members.data + from : "", length);
  hasher->members.length = from;
  return true;
}

static bool add_elements(content_hasher *hasher, privy_digest *digest, privy_value array) {
  privy_cursor cursor;
  privy_value key, element;
  add_bytes(digest, PRIVY_ARRAY, "[", 1);
  privy_cursor_init(&cursor, array);
  while (privy_cursor_next(&cursor, &key, &element))
    if (!add_value(hasher, digest, element)) return false;
  add_bytes(digest, PRIVY_ARRAY, "]", 1);
  return true;
}

static bool add_value(content_hasher *hasher, privy_digest *digest, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_OBJECT: return add_members(hasher, digest, value);
  case PRIVY_ARRAY: return add_elements(hasher, digest, value);
  case PRIVY_STRING: return add_string(hasher, digest, value);
  default: add_bytes(digest, value.type, value.text, value.length); return true;
  }
}

static bool hash_content(const privy_request *request, unsigned char out[PRIVY_HASH_SIZE]) {
  const privy_value body = {.text = request->body.data, .length = (uint32_t)request->body.length, .type = PRIVY_OBJECT};
  const char *target = privy_request_target(request);
  unsigned char end[PRIVY_DIGEST_SIZE];
  content_hasher hasher = {PRIVY_BUFFER_EMPTY, PRIVY_BUFFER_EMPTY};
  privy_digest digest;
  privy_digest_init(&digest);
  add_bytes(&digest, PRIVY_ABSENT, target, strlen(target));
  if (request->basis.length) add_bytes(&digest, PRIVY_NULL, request->basis.data, request->basis.length);
  const bool added = body.length == 0 || add_value(&hasher, &digest, body);
  privy_digest_end(&digest, end);
  memcpy(out, end, PRIVY_HASH_SIZE);
  privy_buffer_clear(&hasher.members);
  privy_buffer_clear(&hasher.text);
  return added;
}

/* ---- keys ---- */

/* The text of a row key is the name of its field, NUL, and the value. */
static bool copy_key(const privy_buffer *text, privy_buffer *out) {
  const size_t name = strlen(text->data);
  return privy_buffer_append(out, text->data, name) && privy_buffer_byte(out, '=') &&
         privy_buffer_append(out, text->data + name + 1, text->length - name - 1);
}

static bool use_content(privy_identity *identity) {
  bool added = privy_buffer_text(&identity->key, "content=");
  for (size_t i = 0; added && i < PRIVY_HASH_SIZE; i++)
    added = privy_buffer_format(&identity->key, "%02x", identity->hash[i]);
  return added;
}

/* The order of two keys must not depend on the order of the members. They are of different fields, so no key is the
 * beginning of the other. */
static void sort_keys(privy_identity *identity) {
  const privy_buffer key = identity->key, other = identity->other;
  const size_t length = key.length < other.length ? key.length : other.length;
  if (length == 0 || memcmp(key.data, other.data, length) <= 0) return;
  identity->key = other;
  identity->other = key;
}

bool privy_identity_read(const privy_request *request, privy_identity *out) {
  privy_row_keys keys = {0};
  bool read = privy_row_keys_read(request, &keys) && hash_content(request, out->hash);
  if (read && keys.count > 0) read = copy_key(&keys.texts[0], &out->key);
  if (read && keys.count > 1) read = copy_key(&keys.texts[1], &out->other);
  if (read && keys.count == 0) read = use_content(out);
  if (read) sort_keys(out);
  out->replaces = keys.count > 0 && request->operation->id != PRIVY_OP_EVENT;
  privy_row_keys_clear(&keys);
  return read;
}

bool privy_identity_read_key(const privy_request *request, privy_buffer *out) {
  privy_row_keys keys = {0};
  const bool read = privy_row_keys_read(request, &keys) && (keys.count == 0 || copy_key(&keys.texts[0], out));
  privy_row_keys_clear(&keys);
  return read;
}
