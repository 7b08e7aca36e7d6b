# frozen_string_literal: true

module Privy
  # One event of a call, as +on_event+ of {Client#initialize} gets it. Frozen, equal by value.
  #
  # Its {#kind} says what happened:
  #
  # - +:start+: a call begins; nothing is sent yet;
  # - +:request+: a request goes out;
  # - +:response+: its answer came, be it an error;
  # - +:failure+: no answer came, or the call was stopped;
  # - +:retry+: another attempt will follow in {#seconds};
  # - +:wait+: the account's budget makes the call wait {#seconds};
  # - +:token+: a new OAuth token is there, valid for {#seconds};
  # - +:refused+: nothing is sent, because the request is invalid or the budget is spent;
  # - +:end+: the call has ended.
  #
  # The events of a call come in the order of happening. The first is +:start+, the last is +:end+, and each of these
  # comes once. A request that is refused as invalid does not become a call: its only event is +:refused+. An event
  # never holds a token, a body, an e-mail address or a phone number.
  class CallEvent
    include Value

    ATTRIBUTES = %i[kind level call operation http_method path attempt status error reason request_id seconds waited
                    lookup connect tls first_byte total bytes_sent bytes_received reused minute_left day_left
                    message].freeze
    VARIABLES = ATTRIBUTES.map { |name| :"@#{name}" }.freeze
    private_constant :VARIABLES

    # @return [Symbol] +:start+, +:request+, +:response+, +:failure+, +:retry+, +:wait+, +:token+, +:refused+ or +:end+
    attr_reader :kind
    # @return [Symbol] how important it is: +:info+ for retries and for waits of a second and more, +:warning+ for
    #   refusals by budget, +:debug+ for all else
    attr_reader :level
    # @return [Integer] number of the call, from 1 on in its client
    attr_reader :call
    # @return [String] what was called, e.g. "orders.upsert"; "request" for {Client#request}
    attr_reader :operation
    # @return [String] HTTP method, e.g. "POST"; of a start and an end, of the call's first request. Empty where the
    #   given one is refused
    attr_reader :http_method
    # @return [String] template of the path, e.g. "/contacts/\\{id}"; so are paths that a user wrote. Empty where the
    #   given one is refused
    attr_reader :path
    # @return [Integer] requests of this call so far, those for tokens included
    attr_reader :attempt
    # @return [Integer, nil] HTTP status of the answer, of the one that a retry follows, or that the call ended with
    attr_reader :status
    # @return [String, nil] class name of the error below Privy, e.g. "ServerError"; nil when there is none, and when
    #   the call was stopped
    attr_reader :error
    # @return [String, nil] of a failure, and of an end without an answer: what went wrong, in the transport's words, or
    #   that the call was stopped. Of a refusal: which limit is spent, or which parameters are invalid
    attr_reader :reason
    # @return [String, nil] X-Request-Id of the answer
    attr_reader :request_id
    # @return [Float, nil] seconds until a retry or the end of a wait, for which a token is valid, or until there is
    #   budget
    attr_reader :seconds
    # @return [Float, nil] of an end: seconds that the call spent waiting for budget, Retry-After and backoff
    attr_reader :waited
    # @return [Float, nil] seconds for the name lookup, 0.0 on a kept connection; nil unless a response or failure, as
    #   are all that follow up to {#reused}
    attr_reader :lookup
    # @return [Float, nil] seconds for the connection
    attr_reader :connect
    # @return [Float, nil] seconds for TLS
    attr_reader :tls
    # @return [Float, nil] seconds from the request's departure to the answer's first byte
    attr_reader :first_byte
    # @return [Float, nil] seconds in all; of an end, since the call's start
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
    # @return [String, nil] the event as one line, as it is logged
    attr_reader :message

    # @param attributes [Hash] values of the attributes, for events of your own making in tests
    def initialize(**attributes)
      unknown = attributes.keys - ATTRIBUTES
      raise ArgumentError, "unknown keywords: #{unknown.join(', ')}" unless unknown.empty?

      VARIABLES.zip(attributes.values_at(*ATTRIBUTES)) { |variable, value| instance_variable_set(variable, value) }
      freeze
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
      message || inspect
    end

    # @return [String] the attributes that are known
    def inspect
      known = to_h.except(:message).compact
      "#<#{self.class} #{known.map { |name, value| "#{name}=#{value.inspect}" }.join(' ')}>"
    end

    # @private
    def self.from_core(values)
      new(http_method: values.delete(:method), **values)
    end
  end
end
