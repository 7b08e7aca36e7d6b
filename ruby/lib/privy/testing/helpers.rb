# frozen_string_literal: true

module Privy
  module Testing # rubocop:disable Style/Documentation -- testing.rb has it
    # What tests of Minitest and RSpec both have.
    module Helpers
      # The sandbox of this test: it receives the calls of all clients.
      #
      # @return [Sandbox]
      # @raise [Error] no sandbox is active
      def privy_sandbox
        Testing.sandbox
      end

      # A client of the test's sandbox.
      #
      # @return [Client]
      def privy_client
        @privy_client ||= privy_sandbox.client
      end

      # Lets the next requests fail as during an outage. With a block, what is left of the faults ends with it, as all
      # other faults of the sandbox do.
      #
      # @param times [Integer, nil] requests that fail; nil: all, until the test or the block ends. A call that fails is
      #   repeated 3 times, which takes no time in tests
      # @param status [Integer] of the responses: 500 to 599
      # @param on [String, nil] an operation, as for {Sandbox#fail}
      # @return [Object] what the block returns
      def privy_down(times: nil, status: 503, on: nil, &block)
        Testing.fault(block, status: status, count: times || 0, on: on)
      end

      # Lets the next requests be refused by the rate limit, with +Retry-After+. Calls wait that long by the sandbox's
      # clock, which takes no time, or raise {RateLimitError} if +max_wait+ is shorter.
      #
      # @param for [Numeric] seconds
      # @param times [Integer] requests that are refused
      # @param on [String, nil] an operation, as for {Sandbox#fail}
      # @return [Object] what the block returns; as for {#privy_down}
      def privy_rate_limited(for: 60, times: 1, on: nil, &block)
        Testing.fault(block, status: 429, retry_after: binding.local_variable_get(:for), count: times, on: on)
      end

      # Delays the next responses by the sandbox's clock, which takes no time: {APITimeoutError} if a client's +timeout+
      # is shorter.
      #
      # @param for [Numeric] seconds
      # @param times [Integer, nil] responses that are late; nil: all, until the test or the block ends
      # @param on [String, nil] an operation, as for {Sandbox#fail}
      # @return [Object] what the block returns; as for {#privy_down}
      def privy_slow(for: 31, times: nil, on: nil, &block)
        Testing.fault(block, delay: binding.local_variable_get(:for), count: times || 0, on: on)
      end
    end

    class << self
      # Queues a fault; with a block it ends with the block.
      #
      # @private
      def fault(block, **fault)
        target = sandbox
        target.fail(**fault)
        return unless block

        begin
          block.call
        ensure
          target.clear_faults
        end
      end

      # The requests that the test's sandbox has received, but those for tokens.
      #
      # @private
      def sent(since: 0)
        target = sandbox
        count = target.counts.requests - since
        return [] unless count.positive?

        kept = target.requests
        raise Error, "of #{count} requests the sandbox keeps #{kept.length}: see keep_requests" if count > kept.length

        kept.last(count).reject { |request| request.path.start_with?("/oauth/") }
      end

      # The requests of a block.
      #
      # @private
      def sent_by
        before = sandbox.counts.requests
        yield
        sent(since: before)
      end

      # @private
      def listed(requests)
        requests.map { |request| "  #{request.operation || "#{request.method} #{request.path}"}: #{request.status}" }
      end
    end
  end
end
