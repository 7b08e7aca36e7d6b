#include <stdio.h>

#include "base/memory.h"
#include "schema/check_frame.h"
#include "json/scan.h"

/* The top level, the levels accepted, and one that is refused. */
#define MOST_FRAMES (PRIVY_CHECK_DEPTH + 2)

static const char flat_error_message[] = "must be a string, number, boolean or null: nested values are not accepted";

/* The kind of frame that a field's container opens; FRAME_IGNORED after an error. */
static uint8_t frame_of_field(privy_check *check, const privy_field *field, bool array) {
  switch ((privy_kind)field->kind) {
  case PRIVY_KIND_STRINGS:
    if (array) return FRAME_STRINGS;
    break;
  case PRIVY_KIND_OBJECTS:
    if (array) return FRAME_OBJECTS;
    break;
  case PRIVY_KIND_FLAT:
    if (!array) return FRAME_FLAT;
    break;
  case PRIVY_KIND_ANY:
    if (!array) return FRAME_ANY;
    break;
  case PRIVY_KIND_OBJECT:
    if (!array) return FRAME_OBJECT;
    break;
  default: break;
  }
  privy_check_refuse_type(check, field);
  return FRAME_IGNORED;
}

static uint8_t frame_of(privy_check *check, bool array, const privy_object **object) {
  const privy_field *field;
  uint8_t inside = top(check)->kind;
  switch (judge_of(check, &field)) {
  case JUDGE_SILENT: return FRAME_IGNORED;
  case JUDGE_ELEMENT_STRING: privy_check_refuse(check, PRIVY_CODE_WRONG_TYPE, "must be a string"); return FRAME_IGNORED;
  case JUDGE_FLAT: privy_check_refuse(check, PRIVY_CODE_NESTED, flat_error_message); return FRAME_IGNORED;
  case JUDGE_NOTHING: return inside == FRAME_ANY ? FRAME_ANY : FRAME_FREE;
  case JUDGE_ELEMENT_OBJECT:
    *object = top(check)->object;
    if (!array) return FRAME_OBJECT;
    privy_check_refuse(check, PRIVY_CODE_WRONG_TYPE, "must be an object");
    return FRAME_IGNORED;
  case JUDGE_FIELD: break;
  }
  *object = field->object;
  return frame_of_field(check, field, array);
}

static unsigned level_limit(const privy_check *check) {
  return (unsigned)check->frames[0].checked->max;
}

static PRIVY_NOINLINE uint8_t refuse_levels(privy_check *check) {
  char message[64];
  snprintf(message, sizeof message, "is nested deeper than %u levels", level_limit(check));
  privy_check_refuse(check, PRIVY_CODE_TOO_DEEP, message);
  return FRAME_IGNORED;
}

/* The kind, or FRAME_IGNORED if the container is too deep. */
static uint8_t limit_depth(privy_check *check, uint8_t kind) {
  if (kind == FRAME_ANY && check->any_levels == level_limit(check)) return refuse_levels(check);
  if (kind == FRAME_IGNORED || check->depth <= PRIVY_CHECK_DEPTH) return kind;
  privy_check_refuse(check, PRIVY_CODE_TOO_DEEP, "is nested too deep");
  return FRAME_IGNORED;
}

/* Reserves the frame of the next level. False if there is none: memory ran out, or one level was refused already. */
static bool reserve_frame(privy_check *check) {
  if (check->depth < PRIVY_CHECK_USUAL || check->deep_frames) return check->depth < MOST_FRAMES;
  check->deep_frames = privy_alloc((MOST_FRAMES - PRIVY_CHECK_USUAL) * sizeof *check->deep_frames);
  if (!check->deep_frames) check->no_memory = true;
  return check->deep_frames;
}

privy_verdict privy_check_begin(privy_check *check, bool array) {
  if (!reserve_frame(check)) {
    check->too_deep++;
    return PRIVY_VERDICT_REFUSED;
  }
  const privy_object *object = NULL;
  const uint8_t kind = limit_depth(check, frame_of(check, array, &object));
  if (kind == FRAME_ANY) check->any_levels++;
  privy_check_frame *frame = privy_check_frame_of(check, check->depth++);
  open_frame(frame, kind, object);
  frame->array = array;
  frame->key_start = (uint32_t)check->keys.length;
  return kind == FRAME_IGNORED ? PRIVY_VERDICT_REFUSED : PRIVY_VERDICT_PASSED;
}

void privy_check_end(privy_check *check) {
  if (check->depth <= 1) return;
  if (check->too_deep > 0) {
    check->too_deep--;
    return;
  }
  privy_check_frame *frame = top(check);
  if (frame->kind == FRAME_ANY) check->any_levels--;
  check->keys.length = frame->key_start;
  check->depth--;
}
