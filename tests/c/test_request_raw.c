/* Requests to any endpoint, and the update that follows the conflict of an upsert. */
#include "harness.h"

#include <string.h>

#include "message_text.h"

/* ---- raw requests ------------------------------------------------------------------------------------------------ */

static privy_status raw(const char *method, const char *path, privy_request **out, privy_error *error) {
  privy_status status = privy_request_new_raw(TEXT(method), TEXT(path), out);
  return status == PRIVY_OK ? privy_request_finish(*out, error) : status;
}

static void methods_and_paths(void **state) {
  (void)state;
  static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
  static const char *const paths[] = {"/",          "/account", "/a/b?c=d&e=..", "//x",  "/a..b/...", "/%2F",
                                      "/a;b,c:d@e", "/.x",      "/%2e%2e%2e",    "/%2e", "/a%2e%2e"};
  static const char *const wrong_methods[] = {"", "get", "TRACE", "CONNECT", "GET ", "GETS", "G", "GET\r\nX: y"};
  static const char *const wrong_paths[] = {"",          "account",   "?a",      "/a b",  "/a\r\nX: y", "/\xC3\xA9",
                                            "/a#b",      "/..",       "/a/../b", "/a/..", "/a/..?x",    "/../",
                                            "/%2e%2E/x", "/a/.%2e?x", "/%2E.",   "/a\\b", "/\x7f",      "http://x/"};
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(methods); i++) {
    CHECK_OK(raw(methods[i], "/x", &request, &error));
    assert_string_equal(privy_request_method(request), methods[i]);
    privy_request_free(request);
    request = NULL;
  }
  for (size_t i = 0; i < COUNT(paths); i++) {
    CHECK_OK(raw("GET", paths[i], &request, &error));
    assert_string_equal(privy_request_target(request), paths[i]);
    privy_request_free(request);
    request = NULL;
  }
  for (size_t i = 0; i < COUNT(wrong_methods); i++) {
    CHECK_STATUS(raw(wrong_methods[i], "/x", &request, &error), PRIVY_VALIDATION);
    assert_details(&error.details, "method: must be one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS");
    privy_request_free(request);
    request = NULL;
  }
  for (size_t i = 0; i < COUNT(wrong_paths); i++) {
    CHECK_STATUS(raw("GET", wrong_paths[i], &request, &error), PRIVY_VALIDATION);
    assert_details(
        &error.details,
        "path: must start with / and contain only visible ASCII, without #, \\ or .. segments, encoded or not");
    privy_request_free(request);
    request = NULL;
  }
  CHECK_STATUS(raw("x", "y", &request, &error), PRIVY_VALIDATION);
  assert_int_equal(error.details.count, 2);
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void bodies_of_any_kind(void **state) {
  (void)state;
  static const char *const bodies[] = {
      "{\"a\":[1,{\"b\":null}],\"c\":\"d\"}", "[]", "{}", "\"text\"", "12.50", "true", "null"};
  privy_request *request = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(bodies); i++) {
    CHECK_OK(privy_request_new_raw(TEXT("POST"), TEXT("/x?a=1"), &request));
    ask_value(request, json_of(bodies[i]));
    CHECK_OK(privy_request_finish(request, &error));
    const char *body = privy_request_body(request, &length);
    assert_text(body, length, bodies[i]);
    assert_string_equal(privy_request_find_header(request, "content-type"), "application/json");
    privy_request_free(request);
    request = NULL;
  }
  CHECK_OK(raw("POST", "/x", &request, &error));
  privy_request_body(request, &length);
  assert_int_equal(length, 0);
  assert_null(privy_request_find_header(request, "Content-Type"));
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void queries_and_headers(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  CHECK_OK(privy_request_new_raw(TEXT("POST"), TEXT("/x?a=1"), &request));
  ask_value(request, json_of("{\"body\":true}"));
  privy_request_query(request);
  ask(request, "{\"b c\":\"d&e\",\"n\":10,\"t\":true,\"\":\"\"}");
  privy_request_header(request);
  ask(request, "{\"X-One\":\"a "
               "b\",\"X-Empty\":\"\",\"ACCEPT\":\"text/csv\",\"content-type\":\"x/y\",\"X-N\":5}");
  CHECK_OK(privy_request_finish(request, &error));
  assert_string_equal(privy_request_target(request), "/x?a=1&b%20c=d%26e&n=10&t=true&=");
  const char *body = privy_request_body(request, &length);
  assert_text(body, length, "{\"body\":true}");
  assert_string_equal(privy_request_find_header(request, "X-One"), "a b");
  assert_string_equal(privy_request_find_header(request, "X-Empty"), "");
  assert_string_equal(privy_request_find_header(request, "Accept"), "text/csv");
  assert_string_equal(privy_request_find_header(request, "Content-Type"), "x/y");
  assert_string_equal(privy_request_find_header(request, "X-N"), "5");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

#define NO_HEADER ": must be a valid header: its name a token, its value visible ASCII"

static void errors_of_raw_requests(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new_raw(TEXT("POST"), TEXT("/x"), &request));
  privy_request_begin_object(request);
  privy_request_key(request, "a", 1);
  privy_request_begin_array(request);
  privy_request_string(request, "ok", 2);
  privy_request_number(request, "Infinity", 8);
  privy_request_string(request, "\xFF", 1);
  privy_request_refuse(request, PRIVY_CODE_NOT_ENCODABLE, "is a socket");
  privy_request_end_array(request);
  privy_request_end_object(request);
  privy_request_query(request);
  privy_request_key(request, "q", 1);
  privy_request_begin_array(request);
  privy_request_string(request, "\xFF", 1);
  privy_request_end_array(request);
  privy_request_key(request, "r", 1);
  privy_request_null(request);
  privy_request_header(request);
  ask(request, "{\"authorization\":\"x\",\"Host\":\"x\",\"CONTENT-LENGTH\":\"1\",\"Transfer-Encoding\":\"chunked\","
               "\"Connection\":\"close\",\"User-Agent\":\"x\",\"X "
               "Y\":\"a\",\"\":\"a\",\"X:\":\"a\",\"X-Z\":\"a\",\"x-z\":\"b\"}");
  privy_request_key(request, "X-A", 3);
  privy_request_string(request, "a\r\nX-B: b", 9);
  privy_request_key(request, "X-C", 3);
  privy_request_string(request, " a", 2);
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(
      &error.details,
      "body.a[1]: is infinite: must be a finite number\nbody.a[2]: is not valid UTF-8\nbody.a[3]: is a socket\n"
      "params.q: must be a string, number or boolean: it is not sent in the body\n"
      "params.r: must be a string, number or boolean: it is not sent in the body\n"
      "headers.authorization: is set by the client\nheaders.Host: is set by the client\n"
      "headers.CONTENT-LENGTH: is set by the client\nheaders.Transfer-Encoding: is set by the client\n"
      "headers.Connection: is set by the client\nheaders.User-Agent: is set by the client\n"
      "headers.X Y" NO_HEADER "\nheaders." NO_HEADER "\nheaders.X:" NO_HEADER
      "\nheaders.x-z: is given twice: the names of headers ignore case\nheaders.X-A" NO_HEADER
      "\nheaders.X-C" NO_HEADER);
  assert_string_equal(error.method, "POST");
  assert_string_equal(error.path, "/x");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

/* ---- the update after a conflict --------------------------------------------------------------------------------- */

static const struct {
  const char *create, *method, *body;
} follow_ups[] = {
    {"{\"email\":\"a@b\",\"first_name\":\"J\"}", "PATCH", "{\"first_name\":\"J\"}"},
    {"{\"phone_number\":\"+14155550171\",\"tags\":[\"a\"]}", "PATCH", "{\"tags\":[\"a\"]}"},
    {"{\"email\":\"a@b\",\"phone_number\":null,\"first_name\":null}", "PATCH", "{\"first_name\":null}"},
    {"{\"email\":\"a@b\",\"phone_number\":\"+14155550171\"}", "PATCH",
     "{\"email\":\"a@b\",\"phone_number\":\"+14155550171\"}"},
    {"{\"custom_fields\":{\"a\":\"x,y\"},\"email\":\"a@b\",\"send_welcome_sms\":false}", "PATCH",
     "{\"custom_fields\":{\"a\":\"x,y\"},\"send_welcome_sms\":false}"},
    {"{\"email\":\"a@b\"}", "GET", ""},
    {"{\"email\":null,\"phone_number\":\"+14155550171\"}", "GET", ""},
};

static void upserts_go_on_to_an_update(void **state) {
  (void)state;
  privy_request *create = NULL, *update = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(follow_ups); i++) {
    CHECK_OK(ask_for("contacts.upsert", follow_ups[i].create, &create, &error));
    CHECK_OK(privy_request_new_update_of(create, CONTACT, &update, &error));
    assert_string_equal(privy_request_method(update), follow_ups[i].method);
    assert_string_equal(privy_request_target(update), "/contacts/" CONTACT);
    const char *body = privy_request_body(update, &length);
    assert_text(body, length, follow_ups[i].body);
    assert_int_equal(privy_request_find_header(update, "Content-Type") != NULL, length > 0);
    privy_request_free(create);
    privy_request_free(update);
    create = update = NULL;
  }
done:
  privy_request_free(create);
  privy_request_free(update);
  privy_error_clear(&error);
}

