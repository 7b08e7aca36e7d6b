# frozen_string_literal: true

module Privy
  module Rails
    # Adds {Error#sentry_context} to what Rails.error reports of an error of privy, from Rails 8.1 on.
    #
    # @private
    module ErrorContext
      class << self
        # @return [void]
        def report
          reporter = ::Rails.error if ::Rails.respond_to?(:error)
          reporter.add_middleware(self) if reporter.respond_to?(:add_middleware)
        end

        # @param error [Exception]
        # @param context [Hash]
        # @return [Hash]
        def call(error, context:, **)
          error.is_a?(Error) ? context.merge(error.sentry_context) : context
        end
      end
    end
  end
end
