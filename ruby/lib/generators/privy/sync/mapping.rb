# frozen_string_literal: true

module Privy
  module Generators
    # The lines of a mapping, from the columns of a table.
    #
    # @private
    class Mapping
      # For each field the names that columns often have, the most telling one first, and a value for a test.
      FIELDS = {
        "order" => {
          order_id: [%w[number order_number order_id id], "1001"],
          email: [%w[email customer_email], "jane@example.com"],
          total: [%w[total total_price total_amount amount], 95],
          currency: [%w[currency currency_code], "USD"],
          order_date: [%w[placed_at ordered_at order_date created_at], nil],
          phone: [%w[phone phone_number], nil]
        },
        "contact" => {
          email: [%w[email email_address], "jane@example.com"],
          first_name: [%w[first_name], "Jane"],
          last_name: [%w[last_name], "Doe"],
          phone_number: [%w[phone_number phone], nil]
        }
      }.freeze
      REQUIRED = { "order" => %i[order_id email total currency order_date], "contact" => %i[email] }.freeze

      # @param kind [String]
      # @param variable [String] name of the record
      # @param columns [Array<String>, nil] nil: unknown
      def initialize(kind, variable, columns)
        @fields = FIELDS.fetch(kind)
        @required = REQUIRED.fetch(kind)
        @variable = variable
        @columns = columns
      end

      # Required fields without a column.
      #
      # @return [Array<Symbol>]
      def missing
        @columns ? @required.reject { |field| column(field) } : @required
      end

      # @return [Array<String>]
      def lines
        chosen = @fields.keys.select { |field| @required.include?(field) || column(field) }
        chosen.map.with_index { |field, index| line(field, last: index == chosen.length - 1) }
      end

      # The attribute by which a test finds the record in a sandbox.
      #
      # @return [String]
      def key
        field = @required.first
        column(field) || @fields.fetch(field).first.first
      end

      # The attributes of a new record in a test.
      #
      # @return [String]
      def attributes
        columns = @fields.keys.to_h { |field| [column(field), @fields.fetch(field).last] }
        columns.compact.except(nil, "id").map { |name, value| "#{name}: #{value.inspect}" }.join(", ")
      end

      private

      def column(field)
        @fields.fetch(field).first.find { |name| @columns&.include?(name) }
      end

      def line(field, last:)
        comma = last ? "" : ","
        name = column(field)
        return "#{field}: #{@variable}.#{name}#{comma}" if name
        return "#{field}: \"USD\"#{comma} # change this if there are other currencies" if field == :currency

        "#{field}: #{@variable}.#{@fields.fetch(field).first.first}#{comma} # change this"
      end
    end
  end
end