/* An import is older than what the contact may have decided since. */
static void an_update_can_keep_consents(void **state) {
  (void)state;
  static const struct {
    const char *create, *method, *body;
  } cases[] = {
      {"{\"email\":\"a@b\",\"email_consent\":\"subscribed\",\"tags\":[\"x\"],\"send_welcome_sms\":false}", "PATCH",
       "{\"tags\":[\"x\"]}"},
      {"{\"email\":\"a@b\",\"phone_number\":\"+14155550171\",\"sms_consent\":\"single_opt_in\"}", "PATCH",
       "{\"email\":\"a@b\",\"phone_number\":\"+14155550171\"}"},
      {"{\"email\":\"a@b\",\"email_consent\":\"unsubscribed\"}", "PATCH", "{\"email_consent\":\"unsubscribed\"}"},
      {"{\"email\":\"a@b\",\"email_consent\":\"subscribed\"}", "GET", ""},
  };
  privy_request *create = NULL, *update = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_OK(ask_for("contacts.upsert", cases[i].create, &create, &error));
    create->keeps_consents = true;
    CHECK_OK(privy_request_new_update_of(create, CONTACT, &update, &error));
    assert_string_equal(privy_request_method(update), cases[i].method);
    const char *body = privy_request_body(update, &length);
    assert_text(body, length, cases[i].body);
    privy_request_free(create);
    privy_request_free(update);
    create = update = NULL;
  }
