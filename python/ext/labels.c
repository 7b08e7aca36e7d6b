#include "labels.h"

#include <string.h>

#include "scalars.h"

static size_t label_index(const char *text, size_t length) {
  uint64_t head = 0, tail = 0;
  if (length >= sizeof head) {
    memcpy(&head, text, sizeof head);
    memcpy(&tail, text + length - sizeof tail, sizeof tail);
  } else {
    for (size_t i = 0; i < length; i++) head = head << 8 | (unsigned char)text[i];
  }
  uint64_t mixed = (head ^ (tail << 29 | tail >> 35) ^ length) * 0x9E3779B97F4A7C15u;
  return (size_t)(mixed >> 32) % LABEL_COUNT;
}

#ifdef Py_GIL_DISABLED
#define LOCK_LABEL(entry) PyMutex_Lock(&(entry)->mutex)
#define UNLOCK_LABEL(entry) PyMutex_Unlock(&(entry)->mutex)
#else
#define LOCK_LABEL(entry) (void)(entry)
#define UNLOCK_LABEL(entry) (void)(entry)
#endif

/* A new reference to the str of the entry; NULL without an exception when the entry holds another one. */
static PyObject *find(label *entry, privy_value value) {
  PyObject *text = NULL;
  LOCK_LABEL(entry);
  if (entry->text && entry->length == (Py_ssize_t)value.length && memcmp(entry->bytes, value.text, value.length) == 0) {
    text = Py_NewRef(entry->text);
  }
  UNLOCK_LABEL(entry);
  return text;
}

static void store(label *entry, PyObject *text, const char *bytes, Py_ssize_t length) {
  Py_INCREF(text);
  LOCK_LABEL(entry);
  PyObject *before = entry->text;
  entry->text = text;
  entry->bytes = bytes;
  entry->length = length;
  UNLOCK_LABEL(entry);
  Py_XDECREF(before);
}

PyObject *label_text(label *labels, privy_value value) {
  if (value.escaped || value.length > 32) return scalar_text(value);
  label *entry = &labels[label_index(value.text, value.length)];
  PyObject *text = find(entry, value);
  if (text) return text;
  text = scalar_text(value);
  if (!text) return NULL;
  Py_ssize_t length;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
  if (!bytes) {
    Py_DECREF(text);
    return NULL;
  }
  store(entry, text, bytes, length);
  return text;
}

void labels_clear(label *labels) {
  for (size_t i = 0; i < LABEL_COUNT; i++) Py_CLEAR(labels[i].text);
}
