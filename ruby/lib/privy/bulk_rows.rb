# frozen_string_literal: true

module Privy
  # The rows of a bulk run, one after the other, and what its report says of those that failed.
  #
  # @private
  class BulkRows
    # A part of a field's name: a name, or a place in a list.
    PART = /\[(\d+)\]|([^.\[\]]+)/
    private_constant :PART

    # Parameters of a row, and what stands under +extra+.
    #
    # @return [Array(Hash, Hash)]
    # @raise [ValidationError] the row, or its extra, is not a Hash
    def self.request_of(row, extra)
      params = Hash.try_convert(row)
      refuse("base", "must be a Hash, not #{row.class}") unless params
      name = [:extra, "extra"].find { |key| params.key?(key) }
      return [params, extra] unless name

      own = params[name].nil? ? {} : Hash.try_convert(params[name])
      refuse("extra", "must be a Hash, not #{params[name].class}") unless own
      [params.except(name), (extra || {}).merge(own)]
    end

    def self.refuse(field, message)
      fault = { field: field, message: message }.freeze
      what = field == "base" ? "it" : field
      raise ValidationError.new("the row is invalid: #{what} #{message}", details: [fault].freeze)
    end
    private_class_method :refuse

    # The faults of all rows, without a request.
    #
    # @return [Array<RefusedRow>]
    def self.faults_of(operation, rows, extra)
      keys = Core.row_keys(operation)
      check_source(rows).to_enum(:each).with_index.flat_map do |row, index|
        refusals(index, row, keys, faults_of_row(operation, row, extra))
      end
    end

    # The rows as an Array.
    #
    # @return [Array]
    # @raise [ValidationError] with the faults of all rows, when there is one
    def self.checked(operation, rows, extra)
      taken = check_source(rows).to_enum(:each).to_a
      faults = faults_of(operation, taken, extra)
      return taken if faults.empty?

      Core.refuse_rows(faults.map { |fault| [fault.index, fault.field, fault.message] }, taken.length)
    end

    # @return [Object] the rows
    # @raise [TypeError] they are not rows
    def self.check_source(rows)
      return rows unless rows.is_a?(Hash) || !rows.respond_to?(:each)

      raise TypeError, "rows must be an Enumerable of Hashes"
    end

    # @return [Array<RefusedRow>] one entry for each fault
    def self.refusals(index, row, keys, details)
      key = key_of(row, keys) if details.any?
      details.map do |fault|
        RefusedRow.new(index: index, key: key, field: fault[:field], message: fault[:message],
                       value: value_at(row, fault[:field])).freeze
      end
    end

    class << self
      private

      def faults_of_row(operation, row, extra)
        Core.validate(operation, *request_of(row, extra))
      rescue ValidationError => e
        e.details
      end

      # What identifies the row.
      def key_of(row, keys)
        row = Hash.try_convert(row) or return
        keys.each do |name|
          value = row.fetch(name) { row[name.name] }
          return value unless value.nil?
        end
        nil
      end

      # The value that a fault's field names in a row; nil where there is none.
      def value_at(row, field)
        return if field == "base"

        field.scan(PART).reduce(row) do |value, (place, name)|
          place ? value[place.to_i] : value.fetch(name.to_sym) { value[name] }
        end
      rescue
        nil
      end
    end

    # @return [Hash{Integer => Array<RefusedRow>}]
    attr_reader :refused
    # @return [Integer, nil] rows in all, if the source says so without being read
    attr_reader :total
    # @return [Array, nil] the source, if it is an Array
    attr_reader :array

    def initialize(source, keys)
      @source = source
      @array = source if source.is_a?(Array)
      @keys = keys
      @refused = {}
      @begun = false
      size = source.size if source.respond_to?(:size) && !source.is_a?(IO)
      @total = size if size.is_a?(Integer)
    end

    # Gives the rows one by one. After an exception an Enumerator begins anew: this one refuses to.
    #
    # @return [Enumerator]
    def enumerator
      @enumerator ||= Enumerator.new do |rows|
        raise Error, "the source of the rows was interrupted: it cannot go on" if @begun

        @begun = true
        @source.each { |*row| rows.yield(*row) }
      end
    end

    # Rows that come after the first +taken+, where the source can say so.
    #
    # @return [Array<Array(Integer, Object)>]
    def rest(taken)
      @array ? (taken...@array.length).map { |index| [index, @array[index]] } : []
    end

    # Notes why a row failed, in the place of what was noted for it before.
    def note(index, row, error)
      details = error.is_a?(Error) ? error.details : []
      details = [{ field: "base", message: error.message }] if details.empty?
      @refused[index] = self.class.refusals(index, row, @keys, details)
    end
  end
  private_constant :BulkRows
end
