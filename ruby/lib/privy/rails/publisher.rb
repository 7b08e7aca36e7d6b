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
        # @param seconds [Float] that the event lasted until now
        # @return [void]
        def publish(name, payload, seconds)
          listeners = AS.notifier.listeners_for(name)
          return if listeners.empty?

          finish = Process.clock_gettime(Process::CLOCK_MONOTONIC)
          event = AS::Event.new(name, finish - seconds, finish, AS.instrumenter.id, payload)
          listeners.each { |listener| guarded(name) { deliver(listener, event, seconds) } }
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
        def deliver(listener, event, seconds)
          delegate = listener.instance_variable_get(:@delegate)
          case listener
          when SUBSCRIBERS::MonotonicTimed then delegate.call(*times(event, event_time(event, seconds)))
          when SUBSCRIBERS::Timed then delegate.call(*times(event, wall_time(seconds)))
          when SUBSCRIBERS::EventObject then delegate.call(event)
          else wrapped?(listener) ? deliver(delegate, event, seconds) : deliver_to_object(delegate, event)
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

        def times(event, both)
          [event.name, *both, event.transaction_id, event.payload]
        end

        def event_time(event, seconds)
          [event.end - seconds, event.end]
        end

        def wall_time(seconds)
          finish = Time.now
          [finish - seconds, finish]
        end
      end
    end
  end
end
