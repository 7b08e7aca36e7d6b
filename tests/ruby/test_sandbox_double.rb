# frozen_string_literal: true

require_relative "helper"

# The sandbox as a test double: what it received, what it stores, faults of one operation.
class TestSandboxDouble < PrivyTest
  ORDER = { email: "jane@example.com", total: "95.00", currency: "USD", order_date: "2026-05-12T10:00:00Z" }.freeze
  AT = Time.utc(2026, 5, 12, 10)

  def setup
    @sandbox = Privy::Sandbox.new
    @sandbox.set_clock(AT)
    @client = @sandbox.client(max_retries: 0)
  end

  def test_requests_are_recorded_with_what_became_of_them
    @client.contacts.create(email: JANE, first_name: "Jäne")
    @sandbox.advance(1.5)
    assert_raises(Privy::ConflictError) { @client.contacts.create(email: JANE) }
    @client.request("GET", "/contacts", params: { email: JANE })
    created, refused, listed = @sandbox.requests
    assert_equal ["POST", "/contacts", "contacts.create", 201], [created.method, created.path, created.operation,
                                                                 created.status]
    assert_equal({ "email" => JANE, "first_name" => "Jäne" }, created.json)
    assert_equal [AT, AT + 1.5, 409], [created.at, refused.at, refused.status]
    assert_equal ["/contacts?email=jane%40example.com", "", nil], [listed.path, listed.body, listed.json]
    assert_predicate @sandbox.requests, :frozen?
    assert_equal created, @sandbox.requests.first
    assert_equal created.hash, @sandbox.requests.first.hash
    assert_predicate created, :frozen?
    assert_equal 409, (refused in { status: Integer => status }) && status
  end

  def test_requests_hold_no_secret_and_are_masked
    @sandbox.add_integration("shop-secret")
    @client.orders.upsert(order_id: 1, integration_token: "shop-secret", **ORDER)
    oauth = @sandbox.client(client_id: Privy::Sandbox::CLIENT_ID, client_secret: Privy::Sandbox::CLIENT_SECRET)
    oauth.contacts.list(email: JANE).to_a
    order, token, list = @sandbox.requests
    assert_match(/json/, order.headers["content-type"])
    refute_includes order.headers, "authorization"
    refute_includes order.to_h.to_s, "shop-secret"
    assert_equal ["/oauth/token", nil, nil], [token.path, token.body, token.json]
    assert_equal "contacts.list", list.operation
    refute_includes @sandbox.requests.inspect, "jane@"
    assert_includes order.inspect, "j***@example.com"
  end

  def test_a_body_that_is_not_json
    headers = { "Authorization" => "Bearer #{@sandbox.token}", "X-A" => "1", "x-a" => "2" }
    @sandbox.handle("POST", "/contacts", headers, "{\xFF".b)
    request = @sandbox.requests.first
    assert_equal [400, "{\xFF".b, nil, "1, 2"], [request.status, request.body, request.json, request.headers["x-a"]]
    assert_includes request.inspect, "status=400"
  end

  def test_the_newest_requests_are_kept
    1003.times { |number| @sandbox.handle("GET", "/#{number}") }
    assert_equal [1000, "/3", "/1002"], [@sandbox.requests.size, *@sandbox.requests.values_at(0, -1).map(&:path)]
    @sandbox.keep_requests(2)
    assert_equal %w[/1001 /1002], @sandbox.requests.map(&:path)
    @sandbox.reset
    assert_empty @sandbox.requests
    @sandbox.keep_requests(0)
    @sandbox.handle("GET", "/a")
    assert_empty @sandbox.requests
    assert_raises(ArgumentError) { @sandbox.keep_requests(-1) }
  end

  def test_contacts_are_found_by_each_key
    jane = @client.contacts.create(email: "Jane@example.com", phone_number: "+14155550171", tags: ["vip"])
    bob = @client.contacts.create(email: "bob@example.com")
    contacts = @sandbox.contacts
    [jane.id, JANE, "JANE@example.com", "+14155550171"].each { |key| assert_equal jane, contacts[key] }
    assert_equal [jane, bob], contacts.to_a
    assert_equal [2, 2], [contacts.size, contacts.each.size]
    @client.contacts.delete(bob.id)
    assert_nil contacts[bob.id]
    assert_nil contacts[5]
    refute contacts.key?("bob@example.com")
    assert_raises(KeyError) { contacts.fetch("bob@example.com") }
    assert_equal "#<Privy::Sandbox::Contacts size=1>", contacts.inspect
  end

  def test_orders_have_all_that_was_sent
    @client.orders.upsert(order_id: 1001, line_items: [{ sku: "A", quantity: 2 }], **ORDER)
    order = @sandbox.orders.fetch(1001)
    assert_equal order, @sandbox.orders["1001"]
    assert_equal [95, "USD", AT], [order.total_amount, order.currency_code, order.placed_at]
    assert_equal [95, [{ "sku" => "A", "quantity" => 2 }]], [order["total"], order["line_items"]]
    assert_equal [1001], @sandbox.orders.map(&:order_id)
    assert_nil @sandbox.orders[7]
    assert_nil @sandbox.orders[nil]
    assert_equal 1, @sandbox.orders.size
  end

  def test_events_are_stored_once_and_in_order
    data = { "price" => 9.99, "inner" => { "a" => [1, nil] } }
    @client.events.ingest("seen", email: JANE, event_time: AT - 60, event_data: data)
    2.times { @client.events.ingest("bought", email: JANE, idempotency_key: "k") }
    seen, bought = @sandbox.events
    assert_equal ["seen", JANE, data, AT - 60, AT], [seen.event_type, seen.email, seen.event_data, seen.event_time,
                                                     seen.accepted_at]
    assert_equal ["bought", "k", nil, nil], [bought.event_type, bought.idempotency_key, bought.event_time,
                                             bought.event_data]
    assert_equal [2, true, true], [@sandbox.events.size, seen.frozen?, @sandbox.events.frozen?]
    refute_includes @sandbox.events.inspect, "jane@"
    operation = Privy::Core.schema[:operations].find { |row| row[:name] == "events.ingest" }
    names = operation[:params].map { |row| row[:name] }
    assert_equal (names + %i[event_id accepted_at]).sort, Privy::Sandbox::Event.members.sort
  end

  def test_messages_are_the_welcome_messages_that_were_sent
    jane = @client.contacts.create(phone_number: "+14155550101", sms_consent: :subscribed)
    @sandbox.advance(2)
    bob = @client.contacts.create(phone_number: "+14155550102")
    @client.contacts.update(bob.id, sms_consent: :subscribed)
    @client.contacts.create(phone_number: "+14155550103", sms_consent: :subscribed, send_welcome_sms: false)
    assert_equal [[jane.id, "+14155550101", AT], [bob.id, "+14155550102", AT + 2]], @sandbox.messages.map(&:to_a)
    assert_equal [2, 2], [@sandbox.messages.size, @sandbox.counts.welcome_messages]
    assert_equal [true, true], [@sandbox.messages.frozen?, @sandbox.messages.first.frozen?]
    refute_includes @sandbox.messages.inspect, "5550101"
    @sandbox.reset
    assert_empty @sandbox.messages
  end

  def test_events_are_found_by_id_and_key_and_read_as_an_array
    events = @sandbox.events
    assert_equal [true, nil, nil, [], nil], [events.empty?, events.first, events[0], events[0, 1], events["evt_1"]]
    seen = @client.events.ingest("seen", email: JANE)
    bought = @client.events.ingest("bought", email: JANE, idempotency_key: "k")
    assert_equal %w[seen bought bought], [seen.event_id, bought.event_id, "k"].map { |key| events[key].event_type }
    assert_equal events[1], events.fetch(bought.event_id)
    assert_equal [true, false], [events.key?("k"), events.key?("seen")]
    assert_raises(KeyError) { events.fetch("seen") }
    assert_raises(IndexError) { events.fetch(2) }
    assert_equal [events.first, events.last, nil], [events[-2], events[1], events[2]]
    assert_equal [events.to_a, [events.last], events.to_a], [events[0..], events[1, 1], events.first(2)]
    assert_equal [2, 2, 2, 1], [events.size, events.length, events.count, events.drop(1).length]
    assert_equal [true, true, true, false], [events == events.to_a, events.to_a == events, events == @sandbox.events,
                                             events == @sandbox.messages]
    assert_equal "#<Privy::Sandbox::Events size=2>", events.inspect
    before = events.to_a
    @sandbox.reset
    assert_equal [[], 2, nil], [events, before.length, events["k"]]
  end

  def test_messages_are_found_by_phone_number_and_contact
    jane = @client.contacts.create(phone_number: "+14155550101", sms_consent: :subscribed)
    @client.contacts.delete(jane.id)
    @sandbox.advance(2)
    again = @client.contacts.create(email: JANE, phone_number: "+14155550101", sms_consent: :subscribed)
    messages = @sandbox.messages
    assert_equal [AT + 2, AT + 2], ["+14155550101", again.id].map { |key| messages[key].at }
    assert_equal messages.last, messages.fetch("+14155550101")
    assert_equal [nil, nil], [messages["+14155550102"], messages[JANE]]
    assert_raises(KeyError) { messages.fetch("+14155550102") }
  end

  def test_a_fault_may_concern_one_operation
    @sandbox.fail(status: 503, on: "orders.upsert", skip: 1)
    @sandbox.fail(status: 500, on: "contacts.upsert")
    @client.orders.upsert(order_id: 1, **ORDER)
    assert_raises(Privy::ServerError) { @client.contacts.upsert(email: JANE, first_name: "J") }
    assert_raises(Privy::ServerError) { @client.orders.upsert(order_id: 1, **ORDER) }
    @client.orders.upsert(order_id: 1, **ORDER)
    assert_equal [201, 500, 503, 200], @sandbox.requests.map(&:status)
    error = assert_raises(ArgumentError) { @sandbox.fail(status: 503, on: "orders.upsrt") }
    assert_equal "there is no operation orders.upsrt", error.message
  end
end
