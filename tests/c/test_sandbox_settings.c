/* The settings of a sandbox as texts. */
#include "test_sandbox.h"

static privy_status read_limits(sandbox_kit *kit, const char *text, privy_error *error) {
  privy_error_clear(error);
  return privy_sandbox_read_limits(kit->sandbox, text, strlen(text), error);
}

static privy_status read_fault(sandbox_kit *kit, const char *text, privy_error *error) {
  privy_error_clear(error);
  return privy_sandbox_read_fault(kit->sandbox, text, strlen(text), error);
}

/* Status 0: the response is cut. */
static privy_status ask(sandbox_kit *kit, const char *method, const char *target, int *status) {
  const privy_status result = kit_ask(kit, method, target, NULL);
  *status = kit->response.cut == PRIVY_CUT_NONE ? kit->response.http_status : 0;
  return result;
}

static void limits(void **state) {
  static const struct {
    const char *text, *minute, *day, *reset;
  } cases[] = {{"60/10000", "60", "10000", "1778580060"},
               {"on", "60", "10000", "1778580060"},
               {"7", "7", NULL, "1778580060"},
               {"0/9", NULL, "9", NULL},
               {"7/9/5", "7", "9", "1778580005"},
               {"off", NULL, NULL, NULL},
               {"0", NULL, NULL, NULL}};
  (void)state;
  privy_error error;
  privy_error_init(&error);
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct {
      const char *name, *value;
    } lines[] = {{"X-RateLimit-Limit-Minute", cases[i].minute},
                 {"X-RateLimit-Limit-Day", cases[i].day},
                 {"X-RateLimit-Reset-Minute", cases[i].reset}};
    CHECK_OK(read_limits(&kit, cases[i].text, &error));
    ASK(kit, "GET", "/contacts", NULL, 200);
    for (size_t j = 0; j < 3; j++) {
      privy_slice value = {NULL, 0};
      const bool found =
          privy_find_header(kit.response.headers.data, kit.response.headers.length, lines[j].name, &value);
      assert_int_equal(found, lines[j].value != NULL);
      if (found) assert_true(privy_text_is(value.text, value.length, lines[j].value));
    }
  }
done:
  privy_error_clear(&error);
  kit_close(&kit);
}

static void wrong_limits(void **state) {
  static const char *const texts[] = {"",      "x",      "60/",  "/60",   "60/x",       "60//5", "1/2/3/4",
                                      "1/2/0", "1/2/61", "-1/5", "1.5/5", "4294967296", "On",    "60 /5"};
  (void)state;
  privy_error error;
  privy_error_init(&error);
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "not \"%s\"", texts[i]);
    CHECK_STATUS(read_limits(&kit, texts[i], &error), PRIVY_CONFIG_ERROR);
    assert_non_null(strstr(error.message, "limits must be on, off or PER_MINUTE[/PER_DAY[/WINDOW]]"));
    assert_non_null(strstr(error.message, quoted));
  }
  CHECK_STATUS(read_limits(&kit, "1/2/77777777777777777777777777777777777777777777777777777777777777777", &error),
               PRIVY_CONFIG_ERROR);
  assert_null(strstr(error.message, "77777777777777777777777777777777777777777777777777777777777777777"));
  ASK(kit, "GET", "/contacts", NULL, 200);
done:
  privy_error_clear(&error);
  kit_close(&kit);
}

static void faults(void **state) {
  static const struct {
    const char *text;
    int statuses[4]; /* of two lists, an order without a body, and a list */
  } cases[] = {{"503", {503, 200, 422, 200}},
               {"429:2", {429, 429, 422, 200}},
               {"500:0", {500, 500, 500, 500}},
               {"503@orders.upsert", {200, 200, 503, 200}},
               {"drop", {0, 200, 422, 200}},
               {"truncate:2@contacts.list", {0, 0, 422, 200}},
               {"599:9@contacts.list", {599, 599, 422, 599}}};
  (void)state;
  privy_error error;
  privy_error_init(&error);
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_OK(read_fault(&kit, cases[i].text, &error));
    for (size_t j = 0; j < 4; j++) {
      int status;
      CHECK_OK(j == 2 ? ask(&kit, "POST", "/orders/placed", &status) : ask(&kit, "GET", "/contacts", &status));
      assert_int_equal(status, cases[i].statuses[j]);
    }
    privy_sandbox_clear_faults(kit.sandbox);
  }
