#include <stdio.h>
#include <string.h>

#include "../c/vectors.h"
#include "base/text.h"
#include "fuzz.h"
#include "privy_sandbox.h"

typedef struct seeder {
  fuzz_take_seed *take;
  void *context;
  privy_buffer seed;
  size_t seeds;
} seeder;

static void byte(seeder *s, size_t value) {
  HOLDS(privy_buffer_byte(&s->seed, (char)value));
}

static void bytes(seeder *s, const char *text, size_t length) {
  HOLDS(privy_buffer_append(&s->seed, text, length));
}

static void text(seeder *s, const char *words) {
  bytes(s, words, strlen(words));
}

static void decoded(seeder *s, privy_value string) {
  if (string.type == PRIVY_STRING) HOLDS(privy_value_decode(string, &s->seed) == PRIVY_OK);
}

static void give(seeder *s, int (*run)(const uint8_t *, size_t)) {
  for (size_t i = 0; i < sizeof fuzz_targets / sizeof *fuzz_targets; i++)
    if (fuzz_targets[i].run == run) s->take(&fuzz_targets[i], &s->seed, s->context);
  s->seed.length = 0;
}

/* "Name: value" lines, and the empty line after them. */
static void headers(seeder *s, privy_value object) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    decoded(s, key);
    text(s, ": ");
    decoded(s, value);
    text(s, "\n");
  }
  text(s, "\n");
}

static size_t position(const privy_operation *operation) {
  size_t index = 0;
  while (privy_operation_at(index) != operation) index++;
  return index;
}

/* ---- requests, as in fuzz_request.c ------------------------------------------------------------------------------ */

/* A length byte and the bytes; a longer string is cut. */
static void short_text(seeder *s, privy_value string, size_t most) {
  const size_t at = s->seed.length;
  byte(s, 0);
  decoded(s, string);
  if (s->seed.length - at - 1 > most) s->seed.length = at + 1 + most;
  s->seed.data[at] = (char)(s->seed.length - at - 1);
}

static void given(seeder *s, privy_value value);

static void given_members(seeder *s, privy_value container) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, container);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (key.type == PRIVY_STRING) short_text(s, key, 0x7f);
    given(s, value);
  }
}

static void given(seeder *s, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_TRUE: byte(s, 't'); break;
  case PRIVY_FALSE: byte(s, 'f'); break;
  case PRIVY_STRING:
    byte(s, 's');
    short_text(s, value, 0xff);
    break;
  case PRIVY_NUMBER:
    byte(s, 'n');
    value.type = PRIVY_STRING;
    short_text(s, value, 0xff);
    break;
  case PRIVY_ARRAY:
  case PRIVY_OBJECT:
    byte(s, value.type == PRIVY_ARRAY ? '[' : '{');
    given_members(s, value);
    byte(s, ']');
    break;
  default: byte(s, 'z');
  }
}

static void seed_raw(seeder *s, privy_value params) {
  const privy_value body = vector_member(params, "body");
  short_text(s, vector_member(params, "method"), 15);
  short_text(s, vector_member(params, "path"), 127);
  byte(s, body.type != PRIVY_ABSENT);
  if (body.type != PRIVY_ABSENT) given(s, body);
  byte(s, 0x80 | 'q');
  given_members(s, vector_member(params, "params"));
  byte(s, 0x80 | 'h');
  given_members(s, vector_member(params, "headers"));
}

static void seed_request(seeder *s, const vector_case *one) {
  byte(s, position(one->operation));
  if (one->operation) {
    given_members(s, one->params);
    byte(s, 0x80 | 'x');
    given_members(s, one->extra);
  } else {
    seed_raw(s, one->params);
  }
  give(s, fuzz_request);
}

/* ---- what goes over the wire ------------------------------------------------------------------------------------- */

/* The request, twice where a body makes a contact that a second one meets. */
static void seed_sandbox(seeder *s, privy_value request) {
  for (int again = 0; again < 2; again++) {
    if (again) byte(s, '\0');
    text(s, "+");
    decoded(s, vector_member(request, "method"));
    text(s, " ");
    decoded(s, vector_member(request, "target"));
    text(s, "\n");
    headers(s, vector_member(request, "headers"));
    decoded(s, vector_member(request, "body"));
  }
  give(s, fuzz_sandbox);
}

