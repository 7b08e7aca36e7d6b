# frozen_string_literal: true

require_relative "helper"

# Every method, over a real socket and in process.
class TestOperations < PrivyTest
  include BothWays

  def test_create_get_update_delete
    each_way do |client, sandbox|
      jane = client.contacts.create(email: JANE, first_name: "Jane", tags: %w[vip], custom_fields: { size: 39 })
      assert_match(/\Acus_\w{16}\z/, jane.id)
      assert_equal [JANE, "Jane", "never_subscribed", ["vip"], { "size" => 39 }],
                   [jane.email, jane.first_name, jane.email_consent, jane.tags, jane.custom_fields]
      assert_equal jane, client.contacts.get(jane.id)
      changed = client.contacts.update(jane.id, first_name: nil, last_name: "Doe", email_consent: :subscribed)
      assert_equal [nil, "Doe", "subscribed"], [changed.first_name, changed.last_name, changed.email_consent]
      assert_equal jane.id, client.contacts.delete(jane.id).id
      assert_equal jane.id, refused(Privy::NotFoundError) { client.contacts.get(jane.id) }.path[/cus_\w+/]
      assert_equal 0, sandbox.counts.contacts
    end
  end

  def test_upsert_creates_then_updates
    each_way do |client, sandbox|
      first = client.contacts.upsert(email: JANE, first_name: "Jane")
      second = client.contacts.upsert(email: JANE, last_name: "Doe", phone_number: PHONE)
      assert_equal first.id, second.id
      assert_equal ["Jane", "Doe", PHONE], [second.first_name, second.last_name, second.phone_number]
      assert_equal 1, sandbox.counts.contacts
      assert_equal 3, sandbox.counts.requests
      assert_equal second, client.contacts.upsert(email: JANE)
    end
  end

  def test_sms_consent_and_welcome
    each_way do |client, sandbox|
      jane = client.contacts.create(phone_number: PHONE, sms_consent: "subscribed")
      assert_equal "subscribed", jane.sms_consent
      client.contacts.create(phone_number: "+14155550172", sms_consent: :subscribed, send_welcome_sms: false)
      assert_equal 1, sandbox.counts.welcome_messages
      assert_equal ["phone_number"], fields { client.contacts.update(jane.id, phone_number: "+14155550199") }
    end
  end

  def test_unsubscribe_is_deprecated
    each_way do |client, _sandbox|
      jane = client.contacts.create(email: JANE, email_consent: :subscribed)
      _out, warned = capture_io { jane = client.contacts.unsubscribe(jane.id, reason: "asked by mail") }
      assert_equal "unsubscribed", jane.email_consent
      assert_match(/contacts.unsubscribe is deprecated/, warned)
      assert_includes warned, __FILE__
    end
  end

  def test_an_order_upsert_creates_then_updates
    each_way do |client, sandbox|
      order = client.orders.upsert(**ORDER, line_items: [{ sku: "A-1", quantity: 2, price: "47.50", colour: "red" }],
                                            billing_address: { city: "Boston" }, total_items: 2)
      assert_equal [true, 1001, BigDecimal("95"), "USD", 2, "api", Time.utc(2026, 5, 12, 10)],
                   [order.created, order.order_id, order.total_amount, order.currency_code, order.total_items,
                    order.source, order.placed_at]
      again = client.orders.upsert(**ORDER, total: 89.9, financial_status: :refunded)
      assert_equal [false, BigDecimal("89.9"), "refunded", 2],
                   [again.created, again.total_amount, again.financial_status, again.total_items]
      assert_equal [1, 1], [sandbox.counts.orders, sandbox.counts.contacts]
    end
  end

  def test_orders_of_an_integration
    each_way do |client, sandbox|
      sandbox.add_integration("shop-1")
      sandbox.add_integration("shop-2", active: false)
      assert client.orders.upsert(**ORDER, order_id: "2001", integration_token: "shop-1").created
      refused { client.orders.upsert(**ORDER, integration_token: "shop-2") }
      refused { client.orders.upsert(**ORDER, integration_token: "unknown") }
    end
  end

  def test_an_event_is_accepted_once_per_idempotency_key
    each_way do |client, sandbox|
      receipt = client.events.ingest("purchase_completed", email: JANE, event_time: Time.utc(2026, 5, 12),
                                                           event_data: { items: [{ sku: "A", price: 1.5 }], gift: nil },
                                                           idempotency_key: "k-1")
      assert_equal ["accepted", false], [receipt.status, receipt.idempotent_replay]
      again = client.events.ingest(:purchase_completed, email: JANE, idempotency_key: "k-1")
      assert_equal [receipt.event_id, true], [again.event_id, again.idempotent_replay]
      assert_equal [1, 1], [sandbox.counts.events, sandbox.counts.contacts]
    end
  end

  def test_a_raw_request_returns_status_headers_and_json
    each_way do |client, sandbox|
      sandbox.set_limits(per_minute: 60)
      made = client.request(:POST, "/contacts", body: { email: JANE })
      assert_equal 201, made.status
      assert_equal JANE, made.json.fetch("data").fetch("email")
      found = client.request("GET", "/contacts", params: { email: JANE, per_page: 5 }, headers: { "X-Trace" => "7" })
      assert_equal({ "page" => 1, "per_page" => 5, "total_count" => 1, "total_pages" => 1 }, found.json["pagination"])
      assert_equal "60", found.headers["x-ratelimit-limit-minute"]
      assert found.request_id
      assert_predicate found, :frozen?
      refused(Privy::NotFoundError) { client.request("GET", "/no/such/thing") }
    end
  end

  def test_the_method_of_a_raw_request_is_a_symbol_of_any_case
    client = Privy::Sandbox.new.client
    %i[get GET Get].each { |method| assert_equal 200, client.request(method, "/contacts").status }
    assert_equal ["method"], fields { client.request("get", "/contacts") }
    assert_equal ["method"], fields { client.request(:brew, "/contacts") }
  end

  def test_raw_responses_without_json
    stubbed({ status: 204 }, { body: "<p>no</p>" }) do |client, _server|
      gone = client.request("DELETE", "/things/1")
      assert_equal [204, ""], [gone.status, gone.body]
      assert_equal "the response is empty (HTTP 204)", refused(Privy::APIStatusError) { gone.json }.message
      page = client.request("GET", "/page")
      refute_match(/<p>/, page.inspect)
      error = refused(Privy::APIStatusError) { page.json }
      assert_equal ["the response is not JSON: expected a value at byte 0", 200, "<p>no</p>"],
                   [error.message, error.status, error.body]
    end
  end

  def test_a_deletion_answered_without_a_body
    stubbed({ status: 204 }) { |client, _server| assert_nil client.contacts.delete(NOBODY) }
  end

  def test_unknown_fields_travel_as_extra
    stubbed do |client, server|
      client.contacts.create(email: JANE, extra: { "nickname" => "J", vip_level: 3 })
      assert_equal({ "email" => JANE, "nickname" => "J", "vip_level" => 3 }, JSON.parse(server.requests.last.body))
    end
  end

  def test_what_every_request_carries
    stubbed do |client, server|
      client.contacts.get(NOBODY)
      headers = server.requests.last.headers
      assert_equal "Bearer privy_#{'0' * 40}", headers["authorization"]
      agent = Regexp.escape("privy/#{Privy::VERSION} ruby/#{RUBY_VERSION}")
      assert_match(%r{\A#{agent} libcurl/\d+\.\d+\.\d+\z}, headers["user-agent"])
    end
  end

  def test_one_connection_serves_many_calls
    stubbed do |client, server|
      20.times { client.contacts.get(NOBODY) }
      assert_equal [20, 1], [server.requests.length, server.connections]
    end
  end

  def test_consents_are_filters
    each_way do |client, sandbox|
      kept = client.contacts.create(email: JANE)
      client.contacts.create(email: "joe@example.com", email_consent: :subscribed)
      sandbox.set_consent(kept.id, :email_consent, :compliance_suppressed)
      assert_equal [kept.id], client.contacts.list(email_consent: :compliance_suppressed).map(&:id)
      assert_equal ["joe@example.com"], client.contacts.list(email_consent: :subscribed).map(&:email)
      refused { client.contacts.update(kept.id, email_consent: :subscribed) }
    end
  end
end
