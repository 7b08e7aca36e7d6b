#include "imports/emit.h"

static bool same(privy_span a, privy_span b) {
  return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

size_t privy_path_common(privy_span a, privy_span b) {
  privy_span left, right;
  size_t count = 0;
  while (privy_path_next(&a, &left) && privy_path_next(&b, &right) && same(left, right)) {
    if (a.length == 0 || b.length == 0) break;
    count++;
  }
  return count;
}

void privy_emit_begin(privy_emitter *emitter, privy_buffer *out) {
  *emitter = (privy_emitter){.depth = 0};
  privy_writer_init(&emitter->writer, out);
  privy_writer_begin_object(&emitter->writer);
}

static void close_to(privy_emitter *emitter, size_t depth) {
  while (emitter->depth > depth) {
    if (emitter->arrays[--emitter->depth])
      privy_writer_end_array(&emitter->writer);
    else
      privy_writer_end_object(&emitter->writer);
  }
}

static void write_key(privy_emitter *emitter, privy_span part) {
  const bool element = emitter->depth && emitter->arrays[emitter->depth - 1];
  if (!element) privy_writer_key(&emitter->writer, part.text, part.length);
}

static void open_part(privy_emitter *emitter, privy_span part, bool array) {
  write_key(emitter, part);
  if (array)
    privy_writer_begin_array(&emitter->writer);
  else
    privy_writer_begin_object(&emitter->writer);
  emitter->open[emitter->depth] = part;
  emitter->arrays[emitter->depth++] = array;
}

void privy_emit(privy_emitter *emitter, privy_span path, privy_span text, bool raw) {
  privy_span parts[PRIVY_PATH_PARTS];
  size_t count = 0, common = 0;
  while (count < PRIVY_PATH_PARTS && privy_path_next(&path, &parts[count])) count++;
  while (common < emitter->depth && common + 1 < count && same(emitter->open[common], parts[common])) common++;
  close_to(emitter, common);
  for (size_t i = common; i + 1 < count; i++) open_part(emitter, parts[i], privy_path_is_number(parts[i + 1]));
  write_key(emitter, parts[count - 1]);
  if (raw)
    privy_writer_raw(&emitter->writer, text.text, text.length);
  else
    privy_writer_string(&emitter->writer, text.text, text.length);
}

bool privy_emit_end(privy_emitter *emitter) {
  close_to(emitter, 0);
  privy_writer_end_object(&emitter->writer);
  return !emitter->writer.failed;
}
