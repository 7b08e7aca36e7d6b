# frozen_string_literal: true

require_relative "helper"
require "time"

# What may pass by itself is tried again, and only that.
class TestRetries < PrivyTest
  include BothWays

  def test_a_failure_that_passes_is_not_seen
    each_way do |client, sandbox|
      jane = client.contacts.create(email: JANE)
      [500, 502, 503, 504, 408].each do |status|
        sandbox.fail(status: status)
        before = sandbox.counts.requests
        assert_equal jane, client.contacts.get(jane.id)
        assert_equal 2, sandbox.counts.requests - before, status
      end
    end
  end

  def test_broken_connections_are_tried_again
    stubbed({ raw: "" }, { raw: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{" }, {}) do |client, server|
      assert_equal JANE, client.contacts.get(NOBODY).email
      assert_equal [3, 3], [server.requests.length, server.connections]
    end
  end

  def test_silence_is_tried_again
    answers = [{ stall: 60 }, {}]
    stubbed(*answers) do |client, server|
      assert_equal JANE, client.contacts.get(NOBODY, timeout: 2).email
      assert_equal 2, server.requests.length
    end
  end

  def test_what_will_not_pass_is_not_tried_again
    [400, 401, 403, 404, 409, 413, 418, 422, 501].each do |status|
      stubbed({ status: status }) do |client, server|
        error = refused(Privy::Error) { client.contacts.get(NOBODY) }
        assert_equal [1, 1, 0.0], [server.requests.length, error.attempts, error.waited], status
      end
    end
  end

  def test_the_last_error_has_attempts_and_waits
    stubbed({ status: 503 }) do |client, server|
      error = nil
      took = elapsed { error = refused(Privy::ServerError) { client.contacts.get(NOBODY, max_retries: 2) } }
      assert_equal [3, 3], [server.requests.length, error.attempts]
      assert_operator error.waited, :>, 0
      assert_operator error.waited, :<=, took
      assert_equal error.waited, Marshal.load(Marshal.dump(error)).waited
    end
  end

  def test_one_attempt_only
    stubbed({ status: 500 }) do |client, server|
      error = refused(Privy::ServerError) { client.contacts.get(NOBODY, max_retries: 0) }
      assert_equal [1, 1, 0.0], [server.requests.length, error.attempts, error.waited]
      refused(Privy::ServerError) { client.with_options(max_retries: 0).contacts.get(NOBODY) }
      assert_equal 2, server.requests.length
    end
  end

  def test_retry_after_in_seconds
    [429, 503].each do |status|
      stubbed({ status: status, headers: { "Retry-After" => "2" } }, {}) do |client, server|
        assert_equal JANE, client.contacts.get(NOBODY).email
        first, second = server.requests.map(&:at)
        assert_includes 1.9..PROMPT, second - first, status
      end
    end
  end

  def test_retry_after_as_a_date
    at = nil
    choose = ->(_) { at ? {} : { status: 503, headers: { "Retry-After" => (at = Time.now + 3).httpdate } } }
    stubbed(choose: choose) do |client, server|
      client.contacts.get(NOBODY)
      assert_operator server.requests.last.at - server.requests.first.at, :>, 1.5
      assert_operator Time.now.to_i, :>=, at.to_i
    end
  end

  def test_a_retry_after_that_cannot_be_used
    ["soon", "-5", "", "1e9", "Sun, 99 Nov 1994 08:49:37 GMT"].each do |text|
      stubbed({ status: 503, headers: { "Retry-After" => text } }, {}) do |client, _server|
        assert_operator(elapsed { assert_equal JANE, client.contacts.get(NOBODY).email }, :<, PROMPT, text)
      end
    end
  end

  def test_a_retry_after_past_max_wait_raises_at_once
    stubbed({ status: 429, headers: { "Retry-After" => "30" } }) do |client, server|
      error = nil
      took = elapsed { error = refused(Privy::RateLimitError) { client.contacts.get(NOBODY, max_wait: 5) } }
      assert_operator took, :<, PROMPT
      assert_equal [1, 429, 30.0], [server.requests.length, error.status, error.retry_after]
    end
  end

  def test_429_that_passes
    each_way do |client, sandbox|
      sandbox.fail(status: 429, retry_after: 1)
      took = elapsed { assert_empty client.contacts.list.to_a }
      assert_operator took, :>, 0.8
      assert_equal 2, sandbox.counts.requests
    end
  end

  def test_a_create_whose_response_was_lost_returns_its_contact
    each_way do |client, sandbox|
      %i[drop truncate].each do |cut|
        sandbox.fail(cut => true)
        made = client.contacts.create(email: "#{cut}@example.com", first_name: "J")
        assert_equal ["#{cut}@example.com", "J"], [made.email, made.first_name]
      end
      assert_equal 2, sandbox.counts.contacts
    end
  end

  def test_a_real_conflict_raises
    each_way do |client, sandbox|
      sandbox.set_clock(Time.now - 3600)
      jane = client.contacts.create(email: JANE)
      sandbox.set_clock(nil)
      assert_equal jane.id, refused(Privy::ConflictError) { client.contacts.create(email: JANE) }.contact_id
      sandbox.fail(drop: true)
      error = refused(Privy::ConflictError) { client.contacts.create(email: JANE) }
      assert_equal [jane.id, 409], [error.contact_id, error.status]
    end
  end

  def test_a_delete_whose_response_was_lost_succeeds
    each_way do |client, sandbox|
      jane = client.contacts.create(email: JANE)
      sandbox.fail(drop: true)
      assert_nil client.contacts.delete(jane.id)
      assert_equal 0, client.contacts.list.count
      refused(Privy::NotFoundError) { client.contacts.delete(jane.id) }
    end
  end

  def test_one_idempotency_key_over_all_attempts_of_a_call
    stubbed({ status: 500 }, { raw: "" }, { body: '{"event_id":"e"}' }) do |client, server|
      2.times { client.events.ingest("viewed", email: JANE) }
      keys = server.requests.map { |request| request.headers["idempotency-key"] }
      assert_equal 4, keys.length
      keys.each { |key| assert_match(/\A[0-9a-f]{32}\z/, key) }
      assert_equal 1, keys.first(3).uniq.length
      refute_equal keys[2], keys[3]
      server.answer_with(status: 500)
      error = refused(Privy::ServerError) { client.events.ingest("viewed", email: JANE, max_retries: 0) }
      assert_equal server.requests.last.headers["idempotency-key"], error.idempotency_key
    end
  end

  def test_a_given_idempotency_key_is_kept
    stubbed({ status: 500 }, { body: '{"event_id":"e"}' }) do |client, server|
      client.events.ingest("viewed", email: JANE, idempotency_key: "mine")
      assert_equal(%w[mine mine], server.requests.map { |request| request.headers["idempotency-key"] })
    end
  end

  def test_a_lost_event_is_counted_once
    each_way do |client, sandbox|
      sandbox.fail(drop: true)
      assert client.events.ingest("viewed", email: JANE).idempotent_replay
      assert_equal 1, sandbox.counts.events
    end
  end
end

# OAuth: one token for all waiting calls, and a new one after a 401.
class TestTokens < PrivyTest
  def oauth
    rejected = []
    lock = Mutex.new
    count = 0
    choose = lambda do |request|
      next { status: 401 } if rejected.include?(request.headers["authorization"])
      next {} unless request.target == "/oauth/token"

      number = lock.synchronize { count += 1 }
      { stall: 0.3, body: %({"access_token":"privy_#{number}","token_type":"Bearer","expires_in":7200}) }
    end
    server = StubServer.new(&choose)
    yield Privy::Client.new(base_url: server.url, client_id: "shop", client_secret: "5ecret"), server, rejected
  ensure
    server&.stop
  end

  def asked_for_tokens(server)
    server.requests.count { |request| request.target == "/oauth/token" }
  end

  def test_fetched_once_for_many_threads
    oauth do |client, server, _rejected|
      emails = Array.new(16) { Thread.new { client.contacts.get(NOBODY).email } }.map(&:value)
      assert_equal [JANE] * 16, emails
      assert_equal [1, 17], [asked_for_tokens(server), server.requests.length]
    end
  end

  def test_renewed_after_a_refusal
    oauth do |client, server, rejected|
      client.contacts.get(NOBODY)
      rejected << "Bearer privy_1"
      assert_equal JANE, client.contacts.get(NOBODY).email
      client.contacts.get(NOBODY)
      assert_equal 2, asked_for_tokens(server)
      assert_equal "Bearer privy_2", server.requests.last.headers["authorization"]
    end
  end

  def test_a_second_refusal_raises
    oauth do |client, server, rejected|
      rejected << "Bearer privy_1" << "Bearer privy_2"
      refused(Privy::AuthenticationError) { client.contacts.get(NOBODY) }
      assert_equal 2, asked_for_tokens(server)
    end
  end
end
