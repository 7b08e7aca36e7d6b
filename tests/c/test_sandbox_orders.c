/* Orders in the sandbox: the upsert, its contact, its integration, its money. */
#include "sandbox/amount.h"
#include "sandbox/state.h"
#include "test_sandbox.h"

#define ORDERS "/v1/orders/placed"
#define REST "'total':95,'currency':'USD','order_date':'2026-05-12T10:00:00Z'"
#define ORDER(id, who) "{'order_id':" id "," who "," REST "}"

static void creates_then_updates(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", ORDERS,
      "{'order_id':1001,'email':'a@b.c','total':95.0,'currency':'USD','order_date':'2026-05-12T12:30:00.250+02:00',"
      "'customer_id':'c-1','subtotal':90,'discounts':[{'code':'X','amount':5}],'tax_lines':[],'total_items':3,"
      "'financial_status':'paid','fulfillment_status':'unheard_of','line_items':[{'sku':'s','quantity':3,'own':[1]}],"
      "'billing_address':{'city':'Rome'},'accepts_email_marketing':false,'initial_sync':true}",
      201);
  assert_body(kit, "{'data':{'order_id':1001,'email':'a@b.c','phone':null,'customer_id':'c-1','total_items':3,"
                   "'financial_status':'paid','fulfillment_status':'unheard_of','accepts_email_marketing':false,"
                   "'accepts_sms_marketing':null,'source':'api','total_amount':'95.00','currency_code':'USD',"
                   "'placed_at':'2026-05-12T10:30:00.25Z','created_at':'2026-05-12T10:00:00Z',"
                   "'updated_at':'2026-05-12T10:00:00Z'}}");
  privy_sandbox_advance(kit.sandbox, 60);
  ASK(kit, "POST", ORDERS,
      "{'order_id':'1001','phone':'+14155550101','total':'120.5','currency':'EUR','order_date':'2026-05-13T00:00:00Z',"
      "'financial_status':'refunded'}",
      200);
  assert_body(kit, "{'data':{'order_id':'1001','email':'a@b.c','phone':'+14155550101','customer_id':'c-1',"
                   "'total_items':3,'financial_status':'refunded','fulfillment_status':'unheard_of',"
                   "'accepts_email_marketing':false,'accepts_sms_marketing':null,'source':'api',"
                   "'total_amount':'120.50','currency_code':'EUR','placed_at':'2026-05-13T00:00:00Z',"
                   "'created_at':'2026-05-12T10:00:00Z','updated_at':'2026-05-12T10:01:00Z'}}");
  assert_count(kit, orders, 1);
  assert_count(kit, contacts, 1);
  ASK(kit, "POST", ORDERS, ORDER("'01001'", "'email':'a@b.c'"), 201);
  ASK(kit, "POST", ORDERS, ORDER("'\\u0031001'", "'email':'a@b.c'"), 200);
  assert_count(kit, orders, 2);
done:
  kit_close(&kit);
}

static void refuses_what_is_wrong(void **state) {
  static const struct {
    const char *body, *detail;
  } cases[] = {
      {"{}", "{'field':'order_id','message':'is required'}"},
      {"{'order_id':1,'email':'a@b.c','currency':'USD','order_date':'2026-05-12T10:00:00Z'}", "'field':'total'"},
      {ORDER("0", "'email':'a@b.c'"),
       "{'field':'order_id','message':'must be a positive integer, or its digits as a string'}"},
      {ORDER("'A1'", "'email':'a@b.c'"), "'field':'order_id'"},
      {ORDER("1.5", "'email':'a@b.c'"), "'field':'order_id'"},
      {ORDER("1", "'customer_id':'x'"), "{'field':'base','message':'at least one of email, phone is required'}"},
      {ORDER("1", "'email':'nobody'"), "'field':'email'"},
      {ORDER("1", "'email':'a@b.c','accepts_sms_marketing':true"), "{'field':'base','message':'accepts_sms_marketing"},
      {ORDER("1", "'email':'a@b.c','total_items':-1"), "'field':'total_items'"},
      {ORDER("1", "'email':'a@b.c','line_items':[{'price':'1,0'}]"), "'field':'line_items[0].price'"},
      {ORDER("1", "'email':'a@b.c','shipping_address':{'city':1}"), "'field':'shipping_address.city'"},
      {"{'order_id':1,'email':'a@b.c','total':'1,000','currency':'usd','order_date':'yesterday'}",
       "[{'field':'total','message':'must be a number such as 95.00'},{'field':'currency',"},
      {"{'order_id':1,'email':'a@b.c','total':1e99,'currency':'USD','order_date':'2026-05-12T10:00:00Z'}",
       "[{'field':'total','message':'has more than 32 digits before or after the decimal point'}]"},
  };
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ASK(kit, "POST", ORDERS, cases[i].body, 422);
    assert_has(kit, cases[i].detail);
  }
  assert_count(kit, orders, 0);
  assert_count(kit, contacts, 0);
