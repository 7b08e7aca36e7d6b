/* Errors: every shape in which the API and what lies before it refuse, and what an error carries. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "message/error.h"
#include "message/rate_headers.h"
#include "response_text.h"

typedef struct error_case {
  int status;
  const char *body;
  privy_status code;
  const char *message, *api_code, *faults;
} error_case;

#define ACCESS_HINT "; if the token is right, API access may not be enabled for this account: ask support@privy.com"
#define DETAILS(details) "{\"error\":{\"code\":\"validation_failed\",\"message\":\"Bad\",\"details\":" details "}}"

static const error_case shapes[] = {
    /* the envelope */
    {401, "{\"error\":{\"code\":\"unauthorized\",\"message\":\"Token expired\"}}", PRIVY_AUTHENTICATION,
     "401 unauthorized: Token expired" ACCESS_HINT, "unauthorized", ""},
    {401, "{\"error\":{\"code\":\"unauthorized\",\"message\":\"Token expired.\"}}", PRIVY_AUTHENTICATION,
     "401 unauthorized: Token expired" ACCESS_HINT, "unauthorized", ""},
    {403, "{\"error\":{\"code\":\"insufficient_scope\"}}", PRIVY_PERMISSION_DENIED,
     "403 insufficient_scope: The token lacks the scope that the call needs.", "insufficient_scope", ""},
    {404, "{\"error\":{\"message\":\"Gone\"}}", PRIVY_NOT_FOUND, "404: Gone", NULL, ""},
    {413, "{}", PRIVY_PAYLOAD_TOO_LARGE, "413: The event's body is larger than 256 KB.", NULL, ""},
    {429, "{\"error\":{\"code\":\"rate_limited\",\"message\":\"\"}}", PRIVY_RATE_LIMIT,
     "429 rate_limited: The account's rate limit per minute or per day is reached.", "rate_limited", ""},
    {422,
     DETAILS("[{\"field\":\"email\",\"message\":\"is invalid\"},{\"field\":\"base\",\"message\":\"needs a phone\"}]"),
     PRIVY_VALIDATION, "422 validation_failed: Bad; email is invalid; needs a phone", "validation_failed",
     "email: is invalid\nbase: needs a phone"},
    {422, DETAILS("[\"plain words\",{\"field\":\"tags[0]\"},{\"message\":\"m\"},{\"field\":null,\"message\":null},5]"),
     PRIVY_VALIDATION, "422 validation_failed: Bad; plain words; tags[0] {\"field\":\"tags[0]\"}; m; ; 5",
     "validation_failed", "base: plain words\ntags[0]: {\"field\":\"tags[0]\"}\nbase: m\nbase: \nbase: 5"},
    {422, DETAILS("{\"email\":[\"is invalid\",\"is taken\"],\"tags\":\"too many\"}"), PRIVY_VALIDATION,
     "422 validation_failed: Bad; email is invalid; email is taken; tags too many", "validation_failed",
     "email: is invalid\nemail: is taken\ntags: too many"},
    {422, DETAILS("{\"field\":\"email\",\"message\":\"is invalid\"}"), PRIVY_VALIDATION,
     "422 validation_failed: Bad; email is invalid", "validation_failed", "email: is invalid"},
    {422, DETAILS("\"words\""), PRIVY_VALIDATION, "422 validation_failed: Bad; words", "validation_failed",
     "base: words"},
    {422, DETAILS("null"), PRIVY_VALIDATION, "422 validation_failed: Bad", "validation_failed", ""},
    {422, DETAILS("[]"), PRIVY_VALIDATION, "422 validation_failed: Bad", "validation_failed", ""},
    {422, "{\"error\":{\"message\":\"\",\"details\":[{\"field\":\"email\",\"message\":\"is j\\u00f6rg\\u0021\"}]}}",
     PRIVY_VALIDATION, "422: email is j\xC3\xB6rg!", NULL, "email: is j\xC3\xB6rg!"},
    {422, DETAILS("[[\"\\u00314155550171\"],{\"a\":\"call\\n4155550171\"},[\"jane\\u0040x.io \\u0022\\\\u0031\"]]"),
     PRIVY_VALIDATION,
     "422 validation_failed: Bad; [\"141******71\"]; {\"a\":\"call 415*****71\"}; [\"j***@x.io \\u0022\\\\u0031\"]",
     "validation_failed",
     "base: [\"14155550171\"]\nbase: {\"a\":\"call 4155550171\"}\nbase: [\"jane@x.io \\u0022\\\\u0031\"]"},
    /* events */
    {400, "{\"errors\":[\"event_type is required\",{\"field\":\"email\",\"message\":\"is invalid\"}]}",
     PRIVY_VALIDATION, "400: event_type is required; email is invalid", NULL,
     "base: event_type is required\nemail: is invalid"},
    {400, "[\"a\",\"b\"]", PRIVY_VALIDATION, "400: a; b", NULL, "base: a\nbase: b"},
    {400, "{\"errors\":{\"email\":[\"is invalid\"]}}", PRIVY_VALIDATION, "400: email is invalid", NULL,
     "email: is invalid"},
    /* the token endpoint */
    {401, "{\"error\":\"invalid_client\"}", PRIVY_AUTHENTICATION,
     "401 invalid_client: The token is missing, expired, revoked or wrong.", "invalid_client", ""},
    {401, "{\"error\":\"invalid_scope\",\"error_description\":\"No such scope\"}", PRIVY_AUTHENTICATION,
     "401 invalid_scope: No such scope", "invalid_scope", ""},
    /* what lies between */
    {502, "<html><body>Bad Gateway</body></html>", PRIVY_SERVER, "502: The server failed (any 5xx).", NULL, ""},
    {503, "", PRIVY_SERVER, "503: The server failed (any 5xx).", NULL, ""},
    {599, "null", PRIVY_SERVER, "599: The server failed (any 5xx).", NULL, ""},
    {400, "", PRIVY_VALIDATION, "400: the server refused the request", NULL, ""},
    {422, "\"x\"", PRIVY_VALIDATION, "422: the server refused the request", NULL, ""},
    {418, "{\"message\":\"short and stout\"}", PRIVY_API_STATUS, "418: short and stout", NULL, ""},
    {405, "x", PRIVY_API_STATUS, "405: The server returned an error status or an invalid response.", NULL, ""},
    {100, "", PRIVY_API_STATUS, "100: The server returned an error status or an invalid response.", NULL, ""},
    /* odd values never stop it */
    {404, "{\"error\":null}", PRIVY_NOT_FOUND, "404: There is no such contact or endpoint.", NULL, ""},
    {404, "{\"error\":[{\"code\":\"x\"}]}", PRIVY_NOT_FOUND, "404: There is no such contact or endpoint.", NULL, ""},
    {404, "{\"error\":{\"code\":5,\"message\":{}}}", PRIVY_NOT_FOUND, "404: There is no such contact or endpoint.",
     NULL, ""},
    {404, "{\"error\":{\"code\":\"a\",\"code\":\"b\",\"message\":\"\\ud800\"}}", PRIVY_NOT_FOUND, "404 b: \xEF\xBF\xBD",
     "b", ""},
};

