/* What keys of a map do: values, first lines, defaults, conversions; sums, zones, phone numbers and rejects. */
#include "import_scene.h"

#include "message_text.h"

/* Imports a file by a map and compares what became of its rows. */
#define CHECK_IMPORT(operation_name, map, file, expected)                                                              \
  do {                                                                                                                 \
    scene.config.operation = privy_operation_find(operation_name);                                                     \
    CHECK_OK(scene_open(&scene, map));                                                                                 \
    CHECK_OK(scene_import(&scene, file));                                                                              \
    assert_text(scene.out.data, scene.out.length, expected);                                                           \
  } while (0)

#define MAP_TEST(name)                                                                                                 \
  static void name(void **state) {                                                                                     \
    (void)state;                                                                                                       \
    import_scene scene;                                                                                                \
    scene_begin(&scene);

#define END_TEST                                                                                                       \
  done:                                                                                                                \
  scene_end(&scene);                                                                                                   \
  }

MAP_TEST(values_are_replaced_and_converted)
CHECK_IMPORT("contacts.upsert",
             "{\"columns\":{\"email\":\"e\",\"first_name\":{\"column\":\"n\",\"values\":{\"J\\u00fcrg\":\"George\","
             "\"gone\":null},\"strip_prefix\":\"Mr \",\"default\":\"friend\"},\"send_welcome_sms\":{\"column\":\"w\","
             "\"values\":{\"si\":true,\"nada\":0}}}}",
             "e,n,w\na@b.c,Mr J\xc3\xbcrg,SI\nb@b.c,gone,nada\nc@b.c,Ann,x\nd@b.c,,\n",
             "ready {\"email\":\"a@b.c\",\"first_name\":\"George\",\"send_welcome_sms\":true}\n"
             "ready {\"email\":\"b@b.c\",\"send_welcome_sms\":false}\n"
             "refused {\"email\":\"c@b.c\",\"first_name\":\"Ann\"}\n  4 send_welcome_sms not_a_boolean x\n"
             "ready {\"email\":\"d@b.c\",\"first_name\":\"friend\"}\n");
END_TEST

MAP_TEST(the_first_line_of_an_order_may_count)
CHECK_IMPORT("orders.upsert",
             "{\"columns\":{\"order_id\":\"o\",\"email\":\"e\",\"currency\":{\"value\":\"USD\"},\"total\":\"t\","
             "\"order_date\":{\"column\":\"d\",\"lines\":\"first\"}}}",
             "o,e,t,d\n1,a@b.c,1,2026-01-02Z\n1,,,2026-01-03Z\n",
             "ready {\"order_id\":\"1\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-02T00:00:00Z\"}\n");
END_TEST

MAP_TEST(a_negative_sum_is_a_refund)
CHECK_IMPORT(
    "orders.upsert",
    "{\"columns\":{\"order_id\":\"o\",\"email\":\"e\",\"currency\":{\"value\":\"USD\"},\"total\":{\"sum\":\"line\"},"
    "\"order_date\":\"d\",\"line_items\":{\"quantity\":\"q\",\"price\":\"p\"}}}",
    "o,e,d,q,p\n1,a@b.c,2026-01-02Z,-2,1.5\n1,,,1,2.99\n2,a@b.c,2026-01-02Z,-2,1.5\n2,,,1,3\n",
    "refused {\"order_id\":\"1\",\"email\":\"a@b.c\",\"currency\":\"USD\",\"order_date\":\"2026-01-02T00:00:00Z\","
    "\"line_items\":[{\"quantity\":-2,\"price\":1.5},{\"quantity\":1,\"price\":2.99}]}\n  2 total refund \n"
    "ready {\"order_id\":\"2\",\"email\":\"a@b.c\",\"total\":0.00,\"currency\":\"USD\",\"order_date\":"
    "\"2026-01-02T00:00:00Z\",\"line_items\":[{\"quantity\":-2,\"price\":1.5},{\"quantity\":1,\"price\":3}]}\n");
END_TEST

/* The decimal sign is proved by the first amount; later ones prove nothing. */
MAP_TEST(what_one_line_proves_counts_for_all)
CHECK_IMPORT(
    "events.ingest",
    "{\"columns\":{\"event_type\":{\"value\":\"x\"},\"email\":\"e\",\"event_data\":{\"n\":{\"column\":\"n\","
    "\"convert\":"
    "\"amount\"}},\"event_time\":\"t\"}}",
    "e;n;t\na@b.c;1,5;13/04/2026Z\nb@b.c;2;2026-01-01Z\nc@b.c;1.234;03/04/2026Z\n",
    "ready "
    "{\"event_type\":\"x\",\"email\":\"a@b.c\",\"event_time\":\"2026-04-13T00:00:00Z\",\"event_data\":{\"n\":1.5}}\n"
    "ready "
    "{\"event_type\":\"x\",\"email\":\"b@b.c\",\"event_time\":\"2026-01-01T00:00:00Z\",\"event_data\":{\"n\":2}}\n"
    "ready "
    "{\"event_type\":\"x\",\"email\":\"c@b.c\",\"event_time\":\"2026-04-03T00:00:00Z\",\"event_data\":{\"n\":1234}}\n");
END_TEST

MAP_TEST(phone_numbers_are_made_international)
CHECK_IMPORT(
    "contacts.upsert", "{\"columns\":{\"phone_number\":{\"column\":\"p\",\"country\":\"c\"},\"email\":\"e\"}}",
    "p,c,e\n(415) 555-0171,us,\n(415) 555-0171,DE,\n'+49 30 123456,,\n0033 6 10 82 64 17,,\n+123,,\n+4930x123456,,\n",
    "ready {\"phone_number\":\"+14155550171\"}\n"
    "refused {}\n  3 phone_number invalid_phone (415) 555-0171\n"
    "ready {\"phone_number\":\"+4930123456\"}\n"
    "ready {\"phone_number\":\"+33610826417\"}\n"
    "refused {}\n  6 phone_number invalid_phone +123\n"
    "refused {}\n  7 phone_number invalid_phone +4930x123456\n");
