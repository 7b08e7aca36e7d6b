#include "labels.h"

#include <string.h>

#include "scalars.h"

static label_ends ends_of(const char *text, size_t length) {
  label_ends ends = {0, 0};
  if (length >= sizeof ends.head) {
    memcpy(&ends.head, text, sizeof ends.head);
    memcpy(&ends.tail, text + length - sizeof ends.tail, sizeof ends.tail);
  } else if (length >= sizeof(uint32_t)) {
    uint32_t first, last; /* which may overlap */
    memcpy(&first, text, sizeof first);
    memcpy(&last, text + length - sizeof last, sizeof last);
    ends.head = (uint64_t)last << 32 | first;
  } else {
    for (size_t i = 0; i < length; i++) ends.head = ends.head << 8 | (unsigned char)text[i];
  }
  return ends;
}

static size_t label_index(label_ends ends, size_t length) {
  uint64_t mixed = (ends.head ^ (ends.tail << 29 | ends.tail >> 35) ^ length) * 0x9E3779B97F4A7C15u;
  return (size_t)(mixed >> 32) % LABEL_COUNT;
}

#ifdef Py_GIL_DISABLED
#define LOCK_LABEL(entry) PyMutex_Lock(&(entry)->mutex)
#define UNLOCK_LABEL(entry) PyMutex_Unlock(&(entry)->mutex)
#else
#define LOCK_LABEL(entry) (void)(entry)
#define UNLOCK_LABEL(entry) (void)(entry)
#endif

/* Texts of up to 16 bytes are equal if their lengths and ends are. */
static bool holds(const label *entry, privy_value value, label_ends ends) {
  return entry->length == (Py_ssize_t)value.length && entry->ends.head == ends.head && entry->ends.tail == ends.tail &&
         entry->object && (value.length <= 16 || memcmp(entry->bytes, value.text, value.length) == 0);
}

/* A new reference to the object of the entry; NULL without an exception when the entry holds another one. */
static inline PyObject *find(label *entry, privy_value value, label_ends ends) {
  LOCK_LABEL(entry);
  PyObject *object = holds(entry, value, ends) ? Py_NewRef(entry->object) : NULL;
  UNLOCK_LABEL(entry);
  return object;
}

/* Takes over the reference that `made` has to its object. */
static void store(label *entry, label made) {
  LOCK_LABEL(entry);
  PyObject *before = entry->object;
  entry->object = made.object;
  entry->bytes = made.bytes;
  entry->length = made.length;
  entry->ends = made.ends;
  UNLOCK_LABEL(entry);
  Py_XDECREF(before);
}

PyObject *label_text(label *labels, privy_value value) {
  if (value.escaped || value.length > 32) return scalar_text(value);
  label made = {.ends = ends_of(value.text, value.length)};
  label *entry = &labels[label_index(made.ends, value.length)];
  made.object = find(entry, value, made.ends);
  if (made.object) return made.object;
  made.object = scalar_text(value);
  if (!made.object) return NULL;
  made.bytes = PyUnicode_AsUTF8AndSize(made.object, &made.length);
  if (!made.bytes) {
    Py_DECREF(made.object);
    return NULL;
  }
  Py_INCREF(made.object);
  store(entry, made);
  return made.object;
}

PyObject *label_number(label *numbers, core_state *state, privy_value value) {
  if (value.length > 8) return scalar_number(state, value, PRIVY_KIND_ANY);
  label made = {.length = (Py_ssize_t)value.length, .ends = ends_of(value.text, value.length)};
  label *entry = &numbers[label_index(made.ends, value.length)];
  made.object = find(entry, value, made.ends);
  if (made.object) return made.object;
  made.object = scalar_number(state, value, PRIVY_KIND_ANY);
  if (!made.object) return NULL;
  Py_INCREF(made.object);
  store(entry, made);
  return made.object;
}

void labels_clear(label *labels) {
  for (size_t i = 0; i < LABEL_COUNT; i++) Py_CLEAR(labels[i].object);
}