/* The same as HTTP/1.1: two requests over one connection. */
static void seed_http(seeder *s, privy_value request) {
  const privy_value body = vector_member(request, "body");
  char length[64];
  byte(s, s->seeds++);
  for (int again = 0; again < 2; again++) {
    decoded(s, vector_member(request, "method"));
    text(s, " ");
    decoded(s, vector_member(request, "target"));
    text(s, again ? " HTTP/1.0\r\nConnection: keep-alive\r\n" : " HTTP/1.1\r\nExpect: 100-continue\r\n");
    const size_t at = s->seed.length;
    decoded(s, body);
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", s->seed.length - at);
    s->seed.length = at;
    text(s, length);
    text(s, "Host: privy:8089\r\nAuthorization: Bearer " PRIVY_SANDBOX_TOKEN "\r\n\r\n");
    decoded(s, body);
  }
  give(s, fuzz_http);
}

/* What no vector sends. */
static void seed_odd_http(seeder *s) {
  static const char *const requests[] = {
      "\r\n\r\nTRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET / HTTP/1.1\nHost: localhost\n\n",
      "HEAD /v1/contacts HTTP/1.1\r\nHost: [::1]:1\r\nOrigin: http://localhost:2\r\nConnection: close\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
      "POST / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\nOrigin: null\r\n\r\n",
      "GET / HTTP/2.0\r\nA: b\r\n c\r\n\r\n\r",
  };
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    byte(s, i);
    text(s, requests[i]);
    give(s, fuzz_http);
  }
}

static void seed_answer(seeder *s, const vector_case *one) {
  static const char *const statuses[] = {"200", "201", "202", "204", "400", "401", "403", "404",
                                         "409", "413", "422", "429", "500", "503", "302"};
  const privy_value status = vector_member(one->response, "status"), body = vector_member(one->response, "body");
  size_t index = 0;
  while (index < sizeof statuses / sizeof *statuses && !privy_text_is(status.text, status.length, statuses[index]))
    index++;
  byte(s, position(one->operation));
  byte(s, index);
  headers(s, vector_member(one->response, "headers"));
  decoded(s, body);
  give(s, fuzz_response);
  decoded(s, body);
  give(s, fuzz_json);
}

/* What no request of the vectors reaches: contacts by their id, tokens, pages, time. */
static void seed_life(seeder *s) {
  static const char *const requests[] = {
      "+POST /v1/contacts\n\n{\"email\":\"a@b.c\",\"phone_number\":\"+14155550171\",\"sms_consent\":\"subscribed\"}",
      "+GET /v1/contacts/$\n\n",
      "+PATCH /v1/contacts/$\n\n{\"first_name\":\"Zo\xc3\xab\",\"tags\":[\"a\"],\"custom_fields\":{\"k\":null}}",
      "+POST /v1/contacts\n\n{\"email\":\"a@b.c\"}",
      "+POST /v1/contacts/$/unsubscribe\n\n{\"reason\":\"enough\"}",
      "+GET /v1/contacts?page=1&per_page=1&email=a%40b.c&email_consent=unsubscribed\n\n",
      "+POST /v1/orders/placed\nX-Privy-Integration-Token: t\n\n{\"order_id\":\"1\",\"email\":\"a@b.c\",\"total\":9.5,"
      "\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\",\"line_items\":[{\"sku\":\"s\",\"price\":\"1e2\"}]"
      "}",
      "+POST /v1/events\nIdempotency-Key: k\n\n{\"event_type\":\"seen\",\"privy_id\":\"cus_A1b2C3d4E5f6G7h8\"}",
      "~+DELETE /v1/contacts/$\n\n",
      "POST /oauth/token\nContent-Type: application/x-www-form-urlencoded\n\n"
      "grant_type=client_credentials&client_id=" PRIVY_SANDBOX_CLIENT_ID "&client_secret=" PRIVY_SANDBOX_CLIENT_SECRET
      "&scope=contacts_read",
      "GET /v1/contacts\nAuthorization: Bearer nobody\n\n",
  };
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    if (i) byte(s, '\0');
    text(s, requests[i]);
  }
  give(s, fuzz_sandbox);
}

