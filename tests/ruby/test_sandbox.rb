# frozen_string_literal: true

require_relative "helper"
require "date"

class TestSandbox < PrivyTest
  def setup
    @sandbox = Privy::Sandbox.new
    @client = @sandbox.client
    @headers = { "Authorization" => "Bearer #{@sandbox.token}", "Content-Type" => "application/json" }
  end

  def test_handle_responds_as_the_api
    answer = @sandbox.handle("POST", "/v1/contacts", @headers, '{"email":"jane@example.com"}')
    assert_equal [201, nil, 0.0], [answer.status, answer.cut, answer.delay]
    assert_equal JANE, JSON.parse(answer.body).dig("data", "email")
    assert_match(%r{application/json}, answer.headers.transform_keys(&:downcase)["content-type"])
    assert_equal 200, @sandbox.handle("GET", "/contacts?per_page=1", @headers).status
    assert_equal 401, @sandbox.handle("GET", "/contacts").status
  end

  def test_handle_refuses_what_is_no_request
    assert_raises(ArgumentError) { @sandbox.handle("GET", "/contacts", { "X-A" => "b\r\nX-C: d" }) }
    assert_raises(ArgumentError) { @sandbox.handle("GET", "/a\0b") }
    assert_raises(TypeError) { @sandbox.handle(nil, "/contacts") }
  end

  def test_faults_apply_in_order
    @sandbox.fail(status: 503, retry_after: 2, skip: 1)
    @sandbox.fail(status: 500, body: "broken", count: 2)
    answers = Array.new(5) { @sandbox.handle("GET", "/contacts", @headers) }
    assert_equal [200, 503, 500, 500, 200], answers.map(&:status)
    assert_equal "2", answers[1].headers["Retry-After"]
    assert_equal "broken", answers[2].body
  end

  def test_faults_that_break_a_response_off
    @sandbox.fail(drop: true)
    @sandbox.fail(truncate: true, delay: 0.25)
    assert_equal :drop, @sandbox.handle("GET", "/contacts", @headers).cut
    cut = @sandbox.handle("GET", "/contacts", @headers)
    assert_equal [:truncate, 0.25], [cut.cut, cut.delay]
    @sandbox.fail(status: 500, count: 0)
    @sandbox.clear_faults
    assert_equal 200, @sandbox.handle("GET", "/contacts", @headers).status
    assert_raises(ArgumentError) { @sandbox.fail(drop: true, truncate: true) }
    [{ body: "broken" }, { retry_after: 5 }, { delay: 1, retry_after: 0 }, {}, { on: "orders.upsert" }].each do |fault|
      error = assert_raises(ArgumentError) { @sandbox.fail(**fault) }
      assert_match(/\A(body and retry_after need status|a fault needs status, delay, drop or truncate)/, error.message)
    end
  end

  def test_a_stopped_clock_moves_by_advance_only
    noon = Time.utc(2026, 5, 12, 12)
    assert_equal "time must be a Time or a number of seconds, not String",
                 assert_raises(TypeError) { @sandbox.set_clock("2026-05-12") }.message
    @sandbox.set_clock(noon.to_datetime)
    assert_equal noon, @sandbox.now
    @sandbox.set_clock(noon)
    assert_equal noon, @client.contacts.create(email: JANE).created_at
    @sandbox.advance(90)
    assert_equal noon + 90, @sandbox.now
    assert_equal noon + 90, @client.contacts.upsert(email: JANE, first_name: "J").updated_at
    @sandbox.set_clock(nil)
    assert_in_delta Time.now.to_f, @sandbox.now.to_f, PROMPT
  end

  def test_only_limits_that_are_on_are_reported
    @client.contacts.list.to_a
    assert_equal [false, false], [@client.rate_limit.minute.known?, @client.rate_limit.day.known?]
    @sandbox.set_limits(per_minute: 60)
    3.times { @client.contacts.list.to_a }
    limit = @client.rate_limit
    assert_equal [60, 57, false], [limit.minute.limit, limit.minute.remaining, limit.day.known?]
  end

  def test_clients_with_its_token_say_that_they_use_a_sandbox
    client = Privy::Client.new(token: Privy::Sandbox::TOKEN, base_url: "http://127.0.0.1:9/v1")
    assert_equal '#<Privy::Client sandbox base_url="http://127.0.0.1:9/v1">', client.inspect
    assert_equal "#<Privy::Contacts of #{client.inspect}>", client.contacts.inspect
    assert_equal "#<Privy::ContactList sandbox (not fetched yet)>", client.contacts.list.inspect
    assert_equal '#<Privy::Client base_url="http://127.0.0.1:9/v1">',
                 Privy::Client.new(token: "other", base_url: "http://127.0.0.1:9/v1").inspect
  end

  def test_its_clients_do_not_look_like_those_of_the_api
    [@client, Privy::Client.new(sandbox: @sandbox)].each do |client|
      assert_equal "https://sandbox.invalid/v1", client.base_url
      assert_equal '#<Privy::Client sandbox base_url="https://sandbox.invalid/v1">', client.inspect
    end
  end

  def test_a_limit_rejects_requests_until_it_resets
    @sandbox.set_clock(Time.utc(2026, 5, 12))
    @sandbox.set_limits(per_minute: 2)
    statuses = Array.new(3) { @sandbox.handle("GET", "/contacts", @headers).status }
    @sandbox.advance(61)
    statuses << @sandbox.handle("GET", "/contacts", @headers).status
    assert_equal [200, 200, 429, 200], statuses
  end

  def test_a_client_waits_for_the_end_of_a_short_minute
    @sandbox.set_limits(per_minute: 5, window: 1)
    12.times { @client.contacts.list.to_a }
    requests = @sandbox.requests
    assert_operator requests.last.at - requests.first.at, :>=, 1
    assert_equal 12, requests.map(&:status).count(200)
  end

  def test_headers_of_a_short_minute_are_consistent
    @sandbox.set_clock(1_800_000_000.75)
    @sandbox.set_limits(per_minute: 1, window: 5)
    first, refused = Array.new(2) { @sandbox.handle("GET", "/contacts", @headers) }
    assert_equal [200, "1800000005"], [first.status, first.headers["X-RateLimit-Reset-Minute"]]
    assert_equal [429, "5"], [refused.status, refused.headers["Retry-After"]]
    @sandbox.advance(4.25)
    assert_equal 200, @sandbox.handle("GET", "/contacts", @headers).status
    [-1, 0, 61, 10**30].each do |window|
      error = assert_raises(ArgumentError) { @sandbox.set_limits(window: window) }
      assert_equal "window must be 1 to 60 seconds", error.message
    end
    error = assert_raises(ArgumentError) { @sandbox.set_limits(per_day: -1) }
    assert_equal "per_minute and per_day must not be negative", error.message
    error = assert_raises(TypeError) { @sandbox.set_limits(window: 2.5) }
    assert_equal "window must be an Integer", error.message
  end

  def test_sms_countries_can_be_added
    assert_equal 422, refused {
                        @client.contacts.create(phone_number: "+447911123456", sms_consent: :subscribed)
                      }.status
    @sandbox.set_sms_countries("+1", "+44")
    assert @client.contacts.create(phone_number: "+447911123456", sms_consent: :subscribed)
  end

  def test_consents_that_no_request_can_make
    jane = @client.contacts.create(phone_number: PHONE)
    @sandbox.set_consent(jane.id, :sms_consent, :pending)
    assert_equal "pending", @client.contacts.get(jane.id).sms_consent
    assert_raises(KeyError) { @sandbox.set_consent(NOBODY, :sms_consent, :pending) }
    assert_raises(ArgumentError) { @sandbox.set_consent(jane.id, :sms_consent, :never_heard_of) }
    assert_raises(ArgumentError) { @sandbox.set_consent(jane.id, :no_such_field, :pending) }
  end

  def test_counts_and_reset
    @client.contacts.create(phone_number: PHONE, sms_consent: :subscribed)
    @client.orders.upsert(**ORDER)
    @client.events.ingest("test", phone: PHONE)
    assert_equal({ requests: 3, contacts: 2, orders: 1, events: 1, welcome_messages: 1 }, @sandbox.counts.to_h)
    assert_match(/contacts=2/, @sandbox.inspect)
    @sandbox.add_token("privy_mine")
    @sandbox.reset
    assert_equal [0] * 5, @sandbox.counts.to_a
    assert_empty @sandbox.client(token: "privy_mine").contacts.list.to_a
  end

  def test_scopes_as_text_or_list
    @sandbox.add_token("privy_one", scopes: "contacts_read orders_write")
    @sandbox.add_token("privy_two", scopes: %w[contacts_read orders_write])
    %w[privy_one privy_two].each do |token|
      client = @sandbox.client(token: token)
      assert client.orders.upsert(**ORDER)
      refused(Privy::PermissionDeniedError) { client.events.ingest("test", email: JANE) }
    end
  end

  def test_sandboxes_are_not_copied
    assert_raises(NoMethodError, TypeError) { @sandbox.dup }
  end

  def test_a_client_keeps_its_sandbox
    client = Privy::Sandbox.new.client
    GC.start
    assert_equal JANE, client.contacts.create(email: JANE).email
  end
end
