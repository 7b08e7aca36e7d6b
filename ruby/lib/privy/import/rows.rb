# frozen_string_literal: true

module Privy
  class Import
    # A value that was changed to be sendable.
    #
    # @!attribute [r] line
    #   @return [Integer] of the file, from 1
    # @!attribute [r] column
    #   @return [String]
    # @!attribute [r] before
    #   @return [String]
    # @!attribute [r] after
    #   @return [String]
    # @!attribute [r] rule
    #   @return [Symbol] the conversion, such as :amount
    Change = Struct.new(:line, :column, :before, :after, :rule) do
      include Serializable

      # @return [String] without the values, which may be personal data
      def inspect
        "#<#{self.class} line=#{line} column=#{column.inspect} rule=#{rule.inspect}>"
      end
      alias_method :to_s, :inspect
    end

    # Why a row is refused.
    #
    # @!attribute [r] line
    #   @return [Integer] of the file, from 1
    # @!attribute [r] column
    #   @return [String] empty if the fault is not one of a column
    # @!attribute [r] field
    #   @return [String] as in {Error#details}: "line_items[0].price", or "base"
    # @!attribute [r] value
    #   @return [String] as in the file
    # @!attribute [r] message
    #   @return [String]
    # @!attribute [r] code
    #   @return [Symbol] a code of error details, or of docs/import.md
    Fault = Struct.new(:line, :column, :field, :value, :message, :code) do
      include Serializable

      # @return [String] without the value, which may be personal data
      def inspect
        "#<#{self.class} line=#{line} field=#{field.inspect} message=#{message.inspect}>"
      end
      alias_method :to_s, :inspect
    end

    # One row: what is sent, or why it is not.
    class Row
      # @return [Symbol] :ready, :refused or :skipped
      attr_reader :state
      # @return [String] what a person calls the row: its order number, e-mail address or phone number; may be empty
      attr_reader :key
      # @return [String] why the map leaves its lines out; empty unless it is skipped
      attr_reader :reason
      # @return [Array<Change>]
      attr_reader :changes
      # @return [Array<Fault>]
      attr_reader :faults

      # @private
      def initialize(parts)
        @state, @key, @fields, @reason, @sources, changes, faults = parts
        @changes = changes.map { |change| Change.new(*change).freeze }.freeze
        @faults = faults.map { |fault| Fault.new(*fault).freeze }.freeze
      end

      # @return [Hash{String => Object}] the parameters of the operation; of a refused row those that could be converted
      def fields
        return @fields unless @fields.is_a?(String)

        JSON.parse(@fields, decimal_class: BigDecimal)
      end

      # @return [Array<Integer>] the numbers of its lines in the file
      def lines
        @sources.map(&:first)
      end

      # @return [Boolean]
      def ready?
        state == :ready
      end

      # Its lines for a file of rejects.
      #
      # @private
      # @param reasons [Array<Fault, RefusedRow>]
      def rejects(reasons)
        fields = reasons.map(&:field).uniq.join("; ")
        messages = reasons.map { |fault| "#{fault.field}: #{fault.message}" }.uniq.join("; ")
        @sources.map { |number, source| reject(source, [number.to_s, fields, messages]) }.join
      end

      # @return [String] without values
      def inspect
        "#<#{self.class} #{state} lines=#{lines.inspect} faults=#{faults.length}>"
      end
      alias to_s inspect

      private

      def reject(source, reasons)
        return "#{JSON.generate(REASONS.zip(reasons).to_h.merge(source))}\n" if source.is_a?(Hash)

        "#{reasons.map { |cell| cell.match?(/[,"\r\n]/) ? "\"#{cell.gsub('"', '""')}\"" : cell }.join(',')},#{source}\n"
      end
    end

    # What the server refused: in this run, or in an earlier one of the same journal.
    #
    # @private
    class Refusals
      def initialize(operation, bulk = nil, journal = nil)
        @names = Core.row_keys(operation)
        @now = bulk ? bulk.refused.group_by(&:index) : {}
        earlier = bulk && journal ? Journal.open(journal) { |entries| entries.refused.to_a } : []
        @by_key = earlier.group_by(&:key)
        @by_content = earlier.group_by(&:request)
      end

      # The file may have changed since an earlier run, so its rows are found by their keys, else by their content.
      #
      # @param index [Integer] position among the rows that are ready
      # @param row [Row]
      # @return [Array<RefusedRow>, Array<Journal::RefusedEntry>, nil]
      def of(index, row)
        return @now[index] if @now.key?(index) || @by_key.empty?

        fields = row.fields.transform_keys(&:to_s)
        keys = @names.filter_map { |name| "#{name}=#{fields[name.name]}" if fields[name.name] }
        @by_key.values_at(*keys).compact.first || (@by_content[fields] if keys.empty?)
      end
    end
    private_constant :Refusals

    # In front of a row in a file of rejects of JSON.
    REASONS = %w[privy_line privy_field privy_reason].freeze
    private_constant :REASONS

    # What an import found and did.
    #
    # @!attribute [r] kind
    #   @return [Symbol]
    # @!attribute [r] rows
    #   @return [Integer]
    # @!attribute [r] ready
    #   @return [Integer] rows that have no fault
    # @!attribute [r] refused
    #   @return [Integer] rows that have one, and are not sent
    # @!attribute [r] skipped
    #   @return [Integer] rows that the map leaves out
    # @!attribute [r] faults
    #   @return [Array<Fault>] all faults of all rows
    # @!attribute [r] conversions
    #   @return [Hash{Symbol => Integer}] how many values each conversion has changed
    # @!attribute [r] preset
    #   @return [String, nil] the preset that is used
    # @!attribute [r] encoding
    #   @return [String, nil] of the file
    # @!attribute [r] delimiter
    #   @return [String, nil] of the file
    # @!attribute [r] unused
    #   @return [Array<String>] columns that no field uses
    # @!attribute [r] requests
    #   @return [Integer] the least requests that the rows take. A contact that exists takes two
    # @!attribute [r] duration
    #   @return [Float, nil] seconds that they take by the account's rate limits; of a dry run with a client
    # @!attribute [r] bulk
    #   @return [BulkReport, nil] what became of the rows that were sent; nil: none were
    # @!attribute [r] rejects
    #   @return [String, nil] the path of the file of rejects
    # @!attribute [r] rejected
    #   @return [Integer] its lines, without the header
    Report = Struct.new(:kind, :rows, :ready, :refused, :skipped, :faults, :conversions, :preset, :encoding, :delimiter,
                        :unused, :requests, :duration, :bulk, :rejects, :rejected, keyword_init: true) do
      include Serializable

      # @return [Boolean] whether no row was refused, neither here nor by the server
      def ok?
        refused.zero? && (bulk.nil? || bulk.ok?)
      end

      # @return [String] counts, and the bulk run's report
      def to_s
        counted = Counted.of(rows, kind.to_s.delete_suffix("s"))
        parts = ["#{counted}: #{ready} ready, #{refused} refused, #{skipped} skipped"]
        parts << "at least #{Counted.of(requests, 'request')}#{minutes_text}" unless bulk
        parts << bulk.to_s if bulk
        parts << "#{Counted.of(rejected, 'line')} in #{rejects}" if rejects
        parts.join("; ")
      end

      # @return [String] counts only
      def inspect
        "#<#{self.class} #{self}>"
      end

      private

      def minutes_text
        duration && ", #{Counted.of((duration / 60).round, 'minute')}"
      end
    end
  end
end
