/* Imports: lines of one order, conversions, and what is refused. */
#include "import_scene.h"

#include <stdio.h>

#include "message_text.h"

#define SHOP                                                                                                           \
  "{\"timezone\":\"Europe/Berlin\",\"country\":\"US\",\"currency\":\"USD\",\"columns\":{\"order_id\":\"No\","          \
  "\"total\":\"Total\",\"order_date\":\"Date\",\"email\":\"Email\",\"phone\":\"Phone\","                               \
  "\"line_items\":{\"sku\":\"SKU\",\"quantity\":\"Qty\",\"price\":\"Price\"}}}"
#define HEADER "No,Total,Date,Email,Phone,SKU,Qty,Price\n"

/* Imports the lines by the map of SHOP and compares what became of them. */
#define CHECK_SHOP(lines, expected)                                                                                    \
  do {                                                                                                                 \
    CHECK_OK(scene_open(&scene, SHOP));                                                                                \
    CHECK_OK(scene_import(&scene, HEADER lines));                                                                      \
    assert_text(scene.out.data, scene.out.length, expected);                                                           \
  } while (0)

static void lines_of_one_order_become_one_row(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_SHOP("#7,10.00,2026-01-02 10:00:00,a@b.c,,T-1,2,2.50\n#7,,,,,T-2,1.0,5\n8,1,2026-01-02T10:00:00Z,a@b.c,,,,\n",
             "ready {\"order_id\":\"7\",\"email\":\"a@b.c\",\"total\":10.00,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-02T09:00:00Z\",\"line_items\":[{\"sku\":\"T-1\",\"quantity\":2,\"price\":2.50},"
             "{\"sku\":\"T-2\",\"quantity\":1,\"price\":5}]}\n"
             "ready {\"order_id\":\"8\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-02T10:00:00Z\"}\n");
done:
  scene_end(&scene);
}

static void scattered_lines_of_one_order_are_put_together(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_SHOP("7,1,2026-01-02,a@b.c,,T-1,1,1\n8,2,2026-01-02,a@b.c,,,,\n7,1,,,,T-2,1,1\n",
             "ready {\"order_id\":\"8\",\"email\":\"a@b.c\",\"total\":2,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-01T23:00:00Z\"}\n"
             "ready {\"order_id\":\"7\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-01T23:00:00Z\",\"line_items\":[{\"sku\":\"T-1\",\"quantity\":1,\"price\":1},"
             "{\"sku\":\"T-2\",\"quantity\":1,\"price\":1}]}\n");
done:
  scene_end(&scene);
}

/* Without a first reading, the first lines of the order may be sent already. */
static void scattered_lines_are_refused_without_a_survey(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  scene.surveys = false;
  CHECK_OK(scene_open(&scene, SHOP));
  CHECK_OK(
      scene_import(&scene, HEADER "7,1,2026-01-02,a@b.c,,,,\n8,2,2026-01-02,a@b.c,,,,\n7,1,2026-01-02,a@b.c,,,,\n"));
  assert_non_null(memchr(scene.out.data, 's', scene.out.length));
  CHECK_MEMORY(privy_buffer_terminate(&scene.out));
  assert_non_null(strstr(scene.out.data, "  4 base scattered_lines 7\n"));
done:
  scene_end(&scene);
}

static void all_faults_of_a_row_are_reported(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_SHOP("C7,(12.50),03/04/2026,x,1.5551E+10,T,-1,\xe2\x82\xac 5\n",
             "refused {\"email\":\"x\",\"currency\":\"USD\",\"line_items\":[{\"sku\":\"T\","
             "\"quantity\":-1}]}\n"
             "  2 line_items[0].price other_currency \xe2\x82\xac 5\n"
             "  2 order_id invalid_order_id C7\n"
             "  2 phone shortened_number 1.5551E+10\n"
             "  2 total refund (12.50)\n"
             "  2 order_date ambiguous_date 03/04/2026\n"
             "  2 email invalid_email x\n");
done:
  scene_end(&scene);
}

