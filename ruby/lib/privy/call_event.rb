# frozen_string_literal: true

module Privy
  # One event of a call, for +on_event+ of {Client#initialize}. Frozen, equal by value.
  #
  # Its {#kind} is one of:
  #
  # - +:start+: a call begins; nothing is sent yet;
  # - +:request+: a request is sent;
  # - +:response+: a response arrived, with any status;
  # - +:failure+: no response arrived, or the call was stopped;
  # - +:retry+: another attempt follows in {#seconds};
  # - +:wait+: the call waits {#seconds} for the rate limit;
  # - +:token+: a new OAuth token was received, valid for {#seconds};
  # - +:refused+: nothing is sent, because the request is invalid or the rate limit is reached;
  # - +:end+: the call has ended.
  #
  # Events arrive in order. The first event of a call is +:start+, the last is +:end+; each comes once. An invalid
  # request has one event only: +:refused+. An event never holds a token, a body, an e-mail address or a phone number.
  class CallEvent
    include Value

    # The names of the attributes.
    ATTRIBUTES = %i[kind level call operation http_method path attempt status error reason request_id seconds waited
                    lookup connect tls first_byte total bytes_sent bytes_received reused minute_left day_left
                    idempotency_key created replay row_index sandbox message].freeze
    VARIABLES = ATTRIBUTES.map { |name| :"@#{name}" }.freeze
    private_constant :VARIABLES

    # @return [Symbol] +:start+, +:request+, +:response+, +:failure+, +:retry+, +:wait+, +:token+, +:refused+ or +:end+
    attr_reader :kind
    # @return [Symbol] +:info+ for retries and for waits of a second or more, +:warning+ for refusals by rate limit,
    #   +:debug+ for all others
    attr_reader :level
    # @return [Integer] number of the call in its client, from 1 on
    attr_reader :call
    # @return [String] e.g. "orders.upsert"; "request" for {Client#request}
    attr_reader :operation
    # @return [String] HTTP method, e.g. "POST"; for start and end: of the call's first request. Empty when the
    #   given one is invalid
    attr_reader :http_method
    # @return [String] template of the path, e.g. "/contacts/\\{id}", also for {Client#request}. Empty when the given
    #   one is invalid
    attr_reader :path
    # @return [Integer] requests of this call so far, token requests included
    attr_reader :attempt
    # @return [Integer, nil] HTTP status of the response; for a retry or an end: of the last response
    attr_reader :status
    # @return [String, nil] class name of the error below Privy, e.g. "ServerError"; nil without an error, and when the
    #   call was stopped
    attr_reader :error
    # @return [String, nil] for a failure, and an end without a response: the transport's error message, or that the
    #   call was stopped; for a refusal: the rate limit that is reached, or the invalid parameters
    attr_reader :reason
    # @return [String, nil] X-Request-Id of the response
    attr_reader :request_id
    # @return [Float, nil] seconds until a retry, until the end of a wait, until a token expires, or until the rate
    #   limit resets
    attr_reader :seconds
    # @return [Float, nil] for an end: seconds that the call waited for rate limits, Retry-After and backoff
    attr_reader :waited
    # @return [Float, nil] seconds for the name lookup, 0.0 on a reused connection. This and the following up to
    #   {#reused} are nil unless the kind is response or failure
    attr_reader :lookup
    # @return [Float, nil] seconds for the connection
    attr_reader :connect
    # @return [Float, nil] seconds for TLS
    attr_reader :tls
    # @return [Float, nil] seconds from the request to the first byte of the response
    attr_reader :first_byte
    # @return [Float, nil] seconds in total; for an end: since the start of the call
    attr_reader :total
    # @return [Integer, nil] bytes on the wire: headers, and the body as compressed
    attr_reader :bytes_sent
    # @return [Integer, nil] bytes on the wire
    attr_reader :bytes_received
    # @return [Boolean, nil] whether the connection was reused
    attr_reader :reused
    alias reused? reused
    # @return [Integer, nil] requests of the minute that remain for this client, nil when unknown
    attr_reader :minute_left
    # @return [Integer, nil] requests of the day that remain, nil when unknown
    attr_reader :day_left
    # @return [String, nil] for an end: idempotency key of the call, with e-mail addresses and phone numbers masked
    attr_reader :idempotency_key
    # @return [Boolean, nil] for an end of contacts.create, contacts.upsert and orders.upsert: whether the call created
    #   the contact or order, or updated it
    attr_reader :created
    # @return [Boolean, nil] for an end of events.ingest: whether the key was accepted before, so that nothing new was
    #   recorded
    attr_reader :replay
    # @return [Integer, nil] of a bulk run: index of the row
    attr_reader :row_index
    # @return [Boolean, nil] whether the client uses a sandbox
    attr_reader :sandbox
    # @return [String, nil] the event as one line, as it is logged
    attr_reader :message

    # @param attributes [Hash{Symbol => Object}] values of the attributes; for tests
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

    # The event as one line, as it is logged.
    #
    # @return [String]
    def to_s
      message || inspect
    end

    # @return [String] the attributes that are not nil
    def inspect
      known = to_h.except(:message).compact
      "#<#{self.class} #{known.map { |name, value| "#{name}=#{value.inspect}" }.join(' ')}>"
    end
  end
end
