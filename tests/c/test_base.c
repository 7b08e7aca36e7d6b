#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void the_nth_allocation_fails_once(void **state) {
  (void)state;
  assert_true(privy_memory_failed());
  privy_memory_fail_at(3);
  void *first = privy_alloc(1), *second = privy_calloc(2, 8);
  assert_non_null(first);
  assert_non_null(second);
  assert_false(privy_memory_failed());
  assert_null(privy_realloc(first, 100));
  assert_true(privy_memory_failed());
  char *copy = privy_copy("abc", 3);
  assert_non_null(copy);
  privy_memory_fail_at(1);
  privy_memory_fail_at(0);
  assert_true(privy_memory_failed());
  void *grown = privy_realloc(first, 100);
  assert_non_null(grown);
  privy_free(grown);
  privy_free(second);
  privy_free(copy);
  privy_free(NULL);
}

static void every_allocator_can_fail(void **state) {
  (void)state;
  size_t capacity = 0;
  privy_memory_fail_at(1);
  assert_null(privy_alloc(8));
  privy_memory_fail_at(1);
  assert_null(privy_calloc(1, 8));
  privy_memory_fail_at(1);
  assert_null(privy_copy("a", 1));
  privy_memory_fail_at(1);
  assert_null(privy_grow(NULL, 0, &capacity, 8));
  assert_int_equal(capacity, 0);
}

static void blocks_are_what_was_asked_for(void **state) {
  (void)state;
  unsigned char *zeroed = NULL;
  void *nothing = NULL, *none = NULL;
  char *copy = NULL, *empty = NULL;
  CHECK_MEMORY(zeroed = privy_calloc(5, 3));
  for (size_t i = 0; i < 15; i++) assert_int_equal(zeroed[i], 0);
  CHECK_MEMORY(nothing = privy_alloc(0));
  CHECK_MEMORY(none = privy_calloc(0, 8));
  void *shrunk = privy_realloc(nothing, 0);
  CHECK_MEMORY(shrunk);
  nothing = shrunk;
  CHECK_MEMORY(copy = privy_copy("ab\0cd", 5));
  assert_memory_equal(copy, "ab\0cd", 6);
  CHECK_MEMORY(empty = privy_copy(NULL, 0));
  assert_string_equal(empty, "");
done:
  privy_free(zeroed);
  privy_free(nothing);
  privy_free(none);
  privy_free(copy);
  privy_free(empty);
}

static void sizes_that_overflow_are_refused(void **state) {
  (void)state;
  size_t capacity = SIZE_MAX / 2;
  assert_null(privy_calloc(SIZE_MAX / 2, 3));
  assert_null(privy_calloc(3, SIZE_MAX / 2));
  assert_null(privy_calloc(SIZE_MAX / 2 + 1, 2)); /* the product would be 0 */
  assert_null(privy_copy("", SIZE_MAX));
  assert_null(privy_grow(NULL, capacity, &capacity, 1));
  capacity = SIZE_MAX / 4 + 1;
  assert_null(privy_grow(NULL, capacity, &capacity, 2));
  assert_int_equal(capacity, SIZE_MAX / 4 + 1);
}

static void arrays_grow(void **state) {
  (void)state;
  int *items = NULL;
  size_t capacity = 0;
  for (int i = 0; i < 1000; i++) {
    int *moved = NULL;
    CHECK_MEMORY(moved = privy_grow(items, (size_t)i, &capacity, sizeof *items));
    items = moved;
    assert_true(capacity > (size_t)i);
    items[i] = i;
  }
  for (int i = 0; i < 1000; i++) assert_int_equal(items[i], i);
done:
  privy_free(items);
}

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static void buffers_append(void **state) {
  (void)state;
  privy_buffer buffer = PRIVY_BUFFER_EMPTY;
  assert_true(privy_buffer_append(&buffer, NULL, 0));
  assert_null(buffer.data);
  CHECK_MEMORY(privy_buffer_text(&buffer, "id="));
  CHECK_MEMORY(privy_buffer_byte(&buffer, '"'));
  CHECK_MEMORY(privy_buffer_append(&buffer, "a\0b", 3));
  CHECK_MEMORY(privy_buffer_format(&buffer, "|%d|%s|", -5, "x"));
  assert_int_equal(buffer.length, 13);
  assert_memory_equal(buffer.data, "id=\"a\0b|-5|x|", 13);
  CHECK_MEMORY(privy_buffer_terminate(&buffer));
  assert_int_equal(buffer.length, 13);
  assert_int_equal(buffer.data[13], 0);
  CHECK_MEMORY(privy_buffer_format(&buffer, "%500d", 7));
  assert_int_equal(buffer.length, 513);
  assert_int_equal(buffer.data[512], '7');
done:
  privy_buffer_clear(&buffer);
  assert_null(buffer.data);
  assert_int_equal(buffer.length + buffer.capacity, 0);
  privy_buffer_clear(&buffer);
  privy_buffer_clear(NULL);
}

