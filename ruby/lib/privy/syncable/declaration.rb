# frozen_string_literal: true

require_relative "payload"

module Privy
  module Syncable
    # The arguments of privy_sync. Never changes.
    #
    # @private
    class Declaration
      # The resource of a client for each kind.
      KINDS = { order: :orders, contact: :contacts }.freeze
      CONDITIONS = %i[if unless].freeze

      # @return [Symbol] name of the client's resource
      attr_reader :resource
      # @return [Numeric] seconds
      attr_reader :debounce
      # @return [Symbol, String]
      attr_reader :account
      # @return [Symbol, String, nil]
      attr_reader :queue
      # @return [Hash{Symbol => Symbol}]
      attr_reader :attributes

      # @raise [Error] an argument is invalid; the message lists all of them
      def initialize(kind, mapping, debounce:, account:, queue:, compact:, attributes:, conditions:)
        check(kind, mapping, debounce, attributes, conditions)
        @resource = KINDS[kind.to_sym]
        @mapping = mapping
        @debounce = debounce
        @account = account
        @queue = queue
        @compact = compact
        @attributes = attributes.to_h { |field, attribute| [field.to_sym, attribute.to_sym] }
        @wanted, @unwanted = CONDITIONS.map { |name| Array(conditions[name]) }
        freeze
      end

      # @return [Boolean] whether the record is to be sent
      def applies?(record)
        @wanted.all? { |condition| holds?(condition, record) } &&
          @unwanted.none? { |condition| holds?(condition, record) }
      end

      # @return [Payload, nil] nil: there is nothing to send
      # @raise [Error] the mapping does not return a Hash
      def payload(record)
        return unless applies?(record)

        fields = @mapping.call(record)
        return if fields.nil?

        hash = Hash.try_convert(fields)
        raise Error, "privy_sync of #{record.class}: the block must return a Hash, not #{fields.class}" unless hash

        Payload.new("#{@resource}.upsert", @account, hash, @compact)
      end

      private

      def holds?(condition, record)
        return record.__send__(condition) unless condition.respond_to?(:call)

        condition.arity.zero? ? record.instance_exec(&condition) : condition.call(record)
      end

      def check(kind, mapping, debounce, attributes, conditions)
        faults = []
        faults << "kind must be :order or :contact, not #{kind.inspect}" unless KINDS.key?(kind.to_s.to_sym)
        faults << "a block must return the parameters" unless mapping
        faults << "debounce must be a number of seconds, 0 or more" unless seconds?(debounce)
        faults << "attributes must be a Hash" unless attributes.is_a?(Hash)
        unknown = conditions.keys - CONDITIONS
        faults << "unknown keywords: #{unknown.join(', ')}" unless unknown.empty?
        raise Error, "privy_sync: #{faults.join('; ')}" unless faults.empty?
      end

      def seconds?(value)
        value.respond_to?(:to_f) && !value.is_a?(String) && !value.nil? && value.to_f >= 0
      end
    end
  end
end
