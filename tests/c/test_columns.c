/* Records as Arrow arrays: types, values, batches, dictionaries, spread members. */
#include "columns_scene.h"

/* ---- schemas ---- */

static void the_schema_follows_the_table(void **state) {
  (void)state;
  scene at = {.source = {.operation = "contacts.list"}};
  CHECK_OK(open_scene(&at, 0, false));
  CHECK_OK(read_schema(&at));
  assert_int_equal(at.source.calls, 0);
  assert_string_equal(at.schema.format, "+s");
  const privy_object *object = privy_object_find("Contact");
  assert_int_equal(at.schema.n_children, privy_object_count(object));
  for (size_t i = 0; i < privy_object_count(object); i++) {
    privy_field_info field;
    assert_true(privy_object_field(object, i, &field));
    assert_string_equal(at.schema.children[i]->name, field.name);
  }
  assert_format(&at, "id", "u");
  assert_format(&at, "email_consent", "c");
  assert_format(&at, "tags", "+l");
  assert_format(&at, "custom_fields", "u");
  assert_format(&at, "created_at", "tsu:UTC");
  const struct ArrowSchema *tags = at.schema.children[column_of(&at.schema, "tags")];
  assert_string_equal(tags->children[0]->name, "item");
  assert_string_equal(tags->children[0]->format, "u");
  assert_string_equal(at.schema.children[column_of(&at.schema, "sms_consent")]->dictionary->format, "u");
  CHECK_OK(next_batch(&at));
  assert_null(at.batch.release);
done:
  end_scene(&at);
}

static void other_objects_have_columns_too(void **state) {
  (void)state;
  static const char *const pages[] = {
      "{\"data\":{\"order_id\":123456789012345678901234567890,\"total_amount\":19.90,\"total_items\":3,"
      "\"accepts_email_marketing\":true,\"accepts_sms_marketing\":false,\"currency_code\":\"USD\"}}",
      "{\"data\":{\"order_id\":\"0042\",\"total_amount\":\"-0.05\",\"total_items\":5.0}}",
      "{\"data\":{\"total_items\":99999999999999999999,\"accepts_email_marketing\":1,\"placed_at\":\"soon\"}}"};
  scene at = {.source = {.operation = "orders.upsert", .pages = pages, .count = 3}};
  CHECK_OK(open_scene(&at, 0, false));
  CHECK_OK(read_schema(&at));
  assert_format(&at, "order_id", "u");
  assert_format(&at, "total_amount", "u");
  assert_format(&at, "total_items", "l");
  assert_format(&at, "created", "b");
  CHECK_OK(next_batch(&at));
  assert_int_equal(at.batch.length, 3);
  assert_cell(&at, "order_id", 0, "123456789012345678901234567890");
  assert_cell(&at, "order_id", 1, "0042");
  assert_cell(&at, "order_id", 2, "null");
  assert_cell(&at, "total_amount", 0, "19.90");
  assert_cell(&at, "total_amount", 1, "-0.05");
  assert_cell(&at, "total_items", 0, "3");
  assert_cell(&at, "total_items", 1, "5");
  assert_cell(&at, "total_items", 2, "null");
  assert_cell(&at, "accepts_email_marketing", 0, "true");
  assert_cell(&at, "accepts_sms_marketing", 0, "false");
  assert_cell(&at, "accepts_email_marketing", 2, "null");
  assert_cell(&at, "placed_at", 2, "null");
  assert_cell(&at, "created", 2, "false");
done:
  end_scene(&at);
}

/* ---- values ---- */

