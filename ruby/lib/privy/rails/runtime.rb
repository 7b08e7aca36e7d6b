# frozen_string_literal: true

require_relative "notifications"

module Privy
  module Rails
    # The time that the thread spends in calls. Calls of a bulk run overlap: each instant counts once.
    #
    # @private
    module Runtime
      KEY = :privy_runtime
      # Intervals that are kept: a call that ends cannot have begun before that many others.
      KEPT = 64
      State = Struct.new(:seconds, :calls, :intervals)
      private_constant :KEY, :KEPT, :State

      class << self
        # Counts the calls of the process from now on. May be called more than once.
        #
        # @return [void]
        def subscribe
          @subscribe ||= ::ActiveSupport::Notifications.monotonic_subscribe(Notifications::NAMES[:call]) do |*event|
            add(event[1], event[2])
          end
        end

        # @return [void]
        def reset
          place[KEY] = State.new(0.0, 0, [])
        end

        # @return [Float] milliseconds since the last {.reset}
        def milliseconds
          state.seconds * 1e3
        end

        # @return [Integer] since the last {.reset}
        def calls
          state.calls
        end

        # Counts a call: it ends after all that were counted.
        #
        # @param start [Float]
        # @param finish [Float]
        # @return [void]
        def add(start, finish)
          state = self.state
          state.calls += 1
          intervals = state.intervals
          while (last = intervals.last) && last[1] >= start
            intervals.pop
            state.seconds -= last[1] - last[0]
            start = last[0] if last[0] < start
          end
          state.seconds += finish - start
          intervals << [start, finish]
          intervals.shift if intervals.length > KEPT
        end

        private

        def state
          place[KEY] || reset
        end

        # From Rails 7 on an application chooses whether a request has a thread or a fiber.
        def place
          isolated = defined?(::ActiveSupport::IsolatedExecutionState)
          isolated ? ::ActiveSupport::IsolatedExecutionState : Thread.current
        end
      end
    end
  end
end
