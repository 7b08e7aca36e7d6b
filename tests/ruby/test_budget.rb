# frozen_string_literal: true

require_relative "helper"
require "time"

# The account's rate limits, as responses report them.
class TestBudget < PrivyTest
  include BothWays

  class Enough < StandardError; end

  def limits(minute: 50, day: 5_000, resets_in: 30)
    now = Time.now
    { "Date" => now.httpdate, "X-RateLimit-Limit-Minute" => 60, "X-RateLimit-Remaining-Minute" => minute,
      "X-RateLimit-Reset-Minute" => now.to_i + resets_in, "X-RateLimit-Limit-Day" => 10_000,
      "X-RateLimit-Remaining-Day" => day, "X-RateLimit-Reset-Day" => now.to_i + 4_000 }
  end

  def test_limits_are_unknown_before_the_first_response
    stubbed do |client, server|
      limit = client.rate_limit
      [limit.minute, limit.day].each do |window|
        refute_predicate window, :known?
        assert_equal [nil, nil, nil], window.to_a
        assert_predicate window, :frozen?
      end
      assert_predicate limit, :frozen?
      assert_equal "#<Privy::RateLimit minute=unknown day=unknown>", limit.inspect
      assert_empty server.requests
    end
  end

  def test_rate_limit_returns_what_the_last_response_reported
    headers = limits(minute: 42, day: 1_234)
    stubbed({ headers: headers }) do |client, _server|
      client.contacts.get(NOBODY)
      limit = client.with_options(timeout: 9).rate_limit
      assert_equal [60, 42, 10_000, 1_234],
                   [limit.minute.limit, limit.minute.remaining, limit.day.limit, limit.day.remaining]
      assert_predicate limit.minute, :known?
      assert_predicate limit.minute.resets_at, :utc?
      assert_in_delta headers["X-RateLimit-Reset-Minute"], limit.minute.resets_at.to_f, 3
      assert_in_delta headers["X-RateLimit-Reset-Day"], limit.day.resets_at.to_f, 3
      assert_equal [limit, limit.hash], [client.rate_limit, client.rate_limit.hash]
      assert_includes limit.inspect, "minute=42/60 until #{limit.minute.resets_at.iso8601} day="
      limit => { minute: { remaining: 42 } }
    end
  end

  def test_a_call_waits_when_the_minute_is_used_up
    spent = true
    choose = ->(_) { spent ? { headers: limits(minute: 0, resets_in: 2) }.tap { spent = false } : {} }
    stubbed(choose: choose) do |client, server|
      took = elapsed { 2.times { assert_equal JANE, client.contacts.get(NOBODY).email } }
      assert_operator took, :>, 0.9
      assert_operator took, :<, PROMPT
      assert_equal 2, server.requests.length
    end
  end

  def test_a_wait_past_max_wait_raises_at_once
    stubbed({ headers: limits(minute: 0, resets_in: 55) }) do |client, server|
      client.contacts.get(NOBODY)
      error = nil
      took = elapsed { error = refused(Privy::RateLimitError) { client.contacts.get(NOBODY, max_wait: 5) } }
      assert_operator took, :<, PROMPT
      assert_equal [0, nil, 0.0, 1], [error.attempts, error.status, error.waited, server.requests.length]
      assert_in_delta 55, error.retry_after, PROMPT
      assert_in_delta Time.now.to_f + error.retry_after, error.resets_at.to_f, PROMPT
      assert_predicate error.resets_at, :utc?
      copy = Marshal.load(Marshal.dump(error))
      assert_equal [error.resets_at, []], [copy.resets_at, copy.unsent]
    end
  end

  def test_a_call_raises_at_once_when_the_day_is_used_up
    stubbed({ headers: limits(day: 0) }) do |client, server|
      client.contacts.get(NOBODY)
      error = nil
      took = elapsed { error = refused(Privy::RateLimitError) { client.contacts.get(NOBODY, max_wait: 10_000) } }
      assert_operator took, :<, PROMPT
      assert_equal [0, 1], [error.attempts, server.requests.length]
      assert_in_delta Time.now.to_f + 4_000, error.resets_at.to_f, PROMPT
    end
  end

  def test_the_sandbox_rejects_calls_when_the_day_is_used_up
    each_way do |_client, sandbox|
      sandbox.set_limits(per_day: 3)
      client = sandbox.client
      3.times { client.contacts.list.first }
      assert_equal 0, client.rate_limit.day.remaining
      refused(Privy::RateLimitError) { client.contacts.list.first }
      assert_equal 3, sandbox.counts.requests
    end
  end

  def test_a_reserve_is_left_to_others
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(Time.utc(2026, 5, 12, 10))
    sandbox.set_limits(per_minute: 10)
    client = sandbox.client(reserve: 4, max_wait: 0)
    6.times { client.contacts.list.first }
    refused(Privy::RateLimitError) { client.contacts.list.first }
    assert_equal [6, 4], [sandbox.counts.requests, client.rate_limit.minute.remaining]
    sandbox.advance(60)
    client.contacts.list.first
  end

  def test_a_copy_may_leave_more_of_the_minute_to_others
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(Time.utc(2026, 5, 12, 10))
    sandbox.set_limits(per_minute: 10)
    client = sandbox.client(max_wait: 0)
    jobs = client.with_options(reserve: 7)
    3.times { jobs.request("GET", "/contacts") }
    refused(Privy::RateLimitError) { jobs.with_options(timeout: 5).request("GET", "/contacts") }
    report = jobs.events.ingest_many([{ event_type: "seen", email: JANE }] * 2, max_wait: 0).run
    assert_equal [0, 2], [report.requests, report.unsent.length]
    7.times { client.request("GET", "/contacts") }
    refused(Privy::RateLimitError) { client.request("GET", "/contacts") }
  end

  def test_a_reserve_that_cannot_be_used
    assert_match(/reserve/, refused(Privy::Error) { Privy::Sandbox.new.client.with_options(reserve: -1) }.message)
    assert_match(/reserve/, refused(Privy::Error) { Privy::Sandbox.new.client(reserve: -1) }.message)
    refused(Privy::Error) { Privy::Sandbox.new.client(reserve: "four") }
    sandbox = Privy::Sandbox.new
    sandbox.set_limits(per_minute: 10)
    client = sandbox.client(reserve: "9", max_wait: 0)
    client.contacts.list.first
    refused(Privy::RateLimitError) { client.contacts.list.first }
  end

  # Whoever waits for the minute can be called away.
  def waiting_for_the_minute
    stubbed({ headers: limits(minute: 0, resets_in: 55) }) do |client, server|
      client.contacts.get(NOBODY)
      yield client
      assert_equal 1, server.requests.length
    end
  end

  def test_timeout_while_waiting_for_the_rate_limit
    waiting_for_the_minute do |client|
      took = elapsed { assert_raises(Timeout::Error) { Timeout.timeout(0.3) { client.contacts.get(NOBODY) } } }
      assert_operator took, :<, PROMPT
    end
  end

  def test_thread_raise_while_waiting_for_the_rate_limit
    waiting_for_the_minute do |client|
      thread = Thread.new do
        Thread.current.report_on_exception = false
        client.contacts.get(NOBODY)
      end
      sleep 0.3
      assert_predicate thread, :alive?
      took = elapsed do
        thread.raise(Enough)
        assert_raises(Enough) { thread.join }
      end
      assert_operator took, :<, PROMPT
    end
  end