static void a_buffer_is_terminated_when_full(void **state) {
  (void)state;
  privy_buffer buffer = PRIVY_BUFFER_EMPTY;
  CHECK_MEMORY(privy_buffer_reserve(&buffer, 1));
  while (buffer.length < buffer.capacity) assert_true(privy_buffer_byte(&buffer, 'x'));
  const size_t length = buffer.length;
  CHECK_MEMORY(privy_buffer_terminate(&buffer));
  assert_int_equal(strlen(buffer.data), length);
  assert_int_equal(buffer.length, length);
done:
  privy_buffer_clear(&buffer);
}

/* In the sweep this sees each growth fail: the bytes before it must be untouched. */
static void a_failed_append_changes_nothing(void **state) {
  (void)state;
  privy_buffer buffer = PRIVY_BUFFER_EMPTY;
  size_t before = 0;
  for (size_t i = 0; i < 200; i++) {
    before = buffer.length;
    CHECK_MEMORY(privy_buffer_append(&buffer, "0123456789", 10));
  }
  before = buffer.length;
  assert_int_equal(before, 2000);
done:
  assert_int_equal(buffer.length, before);
  for (size_t i = 0; i < before; i++) assert_int_equal(buffer.data[i], '0' + (int)(i % 10));
  privy_buffer_clear(&buffer);
}

static void buffer_sizes_do_not_overflow(void **state) {
  (void)state;
  privy_buffer buffer = PRIVY_BUFFER_EMPTY;
  CHECK_MEMORY(privy_buffer_text(&buffer, "abc"));
  const size_t capacity = buffer.capacity;
  assert_false(privy_buffer_reserve(&buffer, SIZE_MAX));
  assert_false(privy_buffer_reserve(&buffer, SIZE_MAX - 2));
  assert_false(privy_buffer_reserve(&buffer, SIZE_MAX / 4));
  assert_false(privy_buffer_append(&buffer, "x", SIZE_MAX - 1));
  assert_false(privy_buffer_percent(&buffer, "x", SIZE_MAX / 2));
  assert_false(privy_buffer_percent(&buffer, "x", SIZE_MAX / 3 + 1)); /* three times that would be 2 */
  assert_int_equal(buffer.capacity, capacity);
  assert_text(buffer.data, buffer.length, "abc");
done:
  privy_buffer_clear(&buffer);
}

static void scalars_become_utf8(void **state) {
  (void)state;
  static const struct {
    uint32_t scalar;
    const char *bytes;
  } cases[] = {
      {0x24, "$"},
      {0x7F, "\x7F"},
      {0x80, "\xC2\x80"},
      {0x7FF, "\xDF\xBF"},
      {0x800, "\xE0\xA0\x80"},
      {0xD7FF, "\xED\x9F\xBF"},
      {0xE000, "\xEE\x80\x80"},
      {0xFFFF, "\xEF\xBF\xBF"},
      {0x10000, "\xF0\x90\x80\x80"},
      {0x10FFFF, "\xF4\x8F\xBF\xBF"},
      {0xD800, "\xEF\xBF\xBD"},
      {0xDFFF, "\xEF\xBF\xBD"},
      {0x110000, "\xEF\xBF\xBD"},
  };
  privy_buffer buffer = PRIVY_BUFFER_EMPTY;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    buffer.length = 0;
    CHECK_MEMORY(privy_buffer_scalar(&buffer, cases[i].scalar));
    assert_text(buffer.data, buffer.length, cases[i].bytes);
  }
  buffer.length = 0;
  CHECK_MEMORY(privy_buffer_scalar(&buffer, 0));
  assert_int_equal(buffer.length, 1);
  assert_int_equal(buffer.data[0], 0);
done:
  privy_buffer_clear(&buffer);
}

static void all_but_unreserved_bytes_are_percent_encoded(void **state) {
  (void)state;
  privy_buffer buffer = PRIVY_BUFFER_EMPTY;
  privy_buffer expected = PRIVY_BUFFER_EMPTY;
  assert_true(privy_buffer_percent(&buffer, NULL, 0));
  for (int byte = 0; byte < 256; byte++) {
    const char one = (char)byte;
    const bool plain = byte && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", byte);
    CHECK_MEMORY(privy_buffer_percent(&buffer, &one, 1));
    CHECK_MEMORY(privy_buffer_format(&expected, plain ? "%c" : "%%%02X", (unsigned)byte));
  }
  assert_int_equal(buffer.length, expected.length);
  assert_memory_equal(buffer.data, expected.data, expected.length);
done:
  privy_buffer_clear(&buffer);
  privy_buffer_clear(&expected);
}

/* ---- maps -------------------------------------------------------------------------------------------------------- */

static size_t map_value(const privy_map *map, const char *key) {
  return privy_map_get(map, key, strlen(key));
}

