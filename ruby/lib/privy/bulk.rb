# frozen_string_literal: true

module Privy
  # How the call of one row ended.
  class Result
    include Value

    # @return [Integer] the row's place in the source, from 0
    attr_reader :index
    # @return [Hash] the row as it was given
    attr_reader :row
    # @return [Record, nil] the answer, nil when the call failed
    attr_reader :value
    # @return [Exception, nil] why the call failed: an {Error}, or what building its request raised
    attr_reader :error

    # @param index [Integer]
    # @param row [Hash]
    # @param value [Record, nil]
    # @param error [Exception, nil]
    def initialize(index, row, value: nil, error: nil)
      @index = index
      @row = row
      @value = value
      @error = error
      freeze
    end

    # @return [Boolean]
    def ok?
      error.nil?
    end

    # @return [Hash{Symbol => Object}]
    def to_h
      { index: index, row: row, value: value, error: error, ok: ok? }
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
      [index, row, value].hash
    end

    # @return [String] without the row, which may hold anything
    def inspect
      "#<#{self.class} index=#{index} #{ok? ? value.inspect : error.class}>"
    end
    alias to_s inspect

    private

    # The row is the caller's.
    def freeze_all(value)
      value
    end
  end

  # How far a bulk call has come: rows that have ended, those of them that failed, the Time until which it waits for
  # budget or a retry (nil when it does not), the rows in all (nil when the source does not tell), and the seconds left,
  # estimated by the pace so far and the account's budget (nil likewise).
  Progress = Struct.new(:done, :failed, :waiting_until, :total, :eta, keyword_init: true) do
    include Serializable
  end

  # One operation for many rows: what a bulk call is to do. Each {#each} does it once.
  #
  # @private
  class Bulk
    # Seconds that a row may wait unless the caller says otherwise: what the minute's budget asks for and more, but not
    # a day.
    MAX_WAIT = 3600

    attr_reader :client, :drivers, :operation, :rows, :extra, :options, :concurrency

    def initialize(client, drivers, operation, rows, extra:, options:, concurrency:, on_progress:)
      raise TypeError, "rows must be an Enumerable of Hashes" if rows.is_a?(Hash) || !rows.respond_to?(:each)
      unless concurrency.is_a?(Integer) && concurrency.positive?
        raise ArgumentError, "concurrency must be a positive Integer"
      end
      raise TypeError, "on_progress must respond to call" unless on_progress.nil? || on_progress.respond_to?(:call)

      @client = client
      @drivers = drivers
      @operation = operation
      @rows = rows
      @extra = extra
      @options = { max_wait: MAX_WAIT }.merge(options).freeze
      @concurrency = concurrency
      @on_progress = on_progress
    end

    # @yieldparam result [Result]
    # @return [Progress]
    def each(&)
      BulkRun.new(self).run(&)
    end

    # @return [Integer, nil] rows in all, if the source knows without being read
    def total
      size = rows.size if rows.respond_to?(:size) && !rows.is_a?(IO)
      size if size.is_a?(Integer)
    end

    def tell(progress)
      @on_progress&.call(progress)
    end
  end
end
