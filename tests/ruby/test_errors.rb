# frozen_string_literal: true

require_relative "helper"

class TestErrors < PrivyTest
  include BothWays

  SECRET = "privy_#{'5ec2e7' * 6}5ec2".freeze

  CLASSES = { 401 => Privy::AuthenticationError, 403 => Privy::PermissionDeniedError, 404 => Privy::NotFoundError,
              409 => Privy::ConflictError, 413 => Privy::PayloadTooLargeError, 422 => Privy::ValidationError,
              429 => Privy::RateLimitError, 500 => Privy::ServerError, 503 => Privy::ServerError,
              418 => Privy::APIStatusError }.freeze

  def test_each_status_has_its_class
    each_way do |client, sandbox|
      CLASSES.each do |status, klass|
        sandbox.fail(status: status)
        error = refused(klass) { client.contacts.get(NOBODY, max_retries: 0) }
        assert_instance_of klass, error
        assert_equal [status, "GET", 1], [error.status, error.http_method, error.attempts]
        assert_match(%r{/contacts/#{NOBODY}\z}, error.path)
        assert error.request_id
        assert_includes error.body, "error"
      end
    end
  end

  def test_the_error_classes_inherit_as_the_table_says
    assert_equal [Privy::Error, StandardError], [Privy::ValidationError.superclass, Privy::Error.superclass]
    assert_equal Privy::APIConnectionError, Privy::APITimeoutError.superclass
    Privy::Core.schema[:errors].drop(1).each do |row|
      parent = row[:parent] == :PrivyError ? Privy::Error : Privy.const_get(row[:parent])
      assert_equal parent, Privy.const_get(row[:name]).superclass
    end
  end

  def test_conflict_names_the_contact
    each_way do |client, _sandbox|
      jane = client.contacts.create(email: JANE)
      error = refused(Privy::ConflictError) { client.contacts.create(email: JANE) }
      assert_equal [jane.id, 409, "conflict"], [error.contact_id, error.status, error.code]
    end
  end

  def test_a_rate_limit_error_has_the_retry_after_of_the_response
    each_way do |client, sandbox|
      sandbox.fail(status: 429, retry_after: 7)
      error = refused(Privy::RateLimitError) { client.contacts.get(NOBODY, max_retries: 0) }
      assert_in_delta 7.0, error.retry_after
      assert_equal "7", error.headers["retry-after"]
    end
  end

  def test_the_error_of_a_used_up_day_has_the_time_of_its_reset
    each_way do |client, sandbox|
      sandbox.set_clock(Time.utc(2026, 5, 12, 10))
      sandbox.set_limits(per_day: 1)
      client = Served.fresh if client.equal?(Served.client) # which is to know nothing of a spent day
      client.contacts.create(email: JANE)
      error = refused(Privy::RateLimitError) { client.contacts.list.first(1) }
      assert_kind_of Time, error.resets_at
      assert_operator error.resets_at, :>, Time.utc(2026, 5, 12, 10)
    end
  end

  def test_validation_errors_of_the_server_look_like_those_of_the_client
    each_way do |client, sandbox|
      jane = client.contacts.create(email: JANE, email_consent: :subscribed)
      sandbox.set_consent(jane.id, "email_consent", "compliance_suppressed")
      error = refused { client.contacts.update(jane.id, email_consent: :subscribed) }
      assert_equal [422, "validation_failed"], [error.status, error.code]
      assert_equal [%i[field message code]], error.details.map(&:keys).uniq
      assert_predicate error.details, :frozen?
    end
  end

  def test_wrong_and_revoked_tokens
    sandbox = Privy::Sandbox.new
    sandbox.add_token(SECRET, scopes: "contacts_read")
    client = sandbox.client(token: SECRET)
    assert_empty client.contacts.list.to_a
    assert_equal "insufficient_scope", refused(Privy::PermissionDeniedError) {
                                         client.contacts.create(email: JANE)
                                       }.code
    assert sandbox.revoke_token(SECRET)
    refute sandbox.revoke_token("privy_unknown")
    assert_equal "unauthorized", refused(Privy::AuthenticationError) { client.contacts.list.first }.code
  end

  def test_a_response_that_breaks_off_is_a_connection_error
    each_way do |client, sandbox|
      sandbox.fail(truncate: true)
      refused(Privy::APIConnectionError) { client.contacts.list(max_retries: 0).first }
      sandbox.fail(drop: true)
      dropped = refused(Privy::APIConnectionError) { client.contacts.create(email: JANE, max_retries: 0) }
      assert_equal [nil, nil, {}, 1], [dropped.status, dropped.body, dropped.headers, dropped.attempts]
      assert_equal 1, client.contacts.list.count
    end
  end

  # On a kept connection libcurl alone would send the event a second time, unseen.
  def test_a_lost_response_is_not_requested_again
    each_way do |client, sandbox|
      client.contacts.list.first
      sandbox.fail(drop: true)
      lost = refused(Privy::APIConnectionError) { client.events.ingest("viewed", email: JANE, max_retries: 0) }
      assert_equal [1, 1], [lost.attempts, sandbox.counts[:events]]
    end
  end

  def test_invalid_responses_are_status_errors
    stubbed({ status: 502, body: "<html>Bad gateway</html>" }, { body: "[]" }, { body: "{" },
            { raw: "HTTP/1.1 200 OK\r\n\r\n" }, { raw: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{" },
            { raw: "SSH-2.0\r\n" }) do |client, _server|
      error = refused(Privy::ServerError) { client.contacts.get(NOBODY, max_retries: 0) }
      assert_equal [502, "<html>Bad gateway</html>", nil], [error.status, error.body, error.code]
      3.times { assert_equal 200, refused(Privy::APIStatusError) { client.contacts.get(NOBODY) }.status }
      2.times { refused(Privy::APIConnectionError) { client.contacts.get(NOBODY, max_retries: 0) } }
    end
  end

  def test_the_body_is_an_excerpt_in_utf8
    stubbed({ status: 500, body: "é\xFF#{'x' * 5000}" }) do |client, _server|
      body = refused(Privy::ServerError) { client.contacts.get(NOBODY, max_retries: 0) }.body
      assert_predicate body, :valid_encoding?
      assert_equal "é\uFFFD#{'x' * 2045}", body
    end
  end

  def test_a_response_that_is_late_is_a_timeout_error
    stubbed({ stall: 60 }) do |client, _server|
      took = elapsed do
        error = refused(Privy::APITimeoutError) { client.contacts.get(NOBODY, timeout: 0.2, max_retries: 0) }
        assert_kind_of Privy::APIConnectionError, error
      end
      assert_operator took, :<, PROMPT
    end
  end

  def test_a_refused_connection_is_a_connection_error
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    client = Privy::Client.new(base_url: "http://127.0.0.1:#{port}/v1", token: SECRET, max_retries: 0)
    refused(Privy::APIConnectionError) { client.contacts.get(NOBODY) }
  end

  def test_headers_are_plain_and_hold_no_secret
    headers = { "Set-Cookie" => "session=#{SECRET}", "X-Many" => "a", "x-many" => "b", "X-Request-Id" => "r-1" }
    stubbed({ status: 404, headers: headers }) do |client, _server|
      error = refused(Privy::NotFoundError) { client.contacts.get(NOBODY) }
      assert_equal ["a, b", "r-1"], [error.headers["x-many"], error.request_id]
      refute error.headers.key?("set-cookie")
      assert_predicate error.headers, :frozen?
    end
  end

  def test_marshal_keeps_every_attribute
    stubbed({ status: 409, body: '{"error":{"code":"conflict","message":"taken","id":"cus_0123456789abcdef"}}' },
            { status: 429, headers: { "Retry-After" => "3", "X-RateLimit-Reset-Minute" => "1778580060",
                                      "X-RateLimit-Remaining-Minute" => "0" } }) do |client, _server|
      [Privy::ConflictError, Privy::RateLimitError].each do |klass|
        error = refused(klass) { client.contacts.create(email: JANE, max_retries: 0) }
        copy = Marshal.load(Marshal.dump(error))
        assert_equal [error.class, error.message], [copy.class, copy.message]
        klass::ATTRIBUTES.each { |name| assert_equal [error.public_send(name)], [copy.public_send(name)], name }
      end
    end
  end

  def every_error
    loaded = Privy.constants.reject { |name| Privy.autoload?(name) } # others may need a gem that is not here
    loaded.map { |name| Privy.const_get(name) }.select { |klass| klass.is_a?(Class) && klass <= Privy::Error }
  end

  # A subclass of an application: made from other arguments, with an attribute of its own.
  class ShopError < Privy::RateLimitError
    attr_reader :shop

    def initialize(shop)
      super("no #{shop}", unsent: [[1, { email: "a@b.c" }]].freeze, retry_after: 2.5)
      @shop = shop
    end
  end

  def test_copies_hold_every_attribute
    errors = every_error.map { |klass| klass.new("odd", **klass::ATTRIBUTES.to_h { |name| [name, "a #{name}"] }) }
    assert_operator errors.length, :>, 10
    [*errors, ShopError.new("here")].each do |error|
      error.instance_variable_set(:@note, "mine")
      error.set_backtrace(["here"])
      [Marshal.load(Marshal.dump(error)), error.dup, error.clone, error.exception("other")].each do |copy|
        assert_instance_of error.class, copy
        assert_equal error.instance_variables.sort, copy.instance_variables.sort
        error.instance_variables.each do |name|
          assert_equal [error.instance_variable_get(name)], [copy.instance_variable_get(name)]
        end
      end
      loaded = Marshal.load(Marshal.dump(error))
      assert_equal [error.message, ["here"]], [loaded.message, loaded.backtrace]
    end
  end

  def test_errors_match_patterns_by_attribute
    error = Privy::ConflictError.new("taken", contact_id: NOBODY, status: 409, http_method: "POST")
    case error
    in Privy::RateLimitError | Privy::ServerError then flunk
    in { status: 409, contact_id: String => id, message: /tak/ } then assert_equal NOBODY, id
    end
    every_error.each do |klass|
      assert_equal [*klass::ATTRIBUTES, :message], klass.new("odd").deconstruct_keys(nil).keys
    end
    error = refused { Privy::Sandbox.new.client.contacts.create(email: "odd") }
    error => { details: [{ field: "email" }], status: nil, attempts: 0 }
  end

  # Object#method and its like work on everything that is handed out.
  def test_no_attribute_hides_a_method_of_object
    common = Object.instance_methods - %i[hash == eql? inspect to_s to_json instance_of? freeze frozen? dup clone]
    client = Privy::Sandbox.new.client
    jane = client.contacts.create(email: JANE)
    [jane, client.contacts.list.pages.first, client.request("GET", "/contacts"), Privy::CallEvent.new,
     client.rate_limit, *every_error.map(&:new)].each do |object|
      hidden = common.select { |name| object.method(name).owner.name.to_s.start_with?("Privy") }
      assert_empty hidden, object.class
    end
  end

  def test_no_secret_anywhere
    stubbed({ status: 500 }) do |_client, server|
      client = Privy::Client.new(base_url: server.url, token: SECRET, max_retries: 0)
      error = refused(Privy::ServerError) { client.contacts.create(email: JANE) }
      [error.inspect, error.full_message, Marshal.dump(error), client.inspect, client.contacts.inspect, client.to_s,
       client.contacts.list.inspect].each { |text| refute_includes text, SECRET }
    end
  end

  def test_errors_have_the_idempotency_key
    each_way do |client, sandbox|
      sandbox.fail(status: 500)
      error = refused(Privy::ServerError) do
        client.events.ingest("test", email: JANE, idempotency_key: "key-1", max_retries: 0)
      end
      assert_equal "key-1", error.idempotency_key
    end
  end

  def test_errors_of_your_own
    error = Privy::ConflictError.new("taken", contact_id: NOBODY, status: 409, http_method: "POST")
    assert_equal ["taken", NOBODY, 409, "POST", [], {}, 0],
                 [error.message, error.contact_id, error.status, error.http_method, error.details, error.headers,
                  error.attempts]
    assert_equal "taken", error.method(:message).call
    assert_raises(ArgumentError) { Privy::NotFoundError.new("x", contact_id: NOBODY) }
    assert_equal "Privy::Error", Privy::Error.new.message
  end
end