static void every_shape_is_an_error(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(shapes); i++) {
    CHECK_STATUS(
        parse_response("contacts.update", shapes[i].status, "X-Request-ID: r1\r\n", shapes[i].body, &response, &error),
        shapes[i].code);
    assert_null(response);
    assert_int_equal(error.code, shapes[i].code);
    assert_int_equal(error.http_status, shapes[i].status);
    assert_string_equal(error.message, shapes[i].message);
    assert_string_equal(error.api_code ? error.api_code : "none", shapes[i].api_code ? shapes[i].api_code : "none");
    assert_details(&error.details, shapes[i].faults);
    assert_string_equal(error.request_id, "r1");
    assert_null(error.contact_id);
    assert_true(error.retry_after < 0);
    assert_non_null(error.response);
    const char *body = privy_response_body(error.response, &length);
    assert_text(body, length, shapes[i].body);
    privy_error_clear(&error);
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

static void conflicts_have_the_contact_id_from_any_place(void **state) {
  (void)state;
  static const struct {
    const char *body, *id;
  } cases[] = {
      {"{\"error\":{\"id\":\"" CONTACT "\"}}", CONTACT},
      {"{\"id\":\"" CONTACT "\",\"error\":{\"code\":\"conflict\"}}", CONTACT},
      {"{\"data\":{\"id\":\"" CONTACT "\"}}", CONTACT},
      {"{\"error\":{\"details\":{\"id\":\"" CONTACT "\"}}}", CONTACT},
      {"{\"error\":{\"details\":[{\"field\":\"email\",\"message\":\"taken\"},{\"id\":\"" CONTACT "\"}]}}", CONTACT},
      {"{\"error\":{\"id\":5},\"id\":null,\"data\":{\"id\":\"" CONTACT "\"}}", CONTACT},
      {"{\"error\":{\"id\":\"first\"},\"id\":\"second\"}", "first"},
      {"{\"errors\":[{\"id\":\"" CONTACT "\"}]}", CONTACT},
      {"{\"error\":\"conflict\",\"id\":\"c\\u0075s\"}", "cus"},
      {"{\"error\":{\"id\":\"\"},\"id\":\"" CONTACT "\"}", CONTACT},
      {"{}", NULL},
      {"[]", NULL},
      {"", NULL},
      {"{\"data\":[{\"id\":\"x\"}]}", NULL},
  };
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_STATUS(parse_response("contacts.create", 409, "", cases[i].body, &response, &error), PRIVY_CONFLICT);
    assert_string_equal(error.contact_id ? error.contact_id : "none", cases[i].id ? cases[i].id : "none");
    privy_error_clear(&error);
  }
  /* Any other status names no contact. */
  CHECK_STATUS(parse_response("contacts.create", 404, "", cases[0].body, &response, &error), PRIVY_NOT_FOUND);
  assert_null(error.contact_id);
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

static void redirects_are_errors(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_STATUS(parse_response(NULL, 302, "Location: https://elsewhere.example/x\r\n", "", &response, &error),
               PRIVY_API_STATUS);
  assert_string_equal(error.message, "302: unexpected redirect: https://elsewhere.example/x");
  CHECK_STATUS(parse_response(NULL, 304, "", "", &response, &error), PRIVY_API_STATUS);
  assert_string_equal(error.message, "304: unexpected redirect");
  CHECK_STATUS(parse_response(NULL, 307, "Location: /x\r\n", "[\"a\"]", &response, &error), PRIVY_API_STATUS);
  assert_string_equal(error.message, "307: unexpected redirect: /x; a");
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

#define DATE "Date: Wed, 21 Oct 2026 07:28:00 GMT\r\n"

static void how_long_to_wait(void **state) {
  (void)state;
  static const struct {
    const char *headers;
    double seconds; /* negative: not known */
  } cases[] = {{"Retry-After: 3\r\n", 3},
               {"Retry-After: 0\r\n", 0},
               {"Retry-After: 1.5\r\n", 1.5},
               {"retry-after:  42 \r\n", 42},
               {"", -1},
               {"Retry-After: \r\n", -1},
               {"Retry-After: -3\r\n", -1},
               {"Retry-After: soon\r\n", -1},
               {"Retry-After: 3 seconds\r\n", -1},
               {"Retry-After: 0x10\r\n", -1},
               {"Retry-After: 1e999\r\n", -1},
               {"Retry-After: 300000\r\n", 86400},
               {"Retry-After: Wed, 21 Oct 2026 07:28:10 GMT\r\n", -1}, /* by which clock? */
               {DATE "Retry-After: Wed, 21 Oct 2026 07:28:10 GMT\r\n", 10},
               {DATE "Retry-After: Wed, 21 Oct 2026 07:00:00 GMT\r\n", 0},
               {DATE "Retry-After: Wed, 21 Oct 2027 07:28:10 GMT\r\n", 86400}};
  static const int passing[] = {408, 429, 500, 502, 503, 504}, lasting[] = {302, 401, 403, 404, 409, 413, 422, 501};
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (size_t k = 0; k < COUNT(passing); k++) {
      privy_status status = parse_response("contacts.list", passing[k], cases[i].headers, "", &response, &error);
      CHECK_MEMORY(status != PRIVY_NO_MEMORY);
      assert_true(error.retryable);
      if (error.retry_after != cases[i].seconds) fail_msg("%d with %s", passing[k], cases[i].headers);
      /* Without a clock of our own nothing is said of an instant. */
      assert_true(error.retry_at == 0 && error.resets_at == 0);
      privy_error_clear(&error);
    }
  }
  for (size_t k = 0; k < COUNT(lasting); k++) {
    privy_status status = parse_response("contacts.list", lasting[k], "Retry-After: 3\r\n", "", &response, &error);
    CHECK_MEMORY(status != PRIVY_NO_MEMORY);
    assert_false(error.retryable);
    assert_true(error.retry_after < 0);
    privy_error_clear(&error);
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

#define MINUTE(remaining)                                                                                              \
  "X-RateLimit-Limit-Minute: 60\r\nX-RateLimit-Remaining-Minute: " remaining "\r\nX-RateLimit-Reset-Minute: 1000\r\n"
#define DAY(remaining)                                                                                                 \
  "X-RateLimit-Limit-Day: 10000\r\nX-RateLimit-Remaining-Day: " remaining "\r\nX-RateLimit-Reset-Day: 9000\r\n"

static void limits_are_read(void **state) {
  (void)state;
  static const struct {
    const char *headers;
    bool minute, day;
    double reset; /* of the spent one, by the server's clock; 0: none is */
  } cases[] = {
      {MINUTE("0") DAY("17"), true, true, 1000},
      {MINUTE("0") DAY("0"), true, true, 9000},
      {MINUTE("5") DAY("0"), true, true, 9000},
      {MINUTE("0"), true, false, 1000},
      {DAY("0"), false, true, 9000},
      {DAY("5"), false, true, 0},
      {"X-RateLimit-Limit-Minute: 60\r\nX-RateLimit-Reset-Minute: 1000\r\n", false, false, 0},
      {MINUTE("0") "X-RateLimit-Remaining-Minute: 5\r\nX-RateLimit-Limit-Minute: x\r\n", true, false, 1000},
      {"x-ratelimit-limit-minute: 60\r\nX-RATELIMIT-REMAINING-MINUTE: 0\r\nX-RateLimit-reset-minute: 1000\r\n", true,
       false, 1000},
      {MINUTE("0") "X-RateLimit-\r\nX-RateLimit-: 1\r\nX-RateLimit-Limit-Hour: 1\r\n", true, false, 1000},
      {MINUTE("many"), false, false, 0},
      {MINUTE("99999999999999999999"), false, false, 0},
      {MINUTE("-1"), false, false, 0},
      {MINUTE("61"), false, false, 0},
      {"", false, false, 0},
  };
  privy_response *response = NULL;
  privy_error error;
  privy_rate_headers limits;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_STATUS(parse_response("contacts.list", 429, cases[i].headers, "", &response, &error), PRIVY_RATE_LIMIT);
    assert_true(error.retry_after < 0 && error.resets_at == 0);
    privy_error_read_waiting(error.response, 990, &error); /* by a clock */
    assert_true(error.retry_after == (cases[i].reset > 0 ? cases[i].reset - 990 : -1));
    assert_true(error.resets_at == cases[i].reset && error.retry_at == error.resets_at);
    privy_rate_headers_read(error.response, &limits);
    assert_int_equal(limits.minute.known, cases[i].minute);
    assert_int_equal(limits.day.known, cases[i].day);
    if (limits.minute.known) assert_true(limits.minute.limit == 60 && limits.minute.resets_at == 1000);
    if (limits.day.known) assert_true(limits.day.limit == 10000 && limits.day.resets_at == 9000);
    privy_error_clear(&error);
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* Retry-After takes precedence, and the server's clock is not ours. */
static void what_an_error_says_of_time_agrees(void **state) {
  (void)state;
  static const struct {
    const char *headers;
    int status;
    double retry_after;
  } cases[] = {
      {DATE "Retry-After: 300\r\n" MINUTE("0"), 429, 300},
      {DATE MINUTE("0"), 429, 0}, /* that reset has passed long ago there */
      {"Retry-After: 7\r\n", 503, 7},
      {DATE "Retry-After: Wed, 21 Oct 2026 07:29:00 GMT\r\n", 503, 60},
      {"Retry-After: Thu, 01 Jan 1970 00:20:00 GMT\r\n", 503, 200},
      {"", 503, -1},
  };
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    privy_status status = parse_response("contacts.list", cases[i].status, cases[i].headers, "", &response, &error);
    CHECK_MEMORY(status != PRIVY_NO_MEMORY);
    privy_error_read_waiting(error.response, 1000, &error);
    assert_true(error.retry_after == cases[i].retry_after);
    assert_true(error.retry_at == (cases[i].retry_after < 0 ? 0 : 1000 + cases[i].retry_after));
    assert_true(error.resets_at == (cases[i].status == 429 ? error.retry_at : 0));
    privy_error_clear(&error);
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* ---- the struct itself ------------------------------------------------------------------------------------------- */

static void messages_are_cut_between_characters(void **state) {
  (void)state;
  char long_text[1600];
  privy_error error;
  privy_error_init(&error);
  for (size_t shift = 0; shift < 3; shift++) {
    memset(long_text, 'x', shift);
    for (size_t at = shift; at + 3 < sizeof long_text; at += 3) memcpy(long_text + at, "\xE2\x82\xAC", 4);
    CHECK_STATUS(privy_error_set(&error, PRIVY_CONFIG_ERROR, "%s", long_text), PRIVY_CONFIG_ERROR);
    const size_t length = strlen(error.message);
    assert_in_range(length, 1020, 1023);
    assert_int_equal(privy_utf8_valid(error.message, length), length);
  }
  /* Wrong bytes are shown as such, and nothing leaves the line. */
  CHECK_STATUS(privy_error_set(&error, PRIVY_CONFIG_ERROR, "%s", "to \xFFwhere"), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "to \xEF\xBF\xBDwhere");
  CHECK_STATUS(privy_error_set(&error, PRIVY_CONFIG_ERROR, "%s",
                               "a\r\nb\x1B[2J\xE2\x80\xAE"
                               "c\t\x7F"),
               PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "a\\r\\nb\\u001b[2J\\u202ec\\t\\u007f");
done:
  privy_error_clear(&error);
}

static void errors_are_used_again(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  assert_true(error.retry_after < 0 && error.code == PRIVY_OK);
  CHECK_STATUS(parse_response("contacts.create", 409, "X-Request-Id: a\r\n", "{\"id\":\"x\",\"errors\":[\"y\"]}",
                              &response, &error),
               PRIVY_CONFLICT);
  CHECK_STATUS(parse_response("contacts.create", 404, "X-Request-Id: b\r\n", "", &response, &error), PRIVY_NOT_FOUND);
  assert_string_equal(error.request_id, "b");
  assert_int_equal(error.details.count, 0);
  assert_int_equal(privy_error_no_memory(&error), PRIVY_NO_MEMORY);
  assert_string_equal(error.message, "out of memory");
  CHECK_STATUS(privy_error_set(&error, PRIVY_CONFIG_ERROR, "%d", 7), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "7");
  privy_error_clear(&error);
  assert_null(error.message);
  assert_null(error.response);
  privy_error_clear(&error);
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* ---- rows that are checked before the first request ---- */

static privy_status refuse_row(privy_error *error, uint64_t row, const char *field, const char *message) {
  return privy_error_add_row(error, row, field, message, "too_long", 500);
}

static void rows_are_refused_together(void **state) {
  (void)state;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(refuse_row(&error, 1, "email", "is not an e-mail address: jane@example"));
  CHECK_OK(refuse_row(&error, 1, "tags[0]", "must be a text"));
  CHECK_OK(refuse_row(&error, 12, "base", "must be a dict"));
  CHECK_STATUS(privy_error_refuse_rows(&error, 20), PRIVY_VALIDATION);
  assert_string_equal(
      error.message, "2 of 20 rows are invalid, nothing was sent: row 1: email is not an e-mail address: j***@example; "
                     "row 1: tags[0] must be a text; row 12: base must be a dict");
  assert_int_equal(error.details.count, 3);
  assert_string_equal(error.details.items[2].field, "[12].base");
  assert_string_equal(error.details.items[2].code, "too_long");
  assert_int_equal(error.details.items[2].count, 500);
  for (uint64_t row = 13; row < 17; row++) CHECK_OK(refuse_row(&error, row, "base", "is wrong"));
  CHECK_STATUS(privy_error_refuse_rows(&error, 20), PRIVY_VALIDATION);
  assert_non_null(strstr(error.message, "row 14: base is wrong; and 2 more errors"));
done:
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(every_shape_is_an_error),
      TEST(conflicts_have_the_contact_id_from_any_place),
      TEST(redirects_are_errors),
      TEST(how_long_to_wait),
      TEST(what_an_error_says_of_time_agrees),
      TEST(limits_are_read),
      TEST(messages_are_cut_between_characters),
      TEST(errors_are_used_again),
      TEST(rows_are_refused_together),
  };
  return HARNESS_RUN(tests);
}
