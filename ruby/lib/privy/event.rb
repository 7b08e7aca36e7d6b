# frozen_string_literal: true

module Privy
  # One step of a call, as +on_event+ of {Client#initialize} is told of it. Frozen, equal by value.
  #
  # Its {#kind} says what happened:
  #
  # - +:request+: a request goes out;
  # - +:response+: its answer came, be it an error;
  # - +:failure+: no answer came, or the call was stopped;
  # - +:retry+: another attempt will follow in {#seconds};
  # - +:wait+: the account's budget makes the call wait {#seconds};
  # - +:token+: a new OAuth token is there, valid for {#seconds}.
  #
  # The steps of one call come in the order of happening. A call that is refused before anything is sent has none. An
  # event never holds a token, a body, an e-mail address or a phone number.
  class Event
    include Value

    ATTRIBUTES = %i[kind call method path attempt status error reason request_id seconds lookup connect tls first_byte
                    total bytes_sent bytes_received reused minute_left day_left].freeze
    VARIABLES = ATTRIBUTES.map { |name| :"@#{name}" }.freeze
    private_constant :VARIABLES

    # @return [Symbol] +:request+, +:response+, +:failure+, +:retry+, +:wait+ or +:token+
    attr_reader :kind
    # @return [Integer] number of the call, from 1 on in its client
    attr_reader :call
    # @return [String] template of the path, e.g. "/contacts/\\{id}"; so are paths that a user wrote
    attr_reader :path
    # @return [Integer] requests of this call so far, those for tokens included
    attr_reader :attempt
    # @return [Integer, nil] the answer's HTTP status; of a retry, of the answer that it follows
    attr_reader :status
    # @return [String, nil] class name of the error below Privy, e.g. "ServerError", nil when there is none
    attr_reader :error
    # @return [String, nil] of a failure: what went wrong, in the transport's words
    attr_reader :reason
    # @return [String, nil] of a response: its X-Request-Id
    attr_reader :request_id
    # @return [Float, nil] seconds until a retry or the end of a wait, or for which a token is valid; else nil
    attr_reader :seconds
    # @return [Float, nil] seconds for the name lookup, 0.0 on a kept connection; nil unless a response or failure, as
    #   are all that follow up to {#reused}
    attr_reader :lookup
    # @return [Float, nil] seconds for the connection
    attr_reader :connect
    # @return [Float, nil] seconds for TLS
    attr_reader :tls
    # @return [Float, nil] seconds from the request's departure to the answer's first byte
    attr_reader :first_byte
    # @return [Float, nil] seconds in all
    attr_reader :total
    # @return [Integer, nil] bytes on the wire: headers, and the body as compressed
    attr_reader :bytes_sent
    # @return [Integer, nil] likewise
    attr_reader :bytes_received
    # @return [Boolean, nil] whether the connection was a kept one
    attr_reader :reused
    # @return [Integer, nil] requests of the minute left to this client, nil when unknown
    attr_reader :minute_left
    # @return [Integer, nil] requests of the day left, nil when unknown
    attr_reader :day_left

    # @param attributes [Hash] values of the attributes, for events of your own making in tests
    def initialize(**attributes)
      unknown = attributes.keys - ATTRIBUTES
      raise ArgumentError, "unknown keywords: #{unknown.join(', ')}" unless unknown.empty?

      fill(attributes.values_at(*ATTRIBUTES))
    end

    # Without arguments the request's HTTP method, e.g. "POST"; with one, Ruby's own +method+.
    #
    # @return [String, nil, Method]
    def method(*arguments)
      arguments.empty? ? @method : super
    end

    # @return [Hash{Symbol => Object}] every attribute
    def to_h
      ATTRIBUTES.zip(VARIABLES).to_h { |name, variable| [name, instance_variable_get(variable)] }
    end

    # @return [Hash{Symbol => Object}] for pattern matching
    def deconstruct_keys(_keys)
      to_h
    end

    # @param other [Object]
    # @return [Boolean]
    def ==(other)
      other.instance_of?(self.class) && other.to_h == to_h
    end
    alias eql? ==

    # @return [Integer]
    def hash
      to_h.hash
    end

    # One line in plain words, as it is logged.
    #
    # @return [String]
    def to_s
      limits = { "minute" => minute_left, "day" => day_left }.compact.map { |limit, count| "#{count} of the #{limit}" }
      left = ", #{limits.join(' and ')} left" unless limits.empty?
      "#{@method} #{path}, attempt #{attempt}: #{what}#{left}"
    end

    # @return [String] the attributes that are known
    def inspect
      "#<#{self.class} #{to_h.compact.map { |name, value| "#{name}=#{value.inspect}" }.join(' ')}>"
    end

    # @private
    def self.from_core(values)
      allocate.tap { |event| event.send(:fill, values) }
    end

    private

    def fill(values)
      VARIABLES.each_with_index { |variable, index| instance_variable_set(variable, values[index]) }
      freeze
    end

    def what
      why = [status, error].compact.join(" ")
      case kind
      when :request then "sent"
      when :response then "#{why} in #{time(total)}"
      when :failure then "#{error || 'stopped'} after #{time(total)}: #{reason}"
      when :retry then "another attempt in #{time(seconds)} after #{why}"
      when :wait then "waits #{time(seconds)} for the account's budget"
      when :token then "a token for #{time(seconds)}"
      end
    end

    def time(duration)
      format("%.3f s", duration.to_f)
    end
  end

  # Whom a client tells of the steps of its calls: a callable, a logger or both.
  #
  # @private
  class Observer
    # @return [Observer, nil] nil when there is nobody to tell
    # @raise [Error] one of them cannot be told
    def self.of(on_event, logger)
      raise Error, "on_event: must respond to call" unless on_event.nil? || on_event.respond_to?(:call)
      raise Error, "logger: must respond to debug" unless logger.nil? || logger.respond_to?(:debug)

      new(on_event, logger) if on_event || logger
    end

    def initialize(on_event, logger)
      @on_event = on_event
      @logger = logger
      @asks = logger.respond_to?(:debug?)
    end

    # Whether the steps of a call that begins now are to be told. Those of calls that an observer itself makes are not:
    # they would have no end.
    def wanted?
      !Thread.current[:privy_observing] && (@on_event || logs?)
    end

    # Tells the step. What the callable or the logger raises is reported, and the call goes on; what another thread
    # raises meanwhile is not theirs and waits for their return.
    def call(event)
      before = Thread.current[:privy_observing]
      Thread.current[:privy_observing] = true
      Thread.handle_interrupt(StandardError => :never) do
        attempt { @on_event.call(event) } if @on_event
        attempt { @logger.debug("privy #{event}") } if logs?
      end
    ensure
      Thread.current[:privy_observing] = before
    end

    private

    def logs?
      @asks ? @logger.debug? : @logger
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
end
