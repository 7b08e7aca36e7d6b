# frozen_string_literal: true

require_relative "runtime"

module Privy
  module Rails
    # Adds the time of calls to the line of a request: "Completed 201 Created in 54ms (Views: 1.2ms | Privy: 12.3ms)".
    # The payload of process_action.action_controller has it as +privy_runtime+, in milliseconds.
    module ControllerRuntime
      extend ::ActiveSupport::Concern

      # Of the controller's class.
      module ClassMethods
        # @private
        def log_process_action(payload)
          messages = super
          runtime = payload[:privy_runtime]
          messages << "Privy: #{runtime.round(1)}ms" if runtime&.positive?
          messages
        end
      end

      private

      def process_action(*)
        Runtime.reset
        super
      end

      # Calls that a view makes are no time of the view.
      def cleanup_view_runtime
        before = Runtime.milliseconds
        super - (Runtime.milliseconds - before)
      end

      def append_info_to_payload(payload)
        super
        payload[:privy_runtime] = Runtime.milliseconds
      end
    end
  end
end