static void a_map_keeps_finds_and_forgets(void **state) {
  (void)state;
  privy_map map = {0};
  assert_int_equal(map_value(&map, "a"), PRIVY_MAP_NONE);
  privy_map_remove(&map, "a", 1);
  CHECK_MEMORY(privy_map_set(&map, "a", 1, 1));
  CHECK_MEMORY(privy_map_set(&map, "", 0, 2));
  CHECK_MEMORY(privy_map_set(&map, "a\0b", 3, 0));
  assert_int_equal(map_value(&map, "a"), 1);
  assert_int_equal(privy_map_get(&map, NULL, 0), 2);
  assert_int_equal(privy_map_get(&map, "a\0b", 3), 0);
  assert_int_equal(privy_map_get(&map, "a\0c", 3), PRIVY_MAP_NONE);
  assert_true(privy_map_set(&map, "a", 1, 9)); /* in place: no memory needed */
  assert_int_equal(map_value(&map, "a"), 9);
  assert_int_equal(map.count, 3);
  privy_map_remove(&map, "a", 1);
  privy_map_remove(&map, "a", 1);
  assert_int_equal(map_value(&map, "a"), PRIVY_MAP_NONE);
  assert_int_equal(map.count, 2);
  CHECK_MEMORY(privy_map_set(&map, "a", 1, 7)); /* back in the slot that it left */
  assert_int_equal(map.used, 3);
done:
  privy_map_clear(&map);
  assert_int_equal(map.count + map.used + map.capacity, 0);
  privy_map_clear(&map);
  privy_map_clear(NULL);
}

static privy_slice numbered_key(char *space, size_t size, size_t number) {
  return (privy_slice){space, (size_t)snprintf(space, size, "cus_%zu@example.com", number)};
}

/* Every third key is removed, every sixth comes back with another value. */
static size_t value_after_churn(size_t number) {
  return number % 6 == 0 ? number + 1 : number % 3 == 0 ? PRIVY_MAP_NONE : number;
}

static void a_map_holds_many_keys(void **state) {
  (void)state;
  const size_t many = harness_rounds(5000, 40);
  privy_map map = {0};
  char space[64];
  for (size_t i = 0; i < many; i++) {
    const privy_slice key = numbered_key(space, sizeof space, i);
    CHECK_MEMORY(privy_map_set(&map, key.text, key.length, i));
  }
  for (size_t i = 0; i < many; i += 3) {
    const privy_slice key = numbered_key(space, sizeof space, i);
    privy_map_remove(&map, key.text, key.length);
  }
  for (size_t i = 0; i < many; i += 6) {
    const privy_slice key = numbered_key(space, sizeof space, i);
    CHECK_MEMORY(privy_map_set(&map, key.text, key.length, i + 1));
  }
  size_t count = 0;
  for (size_t i = 0; i < many; i++) {
    const privy_slice key = numbered_key(space, sizeof space, i);
    assert_int_equal(privy_map_get(&map, key.text, key.length), value_after_churn(i));
    count += value_after_churn(i) != PRIVY_MAP_NONE;
  }
  assert_int_equal(map.count, count);
done:
  privy_map_clear(&map);
}

static void keys_that_come_and_go_need_no_more_room(void **state) {
  (void)state;
  privy_map map = {0};
  char space[64];
  for (size_t i = 0; i < harness_rounds(20000, 50); i++) {
    const privy_slice key = numbered_key(space, sizeof space, i);
    CHECK_MEMORY(privy_map_set(&map, key.text, key.length, i));
    assert_int_equal(privy_map_get(&map, key.text, key.length), i);
    if (i < 3) continue;
    const privy_slice old = numbered_key(space, sizeof space, i - 3);
    privy_map_remove(&map, old.text, old.length);
    assert_int_equal(map.count, 3);
  }
  assert_true(map.capacity <= 16);
  assert_true(map.used < map.capacity);
done:
  privy_map_clear(&map);
}

/* In the sweep each step fails: the keys set before must still be there. */
static void a_failed_set_changes_nothing(void **state) {
  (void)state;
  privy_map map = {0};
  char space[64];
  size_t kept = 0;
  for (; kept < 30; kept++) {
    const privy_slice key = numbered_key(space, sizeof space, kept);
    CHECK_MEMORY(privy_map_set(&map, key.text, key.length, kept));
  }
done:
  assert_int_equal(map.count, kept);
  for (size_t i = 0; i < 30; i++) {
    const privy_slice key = numbered_key(space, sizeof space, i);
    assert_int_equal(privy_map_get(&map, key.text, key.length), i < kept ? i : PRIVY_MAP_NONE);
  }
  privy_map_clear(&map);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(the_nth_allocation_fails_once),
      TEST_UNSWEPT(every_allocator_can_fail),
      TEST(blocks_are_what_was_asked_for),
      TEST(sizes_that_overflow_are_refused),
      TEST(arrays_grow),
      TEST(buffers_append),
      TEST(a_buffer_is_terminated_when_full),
      TEST(a_failed_append_changes_nothing),
      TEST(buffer_sizes_do_not_overflow),
      TEST(scalars_become_utf8),
      TEST(all_but_unreserved_bytes_are_percent_encoded),
      TEST(a_map_keeps_finds_and_forgets),
      TEST(a_map_holds_many_keys),
      TEST(keys_that_come_and_go_need_no_more_room),
      TEST(a_failed_set_changes_nothing),
  };
  return HARNESS_RUN(tests);
}
