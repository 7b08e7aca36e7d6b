# frozen_string_literal: true

ROOT = File.expand_path("../..", __dir__)
$LOAD_PATH.unshift(File.join(ROOT, "ruby/lib"))
$LOAD_PATH.unshift(ENV["PRIVY_EXT_DIR"]) if ENV["PRIVY_EXT_DIR"]
ENV.delete_if { |name, _| name.start_with?("PRIVY_") && !%w[PRIVY_EXT_DIR PRIVY_DEEP].include?(name) }

require "minitest/autorun"
require "json"
require "socket"
require "timeout"
require "privy"
require_relative "spelled"
require_relative "stub_server"

# A method that lacks a parameter would fail many tests with misleading words.
sentence = Spelled.first_difference
abort(sentence) if sentence

# One served sandbox for all tests, emptied before each test.
module Served
  class << self
    def server
      @server ||= Privy::Sandbox::Server.new(port: 0).start.tap { |server| Minitest.after_run { server.stop } }
    end

    def client
      @client ||= fresh
    end

    # One that knows nothing of the account's limits.
    def fresh
      Privy::Client.new(base_url: server.url, token: server.sandbox.token)
    end

    def clean
      server.sandbox.reset
      server.sandbox.clear_faults
      server.sandbox.set_limits
      server.sandbox.set_clock(nil)
      server.sandbox.set_sms_countries("+1")
    end
  end
end

class PrivyTest < Minitest::Test
  JANE = "jane@example.com"
  PHONE = "+14155550171"
  NOBODY = "cus_0000000000000000"
  ORDER = { order_id: 1001, email: JANE, total: BigDecimal("95.00"), currency: "USD",
            order_date: Time.utc(2026, 5, 12, 10) }.freeze

  # Seconds within which the slowest machine does what takes no waiting. Waits that tests distinguish from it last a
  # minute.
  PROMPT = 20.0

  # Calls any operation by its name, and holds the core's client.
  def session_of(client)
    client.instance_variable_get(:@session)
  end

  def served
    Served.clean
    yield Served.client, Served.server.sandbox
  end

  def in_process
    sandbox = Privy::Sandbox.new
    yield sandbox.client, sandbox
  end

  # A server that records requests and sends the given responses.
  def stubbed(*answers, choose: nil, **settings)
    server = StubServer.new(*answers, &choose)
    yield Privy::Client.new(base_url: server.url, token: "privy_#{'0' * 40}", **settings), server
  ensure
    server&.stop
  end

  def refused(klass = Privy::ValidationError, &)
    assert_raises(klass, &)
  end

  def faults(&)
    refused(&).details.map { |fault| [fault[:field], fault[:message]] }
  end

  def fields(&)
    faults(&).map(&:first)
  end

  # Waits for what comes by itself, however slow the machine.
  def until_true
    ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 60
    until yield
      raise "it did not come" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > ends

      sleep 0.005
    end
  end

  # Holds responses back until so many requests are in flight.
  def gate(count)
    arrived = 0
    lambda do
      arrived += 1
      until_true { arrived >= count }
      true
    end
  end

  def elapsed
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
  end
end

# Tests that hold over HTTP and in process alike: include this and write `each_way { |client, sandbox| ... }`.
module BothWays
  def each_way(&)
    served(&)
    in_process(&)
  end
end
