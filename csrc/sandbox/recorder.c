#include "sandbox/recorder.h"

#include <stdatomic.h>

#include "base/memory.h"
#include "base/text.h"

/* Blocks have sizes in such steps, so that most requests fit into the block of an old one. */
#define BLOCK_STEP ((size_t)256)

/* One request, shared by the recorder and by histories. */
struct privy_recorded {
  atomic_size_t references;
  size_t capacity; /* of `text` */
  privy_sandbox_request request;
  char text[];
};

struct privy_sandbox_history {
  size_t count;
  privy_recorded *items[];
};

static void release(privy_recorded *block) {
  if (block && atomic_fetch_sub(&block->references, 1) == 1) privy_free(block);
}

static size_t memory_of(const privy_recorded *block) {
  return sizeof *block + block->capacity;
}

/* ---- the ring ---------------------------------------------------------------------------------------------------- */

static privy_recorded *take_oldest(privy_recorder *recorder) {
  privy_recorded *oldest = recorder->items[recorder->start];
  recorder->start = (recorder->start + 1) % recorder->capacity;
  recorder->count--;
  recorder->bytes -= memory_of(oldest);
  return oldest;
}

static privy_recorded *item_at(const privy_recorder *recorder, size_t index) {
  return recorder->items[(recorder->start + index) % recorder->capacity];
}

static bool has_space(privy_recorder *recorder) {
  if (recorder->count < recorder->capacity) return true;
  const size_t capacity = recorder->capacity ? recorder->capacity * 2 : 16;
  privy_recorded **items = privy_calloc(capacity, sizeof *items);
  if (!items) return false;
  for (size_t i = 0; i < recorder->count; i++) items[i] = item_at(recorder, i);
  privy_free(recorder->items);
  recorder->items = items;
  recorder->start = 0;
  recorder->capacity = capacity;
  return true;
}

static void append(privy_recorder *recorder, privy_recorded *block) {
  recorder->items[(recorder->start + recorder->count++) % recorder->capacity] = block;
  recorder->bytes += memory_of(block);
  while (recorder->bytes > PRIVY_SANDBOX_HISTORY_BYTES) release(take_oldest(recorder));
}

void privy_recorder_clear(privy_recorder *recorder) {
  while (recorder->count) release(take_oldest(recorder));
  privy_free(recorder->items);
  *recorder = (privy_recorder){.most = recorder->most};
}

void privy_recorder_keep(privy_recorder *recorder, size_t most) {
  recorder->most = most;
  while (recorder->count > most) release(take_oldest(recorder));
}

/* ---- recording --------------------------------------------------------------------------------------------------- */

/* Bytes of the texts, each with a NUL at its end. */
static size_t size_of(const privy_sandbox_request *request) {
  return strlen(request->method) + strlen(request->target) + request->headers_length + request->body_length + 4;
}

/* Whether the block can hold another request of that size. */
static bool is_reusable(const privy_recorded *block, size_t size) {
  return block && size <= block->capacity && block->capacity / 4 <= size + BLOCK_STEP &&
         atomic_load(&block->references) == 1;
}

static privy_recorded *take_block(privy_recorder *recorder, size_t size) {
  privy_recorded *block = recorder->count >= recorder->most ? take_oldest(recorder) : NULL;
  if (is_reusable(block, size)) return block;
  release(block);
  const size_t capacity = (size + BLOCK_STEP - 1) / BLOCK_STEP * BLOCK_STEP;
  block = privy_alloc(sizeof *block + capacity);
  if (!block) return NULL;
  atomic_init(&block->references, 1);
  block->capacity = capacity;
  return block;
}

/* Copies a text and its NUL to `*end`, and advances that. */
static const char *copy_text(char **end, const char *text, size_t length) {
  char *copy = *end;
  if (length) memcpy(copy, text, length);
  copy[length] = '\0';
  *end = copy + length + 1;
  return copy;
}

/* Copies the header lines that are not secret. */
static const char *copy_headers(char **end, const privy_sandbox_request *request, size_t *length) {
  privy_slice rest = {request->headers, request->headers_length};
  privy_header header;
  char *copy = *end, *at = copy;
  while (privy_next_header(&rest, &header)) {
    const size_t line = (size_t)(rest.text - header.name.text);
    if (privy_is_secret_header(header.name)) continue;
    memcpy(at, header.name.text, line);
    at += line;
  }
  *length = (size_t)(at - copy);
  *at = '\0';
  *end = at + 1;
  return copy;
}

static void fill(privy_recorded *block, const privy_sandbox_request *request) {
  char *end = block->text;
  block->request = *request;
  block->request.method = copy_text(&end, request->method, strlen(request->method));
  block->request.target = copy_text(&end, request->target, strlen(request->target));
  block->request.headers = copy_headers(&end, request, &block->request.headers_length);
  if (request->body) block->request.body = copy_text(&end, request->body, request->body_length);
}

void privy_recorder_add(privy_recorder *recorder, const privy_sandbox_request *request) {
  privy_sandbox_request kept = *request;
  if (recorder->most == 0) return;
  if (kept.body_length > PRIVY_SANDBOX_HISTORY_BYTES / 2) {
    kept.body = NULL;
    kept.body_length = 0;
  }
  privy_recorded *block = take_block(recorder, size_of(&kept));
  if (!block) return;
  if (!has_space(recorder)) {
    release(block);
    return;
  }
  fill(block, &kept);
  append(recorder, block);
}

/* ---- histories --------------------------------------------------------------------------------------------------- */

privy_sandbox_history *privy_recorder_history(const privy_recorder *recorder) {
  privy_sandbox_history *history = privy_calloc(1, sizeof *history + recorder->count * sizeof *history->items);
  if (!history) return NULL;
  history->count = recorder->count;
  for (size_t i = 0; i < recorder->count; i++) {
    history->items[i] = item_at(recorder, i);
    atomic_fetch_add(&history->items[i]->references, 1);
  }
  return history;
}

bool privy_recorder_fill(privy_recorder *recorder, const privy_sandbox_history *history) {
  const size_t count = history->count < recorder->most ? history->count : recorder->most;
  if (count == 0) return true;
  recorder->items = privy_calloc(count, sizeof *recorder->items);
  if (!recorder->items) return false;
  recorder->capacity = count;
  for (size_t i = history->count - count; i < history->count; i++) {
    atomic_fetch_add(&history->items[i]->references, 1);
    append(recorder, history->items[i]);
  }
  return true;
}

const privy_sandbox_request *privy_sandbox_history_at(const privy_sandbox_history *history, size_t index) {
  return index < history->count ? &history->items[index]->request : NULL;
}

void privy_sandbox_history_free(privy_sandbox_history *history) {
  if (!history) return;
  for (size_t i = 0; i < history->count; i++) release(history->items[i]);
  privy_free(history);
}
