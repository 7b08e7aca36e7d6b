/* Walking the pages of a list: which page comes next, and what was seen before. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "response_text.h"

#define ROOM 128

/* A page of the contacts first, first + 1, …; `pagination` is the JSON of that object's members, NULL for none. */
static privy_status page_of(size_t first, size_t count, const char *pagination, privy_response **out,
                            privy_error *error) {
  privy_buffer body = PRIVY_BUFFER_EMPTY;
  bool built = privy_buffer_text(&body, "{\"data\":[");
  for (size_t i = 0; built && i < count; i++)
    built = privy_buffer_format(&body, "%s{\"id\":\"cus_%016zu\"}", i ? "," : "", first + i);
  built = built && privy_buffer_text(&body, "]") &&
          (!pagination || privy_buffer_format(&body, ",\"pagination\":{%s}", pagination)) &&
          privy_buffer_text(&body, "}");
  privy_status status = PRIVY_NO_MEMORY;
  if (built) status = privy_response_parse(privy_operation_find("contacts.list"), 200, "", 0, &body, out, error);
  privy_buffer_clear(&body);
  return status;
}

/* Takes a page: what comes next, and how many of its records are repeated. */
static privy_status take(privy_pager *walk, size_t first, size_t count, const char *pagination, int64_t *next,
                         size_t *repeats) {
  bool repeated[ROOM];
  privy_response *page = NULL;
  privy_error error;
  privy_error_init(&error);
  assert_true(count <= ROOM);
  privy_status status = page_of(first, count, pagination, &page, &error);
  if (status == PRIVY_OK) status = privy_pager_take(walk, page, repeated, next);
  *repeats = 0;
  for (size_t i = 0; status == PRIVY_OK && i < count; i++) *repeats += repeated[i];
  privy_response_release(page);
  privy_error_clear(&error);
  return status;
}

static void the_pagination_says_the_end(void **state) {
  (void)state;
  privy_pager *walk = NULL;
  int64_t next = -1;
  size_t repeats;
  CHECK_OK(privy_pager_new(0, 2, &walk));
  CHECK_OK(take(walk, 0, 2, "\"page\":1,\"per_page\":2,\"total_pages\":3", &next, &repeats));
  assert_int_equal(next, 2);
  CHECK_OK(take(walk, 2, 2, "\"page\":2,\"per_page\":2,\"total_pages\":3", &next, &repeats));
  assert_int_equal(next, 3);
  CHECK_OK(take(walk, 4, 2, "\"page\":3,\"per_page\":2,\"total_pages\":3", &next, &repeats));
  assert_int_equal(next, 0);
  assert_int_equal(repeats, 0);
done:
  privy_pager_free(walk);
}

static void a_pager_begins_at_the_given_page(void **state) {
  (void)state;
  privy_pager *walk = NULL;
  int64_t next = -1;
  size_t repeats;
  CHECK_OK(privy_pager_new(7, 2, &walk));
  CHECK_OK(take(walk, 0, 1, "\"page\":1,\"total_pages\":8", &next, &repeats));
  assert_int_equal(next, 8);
  CHECK_OK(take(walk, 1, 0, "\"total_pages\":8", &next, &repeats));
  assert_int_equal(next, 0);
done:
  privy_pager_free(walk);
}

static void without_pagination_a_full_page_goes_on(void **state) {
  (void)state;
  static const char *const nothing_usable[] = {NULL, "", "\"total_pages\":null", "\"total_pages\":-1",
                                               "\"total_pages\":1.5,\"per_page\":\"x\""};
  privy_pager *walk = NULL;
  int64_t next = -1;
  size_t repeats;
  for (size_t i = 0; i < COUNT(nothing_usable); i++) {
    CHECK_OK(privy_pager_new(0, 3, &walk));
    CHECK_OK(take(walk, 0, 3, nothing_usable[i], &next, &repeats));
    assert_int_equal(next, 2);
    CHECK_OK(take(walk, 3, 2, nothing_usable[i], &next, &repeats));
    assert_int_equal(next, 0);
    privy_pager_free(walk);
    walk = NULL;
  }
  CHECK_OK(privy_pager_new(0, 100, &walk));
  CHECK_OK(take(walk, 0, 3, "\"per_page\":3", &next, &repeats));
  assert_int_equal(next, 2); /* the server gives fewer a page than were asked for */
done:
  privy_pager_free(walk);
}

static void repeated_records_are_marked(void **state) {
  (void)state;
  privy_pager *walk = NULL;
  int64_t next = -1;
  size_t repeats;
  CHECK_OK(privy_pager_new(0, 10, &walk));
  CHECK_OK(take(walk, 100, 10, NULL, &next, &repeats));
  assert_int_equal(repeats, 0);
  CHECK_OK(take(walk, 107, 10, NULL, &next, &repeats)); /* three were created meanwhile */
  assert_int_equal(repeats, 3);
  CHECK_OK(take(walk, 95, 10, NULL, &next, &repeats)); /* many more */
  assert_int_equal(repeats, 5);
  assert_int_equal(next, 4);
  CHECK_OK(take(walk, 95, 10, NULL, &next, &repeats));
  assert_int_equal(repeats, 10);
  assert_int_equal(next, 0); /* a server that always gives the same page does not keep us for ever */
done:
  privy_pager_free(walk);
}

