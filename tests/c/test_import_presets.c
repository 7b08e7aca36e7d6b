/* Presets: what the exports of shops become, and that their table is sound. */
#include "import_scene.h"

#include <stdio.h>

#include "message_text.h"

/* Imports the file by a preset and compares what became of its rows. */
#define CHECK_PRESET(of, name, file, expected)                                                                         \
  do {                                                                                                                 \
    scene.config.operation = privy_operation_find(of);                                                                 \
    scene.config.preset = name;                                                                                        \
    CHECK_OK(scene_open(&scene, NULL));                                                                                \
    CHECK_OK(scene_import(&scene, file));                                                                              \
    assert_text(scene.out.data, scene.out.length, expected);                                                           \
  } while (0)

#define SHOPIFY                                                                                                        \
  "Name,Email,Financial Status,Accepts Marketing,Currency,Total,Discount Code,Discount Amount,Created at,"             \
  "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Name,Billing Zip,Billing Country,"              \
  "Billing Phone,Id,Tax 1 Name,Tax 1 Value,Phone\n"

static void an_order_of_shopify(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_PRESET("orders.upsert", "auto",
               SHOPIFY "#1001,a@b.c,paid,yes,USD,12.50,SPRING,2.00,2026-03-02 10:15:00 -0500,2,Tea,5.00,T-1,"
                       "Jane van Dyk,'94110,US,(415) 555-0171,555,VAT,0.50,\n"
                       "#1001,a@b.c,,,,,,,,1,Cosy,4.50,T-2,,,,,,,,\n",
               "ready {\"order_id\":\"1001\",\"email\":\"a@b.c\",\"phone\":\"+14155550171\",\"total\":12.50,"
               "\"currency\":\"USD\",\"order_date\":\"2026-03-02T15:15:00Z\",\"discounts\":[{\"code\":\"SPRING\","
               "\"amount\":2.00}],\"tax_lines\":[{\"title\":\"VAT\",\"amount\":0.50}],\"financial_status\":\"paid\","
               "\"line_items\":[{\"sku\":\"T-1\",\"name\":\"Tea\",\"quantity\":2,\"price\":5.00},{\"sku\":\"T-2\","
               "\"name\":\"Cosy\",\"quantity\":1,\"price\":4.50}],\"billing_address\":{\"first_name\":\"Jane\","
               "\"last_name\":\"van Dyk\",\"country_code\":\"US\",\"postal_code\":\"94110\"},"
               "\"accepts_email_marketing\":true,\"initial_sync\":true}\n");
done:
  scene_end(&scene);
}

/* A bad phone number does not refuse an order that has an e-mail address. A discount of zero is none. */
static void what_does_not_matter_does_not_refuse_an_order(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_PRESET("orders.upsert", "shopify",
               SHOPIFY "#1,a@b.c,paid,no,USD,1,,0.00,2026-03-02Z,,,,,,,,call me,,,,\n"
                       "#2,,paid,no,USD,1,,0.00,2026-03-02Z,,,,,,,,call me,,,,\n",
               "ready {\"order_id\":\"1\",\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
               "\"2026-03-02T00:00:00Z\",\"financial_status\":\"paid\",\"accepts_email_marketing\":false,"
               "\"initial_sync\":true}\n"
               "refused {\"order_id\":\"2\",\"total\":1,\"currency\":\"USD\",\"order_date\":"
               "\"2026-03-02T00:00:00Z\",\"financial_status\":\"paid\",\"accepts_email_marketing\":false,"
               "\"initial_sync\":true}\n  3 base identifier_required \n");
done:
  scene_end(&scene);
}

/* "no" is not sent: it would lower a consent that was given elsewhere. */
static void consents_of_shopify(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_PRESET("contacts.upsert", "auto",
               "First Name,Last Name,Email,Accepts Email Marketing,Default Address Phone,Phone,"
               "Accepts SMS Marketing,Total Spent,Tax Exempt,Tags\n"
               "Jane,Miller,a@b.c,yes,,'+14155550171,yes,1,no,\"vip, tea\"\n"
               ",,d@e.f,no,+14155550172,,no,1,no,\n"
               ",,g@h.i,,+14155550172,,yes,1,no,\n",
               "ready {\"email\":\"a@b.c\",\"phone_number\":\"+14155550171\",\"first_name\":\"Jane\",\"last_name\":"
               "\"Miller\",\"email_consent\":\"subscribed\",\"sms_consent\":\"subscribed\",\"tags\":[\"vip\",\"tea\"],"
               "\"send_welcome_sms\":false}\n"
               "ready {\"email\":\"d@e.f\",\"send_welcome_sms\":false}\n"
               "refused {\"email\":\"g@h.i\",\"sms_consent\":\"subscribed\",\"send_welcome_sms\":false}\n"
               "  4 base phone_required \n");
done:
  scene_end(&scene);
}