static void values_keep_what_the_server_sent(void **state) {
  (void)state;
  scene at = {.source = {.operation = "contacts.list", .pages = two_contacts, .count = 1}};
  CHECK_OK(open_scene(&at, 0, false));
  CHECK_OK(read_schema(&at));
  CHECK_OK(next_batch(&at));
  assert_int_equal(at.batch.length, 2);
  assert_cell(&at, "email", 0, "a@x.io");
  assert_cell(&at, "email", 1, "null");
  assert_cell(&at, "phone_number", 1, "null");
  assert_cell(&at, "first_name", 0, "J\xc3\xbcrgen \"J\" \xf0\x9f\x98\x80");
  assert_cell(&at, "first_name", 1, "17");
  assert_cell(&at, "last_name", 0, "");
  assert_cell(&at, "email_consent", 0, "never_subscribed");
  assert_cell(&at, "email_consent", 1, "null");
  assert_cell(&at, "sms_consent", 0, "opted_in_by_fax");
  assert_cell(&at, "sms_consent", 1, "subscribed");
  assert_cell(&at, "tags", 0, "[vip][a,\"b\"][]");
  assert_cell(&at, "tags", 1, "");
  assert_cell(&at, "custom_fields", 0, "{\"n\":1.50,\"s\":\"x\"}");
  assert_cell(&at, "custom_fields", 1, "{}");
  assert_cell(&at, "created_at", 0, "1777890030123456");
  assert_cell(&at, "created_at", 1, "1777890030000000");
  assert_cell(&at, "updated_at", 0, "-62135596800000000");
  assert_cell(&at, "updated_at", 1, "null");
  CHECK_OK(next_batch(&at));
  assert_null(at.batch.release);
done:
  end_scene(&at);
}

static void lists_may_hold_anything(void **state) {
  (void)state;
  static const char *const pages[] = {"{\"data\":[{\"tags\":[null,1,\"x\",[2],1,2,3,4,5,6,7,8,9]},{\"tags\":\"vip\"},"
                                      "{\"tags\":[ ]},{\"tags\":[\"y\"]}]}"};
  scene at = {.source = {.operation = "contacts.list", .pages = pages, .count = 1}};
  CHECK_OK(open_scene(&at, 0, false));
  CHECK_OK(read_schema(&at));
  CHECK_OK(next_batch(&at));
  assert_cell(&at, "tags", 0, "[null][1][x][[2]][1][2][3][4][5][6][7][8][9]");
  assert_cell(&at, "tags", 1, "null");
  assert_cell(&at, "tags", 2, "");
  assert_cell(&at, "tags", 3, "[y]");
done:
  end_scene(&at);
}

/* ---- batches ---- */

/* A page of `count` contacts cus_N with a consent to SMS of their own when `unknown`. */
static bool write_page(privy_buffer *out, size_t first, size_t count, bool unknown) {
  bool written = privy_buffer_text(out, "{\"data\":[");
  for (size_t i = first; written && i < first + count; i++) {
    written = privy_buffer_format(out, "%s{\"id\":\"cus_%zu\",\"sms_consent\":\"%s%zu\"}", i > first ? "," : "", i,
                                  unknown ? "new_" : "new", unknown ? i : 0);
  }
  return written && privy_buffer_text(out, "]}") && privy_buffer_terminate(out);
}

static void pages_are_gathered_into_batches(void **state) {
  (void)state;
  privy_buffer text[3] = {PRIVY_BUFFER_EMPTY, PRIVY_BUFFER_EMPTY, PRIVY_BUFFER_EMPTY};
  scene at = {.source = {.operation = "contacts.list", .count = 3}};
  const char *pages[3];
  at.source.pages = pages;
  for (size_t i = 0; i < 3; i++) {
    CHECK_MEMORY(write_page(&text[i], i * 5, 5, false));
    pages[i] = text[i].data;
  }
  CHECK_OK(open_scene(&at, 7, false));
  CHECK_OK(read_schema(&at));
  CHECK_OK(next_batch(&at));
  assert_int_equal(at.batch.length, 7);
  assert_int_equal(at.source.calls, 2);
  assert_cell(&at, "id", 6, "cus_6");
  CHECK_OK(next_batch(&at));
  assert_int_equal(at.batch.length, 7);
  assert_cell(&at, "id", 0, "cus_7");
  assert_cell(&at, "sms_consent", 0, "new0");
  CHECK_OK(next_batch(&at));
  assert_int_equal(at.batch.length, 1);
  assert_cell(&at, "id", 0, "cus_14");
  CHECK_OK(next_batch(&at));
  assert_null(at.batch.release);
  CHECK_OK(next_batch(&at));
  assert_null(at.batch.release);
  assert_int_equal(at.source.calls, 4);
done:
  end_scene(&at);
  for (size_t i = 0; i < 3; i++) privy_buffer_clear(&text[i]);
}

