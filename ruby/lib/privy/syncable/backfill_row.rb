# frozen_string_literal: true

require_relative "sync"

module Privy
  module Syncable
    # A record that a bulk run is to send. A batch may take minutes, so it is read again when its turn comes.
    #
    # @private
    class BackfillRow
      # Raised for a row that turns out to need no request.
      class Nothing < StandardError; end

      # @return [Object] value of the primary key
      attr_reader :id
      # @return [Object, nil] primary key of the record before it
      attr_reader :before

      # @yieldparam prepared [Sync::Prepared]
      # @yieldreturn [Hash{Symbol => Object}] the parameters to send
      def initialize(relation, id, before, &params)
        @relation = relation
        @id = id
        @before = before
        @params_of = params
        @params = @sync = @prepared = nil
      end

      # The parameters. The bulk run calls it to build the request, and again to describe an error.
      #
      # @return [Hash{Symbol => Object}]
      # @raise [Nothing]
      def to_h
        return @params if @params

        @params = {}
        Sync.with_claim(-> { @relation.find_by(@relation.klass.primary_key => @id) }) do |sync, prepared|
          @sync = sync
          @prepared = prepared
          @params = @params_of.call(prepared).merge(extra: prepared.payload.extra)
        end
        @sync ? @params : raise(Nothing)
      end

      # @return [void]
      def accepted(result)
        @sync.accepted(@prepared, result)
        @prepared = nil
      end

      # @return [void]
      def failed(error)
        @sync&.failed(@prepared, error)
        @prepared = nil
      end

      # The result is unknown.
      #
      # @return [void]
      def close
        @sync.ledger.doubt(@prepared.claim) if @prepared
      end
    end
  end
end
