# frozen_string_literal: true

require "active_support/log_subscriber"
require_relative "notifications"

module Privy
  module Rails
    # Logs calls as Rails logs queries, without bodies and addresses:
    #
    #   Privy contacts.create 201 (12.3ms | attempts: 1 | waited: 0.0s | left: 41)
    #
    # Calls are logged at debug, those that failed or were refused at warn; retries, waits of a second or more and the
    # ends of bulk runs at info; shorter waits and tokens at debug.
    class LogSubscriber < ::ActiveSupport::LogSubscriber
      # Seconds from which on a wait is logged at info.
      LONG_WAIT = 1
      private_constant :LONG_WAIT

      class << self
        # @return [Logger, nil] nil: that of Rails
        attr_accessor :output
        # @return [Integer] a level of Logger: lines below it are dropped
        attr_accessor :level

        # Logs the calls of the process from now on. May be called more than once.
        #
        # @return [void]
        def attach
          return if subscribers.any?(self)

          attach_to(:privy)
          add_event_subscriber(:call) # from Rails 7.1 on attach_to leaves it out: the class above has a method call
        end
      end
      self.level = ::Logger::DEBUG

      # @private
      def logger
        LogSubscriber.output || super
      end

      # @private
      # @param event [ActiveSupport::Notifications::Event]
      def call(event)
        return super unless event.name == Notifications::NAMES[:call] # from Rails 7.1 on: any event

        failed = event.payload[:error] || event.payload[:reason]
        log(failed ? :warn : :debug) { line(event, call_text(event, event.payload)) }
      end

      # @private
      def retry(event)
        seconds, reason = event.payload.values_at(:seconds, :reason)
        log(:info) { line(event, "retry in #{seconds.round(1)}s after #{reason}") }
      end

      # @private
      def wait(event)
        seconds, why = event.payload.values_at(:seconds, :why)
        log(seconds < LONG_WAIT ? :debug : :info) { line(event, "waits #{seconds.round(1)}s for the #{why}") }
      end

      # @private
      def token(event)
        log(:debug) { line(event, "received a token, valid for #{event.payload[:seconds].round}s") }
      end

      # @private
      def bulk(event)
        log(event.payload[:error] ? :warn : :info) { line(event, "bulk run: #{rows(event.payload)} (#{run(event)})") }
      end

      private

      def log(level, &)
        logger.public_send(level, &) if logger && ::Logger.const_get(level.upcase) >= LogSubscriber.level
      end

      def call_text(event, payload)
        result = payload.values_at(:status, :error).compact.join(" ")
        result = [result, payload[:reason]].reject { |text| text.to_s.empty? }.join(": ")
        parts = ["#{event.duration.round(1)}ms", "attempts: #{payload[:attempts]}",
                 "waited: #{payload[:waited].round(1)}s"]
        parts << "left: #{payload[:minute_left]}" if payload[:minute_left]
        parts << "row: #{payload[:row_index]}" if payload[:row_index]
        parts << "sandbox" if payload[:sandbox]
        "#{result} (#{parts.join(' | ')})"
      end

      def rows(payload)
        total, done, failed, skipped, error = payload.values_at(:total, :done, :failed, :skipped, :error)
        parts = [total ? "#{done} of #{Counted.of(total, 'row')}" : Counted.of(done, "row"), "#{failed} failed"]
        parts << "#{skipped} skipped" if skipped.positive?
        parts << "stopped by #{error}" if error
        parts.join(", ")
      end

      def run(event)
        payload = event.payload
        ["#{event.duration.round(1)}ms", "requests: #{payload[:requests]}", "waited: #{payload[:waited].round(1)}s"]
          .join(" | ")
      end

      def line(event, text)
        payload = event.payload
        account = payload[:account]
        name = account && account != :default ? "Privy[#{account}]" : "Privy"
        shade = payload[:error] || payload[:reason] ? RED : CYAN
        "  #{color("#{name} #{payload[:operation]}", shade, bold: true)} #{text}"
      end
    end
  end
end
