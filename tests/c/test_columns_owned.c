/* Records as Arrow arrays: errors in mid-stream, and who owns what. */
#include "columns_scene.h"

/* ---- errors and ownership ---- */

static void an_error_in_mid_stream_is_reported(void **state) {
  (void)state;
  static const char *const pages[] = {"{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", "{\"data\":[]}"};
  scene at = {.source = {.operation = "contacts.list", .pages = pages, .count = 2, .fails_at = 2}};
  CHECK_OK(open_scene(&at, 2, false));
  CHECK_OK(next_batch(&at));
  assert_int_equal(at.batch.length, 2);
  assert_null(at.stream.get_last_error(&at.stream));
  for (int i = 0; i < 2; i++) {
    CHECK_STATUS(next_batch(&at), PRIVY_SERVER);
    assert_string_equal(at.stream.get_last_error(&at.stream), "the server is on fire");
  }
  CHECK_STATUS(read_schema(&at), PRIVY_SERVER);
  assert_int_equal(at.source.calls, 2);
done:
  end_scene(&at);
}

static void an_error_while_members_are_looked_for_is_reported(void **state) {
  (void)state;
  static const char *const pages[] = {"{\"data\":[{\"id\":\"a\",\"custom_fields\":{\"n\":1}}]}", "{\"data\":[]}"};
  scene at = {.source = {.operation = "contacts.list", .pages = pages, .count = 2, .fails_at = 2}};
  CHECK_OK(open_scene(&at, 0, true));
  CHECK_STATUS(read_schema(&at), PRIVY_SERVER);
  assert_string_equal(at.stream.get_last_error(&at.stream), "the server is on fire");
done:
  end_scene(&at);
}

static void a_page_of_other_records_is_refused(void **state) {
  (void)state;
  scene at = {.source = {.operation = "contacts.list", .pages = two_contacts, .count = 1}};
  privy_columns_config config;
  privy_columns_config_init(&config);
  privy_page_source source = {next_text, release_source, &at.source};
  CHECK_OK(privy_columns_stream(privy_object_find("Order"), &config, source, &at.stream));
  CHECK_STATUS(next_batch(&at), PRIVY_SERVER);
  assert_string_equal(at.stream.get_last_error(&at.stream), "the page does not hold records of Order");
done:
  end_scene(&at);
}

/* A consumer moves a struct by copying it and marking the original as released. */
static void move_array(struct ArrowArray *from, struct ArrowArray *to) {
  *to = *from;
  from->release = NULL;
}

static void parts_can_be_moved_out_and_outlive_the_stream(void **state) {
  (void)state;
  scene at = {.source = {.operation = "contacts.list", .pages = two_contacts, .count = 1}};
  struct ArrowArray tags = {0}, items = {0}, dictionary = {0};
  struct ArrowSchema name = {0};
  CHECK_OK(open_scene(&at, 0, false));
  CHECK_OK(read_schema(&at));
  CHECK_OK(next_batch(&at));
  const size_t column = column_of(&at.schema, "tags"), consent = column_of(&at.schema, "sms_consent");
  move_array(at.batch.children[column], &tags);
  move_array(at.batch.children[consent]->dictionary, &dictionary);
  name = *at.schema.children[0];
  at.schema.children[0]->release = NULL;
  at.stream.release(&at.stream);
  drop_batch(&at);
  at.schema.release(&at.schema);
  char text[64] = "";
  add_list(text, sizeof text, &tags, 0);
  assert_string_equal(text, "[vip][a,\"b\"][]");
  move_array(tags.children[0], &items);
  tags.release(&tags);
  assert_null(tags.release);
  text[0] = '\0';
  add_text(text, sizeof text, &items, 1);
  assert_string_equal(text, "a,\"b\"");
  text[0] = '\0';
  add_text(text, sizeof text, &dictionary, 5);
  assert_string_equal(text, "opted_in_by_fax");
  assert_string_equal(name.name, "id");
  assert_int_equal(at.source.releases, 1);
  at.source.releases = 0;
done:
  end_scene(&at);
  if (items.release) items.release(&items);
  if (dictionary.release) dictionary.release(&dictionary);
  if (name.release) name.release(&name);
}

static void a_stream_may_be_released_at_any_time(void **state) {
  (void)state;
  static const char *const pages[] = {"{\"data\":[{\"id\":\"a\"},{\"id\":\"b\",\"custom_fields\":{\"x\":1}}]}",
                                      "{\"data\":[{\"id\":\"c\"}]}"};
  for (int spread = 0; spread < 2; spread++) {
    for (int steps = 0; steps < 4; steps++) {
      scene at = {.source = {.operation = "contacts.list", .pages = pages, .count = 2}};
      CHECK_OK(open_scene(&at, 1, spread));
      for (int i = 0; i < steps; i++) CHECK_OK(next_batch(&at));
    done:
      end_scene(&at);
    }
  }
}

int main(void) {
  static harness_test tests[] = {
      TEST(an_error_in_mid_stream_is_reported),   TEST(an_error_while_members_are_looked_for_is_reported),
      TEST(a_page_of_other_records_is_refused),   TEST(parts_can_be_moved_out_and_outlive_the_stream),
      TEST(a_stream_may_be_released_at_any_time),
  };
  return HARNESS_RUN(tests);
}