static void records_of_earlier_pages_are_skipped(void **state) {
  (void)state;
  static const bool skip[] = {true, false, true};
  static const char *const pages[] = {"{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}",
                                      "{\"data\":[{\"id\":\"d\",\"custom_fields\":{\"gone\":1}},{\"id\":\"e\"}]}"};
  for (int spread = 0; spread < 2; spread++) {
    scene at = {.source = {.operation = "contacts.list", .pages = pages, .count = 2, .skip = skip}};
    CHECK_OK(open_scene(&at, 0, spread));
    CHECK_OK(read_schema(&at));
    CHECK_OK(next_batch(&at));
    assert_int_equal(at.batch.length, 2);
    assert_int_equal(at.schema.n_children, spread ? 10 : 11);
    assert_cell(&at, "id", 0, "b");
    assert_cell(&at, "id", 1, "e");
  done:
    end_scene(&at);
  }
}

/* However many values the table lacks, each is there: the dictionary begins again when it is full. */
static void unknown_values_are_never_lost(void **state) {
  (void)state;
  const size_t total = 300;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  scene at = {.source = {.operation = "contacts.list", .count = 1}};
  const char *pages[1];
  size_t seen = 0, batches = 0;
  at.source.pages = pages;
  CHECK_MEMORY(write_page(&text, 0, total, true));
  pages[0] = text.data;
  CHECK_OK(open_scene(&at, 0, false));
  CHECK_OK(read_schema(&at));
  for (;;) {
    CHECK_OK(next_batch(&at));
    if (!at.batch.release) break;
    batches++;
    for (int64_t row = 0; row < at.batch.length; row++, seen++) {
      char expected[32];
      snprintf(expected, sizeof expected, "new_%zu", seen);
      assert_cell(&at, "sms_consent", row, expected);
    }
  }
  assert_int_equal(seen, total);
  assert_int_equal(batches, 3);
done:
  end_scene(&at);
  privy_buffer_clear(&text);
}

static void a_dictionary_stays_the_same_until_it_is_full(void **state) {
  (void)state;
  static const char *const pages[] = {
      "{\"data\":[{\"email_consent\":\"x\"},{\"email_consent\":\"y\"},{\"email_consent\":\"x\"}]}"};
  scene at = {.source = {.operation = "contacts.list", .pages = pages, .count = 1}};
  CHECK_OK(open_scene(&at, 1, false));
  CHECK_OK(read_schema(&at));
  const size_t column = column_of(&at.schema, "email_consent");
  const int8_t expected[] = {5, 6, 5};
  for (int i = 0; i < 3; i++) {
    CHECK_OK(next_batch(&at));
    const struct ArrowArray *array = at.batch.children[column];
    assert_int_equal(((const int8_t *)array->buffers[1])[0], expected[i]);
    assert_int_equal(array->dictionary->length, i == 0 ? 6 : 7);
  }
done:
  end_scene(&at);
}

/* ---- members as columns ---- */

static void members_are_spread_over_columns(void **state) {
  (void)state;
  static const char *const pages[] = {
      "{\"data\":[{\"id\":\"a\",\"custom_fields\":{\"n\":1,\"ok\":true,\"mixed\":1,\"price\":1.50,\"void\":null}},"
      "{\"id\":\"b\",\"custom_fields\":null},{\"id\":\"c\"}]}",
      "{\"data\":[{\"id\":\"d\",\"custom_fields\":{\"\\u006e\":-2,\"mixed\":\"x\",\"late\":[1],\"ok\":null,\"n\":3}}]"
      "}"};
  scene at = {.source = {.operation = "contacts.list", .pages = pages, .count = 2}};
  CHECK_OK(open_scene(&at, 0, true));
  CHECK_OK(read_schema(&at));
  assert_int_equal(at.source.calls, 3);
  assert_int_equal(at.schema.n_children, 10 + 6);
  assert_int_equal(column_of(&at.schema, "custom_fields.n"), column_of(&at.schema, "tags") + 1);
  assert_format(&at, "custom_fields.n", "l");
  assert_format(&at, "custom_fields.ok", "b");
  assert_format(&at, "custom_fields.mixed", "u");
  assert_format(&at, "custom_fields.price", "u");
  assert_format(&at, "custom_fields.void", "u");
  CHECK_OK(next_batch(&at));
  assert_int_equal(at.batch.length, 4);
  assert_cell(&at, "custom_fields.n", 0, "1");
  assert_cell(&at, "custom_fields.n", 1, "null");
  assert_cell(&at, "custom_fields.n", 2, "null");
  assert_cell(&at, "custom_fields.n", 3, "3");
  assert_cell(&at, "custom_fields.ok", 0, "true");
  assert_cell(&at, "custom_fields.ok", 3, "null");
  assert_cell(&at, "custom_fields.mixed", 0, "1");
  assert_cell(&at, "custom_fields.mixed", 3, "x");
  assert_cell(&at, "custom_fields.price", 0, "1.50");
  assert_cell(&at, "custom_fields.void", 0, "null");
  assert_cell(&at, "custom_fields.late", 3, "[1]");
  CHECK_OK(next_batch(&at));
  assert_null(at.batch.release);
  assert_int_equal(at.source.calls, 3);
done:
  end_scene(&at);
}

