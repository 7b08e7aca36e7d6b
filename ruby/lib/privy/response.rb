# frozen_string_literal: true

module Privy
  # The response to {Client#request}. Frozen.
  class Response
    include Value

    # @return [Integer] HTTP status, 2xx
    attr_reader :status
    # @return [Hash{String => String}] names in lower case; several headers of one name are joined by ", ", those that
    #   may hold a secret (Set-Cookie and the like) are left out
    attr_reader :headers
    # @return [String] the body: UTF-8 if it is valid UTF-8, else binary; "" without a body
    attr_reader :body

    # @param status [Integer]
    # @param headers [Hash{String => String}]
    # @param body [String]
    def initialize(status, headers, body)
      @status = status
      @headers = headers
      @body = body
      freeze
    end

    # The body's JSON value: objects as frozen Hashes, numbers as Integer or BigDecimal. Parsed at each call.
    #
    # @return [Object, nil] nil for a body of +null+
    # @raise [APIStatusError] the body is empty or not JSON
    def json
      Core.read_json(status, body)
    end

    # @return [String, nil] X-Request-Id of the response
    def request_id
      headers["x-request-id"]
    end

    # @return [String] without the body, which may hold anything
    def inspect
      "#<#{self.class} status=#{status} body=(#{body.bytesize} bytes)>"
    end
    alias to_s inspect

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

    # @return [Hash{Symbol => Object}] status, headers and body
    def to_h
      { status: status, headers: headers, body: body }
    end

    # For pattern matching: +in { status: 200, json: }+. It parses the body if the pattern has +json+.
    #
    # @param keys [Array<Symbol>, nil] the keys of the pattern
    # @return [Hash{Symbol => Object}]
    # @raise [APIStatusError] the pattern has +json+, and the body is not JSON
    def deconstruct_keys(keys)
      found = to_h.merge(request_id: request_id)
      keys&.include?(:json) ? found.merge(json: json) : found
    end
  end
end
