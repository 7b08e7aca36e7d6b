# frozen_string_literal: true

module Privy
  # The account's rate limits, as the last responses reported them. Frozen.
  class RateLimit
    # One rate limit: requests per window, requests that remain (without those in flight), and the Time in UTC when it
    # resets (nil when all requests remain). All are nil until a response reports the limit.
    Window = Struct.new(:limit, :remaining, :resets_at) do
      include Serializable

      # @private
      def self.of(values)
        limit, remaining, resets_at = values
        new(limit, remaining, resets_at && Time.at(resets_at).utc.freeze).freeze
      end

      # @return [Boolean] false until a response reports the limit
      def known?
        !limit.nil?
      end
    end

    include Value

    # @return [Window] the limit of the minute
    attr_reader :minute
    # @return [Window] the limit of the day
    attr_reader :day

    # @param minute [Window]
    # @param day [Window]
    def initialize(minute, day)
      @minute = minute
      @day = day
      freeze
    end

    # @return [Boolean]
    def ==(other)
      other.is_a?(RateLimit) && minute == other.minute && day == other.day
    end
    alias eql? ==

    # @return [Integer]
    def hash
      [minute, day].hash
    end

    # @return [Hash{Symbol => Window}]
    def to_h
      { minute: minute, day: day }
    end

    # @return [Hash{Symbol => Window}] for pattern matching
    def deconstruct_keys(_keys)
      to_h
    end

    # @return [String]
    def inspect
      "#<#{self.class} minute=#{describe(minute)} day=#{describe(day)}>"
    end
    alias to_s inspect

    private

    def describe(window)
      return "unknown" unless window.known?

      "#{window.remaining}/#{window.limit}#{window.resets_at&.strftime(' until %FT%TZ')}"
    end
  end
end
