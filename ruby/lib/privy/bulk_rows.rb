# frozen_string_literal: true

module Privy
  # The rows of a bulk run in order, and the report's entries for rows that failed.
  #
  # @private
  class BulkRows
    # A part of a field's path: a name, or an index of a list.
    PART = /\[(\d+)\]|([^.\[\]]+)/
    private_constant :PART

    # @param nulls [Symbol, nil]
    # @raise [ArgumentError]
    def self.check_nulls(nulls)
      return if [nil, :omit, :send].include?(nulls)

      raise ArgumentError, "nulls must be :omit or :send, not #{nulls.inspect}"
    end

    # @param total [Object, nil]
    # @raise [TypeError, ArgumentError] it is not an Integer, or negative
    def self.check_total(total)
      return if total.nil?
      raise TypeError, "total must be an Integer, not #{total.class}" unless total.is_a?(Integer)
      raise ArgumentError, "total must be 0 or more, not #{total}" if total.negative?
    end

    # The row's parameters, its extra fields merged over those of the run, and whether parameters that are nil are
    # omitted: by default those of objects, which always have all their fields. A field that is nil may then have any
    # name, such as the id of a model without one.
    #
    # @return [Array(Hash, Hash, Boolean)]
    # @raise [ValidationError] the row has no fields, or its extra is not a Hash
    def self.request_of(row, extra, nulls = nil)
      return [row, extra, nulls == :omit] if plain?(row)

      params = params_of(row)
      object = Hash.try_convert(row).nil?
      omits = nulls ? nulls == :omit : object
      params = params.compact if object && omits
      name = [:extra, "extra"].find { |key| params.key?(key) }
      return [params, extra, omits] unless name

      own = params[name].nil? ? {} : Hash.try_convert(params[name])
      refuse("extra", "must be a Hash, not #{params[name].class}") unless own
      [params.except(name), (extra || {}).merge(own), omits]
    end

    # Whether the row is its own parameters. Most are: a run that skips many rows of a journal spends its time here.
    def self.plain?(row)
      row.instance_of?(Hash) && !row.key?(:extra) && !row.key?("extra")
    end
    private_class_method :plain?

    # The Hash itself, or the fields of a Struct, a Data, another object with to_h, or a model with attributes.
    #
    # @return [Hash, nil]
    def self.fields_of(row)
      hash = Hash.try_convert(row)
      return hash if hash || row.nil? || (row.is_a?(Enumerable) && !row.is_a?(Struct))

      reader = %i[to_h attributes].find { |name| row.respond_to?(name) }
      Hash.try_convert(row.public_send(reader)) if reader
    end

    # As {.fields_of}, for a row that is to be sent.
    #
    # @raise [ValidationError] the row has no fields, or its conversion raises
    def self.params_of(row)
      fields_of(row) or refuse("base", "must be a Hash, not #{row.class}")
    rescue Error
      raise
    rescue => e
      refuse("base", "is a #{row.class} whose conversion raised #{e.class}", :conversion_failed)
    end
    private_class_method :params_of

    def self.refuse(field, message, code = :wrong_type)
      detail = { field: field, message: message, code: code }.freeze
      what = field == "base" ? "it" : field
      raise ValidationError.new("the row is invalid: #{what} #{message}", details: [detail].freeze)
    end
    private_class_method :refuse

    # Validates all rows without a request.
    #
    # @return [Array<RefusedRow>]
    def self.refused_rows(operation, rows, extra, nulls = nil)
      check_nulls(nulls)
      keys = Core.row_keys(operation)
      check_source(rows).to_enum(:each).with_index.flat_map do |row, index|
        refusals(index, row, keys, details_of(operation, row, extra, nulls))
      end
    end

    # The rows as an Array.
    #
    # @return [Array]
    # @raise [ValidationError] a row is invalid; the details are those of all rows
    def self.checked(operation, rows, extra, nulls = nil)
      taken = check_source(rows).to_enum(:each).to_a
      refused = refused_rows(operation, taken, extra, nulls)
      return taken if refused.empty?

      details = refused.map { |entry| entry.to_h.values_at(:index, :field, :message, :code, :count) }
      Core.refuse_rows(details, taken.length)
    end

    # @return [Object] the rows
    # @raise [TypeError] they are not rows
    def self.check_source(rows)
      return rows unless rows.is_a?(Hash) || !rows.respond_to?(:each)

      raise TypeError, "rows must be an Enumerable of Hashes"
    end

    # @return [Array<RefusedRow>] one entry for each error detail
    def self.refusals(index, row, keys, details)
      key = key_of(row, keys) if details.any?
      details.map do |detail|
        RefusedRow.new(index: index, key: key, value: value_at(row, detail[:field]), **detail).freeze
      end
    end

    class << self
      private

      def details_of(operation, row, extra, nulls)
        Core.validate(operation, *request_of(row, extra, nulls))
      rescue ValidationError => e
        e.details
      end

      # The value of the row's first key field; nil also when the row cannot be read.
      def key_of(row, keys)
        row = fields_of(row) or return
        keys.each do |name|
          value = row.fetch(name) { row[name.name] }
          return value unless value.nil?
        end
        nil
      rescue
        nil
      end

      # The value at a detail's field path; nil when the row has none.
      def value_at(row, field)
        return if field == "base"

        field.scan(PART).reduce(row) do |value, (index, name)|
          index ? value[index.to_i] : fields_of(value).then { |fields| fields.fetch(name.to_sym) { fields[name] } }
        end
      rescue
        nil
      end
    end

    # @return [Hash{Integer => Array<RefusedRow>}]
    attr_reader :refused
    # @return [Integer, nil] number of rows, nil when it is unknown
    attr_reader :total
    # @return [Array, nil] the source, if it is an Array
    attr_reader :array

    def initialize(source, keys, total = nil)
      self.class.check_total(total)
      @source = source
      @array = source.is_a?(Array) ? source : list_of(source)
      @keys = keys
      @refused = {}
      @begun = false
      @total = total || size_of(source)
    end

    # Each step passes the next row to the block. An Enumerator restarts after an exception; this one raises instead, so
    # that no row comes twice.
    #
    # @yieldparam row [Object]
    # @return [Enumerator]
    def enumerator
      @enumerator ||= Enumerator.new do |steps|
        raise Error, "the source of the rows was interrupted: it cannot continue" if @begun

        @begun = true
        @source.each do |*row|
          yield row.length > 1 ? row : row.first
          steps.yield
        end
      end
    end

    # The rows after the first +taken+; empty when the source is not an Array.
    #
    # @return [Array<Array(Integer, Object)>]
    def rest(taken)
      @array ? (taken...@array.length).map { |index| [index, @array[index]] } : []
    end

    # Stores why a row failed, in place of an earlier entry.
    def note(index, row, error)
      details = error.is_a?(Error) ? error.details : []
      details = [{ field: "base", message: error.message, code: :call_failed }] if details.empty?
      @refused[index] = self.class.refusals(index, row, @keys, details)
    end

    private

    # A relation of Active Record and other lists. It has all its rows in memory when they are read: without an
    # Enumerator, whose fiber would wait forever for a transaction of its own thread.
    def list_of(source)
      Array.try_convert(source)
    end

    def size_of(source)
      size = source.size if source.respond_to?(:size) && !source.is_a?(IO)
      size if size.is_a?(Integer)
    end
  end
  private_constant :BulkRows
end