done:
  privy_error_clear(&error);
  kit_close(&kit);
}

static void wrong_faults(void **state) {
  static const char *const texts[] = {"",        "200",    "399", "600", "503:", "503:x",
                                      "503:1:2", "503:-1", ":3",  "cut", "5O3"};
  static const char *const operations[] = {"503@", "503@orders.upsrt", "503:2@orders.upsert@x", "drop@Orders.upsert"};
  (void)state;
  privy_error error;
  privy_error_init(&error);
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "not \"%s\"", texts[i]);
    CHECK_STATUS(read_fault(&kit, texts[i], &error), PRIVY_CONFIG_ERROR);
    assert_non_null(strstr(error.message, "fail must be STATUS[:COUNT][@OPERATION]"));
    assert_non_null(strstr(error.message, quoted));
  }
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
    CHECK_STATUS(read_fault(&kit, operations[i], &error), PRIVY_CONFIG_ERROR);
    assert_non_null(strstr(error.message, "fail must name one of the operations contacts.list, contacts.get, "));
    assert_non_null(strstr(error.message, "events.ingest, not \""));
  }
  ASK(kit, "GET", "/contacts", NULL, 200);
done:
  privy_error_clear(&error);
  kit_close(&kit);
}

static privy_status read_seed(sandbox_kit *kit, const char *text, privy_error *error) {
  privy_error_clear(error);
  return privy_sandbox_read_seed(kit->sandbox, text, strlen(text), error);
}

static void seeds(void **state) {
  static const struct {
    const char *text;
    uint64_t contacts;
  } cases[] = {{"shop:3", 3}, {"shop:4:9", 4}, {"shop:2:-1", 2}, {"shop:0", 0}};
  (void)state;
  privy_error error;
  privy_error_init(&error);
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    privy_sandbox_reset(kit.sandbox);
    CHECK_OK(read_seed(&kit, cases[i].text, &error));
    assert_int_equal(privy_sandbox_count(kit.sandbox).contacts, cases[i].contacts);
  }
done:
  privy_error_clear(&error);
  kit_close(&kit);
}

static void a_seed_without_a_number_adds_5000_contacts(void **state) {
  (void)state;
  privy_error error;
  privy_error_init(&error);
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  CHECK_OK(read_seed(&kit, "shop", &error));
  assert_int_equal(privy_sandbox_count(kit.sandbox).contacts, 5000);
done:
  privy_error_clear(&error);
  kit_close(&kit);
}

static void wrong_seeds(void **state) {
  static const struct {
    const char *text, *problem;
  } cases[] = {{"", "not \"\""},
               {":5", "not \":5\""},
               {"shop:", "not \"shop:\""},
               {"shop:x", "not \"shop:x\""},
               {"shop:1:x", "not \"shop:1:x\""},
               {"shop:1:2:3", "not \"shop:1:2:3\""},
               {"shop:-1", "not \"shop:-1\""},
               {"shop:1000001", "not \"shop:1000001\": contacts must be 0 to 1000000"},
               {"shoe:5", "not \"shoe:5\": there is no data set shoe: the data sets are shop"}};
  (void)state;
  privy_error error;
  privy_error_init(&error);
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_STATUS(read_seed(&kit, cases[i].text, &error), PRIVY_CONFIG_ERROR);
    assert_non_null(strstr(error.message, "seed must be KIND[:CONTACTS[:SEED]], such as shop:5000:7"));
    assert_non_null(strstr(error.message, cases[i].problem));
  }
  assert_int_equal(privy_sandbox_count(kit.sandbox).contacts, 0);
done:
  privy_error_clear(&error);
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {TEST(limits),     TEST(wrong_limits),
                                 TEST(faults),     TEST(wrong_faults),
                                 TEST(seeds),      TEST_UNSWEPT(a_seed_without_a_number_adds_5000_contacts),
                                 TEST(wrong_seeds)};
  return HARNESS_RUN(tests);
}
