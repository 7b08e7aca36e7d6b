# frozen_string_literal: true

module Privy
  module Testing
    # Assertions of Minitest. Amounts are equal if their numbers are; ISO 8601 text may stand for a time, and a Range, a
    # Regexp, a Class or a Proc for a value. nil: no value.
    module Assertions
      include Helpers

      # Checks that an order is stored and has these fields.
      #
      # @param order_id [Integer, String]
      # @param expected [Hash{Symbol => Object}] fields of requests (+total: 95+) and of responses
      #   (+currency_code: "USD"+)
      # @return [Order]
      def assert_privy_order(order_id, **expected)
        orders = privy_sandbox.orders
        order = orders[order_id]
        assert order, -> { Differences.missing("order #{order_id}", orders.map(&:order_id), "orders") }
        privy_assert_same(Differences.of("order #{order_id}", order, expected, "orders.upsert"))
        order
      end

      # Checks that an order is not stored.
      #
      # @param order_id [Integer, String]
      # @return [void]
      def refute_privy_order(order_id)
        refute privy_sandbox.orders.key?(order_id), "the sandbox stores order #{order_id}"
      end

      # Checks that a contact is stored and has these fields.
      #
      # @param key [String] e-mail address, phone number or id
      # @param expected [Hash{Symbol => Object}]
      # @return [Contact]
      def assert_privy_contact(key, **expected)
        contacts = privy_sandbox.contacts
        contact = contacts[key]
        assert contact, lambda {
          Differences.missing("contact #{key.inspect}", contacts.map { |one| one.email || one.id }, "contacts")
        }
        privy_assert_same(Differences.of("contact #{key.inspect}", contact, expected, "contacts.create"))
        contact
      end

      # Checks that a contact is not stored.
      #
      # @param key [String] e-mail address, phone number or id
      # @return [void]
      def refute_privy_contact(key)
        refute privy_sandbox.contacts.key?(key), "the sandbox stores contact #{key.inspect}"
      end

      # Checks that an event of this type with these fields was accepted.
      #
      # @param type [String]
      # @param expected [Hash{Symbol => Object}] +data+ (or +event_data+) is compared completely
      # @return [Sandbox::Event] the first such event
      def assert_privy_event(type, **expected)
        found = Differences.of_event(privy_sandbox.events, type.to_s, expected)
        privy_assert_same(found.is_a?(String) ? found : nil)
        found
      end

      # Checks that no event of this type was accepted.
      #
      # @param type [String]
      # @return [void]
      def refute_privy_event(type)
        count = privy_sandbox.events.count { |event| event.event_type == type.to_s }
        assert_equal 0, count, "the sandbox stores events of type #{type.to_s.inspect}"
      end

      # Checks how many requests the block sends; without a block, how many were sent since the test began. Requests for
      # tokens do not count.
      #
      # @param expected [Integer]
      # @return [Array<Sandbox::Request>] the requests
      def assert_privy_requests(expected, &block)
        requests = block ? Testing.sent_by(&block) : Testing.sent
        assert requests.length == expected, lambda {
          ["expected #{Counted.of(expected, 'request')}, sent #{requests.length}#{':' if requests.any?}",
           *Testing.listed(requests)].join("\n")
        }
        requests
      end

      # The same for none.
      #
      # @return [void]
      def assert_no_privy_requests(&)
        assert_privy_requests(0, &)
      end

      private

      def privy_assert_same(difference)
        assert difference.nil?, difference
      end
    end
  end
end