static void the_lines_of_an_order_must_agree(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_SHOP("7,1,2026-01-02Z,a@b.c,,,,\n7,2,,d@e.f,,,,\n",
             "refused {\"order_id\":\"7\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-02T00:00:00Z\"}\n"
             "  3 total lines_disagree 2\n  3 email lines_disagree d@e.f\n");
done:
  scene_end(&scene);
}

static void a_line_must_fit_the_header(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_SHOP("7,1,2026-01-02Z,a@b.c,,,,\n8,1\n9,1,2026-01-02Z,a@b.c,,,,,x\n,,,,,,,\n" HEADER,
             "ready {\"order_id\":\"7\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-02T00:00:00Z\"}\n"
             "refused {\"currency\":\"USD\"}\n  3 base wrong_number_of_cells \n"
             "refused {\"currency\":\"USD\"}\n  4 base wrong_number_of_cells x\n");
done:
  scene_end(&scene);
}

/* A comma too many moves all values into wrong columns, also if the last cell is empty. */
static void a_line_with_one_cell_too_many_is_refused(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_SHOP("7,1,2026-01-02Z,a@b.c,,,,\n8,1,2026-01-02Z,a@b.c,,T,1,1,\n",
             "ready {\"order_id\":\"7\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-02T00:00:00Z\"}\n"
             "refused {\"currency\":\"USD\"}\n  3 base wrong_number_of_cells \n");
done:
  scene_end(&scene);
}

/* Some programs end each line with a delimiter. */
static void lines_that_all_end_with_a_delimiter_are_accepted(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_SHOP("7,1,2026-01-02Z,a@b.c,,,,,,\n8,1\n9,1,2026-01-02Z,a@b.c,,,,,,\n",
             "ready {\"order_id\":\"7\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-02T00:00:00Z\"}\n"
             "refused {\"currency\":\"USD\"}\n  3 base wrong_number_of_cells \n"
             "ready {\"order_id\":\"9\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
             "\"2026-01-02T00:00:00Z\"}\n");
done:
  scene_end(&scene);
}