done:
  kit_close(&kit);
}

/* Whose order the first one is. */
static size_t owner(const sandbox_kit *kit) {
  return kit->sandbox->store.orders[0].contact;
}

static void finds_the_contact_by_email_then_by_phone(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", "/v1/contacts", "{'phone_number':'+14155550101'}", 201);
  ASK(kit, "POST", "/v1/contacts", "{'email':'a@b.c'}", 201);
  ASK(kit, "POST", ORDERS, ORDER("1", "'email':'A@B.C','phone':'+14155550101'"), 201);
  assert_int_equal(owner(&kit), 1);
  ASK(kit, "POST", ORDERS, ORDER("1", "'email':'new@b.c','phone':'+14155550101'"), 200);
  assert_int_equal(owner(&kit), 0);
  assert_count(kit, contacts, 2);
  ASK(kit, "POST", ORDERS, ORDER("1", "'email':'new@b.c','phone':'+14155550102'"), 200);
  assert_int_equal(owner(&kit), 2);
  assert_count(kit, contacts, 3);
  ASK(kit, "GET", "/v1/contacts?email=new@b.c", NULL, 200);
  assert_has(kit, "'phone_number':'+14155550102'");
  assert_has(kit, "'email_consent':'never_subscribed'");
  assert_has(kit, "'sms_consent':'never_subscribed'");
done:
  kit_close(&kit);
}

static void consents_apply_only_to_a_contact_of_its_own(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  static const char both[] = "'accepts_email_marketing':true,'accepts_sms_marketing':true";
  char body[512];
  CHECK_OK(kit_open(&kit));
  snprintf(body, sizeof body, "{'order_id':1,'email':'a@b.c','phone':'+14155550101',%s," REST "}", both);
  ASK(kit, "POST", ORDERS, body, 201);
  assert_has(kit, both);
  ASK(kit, "GET", "/v1/contacts?email=a@b.c", NULL, 200);
  assert_has(kit, "'email_consent':'subscribed'");
  assert_has(kit, "'sms_consent':'single_opt_in'");
  ASK(kit, "POST", "/v1/contacts", "{'email':'old@b.c'}", 201);
  snprintf(body, sizeof body, "{'order_id':2,'email':'old@b.c','phone':'+14155550102',%s," REST "}", both);
  ASK(kit, "POST", ORDERS, body, 201);
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  assert_has(kit, "'phone_number':null");
  assert_has(kit, "'email_consent':'never_subscribed'");
  assert_has(kit, "'sms_consent':'never_subscribed'");
  snprintf(body, sizeof body, "{'order_id':3,'phone':'+442079460000',%s," REST "}", both);
  ASK(kit, "POST", ORDERS, body, 201);
  ASK(kit, "GET", "/v1/contacts?phone_number=%2B442079460000", NULL, 200);
  assert_has(kit, "'sms_consent':'never_subscribed'");
  assert_count(kit, welcome_messages, 0);
done:
  kit_close(&kit);
}

