# frozen_string_literal: true

require "forwardable"

module Privy
  # One page of a list: its records in order, and its place among all pages. Frozen, equal by value.
  class Page
    include Enumerable
    extend Forwardable

    # @return [Array<Record>] frozen
    attr_reader :records
    # @return [Pagination, nil] nil when the answer did not tell
    attr_reader :pagination

    # @!method [](index)
    #   @return [Record, nil]
    # @!method size
    #   @return [Integer] records on this page
    def_delegators :records, :[], :size, :length, :empty?, :last
    def_delegator :records, :itself, :to_a

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

    # @return [Integer, nil] number of this page, from 1
    def page
      pagination&.page
    end

    # @return [Integer, nil] most records a page
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

    # @return [Array<Record>]
    def deconstruct
      records
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
  end
end
