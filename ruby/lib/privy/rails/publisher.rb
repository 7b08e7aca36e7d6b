# frozen_string_literal: true

require "active_support/subscriber"

module Privy
  module Rails
    # Gives an event whose times are known to the subscribers of ActiveSupport::Notifications. Its instrumenter measures
    # from a start to a finish on a stack of the thread: calls that overlap would take each other's times.
    #
    # @private
    module Publisher
      AS = ::ActiveSupport::Notifications
      SUBSCRIBERS = AS::Fanout::Subscribers
      private_constant :AS, :SUBSCRIBERS

      class << self
        # @param name [String]
        # @param payload [Hash{Symbol => Object}]
        # @param began [Float] seconds of CLOCK_MONOTONIC
        # @param seconds [Float] that the event lasted
        # @return [void]
        def publish(name, payload, began, seconds)
          listeners = AS.notifier.listeners_for(name)
          return if listeners.empty?

          event = AS::Event.new(name, began, began + seconds, AS.instrumenter.id, payload)
          listeners.each { |listener| guarded(name) { deliver(listener, event) } }
        end

        # A StandardError of a subscriber does not stop the call.
        #
        # @param name [String]
        # @return [void]
        def guarded(name)
          yield
        rescue => e
          warn("privy: a subscriber of #{name} raised #{e.class}: #{e.message} (#{e.backtrace&.first})")
        end

        private

        # The classes of ActiveSupport::Notifications::Fanout, from Rails 6.1 on.
        def deliver(listener, event)
          delegate = listener.instance_variable_get(:@delegate)
          case listener
          when SUBSCRIBERS::MonotonicTimed then delegate.call(*times(event, event.time, event.end))
          when SUBSCRIBERS::Timed then delegate.call(*times(event, *wall_times(event)))
          when SUBSCRIBERS::EventObject then delegate.call(event)
          else wrapped?(listener) ? deliver(delegate, event) : deliver_to_object(delegate, event)
          end
        end

        # Rails 6.1 wraps the subscribers of all events.
        def wrapped?(listener)
          SUBSCRIBERS.const_defined?(:AllMessages) && listener.is_a?(SUBSCRIBERS::AllMessages)
        end

        def deliver_to_object(delegate, event)
          if delegate.respond_to?(:publish_event)
            delegate.publish_event(event)
          elsif delegate.is_a?(::ActiveSupport::Subscriber)
            delegate.public_send(event.name.delete_suffix(".privy"), event)
          else
            delegate.start(event.name, event.transaction_id, event.payload)
            delegate.finish(event.name, event.transaction_id, event.payload)
          end
        end

        def times(event, start, finish)
          [event.name, start, finish, event.transaction_id, event.payload]
        end

        def wall_times(event)
          ago = Process.clock_gettime(Process::CLOCK_MONOTONIC) - event.end
          finish = Time.now - ago
          [finish - (event.end - event.time), finish]
        end
      end
    end
  end
end