static void an_order_of_woocommerce(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  scene.config.currency = "EUR";
  scene.config.timezone = "Europe/Berlin";
  CHECK_PRESET("orders.upsert", "auto",
               " Order Number ;Order Date;Email (Billing);Order Total Amount;SKU;Quantity;Item Cost;Coupon Code;"
               "Discount Amount\n"
               "7;02.03.2026 14:05;a@b.c;10,00;T-1;2;2,50;SPRING;1,00\n"
               "7;02.03.2026 14:05;a@b.c;10,00;T-2;1;5,00;;\n",
               "ready {\"order_id\":\"7\",\"email\":\"a@b.c\",\"total\":10.00,\"currency\":\"EUR\",\"order_date\":"
               "\"2026-03-02T13:05:00Z\",\"discounts\":[{\"code\":\"SPRING\",\"amount\":1.00}],\"line_items\":["
               "{\"sku\":\"T-1\",\"quantity\":2,\"price\":2.50},{\"sku\":\"T-2\",\"quantity\":1,\"price\":5.00}],"
               "\"initial_sync\":true}\n");
done:
  scene_end(&scene);
}

static void an_order_of_webtoffee(void **state) {
  (void)state;
  import_scene scene;
  privy_span unused;
  scene_begin(&scene);
  CHECK_PRESET("orders.upsert", "auto",
               "order_id,order_number,order_date,status,order_total,order_currency,customer_id,billing_email,"
               "billing_company,line_item_1,own\n"
               "12,7,2026-03-02 14:05Z,completed,10,EUR,0,a@b.c,Tea Ltd,name:Tea|quantity:1,x\n",
               "ready {\"order_id\":\"7\",\"email\":\"a@b.c\",\"total\":10,\"currency\":\"EUR\",\"order_date\":"
               "\"2026-03-02T14:05:00Z\",\"financial_status\":\"completed\",\"initial_sync\":true}\n");
  assert_true(privy_import_unused(scene.import, 0, &unused));
  assert_text(unused.text, unused.length, "own");
  assert_false(privy_import_unused(scene.import, 1, &unused));
done:
  scene_end(&scene);
}

/* The grid has no currency but the sign of the amount. */
#define MAGENTO "ID,Purchase Date,Bill-to Name,Grand Total (Purchased),Customer Email,Status,Subtotal\n"

static void currencies_of_magento(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  CHECK_PRESET("orders.upsert", "magento",
               MAGENTO "11,2026-03-02Z,Jane,\"\xe2\x82\xac"
                       "1,020.00\",a@b.c,complete,\"$1,100.00\"\n"
                       "12,2026-03-02Z,,$5.00,a@b.c,complete,\n13,2026-03-02Z,,5.00,a@b.c,complete,\n"
                       "14,2026-03-02Z,,Free,a@b.c,complete,\n",
               "ready {\"order_id\":\"11\",\"email\":\"a@b.c\",\"total\":1020.00,\"currency\":\"EUR\","
               "\"order_date\":\"2026-03-02T00:00:00Z\",\"financial_status\":\"complete\",\"billing_address\":"
               "{\"first_name\":\"Jane\"},\"initial_sync\":true}\n"
               "refused {\"order_id\":\"12\",\"email\":\"a@b.c\",\"total\":5.00,\"order_date\":"
               "\"2026-03-02T00:00:00Z\",\"financial_status\":\"complete\",\"initial_sync\":true}\n"
               "  3 currency invalid_currency $5.00\n"
               "refused {\"order_id\":\"13\",\"email\":\"a@b.c\",\"total\":5.00,\"order_date\":"
               "\"2026-03-02T00:00:00Z\",\"financial_status\":\"complete\",\"initial_sync\":true}\n"
               "  4 currency required 5.00\n"
               "refused {\"order_id\":\"14\",\"email\":\"a@b.c\",\"currency\":\"Free\",\"order_date\":"
               "\"2026-03-02T00:00:00Z\",\"financial_status\":\"complete\",\"initial_sync\":true}\n"
               "  5 total not_a_number Free\n  5 currency invalid_currency Free\n");
done:
  scene_end(&scene);
}