end

# A process that forks: both continue, each with its own connections.
class TestForks < PrivyTest
  # What the child's block returns must be true.
  def in_a_child
    child = fork { exit!(Timeout.timeout(120) { yield } ? 0 : 1) } # rubocop:disable Style/ExplicitBlockArgument
    _, status = Process.wait2(child)
    assert_predicate status, :success?
  end

  def test_parent_and_child_continue_after_a_fork
    stubbed do |client, server|
      client.contacts.get(NOBODY)
      assert_equal 1, server.connections
      in_a_child { Array.new(2) { client.contacts.get(NOBODY).email } == [JANE, JANE] }
      assert_equal [2, 3], [server.connections, server.requests.length]
      assert_equal JANE, client.contacts.get(NOBODY).email
      assert_equal 2, server.connections
      connections = server.requests.map(&:connection)
      assert_equal [connections[0], connections[1]], [connections[3], connections[2]]
    end
  end

  def test_a_fork_while_another_thread_calls
    stubbed({}, { stall: 0.6 }, {}) do |client, server|
      client.contacts.get(NOBODY)
      slow = Thread.new { client.contacts.get(NOBODY).email }
      Thread.pass until server.requests.length == 2
      in_a_child { client.contacts.get(NOBODY).email == JANE && !client.rate_limit.minute.known? }
      assert_equal JANE, slow.value
      assert_equal 2, server.connections
    end
  end

  def test_a_child_that_ends_as_usual
    stubbed do |client, server|
      client.contacts.get(NOBODY)
      script = fork do
        client.contacts.get(NOBODY)
        client.close
        GC.start
        exit!(0)
      end
      assert_predicate Process.wait2(script).last, :success?
      assert_equal JANE, client.contacts.get(NOBODY).email
      assert_equal 2, server.connections
    end
  end
end
