/* Lengths: values longer than a request may be are refused by name, and no length is stored in too few bits. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "message_text.h"
#include "privy_sandbox.h"

/* One more than 32 bits hold. Nothing of such a length is read, so that a byte is enough to point at. */
#define FOUR_GIB ((size_t)UINT32_MAX + 2)
#define MIB ((size_t)1 << 20)

static const char too_long[] = "is too long: a body is at most 67108864 bytes";

static void values_that_no_body_holds(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  char expected[512];
  CHECK_OK(privy_request_new(privy_operation_find("orders.upsert"), &request));
  privy_request_key(request, "order_id", 8);
  privy_request_string(request, "1", FOUR_GIB);
  privy_request_key(request, "total", 5);
  privy_request_number(request, "1", FOUR_GIB);
  privy_request_key(request, "line_items", 10);
  privy_request_begin_array(request);
  privy_request_begin_object(request);
  privy_request_key(request, "sku", 3);
  privy_request_string(request, "x", FOUR_GIB);
  privy_request_end_object(request);
  privy_request_end_array(request);
  privy_request_extra(request);
  privy_request_key(request, "note", 4);
  privy_request_string(request, "x", 64 * MIB + 1);
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  snprintf(expected, sizeof expected,
           "order_id: %s\ntotal: %s\nline_items[0].sku: %s\nnote: %s\n"
           "currency: is required\norder_date: is required\nbase: at least one of email, phone is required",
           too_long, too_long, too_long, too_long);
  assert_details(&error.details, expected);
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void names_that_are_too_long(void **state) {
  (void)state;
  /* The cut goes through a character. */
  static const char name[] =
      "x\xC3\xA9n\xC3\xA9n\xC3\xA9n\xC3\xA9n\xC3\xA9n\xC3\xA9n\xC3\xA9n\xC3\xA9n\xC3\xA9n\xC3\xA9n\xC3\xA9n";
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new_raw(TEXT("POST"), TEXT("/x"), &request));
  privy_request_begin_object(request);
  privy_request_key(request, name, FOUR_GIB);
  privy_request_integer(request, 1);
  privy_request_key(request, name, (size_t)UINT32_MAX + 1);
  privy_request_integer(request, 1);
  privy_request_end_object(request);
  privy_request_query(request);
  privy_request_key(request, name, FOUR_GIB);
  privy_request_integer(request, 1);
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_int_equal(error.details.count, 3);
  for (size_t i = 0; i < error.details.count; i++) {
    assert_string_equal(error.details.items[i].message, "has a name that is too long");
    assert_true(strlen(error.details.items[i].field) < 60);
  }
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

/* A list of texts that are short enough one by one. */
static void bodies_that_grow_too_large(void **state) {
  (void)state;
  const size_t length = MIB, count = harness_rounds(65, 1);
  char *text = malloc(length);
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  assert_non_null(text);
  memset(text, 'x', length);
  CHECK_OK(privy_request_new_raw(TEXT("POST"), TEXT("/x"), &request));
  privy_request_begin_array(request);
  for (size_t i = 0; i < count; i++) privy_request_string(request, text, length);
  privy_request_end_array(request);
  if (harness_sweeping()) {
    CHECK_OK(privy_request_finish(request, &error));
  } else {
    CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
    assert_details(&error.details, "base: the body is 68157636 bytes; at most 67108864 are accepted");
  }
done:
  free(text);
  privy_request_free(request);
  privy_error_clear(&error);
}

/* ---- what is not the body ---------------------------------------------------------------------------------------- */

#define HEAD ((size_t)32 << 10)

static void fill(char *text, size_t length) {
  memset(text, 'x', length);
  text[length] = '\0';
  text[0] = '/';
}

static privy_status ask_head(const char *path, size_t query, size_t header, const char *text, privy_request **out,
                             privy_error *error) {
  privy_status status = privy_request_new_raw(TEXT("GET"), TEXT(path), out);
  if (status != PRIVY_OK) return status;
  privy_request_query(*out);
  privy_request_key(*out, "q", 1);
  privy_request_string(*out, text, query);
  privy_request_header(*out);
  privy_request_key(*out, "X-H", 3);
  privy_request_string(*out, text, header);
  return privy_request_finish(*out, error);
}

static void heads_that_are_too_large(void **state) {
  (void)state;
  char *text = malloc(HEAD + 1), *path = malloc(HEAD + 1), expected[128];
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  assert_non_null(text);
  assert_non_null(path);
  fill(text, HEAD);
  fill(path, 1000);
  const struct {
    size_t query, header;
    bool fits;
  } cases[] = {{10, 10, true},
               {HEAD - 1000 - 4 - 10, 10, true},
               {HEAD - 1000 - 4 - 9, 10, false},
               {10, HEAD - 1000 - 4 - 9, false},
               {HEAD, HEAD, false}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_STATUS(ask_head(path, cases[i].query, cases[i].header, text, &request, &error),
                 cases[i].fits ? PRIVY_OK : PRIVY_VALIDATION);
    if (!cases[i].fits) {
      snprintf(expected, sizeof expected, "base: path, query and headers are %zu bytes; at most 32768 are accepted",
               1000 + 4 + cases[i].query + cases[i].header);
      assert_details(&error.details, expected);
    }
    privy_request_free(request);
    request = NULL;
  }
  fill(path, HEAD);
  CHECK_STATUS(ask_head(path, 1, 1, text, &request, &error), PRIVY_VALIDATION);
done:
  privy_request_free(request);
  privy_error_clear(&error);
  free(text);
  free(path);
}

static void filters_that_are_too_long(void **state) {
  (void)state;
  char *text = malloc(HEAD + 1);
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  assert_non_null(text);
  fill(text, HEAD);
  memcpy(text + 1000, "@b.c", 4);
  text[0] = 'x';
  CHECK_OK(privy_request_new(privy_operation_find("contacts.list"), &request));
  privy_request_key(request, "email", 5);
  privy_request_string(request, text, HEAD);
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
done:
  privy_request_free(request);
  privy_error_clear(&error);
  free(text);
}

/* ---- what follows a conflict, and the sandbox -------------------------------------------------------------------- */

/* A body that cannot be read back must not be followed by an update of nothing. */
static void an_update_is_never_empty_by_mistake(void **state) {
  (void)state;
  privy_request *create = NULL, *update = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(ask_for("contacts.upsert", "{\"email\":\"a@b.c\",\"first_name\":\"J\"}", &create, &error));
  const size_t length = create->body.length;
  create->body.length = FOUR_GIB;
  const privy_status status = privy_request_new_update_of(create, CONTACT, &update, &error);
  create->body.length = length;
  CHECK_STATUS(status, PRIVY_VALIDATION);
  assert_null(update);
  assert_string_equal(error.message, "the body cannot be read: text of 4 GiB or more");
done:
  privy_request_free(create);
  privy_request_free(update);
  privy_error_clear(&error);
}

static void the_sandbox_reads_nothing_that_is_too_large(void **state) {
  (void)state;
  static const char headers[] = "Authorization: Bearer " PRIVY_SANDBOX_TOKEN "\r\n";
  char *target = malloc(HEAD + 32);
  privy_sandbox *sandbox = NULL;
  privy_sandbox_response response;
  privy_sandbox_response_init(&response);
  assert_non_null(target);
  CHECK_OK(privy_sandbox_new(&sandbox));
  CHECK_OK(privy_sandbox_handle(sandbox, "POST", "/v1/contacts", headers, strlen(headers), "{", FOUR_GIB, &response));
  assert_int_equal(response.http_status, 413);
  fill(target, HEAD + 31);
  memcpy(target, "/v1/contacts?email=", 19);
  CHECK_OK(privy_sandbox_handle(sandbox, "GET", target, headers, strlen(headers), "", 0, &response));
  assert_int_equal(response.http_status, 413);
  CHECK_OK(privy_sandbox_handle(sandbox, "POST", "/oauth/token", "", 0, "g", FOUR_GIB, &response));
  assert_int_equal(response.http_status, 413);
done:
  privy_sandbox_response_clear(&response);
  privy_sandbox_release(sandbox);
  free(target);
}

int main(void) {
  static harness_test tests[] = {
      TEST(values_that_no_body_holds),
      TEST(names_that_are_too_long),
      TEST(bodies_that_grow_too_large),
      TEST(heads_that_are_too_large),
      TEST(filters_that_are_too_long),
      TEST(an_update_is_never_empty_by_mistake),
      TEST(the_sandbox_reads_nothing_that_is_too_large),
  };
  return HARNESS_RUN(tests);
}
