# frozen_string_literal: true

module Privy
  # The base class of the library's errors; raised itself for an invalid setting. No error holds a token or another
  # secret. Errors support Marshal, YAML, JSON and pattern matching.
  class Error < StandardError
    include Serializable

    # @return [Array<Hash{Symbol => Object}>] the request's validation errors, as +{ field:, message:, code: }+. The
    #   field is "base" for a rule over several fields; the code is a Symbol that names the rule. If the rule has a
    #   limit, +count+ is that limit
    attr_reader :details
    # @return [Integer, nil] HTTP status of the response, nil without a response
    attr_reader :status
    # @return [String, nil] error code of the API, e.g. "validation_failed"
    attr_reader :code
    # @return [String, nil] HTTP method of the request, e.g. "POST"
    attr_reader :http_method
    # @return [String, nil] path of the request, without its query
    attr_reader :path
    # @return [String, nil] X-Request-Id of the response
    attr_reader :request_id
    # @return [String, nil] idempotency key of the request
    attr_reader :idempotency_key
    # @return [Boolean] whether the same call may succeed later, without a second effect. False for an event that the
    #   server may have accepted: make that call again with its {#idempotency_key}
    attr_reader :retryable
    alias retryable? retryable
    # @return [Float, nil] seconds to wait before another call, at most a day; nil when unknown
    attr_reader :retry_after
    # @return [Time, nil] the time of {#retry_after}, in UTC; nil when unknown
    attr_reader :retry_at
    # @return [Boolean] whether the response to a write was lost: the server may have acted on it
    attr_reader :may_have_succeeded
    alias may_have_succeeded? may_have_succeeded
    # @return [Integer] requests sent
    attr_reader :attempts
    # @return [Float] seconds that the call waited for rate limits, Retry-After and backoff
    attr_reader :waited
    # @return [Hash{String => String}] headers of the response, names in lower case; empty without a response
    attr_reader :headers
    # @return [String, nil] beginning of the response's body, nil without a response
    attr_reader :body

    # @param message [String, nil]
    # @param attributes [Hash{Symbol => Object}] values of the attributes; for tests
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

    # The message and every attribute, for pattern matching.
    #
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(_keys)
      self.class::ATTRIBUTES.to_h { |name| [name, public_send(name)] }.merge(message: message)
    end

    # What Sentry adds to its event of this error: see {#to_honeybadger_context}.
    #
    # @return [Hash{Symbol => Hash}]
    def sentry_context
      { privy: context }
    end

    # What Honeybadger adds to its notice of this error, as +{ privy: }+: status, code, method and path of the request,
    # ids, attempts, and the names of the invalid parameters. E-mail addresses and phone numbers are masked; headers and
    # bodies are left out.
    #
    # @return [Hash{Symbol => Hash}]
    def to_honeybadger_context
      sentry_context
    end

    # Not part of the JSON: they may hold personal data.
    UNWRITTEN = %i[headers body unsent].freeze
    private_constant :UNWRITTEN

    # The attributes of every error.
    ATTRIBUTES = %i[details status code http_method path request_id idempotency_key retryable retry_after retry_at
                    may_have_succeeded attempts waited headers body].freeze

    # The order of the core's values.
    FROM_CORE = (ATTRIBUTES + %i[contact_id resets_at]).freeze
    private_constant :FROM_CORE

    # @private
    def self.from_core(values)
      message, *rest = values
      new(message, **FROM_CORE.zip(rest).to_h.slice(*self::ATTRIBUTES))
    end

    # @!method as_json(options = nil)
    #   Class name below Privy (type), message and attributes, without headers, body and rows.
    #   @param options [Hash, nil] +only+ or +except+
    #   @return [Hash{String => Object}]

    # What trackers show.
    IN_CONTEXT = %i[status code http_method path request_id idempotency_key retryable retry_after may_have_succeeded
                    attempts waited].freeze
    private_constant :IN_CONTEXT

    private

    def context
      values = IN_CONTEXT.to_h { |name| [name, instance_variable_get(:"@#{name}")] }
      values[:invalid] = details.map { |detail| detail[:field] } unless details.empty?
      values.compact.transform_values { |value| masked(value) }
    end

    def masked(value)
      case value
      when String then Core.mask(value)
      when Array then value.map { |one| masked(one) }
      else value
      end
    end

    def json_data
      names = self.class::ATTRIBUTES - UNWRITTEN
      { type: self.class.to_s.delete_prefix("Privy::"), message: message }
        .merge(names.to_h { |name| [name, instance_variable_get(:"@#{name}")] })
    end
  end

  # The request is invalid: found before sending, or by the server (400, 422). {#details} lists every validation error.
  class ValidationError < Error; end

  # The connection failed, or broke before the response was complete.
  class APIConnectionError < Error; end

  # The response was not complete within the timeout.
  class APITimeoutError < APIConnectionError; end

  # The journal of a bulk run cannot be used. {#code} is the reason, such as "journal_locked" while another run uses the
  # journal, or "journal_full" when the disk has no space left; the message says what to do. Only "journal_locked" is
  # retryable: a job of a queue then runs again.
  class JournalError < Error; end

  # The file of a snapshot or of an export cannot be used. {#code} is the reason, such as "snapshot_locked" while
  # another process writes to it, or "snapshot_filter" if it holds the contacts of another filter; the message says what
  # to do.
  class SnapshotError < Error; end

  # The time of a bulk run is over: it sends no further request. {#code} is "until_reached".
  class DeadlineError < Error; end

  # The server returned an error status or an invalid response.
  class APIStatusError < Error; end

  # 401: the token is missing, expired, revoked or invalid.
  class AuthenticationError < APIStatusError; end

  # 403: the token lacks the scope that the call needs.
  class PermissionDeniedError < APIStatusError; end

  # 404: the contact or endpoint does not exist.
  class NotFoundError < APIStatusError; end

  # 409: a contact with this e-mail address or phone number exists.
  class ConflictError < APIStatusError
    # The attributes of this error.
    ATTRIBUTES = (superclass::ATTRIBUTES + %i[contact_id]).freeze

    # @return [String, nil] id of the existing contact, nil when the response does not contain it
    attr_reader :contact_id
  end

  # 413: the event's body is larger than 256 KB.
  class PayloadTooLargeError < APIStatusError; end

  # The account's rate limit of the minute or the day is reached: the server returned 429, or the client knows it from
  # earlier responses and sends no request (then {#status} is nil).
  class RateLimitError < APIStatusError
    # The attributes of this error.
    ATTRIBUTES = (superclass::ATTRIBUTES + %i[resets_at unsent taken]).freeze

    # @return [Time, nil] when the rate limit resets, nil when unknown; equals {#retry_at}
    attr_reader :resets_at
    # @return [Array<Array(Integer, Hash)>] of a bulk run: index and row of the rows that were not sent. Of a source
    #   that is not an Array: only rows that were taken from it
    attr_reader :unsent
    # @return [Integer, nil] of a bulk run: rows taken from the source, which is the index of the next row
    attr_reader :taken

    # @param message [String, nil]
    # @param attributes [Hash{Symbol => Object}] values of the attributes
    def initialize(message = nil, **attributes)
      super
      @unsent ||= [].freeze
    end
  end

  # {ContactList#sole} found no contact, or more than one.
  class SoleItemExpectedError < Error
    # The attributes of this error.
    ATTRIBUTES = (superclass::ATTRIBUTES + %i[total_count]).freeze

    # @return [Integer, nil] how many contacts there are, nil when the response does not say it
    attr_reader :total_count

    # @private
    def self.of(total_count)
      found = { 0 => "no contact", nil => "several contacts" }.fetch(total_count) { "#{total_count} contacts" }
      new("the list has #{found}, not exactly one", total_count: total_count)
    end
  end

  # 5xx: the server failed.
  class ServerError < APIStatusError; end
end