static void names_with_nul_have_columns_of_their_own(void **state) {
  (void)state;
  static const char *const pages[] = {
      "{\"data\":[{\"custom_fields\":{\"\":1,\"\\u0000\":2,\"\\\\u0000\":3,\"\\\\\\u0000\":4,\"\\\\\\\\u0000\":5,"
      "\"a\\u0000b\":6,\"a\\u0000c\":7,\"a\":8,\"a\\\\b\":9,\"\\u0001\\n\":10}}]}"};
  static const char *const names[] = {"",          "\\u0000",   "\\\\u0000", "\\\\\\u0000", "\\\\\\\\u0000",
                                      "a\\u0000b", "a\\u0000c", "a",         "a\\b",        "\001\n"};
  scene at = {.source = {.operation = "contacts.list", .pages = pages, .count = 1}};
  CHECK_OK(open_scene(&at, 0, true));
  CHECK_OK(read_schema(&at));
  assert_int_equal(at.schema.n_children, 10 + 10);
  CHECK_OK(next_batch(&at));
  for (int i = 0; i < 10; i++) {
    char name[40], value[4];
    snprintf(name, sizeof name, "custom_fields.%s", names[i]);
    snprintf(value, sizeof value, "%d", i + 1);
    assert_cell(&at, name, 0, value);
  }
done:
  end_scene(&at);
}

static void an_integer_too_large_makes_a_column_of_text(void **state) {
  (void)state;
  static const char *const pages[] = {"{\"data\":[{\"custom_fields\":{\"n\":1,\"z\":1}},{\"custom_fields\":{\"n\":"
                                      "99999999999999999999,\"z\":false}}]}"};
  scene at = {.source = {.operation = "contacts.list", .pages = pages, .count = 1}};
  CHECK_OK(open_scene(&at, 0, true));
  CHECK_OK(read_schema(&at));
  CHECK_OK(next_batch(&at));
  assert_cell(&at, "custom_fields.n", 0, "1");
  assert_cell(&at, "custom_fields.n", 1, "99999999999999999999");
  assert_cell(&at, "custom_fields.z", 0, "1");
  assert_cell(&at, "custom_fields.z", 1, "false");
done:
  end_scene(&at);
}

static void too_many_members_are_an_error(void **state) {
  (void)state;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  scene at = {.source = {.operation = "contacts.list", .count = 1}};
  const char *pages[1];
  at.source.pages = pages;
  CHECK_MEMORY(privy_buffer_text(&text, "{\"data\":[{\"custom_fields\":{"));
  for (int i = 0; i < 2001; i++) CHECK_MEMORY(privy_buffer_format(&text, "%s\"m%d\":1", i ? "," : "", i));
  CHECK_MEMORY(privy_buffer_text(&text, "}}]}") && privy_buffer_terminate(&text));
  pages[0] = text.data;
  CHECK_OK(open_scene(&at, 0, true));
  CHECK_STATUS(read_schema(&at), PRIVY_SERVER);
  assert_string_equal(at.stream.get_last_error(&at.stream),
                      "there are more than 2000 different members to spread over columns");
done:
  end_scene(&at);
  privy_buffer_clear(&text);
}

int main(void) {
  static harness_test tests[] = {
      TEST(the_schema_follows_the_table),     TEST(other_objects_have_columns_too),
      TEST(values_keep_what_the_server_sent), TEST(lists_may_hold_anything),
      TEST(pages_are_gathered_into_batches),  TEST(records_of_earlier_pages_are_skipped),
      TEST(unknown_values_are_never_lost),    TEST(a_dictionary_stays_the_same_until_it_is_full),
      TEST(members_are_spread_over_columns),  TEST(an_integer_too_large_makes_a_column_of_text),
      TEST(too_many_members_are_an_error),    TEST(names_with_nul_have_columns_of_their_own),
  };
  return HARNESS_RUN(tests);
}
