# frozen_string_literal: true

module Privy
  # Passes the events of a client's calls to a callable, a logger or both.
  #
  # @private
  class Observer
    # The levels in the core's order, and the logger's method for each.
    LEVELS = { debug: :debug, info: :info, warning: :warn }.freeze
    METHODS = LEVELS.values.freeze
    private_constant :LEVELS, :METHODS

    # @param on_event [#call, nil]
    # @param logger [#debug & #info & #warn, nil]
    # @return [Observer, nil] nil without a callable and a logger
    # @raise [Error] one of them lacks a method
    def self.of(on_event, logger)
      raise Error, "on_event: must respond to call" unless on_event.nil? || on_event.respond_to?(:call)

      missing = logger.nil? ? [] : METHODS.reject { |name| logger.respond_to?(name) }
      raise Error, "logger: must respond to #{missing.join(' and ')}" unless missing.empty?

      new(on_event, logger) if on_event || logger
    end

    # @param on_event [#call, nil]
    # @param logger [#debug & #info & #warn, nil]
    def initialize(on_event, logger)
      @on_event = on_event
      @logger = logger
      @predicates = METHODS.to_h { |name| [name, :"#{name}?"] }.select { |_, predicate| logger.respond_to?(predicate) }
    end

    # The core asks for it when a call begins. Calls that an observer makes report no events: they would never end.
    #
    # @return [Integer, nil] the lowest level that is taken, as its index in LEVELS; nil: no events
    def least
      return if Thread.current[:privy_observing]

      @on_event ? 0 : METHODS.index { |name| logs?(name) }
    end

    # Passes the event on. A StandardError of the callable or the logger is reported by warn, and the call continues.
    # Asynchronous exceptions (Thread#raise) are deferred until they return.
    #
    # @param event [CallEvent]
    # @return [void]
    def call(event)
      before = Thread.current[:privy_observing]
      Thread.current[:privy_observing] = true
      Thread.handle_interrupt(StandardError => :never) do
        attempt { @on_event.call(event) } if @on_event
        name = LEVELS.fetch(event.level)
        attempt { @logger.public_send(name, "privy #{event}") } if logs?(name)
      end
    ensure
      Thread.current[:privy_observing] = before
    end

    private

    def logs?(name)
      @logger && (@predicates[name].nil? || @logger.public_send(@predicates[name]))
    rescue => e
      report(e)
    end

    def attempt
      yield
    rescue => e
      report(e)
    end

    def report(error)
      warn("privy: an observer raised #{error.class}: #{error.message} (#{error.backtrace&.first})")
    end
  end
  private_constant :Observer
end