static void a_deleted_contact_comes_back_with_an_order(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", "/v1/contacts", "{'email':'a@b.c'}", 201);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  ASK(kit, "POST", ORDERS, ORDER("1", "'email':'a@b.c'"), 201);
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  assert_count(kit, contacts, 1);
done:
  kit_close(&kit);
}

static size_t integration(const sandbox_kit *kit) {
  return kit->sandbox->store.orders[0].integration;
}

static void integrations(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  static const char order[] = ORDER("1", "'email':'a@b.c'");
  CHECK_OK(kit_open(&kit));
  kit.headers = "X-Privy-Integration-Token: int-2\r\n";
  ASK(kit, "POST", ORDERS, order, 422);
  assert_has(kit, "'details':[{'field':'integration_token',");
  assert_count(kit, orders, 0);
  kit.headers = NULL;
  ASK(kit, "POST", ORDERS, order, 201);
  assert_true(integration(&kit) == PRIVY_INTEGRATION_NONE);
  CHECK_OK(privy_sandbox_add_integration(kit.sandbox, "int-1", true));
  ASK(kit, "POST", ORDERS, order, 200);
  assert_int_equal(integration(&kit), 0);
  CHECK_OK(privy_sandbox_add_integration(kit.sandbox, "int-2", true));
  ASK(kit, "POST", ORDERS, order, 200);
  assert_true(integration(&kit) == PRIVY_INTEGRATION_NONE);
  kit.headers = "x-privy-integration-token: int-2\r\n";
  ASK(kit, "POST", ORDERS, order, 200);
  assert_int_equal(integration(&kit), 1);
  CHECK_OK(privy_sandbox_add_integration(kit.sandbox, "int-2", false));
  ASK(kit, "POST", ORDERS, order, 422);
  kit.headers = "X-Privy-Integration-Token:\r\n";
  ASK(kit, "POST", ORDERS, order, 422);
  assert_has(kit, "'field':'integration_token'");
  kit.headers = NULL;
  ASK(kit, "POST", ORDERS, order, 200);
  assert_int_equal(integration(&kit), 0);
done:
  kit_close(&kit);
}

static void amounts(void **state) {
  static const struct {
    const char *number, *amount;
  } cases[] = {
      {"0", "0.00"},
      {"-0.0", "0.00"},
      {"0e99999999999999999999", "0.00"},
      {"95", "95.00"},
      {"95.5", "95.50"},
      {"95.00", "95.00"},
      {"95.1000", "95.10"},
      {"0.125", "0.125"},
      {"-12.3", "-12.30"},
      {"1.5e3", "1500.00"},
      {"1.5E+3", "1500.00"},
      {"12345e-2", "123.45"},
      {"1e-7", "0.0000001"},
      {"0.000e5", "0.00"},
      {"0.00120e3", "1.20"},
      {"100e-1", "10.00"},
      {"79228162514264337593543950335.01", "79228162514264337593543950335.01"},
      {"1e31", "10000000000000000000000000000000.00"},
      {"1e32", NULL},
      {"1e-32", "0.00000000000000000000000000000001"},
      {"1e-33", NULL},
      {"1e99999999999999999999", NULL},
      {"1e-99999999999999999999", NULL},
      {"-99999999999999999999999999999999.99999999999999999999999999999999",
       "-99999999999999999999999999999999.99999999999999999999999999999999"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[PRIVY_AMOUNT_SIZE];
    const bool written = privy_amount_write(out, cases[i].number, strlen(cases[i].number));
    assert_int_equal(written, cases[i].amount != NULL);
    if (written) assert_string_equal(out, cases[i].amount);
  }
}

int main(void) {
  static harness_test tests[] = {
      TEST(creates_then_updates),
      TEST(refuses_what_is_wrong),
      TEST(finds_the_contact_by_email_then_by_phone),
      TEST(consents_apply_only_to_a_contact_of_its_own),
      TEST(a_deleted_contact_comes_back_with_an_order),
      TEST(integrations),
      TEST(amounts),
  };
  return HARNESS_RUN(tests);
}