END_TEST

MAP_TEST(an_invalid_value_may_be_omitted)
CHECK_IMPORT("contacts.upsert",
             "{\"columns\":{\"phone_number\":{\"column\":\"p\",\"invalid\":\"omit\"},\"email\":\"e\"}}",
             "p,e\nx,a@b.c\n", "ready {\"email\":\"a@b.c\"}\n");
END_TEST

MAP_TEST(a_value_is_not_an_object_too)
scene.config.operation = privy_operation_find("events.ingest");
CHECK_STATUS(scene_open(&scene, "{\"columns\":{\"event_type\":\"t\",\"event_data.a\":\"a\",\"event_data.a.b\":\"b\","
                                "\"event_data.ab\":\"c\",\"event_data.c.d\":\"d\",\"event_data.c\":\"e\"}}"),
             PRIVY_VALIDATION);
assert_details(&scene.error.details, "columns.event_data.a.b: is given twice\ncolumns.event_data.c: is given twice");
END_TEST

MAP_TEST(lists_of_an_order_have_numbers)
CHECK_IMPORT(
    "orders.upsert",
    "{\"columns\":{\"order_id\":\"o\",\"email\":\"e\",\"currency\":\"c\",\"total\":\"t\",\"order_date\":\"d\","
    "\"tax_lines\":{\"2\":{\"title\":\"x\",\"amount\":\"y\"},\"1\":{\"title\":\"v\",\"amount\":\"w\"}},"
    "\"billing_address.city\":\"k\",\"billing_address.postal_code\":\"z\"}}",
    "o,e,c,t,d,v,w,x,y,k,z\n1,a@b.c,\xe2\x82\xac,1,2026-01-02Z,VAT,1,,,K\xc3\xb6ln,'01067\n1,,,,,,,Toll,2,,\n",
    "ready {\"order_id\":\"1\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"EUR\",\"order_date\":"
    "\"2026-01-02T00:00:00Z\",\"tax_lines\":[{\"title\":\"Toll\",\"amount\":2},{\"title\":\"VAT\",\"amount\":1}],"
    "\"billing_address\":{\"city\":\"K\xc3\xb6ln\",\"postal_code\":\"01067\"}}\n");
END_TEST

static void check_zone(const char *zone, const char *expected) {
  import_scene scene;
  scene_begin(&scene);
  scene.config.timezone = zone;
  CHECK_IMPORT("events.ingest", NULL, "event_type,email,event_time\nx,a@b.c,2026-01-02 10:00\n", expected);
done:
  scene_end(&scene);
}

#define EVENT_AT(time) "ready {\"event_type\":\"x\",\"email\":\"a@b.c\",\"event_time\":\"" time "\"}\n"
#define EVENT_REFUSED(code)                                                                                            \
  "refused {\"event_type\":\"x\",\"email\":\"a@b.c\"}\n  2 event_time " code " 2026-01-02 10:00\n"

static void times_need_a_zone(void **state) {
  (void)state;
  check_zone("UTC", EVENT_AT("2026-01-02T10:00:00Z"));
  check_zone("-05:30", EVENT_AT("2026-01-02T15:30:00Z"));
  check_zone("Europe/Berlin", EVENT_AT("2026-01-02T09:00:00Z"));
  check_zone("Twice", EVENT_AT("2026-01-02T09:00:00Z"));
  check_zone("Gap", EVENT_REFUSED("not_a_local_time"));
  check_zone("Nowhere", EVENT_REFUSED("without_time_zone"));
  check_zone(NULL, EVENT_REFUSED("without_time_zone"));
}

MAP_TEST(rejects_can_be_imported)
const privy_import_row *row = NULL;
scene.config.operation = privy_operation_find("contacts.upsert");
CHECK_OK(scene_open(&scene, NULL));
CHECK_OK(scene_read(&scene, TEXT("privy_line,privy_field,privy_reason,email,\"a, b\"\n7,email,wrong,x,\"y, z\"\n"),
                    true));
CHECK_MEMORY(privy_import_rejects_header(scene.import, &scene.out));
assert_text(scene.out.data, scene.out.length, "privy_line,privy_field,privy_reason,email,\"a, b\"");
const privy_span cells[] = {{TEXT("7")}, {TEXT("email")}, {TEXT("wrong")}, {TEXT("x")}, {TEXT("y, z")}};
CHECK_OK(privy_import_add(scene.import, &(privy_line){2, cells, 5}));
row = privy_import_take(scene.import);
assert_non_null(row);
assert_text(row->lines[0].csv.text, row->lines[0].csv.length, "x,\"y, z\"");
privy_span unused;
assert_true(privy_import_unused(scene.import, 0, &unused));
assert_text(unused.text, unused.length, "a, b");
assert_false(privy_import_unused(scene.import, 1, &unused));
assert_int_equal(privy_import_surveyed(scene.import), 1);
END_TEST

int main(void) {
  static harness_test tests[] = {
      TEST(values_are_replaced_and_converted),
      TEST(the_first_line_of_an_order_may_count),
      TEST(a_negative_sum_is_a_refund),
      TEST(what_one_line_proves_counts_for_all),
      TEST(phone_numbers_are_made_international),
      TEST(an_invalid_value_may_be_omitted),
      TEST(a_value_is_not_an_object_too),
      TEST(lists_of_an_order_have_numbers),
      TEST(times_need_a_zone),
      TEST(rejects_can_be_imported),
  };
  return HARNESS_RUN(tests);
}
