/* What check.c and check_containers.c share: frames, and how a value is checked. */
#ifndef PRIVY_SCHEMA_CHECK_FRAME_H
#define PRIVY_SCHEMA_CHECK_FRAME_H

#include "schema/check.h"

/* What a container holds. */
enum {
  FRAME_PARAMS,  /* the parameters of the operation */
  FRAME_OBJECT,  /* an object with a table */
  FRAME_OBJECTS, /* an array of such objects */
  FRAME_STRINGS, /* an array of strings */
  FRAME_FLAT,    /* an object of scalars */
  FRAME_ANY,     /* any JSON, its levels counted */
  FRAME_FREE,    /* any JSON */
  FRAME_IGNORED  /* inside a value that is refused already */
};

static inline privy_check_frame *top(privy_check *check) {
  return privy_check_frame_of(check, check->depth - 1);
}

/* Fast path: callers usually pass members in the order of the table. */
static inline void open_frame(privy_check_frame *frame, uint8_t kind, const privy_object *object) {
  *frame = (privy_check_frame){.kind = kind, .key_length = PRIVY_CHECK_NO_KEY, .object = object};
  if (kind != FRAME_PARAMS && kind != FRAME_OBJECT) return;
  frame->expected = object->fields;
  frame->end = object->fields + object->field_count;
}

/* Called for every value: counts elements, and says how to check the value; JUDGE_FIELD: against `*field`. */
typedef enum { JUDGE_FIELD, JUDGE_ELEMENT_STRING, JUDGE_ELEMENT_OBJECT, JUDGE_FLAT, JUDGE_NOTHING, JUDGE_SILENT } judge;

static inline judge judge_unnamed(privy_check_frame *frame) {
  if (frame->array) frame->index++;
  switch (frame->kind) {
  case FRAME_IGNORED: return JUDGE_SILENT;
  case FRAME_OBJECTS: return JUDGE_ELEMENT_OBJECT;
  case FRAME_STRINGS: return JUDGE_ELEMENT_STRING;
  case FRAME_FLAT: return JUDGE_FLAT;
  default: return JUDGE_NOTHING;
  }
}

static inline judge judge_of(privy_check *check, const privy_field **field) {
  privy_check_frame *frame = top(check);
  *field = frame->checked;
  return frame->checked ? JUDGE_FIELD : judge_unnamed(frame);
}

/* Error: the value is of another type than the field's. Returns PRIVY_VERDICT_REFUSED. */
privy_verdict privy_check_refuse_type(privy_check *check, const privy_field *field);

#endif
