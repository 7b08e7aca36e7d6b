# frozen_string_literal: true

require "active_support"
require "active_support/notifications"
require_relative "../rails"

module Privy
  module Rails
    # Calls as events of ActiveSupport::Notifications. A Rails application has them unless +config.privy.notifications+
    # is false; any other program with ActiveSupport calls {.install}.
    #
    #   Privy::Rails::Notifications.install
    #   ActiveSupport::Notifications.subscribe("call.privy") do |event|
    #     StatsD.timing("privy.#{event.payload[:operation]}", event.duration)
    #   end
    #
    # - +call.privy+: a call has ended, or was refused;
    # - +attempt.privy+: a request has a response, or has failed;
    # - +retry.privy+: another attempt follows;
    # - +wait.privy+: the call waits for the rate limit;
    # - +token.privy+: a new OAuth token was received;
    # - +bulk.privy+: a bulk run has ended.
    #
    # The payload of each is in docs/observability.md. None holds a token, a body, an e-mail address or a phone number;
    # only the exception of a failed call (+exception_object+), which Rails puts there too, has the response's body. The
    # subscribers of a call run in the thread or fiber that makes it. Calls that a subscriber makes are no events. An
    # event of the library costs nothing while it has no subscriber.
    module Notifications
      # The names of the events, by what they are about.
      NAMES = %w[call attempt retry wait token bulk].to_h { |name| [name.to_sym, "#{name}.privy"] }.freeze

      class << self
        # Calls of all clients of this process become events, also those of clients that exist already. May be called
        # more than once.
        #
        # @return [void]
        def install
          Core.notifier ||= Notifier.new
        end

        # What a Rails application does: events, log lines, and the times of calls in requests and jobs.
        #
        # @private
        # @param config [ActiveSupport::OrderedOptions] config.privy
        # @return [void]
        def set_up(config)
          install
          LogSubscriber.output = config.logger
          LogSubscriber.level = ::Logger.const_get(Log.level(config).upcase)
          LogSubscriber.attach
          Runtime.subscribe
          ::ActiveSupport.on_load(:action_controller) { include ControllerRuntime }
          ::ActiveSupport.on_load(:active_job) { prepend JobRuntime }
          ErrorContext.report
        end

        # Calls that begin from now on are no events.
        #
        # @return [void]
        def uninstall
          Core.notifier = nil
        end

        # @return [Boolean]
        def installed?
          !Core.notifier.nil?
        end
      end
    end

    # What the core gives the events of all clients to: see Core.notifier=.
    #
    # @private
    class Notifier
      NAMES = Notifications::NAMES
      ATTRIBUTES = CallEvent::ATTRIBUTES
      # Kinds of the core's events for each notification. Of refusals, only those of invalid requests are calls.
      KINDS = { call: %i[end refused], attempt: %i[response failure], retry: %i[retry], wait: %i[wait],
                token: %i[token] }.freeze
      BITS = KINDS.transform_values { |kinds| kinds.sum { |kind| 1 << Core::EVENT_KINDS.index(kind) } }.freeze
      CALL, ATTEMPT, RETRY, WAIT, TOKEN = NAMES.values_at(*KINDS.keys)
      CALL_BITS, ATTEMPT_BITS, RETRY_BITS, WAIT_BITS, TOKEN_BITS = BITS.values
      DEFERRED = { StandardError => :never }.freeze

      # Spelled out: it runs before each call.
      #
      # @return [Integer] the kinds of events that somebody listens to, as a sum of 1 << index in Core::EVENT_KINDS
      def kinds
        return 0 if Thread.current[:privy_observing]

        notifier = ::ActiveSupport::Notifications.notifier
        wanted = notifier.listening?(CALL) ? CALL_BITS : 0
        wanted |= ATTEMPT_BITS if notifier.listening?(ATTEMPT)
        wanted |= RETRY_BITS if notifier.listening?(RETRY)
        wanted |= WAIT_BITS if notifier.listening?(WAIT)
        wanted |= TOKEN_BITS if notifier.listening?(TOKEN)
        wanted
      end

      # @param values [Array<Object>] in the order of CallEvent::ATTRIBUTES, without the message
      # @param account [Symbol, nil]
      # @param exception [Exception, nil]
      # @param began [Float] seconds of CLOCK_MONOTONIC at which the call or the attempt began
      # @return [void]
      def call(values, account, exception, began)
        observing { dispatch(values, account, exception, began) }
      end

      # @param payload [Hash{Symbol => Object}]
      # @param seconds [Float]
      # @return [void]
      def bulk(payload, seconds)
        return if Thread.current[:privy_observing]

        now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        observing { Publisher.publish(NAMES[:bulk], payload, now - seconds, seconds) }
      end

      private

      # Asynchronous exceptions (Thread#raise, Timeout) are deferred, as for an observer.
      def observing(&)
        before = Thread.current[:privy_observing]
        Thread.current[:privy_observing] = true
        Thread.handle_interrupt(DEFERRED, &)
      ensure
        Thread.current[:privy_observing] = before
      end

      def dispatch(values, account, exception, began)
        case values.first
        when :end, :refused then publish_call(values, account, exception, began)
        when :response, :failure then publish_attempt(values, account, began)
        when :retry then publish_step(RETRY, values, account, began, reason: values.values_at(7, 8).compact.join(" "))
        when :wait then publish_wait(values, account, began)
        when :token then publish_step(TOKEN, values, account, began, expires_at: Time.now + values[11])
        end
      end

      def publish_call(values, account, exception, began)
        kind, _, _, operation, method, path, attempts, status, error, reason, request_id, _, waited, _, _, _, _, total,
          _, _, _, minute_left, day_left, idempotency_key, created, replay, row_index, sandbox = values
        return if kind == :refused && error != "ValidationError"

        payload = { operation: operation, account: account, method: method, path: path, status: status,
                    error: error || exception&.class&.name, reason: reason, attempts: attempts, waited: waited || 0.0,
                    request_id: request_id, idempotency_key: idempotency_key, minute_left: minute_left,
                    day_left: day_left, created: created, replay: replay, row_index: row_index, sandbox: sandbox }
        add_exception(payload, exception)
        Publisher.publish(CALL, payload, began, total || 0.0)
      end

      def add_exception(payload, exception)
        return unless exception

        payload[:exception] = [exception.class.name, exception.message]
        payload[:exception_object] = exception
      end

      IN_ATTEMPT = %i[operation method path attempt status error reason request_id lookup connect tls first_byte total
                      bytes_sent bytes_received reused row_index sandbox].freeze
      IN_STEP = %i[operation method path attempt status error seconds minute_left day_left row_index sandbox].freeze
      POSITIONS = (ATTRIBUTES.map { |name| name == :http_method ? :method : name })
                  .each_with_index.to_h.freeze
      private_constant :IN_ATTEMPT, :IN_STEP, :POSITIONS

      def publish_attempt(values, account, began)
        payload = pick(IN_ATTEMPT, values, account)
        Publisher.publish(ATTEMPT, payload, began, payload[:total] || 0.0)
      end

      def publish_wait(values, account, began)
        publish_step(WAIT, values, account, began, until: Time.now + values[11], why: "rate limit of the minute")
      end

      def publish_step(name, values, account, began, **more)
        Publisher.publish(name, pick(IN_STEP, values, account).merge(more), began, 0.0)
      end

      def pick(names, values, account)
        { account: account }.merge(names.to_h { |name| [name, values[POSITIONS.fetch(name)]] })
      end
    end
    private_constant :Notifier
  end
end