static void thousands_are_remembered_in_bounded_memory(void **state) {
  (void)state;
  privy_pager *walk = NULL;
  int64_t next = -1;
  size_t repeats;
  const size_t pages = harness_rounds(400, 2);
  CHECK_OK(privy_pager_new(0, 100, &walk));
  for (size_t page = 0; page < pages; page++) {
    CHECK_OK(take(walk, page * 100, 100, NULL, &next, &repeats));
    assert_int_equal(repeats, 0);
    const size_t back = page < 40 ? page : 40; /* pages within what is remembered */
    CHECK_OK(take(walk, (page - back) * 100, 100, NULL, &next, &repeats));
    assert_int_equal(repeats, 100);
  }
done:
  privy_pager_free(walk);
}

static void records_without_an_id_are_all_new(void **state) {
  (void)state;
  static const char *const bodies[] = {"{\"data\":[{\"email\":\"a\"},{\"email\":\"a\"}]}",
                                       "{\"data\":[{\"id\":null},{\"id\":7},{\"id\":7}]}", "{\"data\":[]}"};
  privy_pager *walk = NULL;
  privy_response *page = NULL;
  privy_error error;
  int64_t next = -1;
  privy_error_init(&error);
  CHECK_OK(privy_pager_new(0, 0, &walk));
  for (size_t i = 0; i < COUNT(bodies); i++) {
    bool repeated[ROOM] = {true, true, true};
    CHECK_OK(parse_response("contacts.list", 200, "", bodies[i], &page, &error));
    CHECK_OK(privy_pager_take(walk, page, repeated, &next));
    for (size_t r = 0; r < privy_response_count(page); r++) assert_false(repeated[r]);
    privy_response_release(page);
    page = NULL;
  }
  assert_int_equal(next, 0); /* of an empty page */
done:
  privy_response_release(page);
  privy_pager_free(walk);
  privy_error_clear(&error);
}

static void a_page_says_what_is_left(void **state) {
  (void)state;
  static const struct {
    size_t count;
    const char *pagination;
    int64_t limit, requests, records;
  } cases[] = {
      {2, "\"page\":1,\"per_page\":2,\"total_pages\":5,\"total_count\":9", -1, 4, 9},
      {2, "\"page\":4,\"per_page\":2,\"total_pages\":5,\"total_count\":9", -1, 1, 3},
      {1, "\"page\":5,\"per_page\":2,\"total_pages\":5,\"total_count\":9", -1, 0, 1},
      {0, "\"page\":9,\"per_page\":2,\"total_pages\":5,\"total_count\":9", -1, 0, 0},
      {2, "\"page\":1,\"per_page\":2,\"total_pages\":5,\"total_count\":9", 0, 0, 0},
      {2, "\"page\":1,\"per_page\":2,\"total_pages\":5,\"total_count\":9", 2, 0, 2},
      {2, "\"page\":1,\"per_page\":2,\"total_pages\":5,\"total_count\":9", 3, 1, 3},
      {2, "\"page\":2,\"per_page\":2,\"total_pages\":5,\"total_count\":9", 6, 2, 6},
      {2, "\"page\":3,\"per_page\":2,\"total_pages\":5,\"total_count\":9", 6, 2, 5},
      {2, "\"page\":1,\"per_page\":2,\"total_pages\":5,\"total_count\":9", INT64_MAX, 4, 9},
      {2, "\"total_pages\":5,\"total_count\":9", 5, 2, 5},
      {2, "\"page\":1,\"per_page\":0,\"total_pages\":5,\"total_count\":9", 5, 4, 5},
      {2, "\"page\":9,\"per_page\":2,\"total_pages\":10", -1, 1, -1},
      {2, "\"page\":9223372036854775807,\"per_page\":9223372036854775807,\"total_count\":9", -1, -1, 2},
      {2, "\"page\":0,\"per_page\":2,\"total_count\":9", -1, -1, 9},
      {2, "", -1, -1, -1},
      {2, NULL, 5, -1, -1},
      {2, NULL, 2, 0, 2},
      {0, NULL, 0, 0, 0},
  };
  privy_response *page = NULL;
  privy_error error;
  int64_t requests, records;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_OK(page_of(0, cases[i].count, cases[i].pagination, &page, &error));
    privy_page_rest(page, cases[i].limit, &requests, &records);
    assert_int_equal(requests, cases[i].requests);
    assert_int_equal(records, cases[i].records);
    privy_response_release(page);
    page = NULL;
  }
done:
  privy_response_release(page);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(the_pagination_says_the_end),
      TEST(a_pager_begins_at_the_given_page),
      TEST(without_pagination_a_full_page_goes_on),
      TEST(repeated_records_are_marked),
      TEST(thousands_are_remembered_in_bounded_memory),
      TEST(records_without_an_id_are_all_new),
      TEST(a_page_says_what_is_left),
  };
  return HARNESS_RUN(tests);
}
