# frozen_string_literal: true

require_relative "runtime"

module Privy
  module Rails
    # Logs the time that a job of ActiveJob spends in calls: "Privy: 12.3ms in 3 calls of OrderJob". From Rails 7.1 on
    # the payload of perform.active_job has it as +privy_runtime+, in milliseconds.
    module JobRuntime
      private

      def instrument(operation, payload = {}, &block)
        return super unless operation == :perform && block

        super(operation, payload) { |*arguments| with_privy_runtime(payload) { block.call(*arguments) } }
      end

      # A request may perform a job, whose calls are its own too.
      def with_privy_runtime(payload)
        milliseconds = Runtime.milliseconds
        calls = Runtime.calls
        yield
      ensure
        payload[:privy_runtime] = Runtime.milliseconds - milliseconds
        calls = Runtime.calls - calls
        log_privy_runtime(calls, payload[:privy_runtime]) if calls.positive?
      end

      def log_privy_runtime(calls, milliseconds)
        count = calls == 1 ? "1 call" : "#{calls} calls"
        logger&.info { "Privy: #{milliseconds.round(1)}ms in #{count} of #{self.class}" }
      end
    end
  end
end
