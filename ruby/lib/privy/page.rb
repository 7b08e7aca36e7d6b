# frozen_string_literal: true

module Privy
  # One page of a list: its records in order, and its pagination. Frozen, equal by value.
  class Page
    include Enumerable
    include Value

    # @return [Array<Record>] frozen
    attr_reader :records
    alias to_a records
    # @return [Pagination, nil] nil when the response does not contain it
    attr_reader :pagination

    # @param records [Array<Record>]
    # @param pagination [Pagination, nil]
    def initialize(records, pagination)
      @records = records.freeze
      @pagination = pagination
      freeze
    end

    # @yieldparam record [Record]
    # @return [self, Enumerator]
    def each(&block)
      return records.each unless block

      records.each(&block)
      self
    end

    # @param place [Integer, Range] as for an Array
    # @return [Record, nil]
    def [](*place)
      records[*place]
    end

    # @return [Integer] records on this page
    def size
      records.size
    end
    alias length size

    # @return [Boolean]
    def empty?
      records.empty?
    end

    # @param count [Integer] as for an Array
    # @return [Record, nil]
    def last(*count)
      records.last(*count)
    end

    # @return [Integer, nil] number of this page, from 1 on
    def page
      pagination&.page
    end

    # @return [Integer, nil] maximum number of records per page
    def per_page
      pagination&.per_page
    end

    # @return [Integer, nil] records on all pages
    def total_count
      pagination&.total_count
    end

    # @return [Integer, nil] number of pages
    def total_pages
      pagination&.total_pages
    end

    # @return [Array<Record>] for pattern matching: +in [first, *]+
    def deconstruct
      records
    end

    # For pattern matching: +in { page:, total_pages:, records: [] }+.
    #
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(_keys)
      { records: records, page: page, per_page: per_page, total_count: total_count, total_pages: total_pages }
    end

    # @param other [Object]
    # @return [Boolean]
    def ==(other)
      other.instance_of?(self.class) && other.records == records && other.pagination == pagination
    end
    alias eql? ==

    # @return [Integer]
    def hash
      [self.class, records, pagination].hash
    end

    # @return [String] counts only
    def inspect
      "#<#{self.class} page=#{page.inspect} size=#{size} total_count=#{total_count.inspect}>"
    end
    alias to_s inspect

    private

    def json_data
      { records: records, pagination: pagination }
    end
  end
end
