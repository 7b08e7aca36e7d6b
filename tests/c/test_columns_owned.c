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

enum { PARTS = 64 };

/* Moves all children and dictionaries out, and theirs. */
static size_t move_arrays(struct ArrowArray *from, struct ArrowArray *parts, size_t count) {
  for (int64_t i = 0; i < from->n_children; i++) {
    count = move_arrays(from->children[i], parts, count);
    assert_true(count < PARTS);
    move_array(from->children[i], &parts[count++]);
  }
  if (!from->dictionary) return count;
  assert_true(count < PARTS);
  move_array(from->dictionary, &parts[count++]);
  return count;
}

static size_t move_schemas(struct ArrowSchema *from, struct ArrowSchema *parts, size_t count) {
  for (int64_t i = 0; i <= from->n_children; i++) {
    struct ArrowSchema *part = i < from->n_children ? from->children[i] : from->dictionary;
    if (!part) break;
    count = move_schemas(part, parts, count);
    assert_true(count < PARTS);
    parts[count++] = *part;
    part->release = NULL;
  }
  return count;
}

/* Each part, once moved, has a release of its own; releasing what it came from leaves it alone. */
static void every_part_can_be_moved_out_and_is_released_once(void **state) {
  (void)state;
  scene at = {.source = {.operation = "contacts.list", .pages = two_contacts, .count = 1}};
  struct ArrowArray arrays[PARTS] = {{0}};
  struct ArrowSchema schemas[PARTS] = {{0}};
  size_t array_count = 0, schema_count = 0;
  CHECK_OK(open_scene(&at, 0, false));
  CHECK_OK(read_schema(&at));
  CHECK_OK(next_batch(&at));
  const size_t fields = (size_t)at.batch.n_children;
  array_count = move_arrays(&at.batch, arrays, 0);
  schema_count = move_schemas(&at.schema, schemas, 0);
  assert_int_equal(array_count, fields + 3); /* elements of tags, dictionaries of two consents */
  assert_int_equal(schema_count, array_count);
  drop_batch(&at);
  at.schema.release(&at.schema);
  assert_null(at.schema.release);
  for (size_t i = 0; i < array_count; i++) {
    assert_true(arrays[i].length >= 2 && schemas[i].format && schemas[i].name);
    assert_int_equal(arrays[i].buffers[0] != NULL, arrays[i].null_count != 0);
  }
done:
  for (size_t i = 0; i < array_count; i++) {
    arrays[i].release(&arrays[i]);
    assert_null(arrays[i].release);
  }
  for (size_t i = 0; i < schema_count; i++) {
    schemas[i].release(&schemas[i]);
    assert_null(schemas[i].release);
  }
  end_scene(&at);
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
      TEST(a_stream_may_be_released_at_any_time), TEST(every_part_can_be_moved_out_and_is_released_once),
  };
  return HARNESS_RUN(tests);
}
