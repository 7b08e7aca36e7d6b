# frozen_string_literal: true

module Privy
  # What is left of the account's limits, as the last answers told it. Frozen.
  class RateLimit
    # One limit: requests a window, requests left of it (those on their way taken off), and when it is whole again (Time
    # in UTC; nil when it is whole). All are nil while no answer has told of it.
    Window = Struct.new(:limit, :remaining, :resets_at) do
      include Serializable

      # @private
      def self.of(told)
        limit, remaining, resets_at = told
        new(limit, remaining, resets_at && Time.at(resets_at).utc.freeze).freeze
      end

      # @return [Boolean] false while no answer has told of the limit
      def known?
        !limit.nil?
      end
    end

    include Value

    # @return [Window] the minute's limit
    attr_reader :minute
    # @return [Window] the day's limit
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
      "#<#{self.class} minute=#{tell(minute)} day=#{tell(day)}>"
    end
    alias to_s inspect

    private

    def tell(window)
      return "unknown" unless window.known?

      "#{window.remaining}/#{window.limit}#{window.resets_at&.strftime(' until %FT%TZ')}"
    end
  end
end