static void seed_json(seeder *s) {
  static const char *const texts[] = {
      "[1e400,-0,0.10,1E+2,-12.5e-3,123456789012345678901234567890]",
      "[\"\\ud83d\\ude00\",\"\\ud83d\",\"\\ude00\\ud83d\",\"\\u0000\\b\\f\\n\\r\\t\\/\\\\\\\"\"]",
      "[\"\xf0\x9f\x98\x80\",\"\xed\xa0\x80\",\"\xc3\"]",
      "{\"a\":1,\"a\":2,\"\":{\"\\u0061\":[]}}",
      " \t\r\n[ true , false , null ] \n",
      "NaN",
      "[Infinity,-Infinity]",
      "\xef\xbb\xbf{}",
      "[1,]",
      "{\"a\":1,}",
      "[01]",
      "[\"a\tb\"]",
      "\"12345678\\\"12345678\x7f\""};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    text(s, texts[i]);
    give(s, fuzz_json);
  }
  for (size_t levels = 127; levels <= 129; levels++) {
    for (size_t i = 0; i < levels; i++) text(s, i % 2 ? "{\"k\":" : "[");
    for (size_t i = levels; i-- > 0;) text(s, i % 2 ? "}" : "]");
    give(s, fuzz_json);
  }
}

/* Files for each map of fuzz_import.c. */
static void seed_imports(seeder *s) {
  static const char *const files[] = {
      "a,b,c,d,e,f,g,h,i\n#1,$1,234.50,2026-01-02,x@y.z,(415) 555-0171,usd,T-1,2,1.5\n1,,,,,,T-2,1.0,(2)\nC1,,,,,,,,\n"
      "2,5,13/04/2026 9:30 PM,x@y.z,+14155550171,EUR,T,1,\xe2\x82\xac 5\n#1,,,,,,T-3,1,1\n",
      "\xef\xbb\xbf"
      "a;b;c;d;e;f;g;h\r\nx1;2;x@y.z;3.4.2026;1.234,50;p, q;\"r\ns\";si\r\n",
      "email,phone_number,tags,email_consent,sms_consent,custom_fields.x,send_welcome_sms\n"
      "a@b.c,0014155550171,\"a, b\",yes,no,1.5551E+10,TRUE\n,'+14155550171,,SUBSCRIBED,single_opt_in,NULL,maybe\n",
      "order_id,total,currency,order_date,email,line_items.sku,line_items.quantity,billing_address.city\n"
      "1,1,USD,2026-01-02T10:00:00Z,a@b.c,s,1,K\xf6ln\n2,1\n1,2,USD,Mar 4, 2026,a@b.c,s,1,x,y\n",
      "Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem price,Billing Zip,Tax 1 Value\n"
      "#1001,a@b.c,paid,USD,12.50,2026-01-01 10:00:00 -0500,1,12.50,'75008,1.00\n#1001,,,,,,2,\"1,234\",,\n",
      "First Name,Last Name,Email,Accepts Email Marketing,Accepts SMS Marketing,Phone,Tags,Total Orders,Customer ID\n"
      "J,D,a@b.c,yes,no,'+14155550171,\"x, y\",3,'123\n",
      "sep=|\na|b\n\"1|2\n",
  };
  for (size_t way = 0; way < 6; way++) {
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
      byte(s, way);
      byte(s, i);
      text(s, files[i]);
      give(s, fuzz_import);
    }
  }
}

void fuzz_seeds(fuzz_take_seed *take, void *context) {
  seeder s = {.take = take, .context = context};
  const vector_list list = vectors();
  seed_json(&s);
  seed_life(&s);
  seed_odd_http(&s);
  seed_imports(&s);
  for (size_t i = 0; i < list.count; i++) {
    const vector_case *one = &list.items[i];
    if (one->response.type == PRIVY_OBJECT) {
      seed_answer(&s, one);
      continue;
    }
    seed_request(&s, one);
    bytes(&s, one->params.text, one->params.length);
    give(&s, fuzz_json);
    if (one->request.type == PRIVY_OBJECT) seed_sandbox(&s, one->request);
    if (one->request.type == PRIVY_OBJECT) seed_http(&s, one->request);
  }
  privy_buffer_clear(&s.seed);
  vectors_free();
}