static void the_currency_of_the_shop_decides_what_a_sign_is(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  scene.config.currency = "CAD";
  CHECK_PRESET("orders.upsert", "magento",
               MAGENTO "12,2026-03-02Z,,$5.00,a@b.c,,\n13,2026-03-02Z,,5.00,a@b.c,,\n14,2026-03-02Z,,US$5.00,a@b.c,,\n",
               "ready {\"order_id\":\"12\",\"email\":\"a@b.c\",\"total\":5.00,\"currency\":\"CAD\",\"order_date\":"
               "\"2026-03-02T00:00:00Z\",\"initial_sync\":true}\n"
               "ready {\"order_id\":\"13\",\"email\":\"a@b.c\",\"total\":5.00,\"currency\":\"CAD\",\"order_date\":"
               "\"2026-03-02T00:00:00Z\",\"initial_sync\":true}\n"
               "ready {\"order_id\":\"14\",\"email\":\"a@b.c\",\"total\":5.00,\"currency\":\"USD\",\"order_date\":"
               "\"2026-03-02T00:00:00Z\",\"initial_sync\":true}\n");
done:
  scene_end(&scene);
}

static void contacts_of_woocommerce_and_magento(void **state) {
  (void)state;
  static const struct {
    const char *file, *expected;
  } cases[] = {
      {"Name,Username,Last active,Email,Orders,AOV\nJane van Dyk,jd,x,a@b.c,3,1\nMadonna,m,x,d@e.f,3,1\n",
       "ready {\"email\":\"a@b.c\",\"first_name\":\"Jane\",\"last_name\":\"van Dyk\"}\n"
       "ready {\"email\":\"d@e.f\",\"first_name\":\"Madonna\"}\n"},
      {"email,_website,firstname,lastname,group_id,password_hash\na@b.c,base,Jane,Miller,1,abc\n",
       "ready {\"email\":\"a@b.c\",\"first_name\":\"Jane\",\"last_name\":\"Miller\"}\n"},
      {"ID,Name,Email,Phone,Customer Since,Web Site\n7,Jane Miller,a@b.c,+14155550171,x,y\n",
       "ready {\"email\":\"a@b.c\",\"phone_number\":\"+14155550171\",\"first_name\":\"Jane\",\"last_name\":"
       "\"Miller\"}\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    import_scene scene;
    privy_span unused;
    bool passed = false;
    scene_begin(&scene);
    CHECK_PRESET("contacts.upsert", "auto", cases[i].file, cases[i].expected);
    assert_false(privy_import_unused(scene.import, 0, &unused));
    passed = true;
  done:
    scene_end(&scene);
    if (!passed) return;
  }
}

static void a_file_that_no_preset_knows(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  scene.config.preset = "auto";
  CHECK_OK(scene_open(&scene, NULL));
  CHECK_STATUS(scene_import(&scene, "Date,Order #,Status,Net Sales\n"), PRIVY_VALIDATION);
  assert_details(&scene.error.details,
                 "preset: no preset fits the columns: give a map, or choose one of shopify, woocommerce, webtoffee, "
                 "magento");
done:
  scene_end(&scene);
}

static void a_preset_of_another_operation(void **state) {
  (void)state;
  import_scene scene;
  scene_begin(&scene);
  scene.config.preset = "magento_grid";
  CHECK_STATUS(scene_open(&scene, NULL), PRIVY_VALIDATION);
  assert_details(&scene.error.details,
                 "preset: there is no preset magento_grid for orders.upsert: there are shopify, woocommerce, "
                 "webtoffee, magento");
done:
  scene_end(&scene);
}

/* Each preset opens: its fields are parameters of its operation. */
static void each_preset_is_sound(void **state) {
  (void)state;
  const privy_import_preset_info *preset;
  for (size_t i = 0; (preset = privy_import_preset_at(i)) != NULL; i++) {
    import_scene scene;
    bool passed = false;
    scene_begin(&scene);
    scene.config.operation = privy_operation_find(preset->operation);
    scene.config.preset = preset->name;
    CHECK_OK(scene_open(&scene, NULL));
    const privy_status status = scene_import(&scene, "Unknown\n");
    if (status == PRIVY_NO_MEMORY) goto done;
    for (size_t n = 0; n < scene.error.details.count; n++)
      assert_string_equal(scene.error.details.items[n].code, "required");
    passed = true;
  done:
    scene_end(&scene);
    if (!passed) return;
  }
}

int main(void) {
  static harness_test tests[] = {
      TEST(an_order_of_shopify),
      TEST(what_does_not_matter_does_not_refuse_an_order),
      TEST(consents_of_shopify),
      TEST(an_order_of_woocommerce),
      TEST(an_order_of_webtoffee),
      TEST(currencies_of_magento),
      TEST(the_currency_of_the_shop_decides_what_a_sign_is),
      TEST(contacts_of_woocommerce_and_magento),
      TEST(a_file_that_no_preset_knows),
      TEST(a_preset_of_another_operation),
      TEST(each_preset_is_sound),
  };
  return HARNESS_RUN(tests);
}
