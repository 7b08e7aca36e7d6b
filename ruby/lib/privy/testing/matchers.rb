# frozen_string_literal: true

require "rspec/expectations"

module Privy
  module Testing
    # Matchers of RSpec for blocks: +expect { ... }.to upsert_privy_order(1001).with(total: 95)+. Fields are compared as
    # by the assertions of Minitest; an expected value may be a matcher, such as +a_hash_including+ or +be_within+.
    module Matchers
      # The block upserts this order.
      #
      # @param order_id [Integer, String]
      # @return [UpsertOrder]
      def upsert_privy_order(order_id)
        UpsertOrder.new(order_id)
      end

      # The block creates, updates or upserts this contact.
      #
      # @param key [String] e-mail address, phone number or id
      # @return [UpsertContact]
      def upsert_privy_contact(key)
        UpsertContact.new(key)
      end

      # The block ingests an event of this type.
      #
      # @param type [String]
      # @return [IngestEvent]
      def ingest_privy_event(type)
        IngestEvent.new(type.to_s)
      end

      # The block sends so many requests; those for tokens do not count. Without a number: at least one.
      #
      # @param expected [Integer, nil]
      # @return [MakeRequests]
      def make_privy_requests(expected = nil)
        MakeRequests.new(expected)
      end

      # What the matchers share.
      #
      # @private
      class Base
        include ::RSpec::Matchers::Composable

        # @return [Boolean]
        def supports_block_expectations?
          true
        end

        # @return [Boolean]
        def supports_value_expectations?
          false
        end

        # @param block [Proc]
        # @return [Boolean]
        def matches?(block)
          @requests = []
          @failure = "it was not given a block" unless block.is_a?(Proc)
          return false unless block.is_a?(Proc)

          events = Testing.sandbox.events.length
          @requests = Testing.sent_by(&block)
          @failure = failure(@requests.select { |request| request.status.between?(200, 299) }, events)
          @failure.nil?
        end

        # @return [String]
        def failure_message
          "expected the block to #{description}, but #{@failure}"
        end

        # @return [String]
        def failure_message_when_negated
          ["expected the block not to #{description}, but it did. Requests:", *Testing.listed(@requests)].join("\n")
        end
      end
      private_constant :Base

      # Matchers of one record, with its fields.
      #
      # @private
      class OfRecord < Base
        # @param key [Object] of the record
        def initialize(key)
          super()
          @key = key
          @expected = {}
        end

        # @param expected [Hash{Symbol => Object}] fields of the record after the block
        # @return [self]
        def with(**expected)
          @expected = @expected.merge(expected)
          self
        end

        # @return [String]
        def description
          fields = @expected.map { |name, value| "#{name}: #{Differences.shown(value)}" }
          "#{verb} #{@key.inspect}#{" with #{fields.join(', ')}" if fields.any?}"
        end

        private

        def sent_instead
          @requests.empty? ? "it sent no request" : ["it sent:", *Testing.listed(@requests)].join("\n")
        end
      end
      private_constant :OfRecord

      # See {Matchers#upsert_privy_order}.
      class UpsertOrder < OfRecord
        private

        def verb
          "upsert Privy order"
        end

        def failure(requests, _events)
          sent = requests.any? { |one| one.operation == "orders.upsert" && one.json["order_id"].to_s == @key.to_s }
          return sent_instead unless sent

          Differences.of("order #{@key}", Testing.sandbox.orders.fetch(@key), @expected, "orders.upsert")
        end
      end

      # See {Matchers#upsert_privy_contact}.
      class UpsertContact < OfRecord
        WRITES = %w[contacts.create contacts.update].freeze
        private_constant :WRITES

        private

        def verb
          "upsert Privy contact"
        end

        def failure(requests, _events)
          contact = Testing.sandbox.contacts[@key]
          return sent_instead unless contact && requests.any? { |request| writes?(request, contact) }

          Differences.of("contact #{@key.inspect}", contact, @expected, "contacts.create")
        end

        def writes?(request, contact)
          return false unless WRITES.include?(request.operation)
          return true if request.path.include?(contact.id)

          sent = request.json
          sent["email"]&.casecmp?(contact.email.to_s) || (sent["phone_number"] || false) == contact.phone_number
        end
      end

      # See {Matchers#ingest_privy_event}.
      class IngestEvent < OfRecord
        private

        def verb
          "ingest Privy event"
        end

        def failure(_requests, before)
          found = Differences.of_event(Testing.sandbox.events.drop(before), @key, @expected)
          found if found.is_a?(String)
        end
      end

      # See {Matchers#make_privy_requests}.
      class MakeRequests < Base
        # @param expected [Integer, nil]
        def initialize(expected)
          super()
          @expected = expected
        end

        # @return [String]
        def description
          "make #{@expected || 'any'} Privy requests"
        end

        private

        def failure(_requests, _events)
          count = @requests.length
          return if @expected.nil? ? count.positive? : values_match?(@expected, count)

          ["it made #{count}#{':' if count.positive?}", *Testing.listed(@requests)].join("\n")
        end
      end
    end
  end
end
