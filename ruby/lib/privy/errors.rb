# frozen_string_literal: true

module Privy
  # Anything that privy raises; by itself: a setting that cannot be used. No error ever holds a token or another secret.
  # Each can be marshalled, and matched by a pattern.
  class Error < StandardError
    include Serializable

    # @return [Array<Hash{Symbol => String}>] what is wrong with the request, as +{ field:, message: }+; a rule over
    #   several fields has the field "base"
    attr_reader :details
    # @return [Integer, nil] the answer's HTTP status, nil when no answer came
    attr_reader :status
    # @return [String, nil] the server's own word for the error, e.g. "validation_failed"
    attr_reader :code
    # @return [String, nil] the request's HTTP method, e.g. "POST"
    attr_reader :http_method
    # @return [String, nil] the request's path without its query
    attr_reader :path
    # @return [String, nil] the answer's X-Request-Id
    attr_reader :request_id
    # @return [String, nil] the idempotency key that the request carried
    attr_reader :idempotency_key
    # @return [Boolean] whether the failure may pass by itself, and the same call made again has no second effect. An
    #   event that may have been accepted is not: make the call again with its {#idempotency_key}
    attr_reader :retryable
    alias retryable? retryable
    # @return [Float, nil] of a failure that may pass: seconds to wait, at most a day; nil when unknown
    attr_reader :retry_after
    # @return [Time, nil] the instant that {#retry_after} means, in UTC; nil when unknown
    attr_reader :retry_at
    # @return [Boolean] whether a write was lost on the way, so that the server may have acted on it
    attr_reader :may_have_succeeded
    alias may_have_succeeded? may_have_succeeded
    # @return [Integer] requests spent; 0: none left this machine
    attr_reader :attempts
    # @return [Float] seconds spent waiting for budget, Retry-After and backoff
    attr_reader :waited
    # @return [Hash{String => String}] the answer's headers, names in lower case; empty when no answer came
    attr_reader :headers
    # @return [String, nil] the beginning of the answer's body, nil when no answer came
    attr_reader :body

    # @param message [String, nil]
    # @param attributes [Hash] values of the attributes, for errors of your own making in tests
    def initialize(message = nil, **attributes)
      super(message)
      unknown = attributes.keys - self.class::ATTRIBUTES
      raise ArgumentError, "unknown keywords: #{unknown.join(', ')}" unless unknown.empty?

      self.class::ATTRIBUTES.each { |name| instance_variable_set(:"@#{name}", attributes[name]) }
      @details ||= [].freeze
      @headers ||= {}.freeze
      @retryable ||= false
      @may_have_succeeded ||= false
      @attempts ||= 0
      @waited ||= 0.0
    end

    # For pattern matching: the message and every attribute.
    #
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(_keys)
      self.class::ATTRIBUTES.to_h { |name| [name, public_send(name)] }.merge(message: message)
    end

    # What may hold more than a reader of the JSON should see.
    UNWRITTEN = %i[headers body unsent].freeze
    private_constant :UNWRITTEN

    # What every error carries.
    ATTRIBUTES = %i[details status code http_method path request_id idempotency_key retryable retry_after retry_at
                    may_have_succeeded attempts waited headers body].freeze

    # The order in which the core gives its values.
    FROM_CORE = (ATTRIBUTES + %i[contact_id resets_at]).freeze
    private_constant :FROM_CORE

    # @private
    def self.from_core(values)
      message, *rest = values
      new(message, **FROM_CORE.zip(rest).to_h.slice(*self::ATTRIBUTES))
    end

    # @!method as_json(options = nil)
    #   Class name below Privy (type), message and attributes, but for headers, body and rows: those stay with Marshal,
    #   YAML and the attributes.
    #   @param options [Hash, nil] +only+ or +except+
    #   @return [Hash{String => Object}]

    private

    def json_data
      names = self.class::ATTRIBUTES - UNWRITTEN
      { type: self.class.to_s.delete_prefix("Privy::"), message: message }
        .merge(names.to_h { |name| [name, instance_variable_get(:"@#{name}")] })
    end
  end

  # Refused before sending, or by the server with 400 or 422: see {#details}, which names every fault.
  class ValidationError < Error; end

  # No whole answer came: the connection failed or broke.
  class APIConnectionError < Error; end

  # No whole answer came in time.
  class APITimeoutError < APIConnectionError; end

  # The server answered with an error, or with what is no answer.
  class APIStatusError < Error; end

  # 401: the token is missing, expired, revoked or wrong.
  class AuthenticationError < APIStatusError; end

  # 403: the token lacks the scope that the call needs.
  class PermissionDeniedError < APIStatusError; end

  # 404: there is no such contact or endpoint.
  class NotFoundError < APIStatusError; end

  # 409: a contact with this e-mail or phone exists.
  class ConflictError < APIStatusError
    ATTRIBUTES = (superclass::ATTRIBUTES + %i[contact_id]).freeze

    # @return [String, nil] the existing contact's id, nil when the answer did not name it
    attr_reader :contact_id
  end

  # 413: the event's body is larger than 256 KB.
  class PayloadTooLargeError < APIStatusError; end

  # The account's limit of the minute or the day is spent: the server said so with 429, or the client knows it from the
  # last answers and spends no request on it (then {#status} is nil).
  class RateLimitError < APIStatusError
    ATTRIBUTES = (superclass::ATTRIBUTES + %i[resets_at unsent taken]).freeze

    # @return [Time, nil] when the spent limit is whole again, nil when unknown: the same instant as {#retry_at}
    attr_reader :resets_at
    # @return [Array<Array(Integer, Hash)>] of a bulk call: index and row of those that were not sent. An Array of rows
    #   is told to its end; of any other source those that it had given already
    attr_reader :unsent
    # @return [Integer, nil] of a bulk call: how many rows the source had given; the next one stands at this index
    attr_reader :taken

    # @param message [String, nil]
    # @param attributes [Hash] values of the attributes
    def initialize(message = nil, **attributes)
      super
      @unsent ||= [].freeze
    end
  end

  # 5xx: the server failed.
  class ServerError < APIStatusError; end
end
