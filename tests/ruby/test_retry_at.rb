# frozen_string_literal: true

require_relative "helper"
require "time"

# What errors say of another try: retryable, retry_after, retry_at, and what may have succeeded.
class TestRetryAt < PrivyTest
  def failure(answer, &call)
    call ||= ->(client) { client.contacts.get(NOBODY) }
    stubbed(answer, max_retries: 0) { |client, _server| return refused(Privy::Error) { call.call(client) } }
  end

  # Everything that the error says of time means one instant.
  def assert_agrees(error)
    assert_predicate error.retry_at, :utc?
    assert_equal error.retry_at, error.resets_at if error.is_a?(Privy::RateLimitError)
    assert_in_delta error.retry_after, error.retry_at - Time.now, 20
  end

  def test_a_failure_that_passes_says_when
    [408, 429, 500, 502, 503, 504].each do |status|
      error = failure({ status: status, headers: { "Retry-After" => "300" } })
      assert_equal [true, 300.0, false], [error.retryable?, error.retry_after, error.may_have_succeeded?]
      assert_agrees error
    end
  end

  def test_a_failure_that_lasts_does_not
    [400, 401, 403, 404, 409, 413, 422, 501].each do |status|
      error = failure({ status: status, headers: { "Retry-After" => "300" } })
      assert_equal [false, nil, nil], [error.retryable, error.retry_after, error.retry_at]
    end
  end

  def test_a_date_is_judged_by_the_server_s_clock
    [429, 503].product([-7_200, 0, 7_200]) do |status, ahead|
      there = Time.now + ahead
      error = failure({ status: status,
                        headers: { "Date" => there.httpdate, "Retry-After" => (there + 120).httpdate } })
      assert_in_delta 120.0, error.retry_after
      assert_agrees error
    end
  end

  def test_a_date_without_a_date_is_judged_by_ours
    error = failure({ status: 429, headers: { "Retry-After" => (Time.now + 120).httpdate } })
    assert_in_delta 110, error.retry_after, 10
    assert_agrees error
  end

  def test_retry_after_and_the_limits_do_not_contradict_each_other
    headers = { "X-RateLimit-Limit-Minute" => 60, "X-RateLimit-Remaining-Minute" => 0,
                "X-RateLimit-Reset-Minute" => Time.now.to_i + 60 }
    error = failure({ status: 429, headers: headers.merge("Retry-After" => "300") })
    assert_in_delta 300.0, error.retry_after
    assert_agrees error
    error = failure({ status: 429, headers: headers })
    assert_in_delta 50, error.retry_after, 10.1
    assert_agrees error
  end

  def test_retry_after_is_a_day_at_most
    ["9999999999", (Time.now + 9_999_999).httpdate].each do |after|
      error = failure({ status: 503, headers: { "Retry-After" => after } })
      assert_in_delta 86_400.0, error.retry_after
      assert_agrees error
    end
  end

  def test_without_a_word_of_the_server
    error = failure({ status: 503 })
    assert_equal [true, nil, nil], [error.retryable, error.retry_after, error.retry_at]
  end

  def test_an_error_of_the_sandbox_goes_by_its_clock
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(1_800_000_000)
    sandbox.fail(status: 429, retry_after: 300)
    error = refused(Privy::RateLimitError) { sandbox.client(max_wait: 0).contacts.get(NOBODY) }
    assert_equal [300.0, Time.at(1_800_000_300), Time.at(1_800_000_300)],
                 [error.retry_after, error.retry_at, error.resets_at]
  end

  def test_a_rate_limit_that_the_client_knows
    sandbox = Privy::Sandbox.new
    sandbox.set_limits(per_minute: 1)
    sandbox.set_clock(1_800_000_000)
    client = sandbox.client(max_wait: 0)
    client.request(:GET, "/contacts")
    error = refused(Privy::RateLimitError) { client.request(:GET, "/contacts") }
    assert_equal [true, 60.0, 0, Time.at(1_800_000_060)],
                 [error.retryable, error.retry_after, error.attempts, error.retry_at]
    assert_equal error.retry_at, error.resets_at
  end

  WRITES = {
    ->(client) { client.contacts.update(NOBODY, first_name: "A") } => true,
    ->(client) { client.contacts.create(email: JANE) } => true,
    ->(client) { client.events.ingest("x", email: JANE, idempotency_key: "k") } => true,
    ->(client) { client.events.ingest("x", email: JANE) } => false,
    ->(client) { client.request(:POST, "/x", body: {}) } => false,
    ->(client) { client.request(:POST, "/x", body: {}, headers: { "Idempotency-Key" => "k" }) } => true,
    ->(client) { client.request(:PUT, "/x", body: {}) } => true
  }.freeze

  def test_a_write_that_may_have_succeeded
    WRITES.each do |call, retryable|
      error = failure({ raw: "" }, &call)
      assert_equal [true, retryable], [error.may_have_succeeded?, error.retryable?]
      assert_operator error.message, :end_with?, "; the request may have been acted on"
    end
    error = failure({ raw: "" })
    assert_equal [false, true], [error.may_have_succeeded, error.retryable]
  end

  def test_an_event_is_made_again_with_its_key
    sandbox = Privy::Sandbox.new
    sandbox.fail(drop: true)
    client = sandbox.client(max_retries: 0)
    error = refused(Privy::APIConnectionError) { client.events.ingest("x", email: JANE) }
    assert client.events.ingest("x", email: JANE, idempotency_key: error.idempotency_key).idempotent_replay
    assert_equal 1, sandbox.counts.events
  end

  def test_they_are_marshalled_and_matched
    error = failure({ status: 429, headers: { "Retry-After" => "300" } })
    copy = Marshal.load(Marshal.dump(error))
    assert_equal [true, 300.0, error.retry_at, error.resets_at, false],
                 [copy.retryable, copy.retry_after, copy.retry_at, copy.resets_at, copy.may_have_succeeded]
    error => { retryable: true, retry_after: 300.0, may_have_succeeded: false }
    assert_equal true, JSON.parse(error.to_json)["retryable"]
  end

  def test_errors_of_one_s_own_making
    error = Privy::ServerError.new("x", retryable: true, retry_after: 3.0, may_have_succeeded: true)
    assert_equal [true, 3.0, nil, true],
                 [error.retryable?, error.retry_after, error.retry_at, error.may_have_succeeded?]
    plain = Privy::Error.new("x")
    assert_equal [false, nil, nil, false],
                 [plain.retryable?, plain.retry_after, plain.retry_at, plain.may_have_succeeded?]
  end
end