/* What a file decides: the decimal sign and the order of dates, by its other lines. */
static void the_file_decides_what_a_line_cannot(void **state) {
  (void)state;
  static const struct {
    const char *other, *expected;
  } cases[] = {
      {"9,\"1.234,50\",13/04/2026Z,a@b.c,,,,\n", "\"total\":1.234,\"currency\":\"USD\",\"order_date\":\"2026-04-03T"},
      {"9,\"12,5\",13/04/2026Z,a@b.c,,,,\n", "\"total\":1.234,\"currency\":\"USD\",\"order_date\":\"2026-04-03T"},
      {"9,12.50,04/13/2026Z,a@b.c,,,,\n", "\"total\":1234,\"currency\":\"USD\",\"order_date\":\"2026-03-04T"},
      {"9,12,2026-04-13Z,a@b.c,,,,\n", "  2 total ambiguous_amount 1,234\n  2 order_date ambiguous_date 03/04/2026Z"},
      {"9,12.50,13/04/2026Z,a@b.c,,,,\n9,\"12,50\",04/13/2026Z,a@b.c,,,,\n", "  2 total ambiguous_amount 1,234\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    import_scene scene;
    char file[512];
    bool done = false;
    scene_begin(&scene);
    snprintf(file, sizeof file, HEADER "7,\"1,234\",03/04/2026Z,a@b.c,,,,\n%s", cases[i].other);
    CHECK_OK(scene_open(&scene, SHOP));
    CHECK_OK(scene_import(&scene, file));
    CHECK_MEMORY(privy_buffer_terminate(&scene.out));
    assert_non_null(strstr(scene.out.data, cases[i].expected));
    done = true;
  done:
    scene_end(&scene);
    if (!done) return;
  }
}

static void totals_are_summed_exactly(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_OK(scene_open(&scene,
                      "{\"columns\":{\"order_id\":\"No\",\"order_date\":\"Date\",\"email\":{\"template\":"
                      "\"c-{Customer}@b.c\",\"strip_suffix\":\".0\"},\"currency\":{\"value\":\"GBP\"},\"total\":"
                      "{\"sum\":\"line\"},\"total_items\":{\"sum\":\"quantity\"},\"line_items.quantity\":\"Qty\","
                      "\"line_items.price\":\"Price\"},\"skip\":{\"column\":\"No\",\"starts_with\":\"C\","
                      "\"reason\":\"a cancellation\"}}"));
  CHECK_OK(scene_import(&scene,
                        "No,Date,Customer,Qty,Price\n1,2026-01-02Z,17850.0,3,0.1\n1,,,100000,0.333\nC2,2026,1,-1,5\n"
                        "3,2026-01-02Z,1,1,\n4,2026-01-02Z,,1,1\n"));
  assert_text(
      scene.out.data, scene.out.length,
      "ready {\"order_id\":\"1\",\"email\":\"c-17850@b.c\",\"total\":33300.30,\"currency\":\"GBP\",\"order_date\":"
      "\"2026-01-02T00:00:00Z\",\"total_items\":100003,\"line_items\":[{\"quantity\":3,\"price\":0.1},"
      "{\"quantity\":100000,\"price\":0.333}]}\n"
      "skipped {}\n"
      "refused {\"order_id\":\"3\",\"email\":\"c-1@b.c\",\"currency\":\"GBP\",\"order_date\":"
      "\"2026-01-02T00:00:00Z\",\"line_items\":[{\"quantity\":1}]}\n  5 total required \n"
      "refused {\"order_id\":\"4\",\"total\":1.00,\"currency\":\"GBP\",\"order_date\":"
      "\"2026-01-02T00:00:00Z\",\"total_items\":1,\"line_items\":[{\"quantity\":1,\"price\":1}]}\n"
      "  6 base identifier_required \n");
done:
  scene_end(&scene);
}

static void the_faults_of_a_map_are_reported_at_once(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  scene.config.currency = "usd";
  CHECK_STATUS(scene_open(&scene,
                          "{\"colums\":{},\"decimal\":\";\",\"columns\":{\"emial\":\"x\",\"total\":{\"colum\":1},"
                          "\"order_date\":5,\"email\":{\"column\":\"E\",\"convert\":\"mail\"}}}"),
               PRIVY_VALIDATION);
  assert_details(&scene.error.details,
                 "colums: is no key of a map here: did you mean columns?\n"
                 "decimal: must be one of \".\", \",\"\n"
                 "columns.emial: is not a parameter of orders.upsert: did you mean email?\n"
                 "columns.total: needs one of column, value, template and sum\n"
                 "columns.total.colum: is no key of a map here: did you mean column?\n"
                 "columns.order_date: must be the name of a column, or a table such as {value = 1}\n"
                 "columns.email.convert: must be one of text, code, first_word, other_words, id, order_number, amount, "
                 "nonzero, integer, phone, time, boolean, currency, email, list, consent\n"
                 "currency: must be three capital letters, such as USD");
done:
  scene_end(&scene);
}

int main(void) {
  static harness_test tests[] = {
      TEST(lines_of_one_order_become_one_row),
      TEST(scattered_lines_of_one_order_are_put_together),
      TEST(scattered_lines_are_refused_without_a_survey),
      TEST(all_faults_of_a_row_are_reported),
      TEST(the_lines_of_an_order_must_agree),
      TEST(a_line_must_fit_the_header),
      TEST(a_line_with_one_cell_too_many_is_refused),
      TEST(lines_that_all_end_with_a_delimiter_are_accepted),
      TEST(the_file_decides_what_a_line_cannot),
      TEST(totals_are_summed_exactly),
      TEST(the_faults_of_a_map_are_reported_at_once),
  };
  return HARNESS_RUN(tests);
}
