# frozen_string_literal: true

require_relative "helper"
require "time"

# What calls wait for, and for how long: windows, answers of their own, tokens.
class TestWaits < PrivyTest
  NOON = 1_800_000_000.5

  # Headers of a server whose clock shows +shown+.
  def limits(remaining, shown, reset)
    { "Date" => shown.httpdate, "X-RateLimit-Limit-Minute" => 60, "X-RateLimit-Remaining-Minute" => remaining,
      "X-RateLimit-Reset-Minute" => shown.to_i + reset }
  end

  def spend_the_minute(sandbox, client)
    sandbox.set_limits(per_minute: 60)
    sandbox.set_clock(NOON)
    60.times { client.request(:GET, "/contacts") }
  end

  # ---- windows ----

  def test_a_clock_set_back_does_not_lengthen_a_window
    sandbox = Privy::Sandbox.new
    client = sandbox.client(max_wait: 0)
    spend_the_minute(sandbox, client)
    sandbox.set_clock(NOON - 7_200)
    assert_equal 200, client.request(:GET, "/contacts").status
  end

  def test_a_wall_clock_that_differs_from_the_server_s
    [-7_200, 7_200].each do |ahead|
      stubbed({ headers: limits(0, Time.now + ahead, 30) }, max_wait: 0) do |client, _server|
        client.contacts.get(NOBODY)
        error = refused(Privy::RateLimitError) { client.contacts.get(NOBODY) }
        assert_in_delta 25, error.retry_after, 5.1
        assert_in_delta 25, error.resets_at - Time.now, 7
        assert_in_delta 25, client.rate_limit.minute.resets_at - Time.now, 7
      end
    end
  end

  def test_limits_that_cannot_be_true_are_not_believed
    [-9_223_372_036_854_775_808, -1, 61].each do |remaining|
      stubbed({ headers: limits(remaining, Time.now, 30) }, max_wait: 0) do |client, server|
        3.times { client.contacts.get(NOBODY) }
        refute_predicate client.rate_limit.minute, :known?
        assert_equal 3, server.requests.length
      end
    end
  end

  def test_the_default_of_max_wait_covers_a_window
    sandbox = Privy::Sandbox.new
    waits = Queue.new
    client = sandbox.client(on_event: ->(event) { waits << event if event.kind.to_s == "wait" })
    spend_the_minute(sandbox, client)
    last = Thread.new { client.request(:GET, "/contacts").status }
    Timeout.timeout(120) { waits.pop }
    sandbox.advance(61)
    assert_equal 200, Timeout.timeout(120) { last.value }
    assert_equal 61, sandbox.counts.requests
  end

  # ---- answers of their own ----

  def test_first_calls_that_may_not_wait
    sandbox = Privy::Sandbox.new
    sandbox.fail(delay: 0.2, count: 12)
    client = sandbox.client(max_wait: 0)
    threads = Array.new(12) { Thread.new { client.request(:GET, "/contacts").status } }
    assert_equal [200] * 12, threads.map(&:value)
  end
end