done:
  privy_request_free(create);
  privy_request_free(update);
  privy_error_clear(&error);
}

/* Those of parameters are not copied: the update has none. */
static void given_headers_go_on_to_the_update(void **state) {
  (void)state;
  privy_request *create = NULL, *requests[2] = {NULL, NULL};
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("contacts.upsert"), &create));
  ask(create, "{\"email\":\"a@b\",\"first_name\":\"J\"}");
  privy_request_header(create);
  ask(create, "{\"X-Job\":\"7\",\"email\":\"h\"}");
  CHECK_OK(privy_request_finish(create, &error));
  CHECK_OK(privy_request_new_update_of(create, CONTACT, &requests[0], &error));
  CHECK_OK(privy_request_new_get(create, CONTACT, &requests[1], &error));
  for (size_t i = 0; i < COUNT(requests); i++) {
    assert_string_equal(privy_request_find_header(requests[i], "X-Job"), "7");
    assert_string_equal(privy_request_find_header(requests[i], "email"), "h");
  }
done:
  privy_request_free(create);
  for (size_t i = 0; i < COUNT(requests); i++) privy_request_free(requests[i]);
  privy_error_clear(&error);
}

static void an_id_of_another_shape_is_not_followed(void **state) {
  (void)state;
  static const char *const ids[] = {"", "1", "../orders", "cus_A1b2C3d4E5f6G7h8/x"};
  privy_request *create = NULL, *update = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(ask_for("contacts.upsert", "{\"email\":\"a@b\",\"first_name\":\"J\"}", &create, &error));
  for (size_t i = 0; i < COUNT(ids); i++) {
    CHECK_STATUS(privy_request_new_update_of(create, ids[i], &update, &error), PRIVY_VALIDATION);
    assert_null(update);
  }
done:
  privy_request_free(create);
  privy_request_free(update);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(methods_and_paths),
      TEST(bodies_of_any_kind),
      TEST(queries_and_headers),
      TEST(errors_of_raw_requests),
      TEST(upserts_go_on_to_an_update),
      TEST(an_update_can_keep_consents),
      TEST(an_id_of_another_shape_is_not_followed),
      TEST(given_headers_go_on_to_the_update),
  };
  return HARNESS_RUN(tests);
}
