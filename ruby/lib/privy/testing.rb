# frozen_string_literal: true

require "privy-marketing"
require_relative "testing/clock"
require_relative "testing/guard"
require_relative "testing/differences"
require_relative "testing/factories"
require_relative "testing/helpers"

module Privy
  # Tests of code that uses this library. +require "privy/minitest"+ and +require "privy/rspec"+ give each test a fresh
  # sandbox, which receives the calls of all clients; +require "privy/testing"+ is for other test frameworks:
  #
  #   Privy::Testing.with_sandbox { |sandbox| ... }
  #
  # Each of the three forbids real connections in this process: they raise {NetworkForbidden}.
  module Testing
    # A test that runs.
    #
    # @private
    Run = Struct.new(:activation, :assigned)

    # Requests that a test may send until its assertions lose some; memory sets another bound.
    KEPT = 100_000
    private_constant :KEPT

    class << self
      # Whether clients whose base URL is a loopback address use it, also while a sandbox is active: for a sandbox that
      # another process serves. False by default.
      #
      # @return [Boolean]
      attr_accessor :allow_localhost

      # Makes a new sandbox active during the block: in this thread, and in threads that it starts meanwhile. Calls take
      # no time: they move the sandbox's clock in place of waiting. The clock follows Time.now, and so +travel_to+,
      # +freeze_time+ and Timecop.
      #
      # @yieldparam sandbox [Sandbox]
      # @return [Object] what the block returns
      def with_sandbox
        run = start
        yield run.activation.sandbox
      ensure
        stop(run) if run
      end

      # As {with_sandbox}, for frameworks with hooks before and after a test. What the test assigns to {Privy.client=}
      # ends with it.
      #
      # @return [Run] for {stop}
      def start
        WebMockAdapter.register
        sandbox = Sandbox.new
        sandbox.skip_waits
        sandbox.keep_requests(KEPT)
        Run.new(Activation.start(sandbox, scope: :thread, clock: Clock.new(sandbox)), Accounts.current.assigned)
      end

      # @param run [Run] of {start}
      # @return [void]
      def stop(run)
        Activation.stop(run.activation)
        Accounts.current.restore(run.assigned)
      end

      # The sandbox of the test that this thread belongs to.
      #
      # @return [Sandbox]
      # @raise [Error] no sandbox is active
      def sandbox
        active = Activation.current
        raise Error, "no sandbox is active: use it within a test" unless active&.sandbox

        active.clock&.follow
        active.sandbox
      end

      # Allows real connections during the block, in this thread and in threads that it starts meanwhile; WebMock may
      # still forbid them. Clients made in a test belong to its sandbox: make another one in the block.
      #
      # @return [Object] what the block returns
      def allow_network
        activation = Activation.start(nil, scope: :thread)
        yield
      ensure
        Activation.stop(activation) if activation
      end
    end
    self.allow_localhost = false

    Activation.guard = Guard.new
    WebMockAdapter.register
  end
end
