# frozen_string_literal: true

module Privy
  # Factories: a fresh sandbox makes each record, so that it is as the API would send it.
  module Testing
    # What {error} sends for a name.
    ERRORS = { validation: 422, unauthorized: 401, forbidden: 403, not_found: 404, conflict: 409, too_large: 413,
               rate_limit: 429, server: 503 }.freeze
    private_constant :ERRORS

    @serial = 0

    class << self
      # A contact: +Privy::Testing.contact(email_consent: :subscribed)+.
      #
      # @param attributes [Hash{Symbol => Object}] parameters of {Contacts#create}, consents that only the API sets, and
      #   +id+, +created_at+, +updated_at+
      # @return [Contact]
      # @raise [ValidationError] the API would refuse the contact
      def contact(**attributes)
        target = Sandbox.new
        target.set_sms_countries("+")
        attributes[:email] = "contact#{serial}@example.com" unless attributes.key?(:email) || attributes[:phone_number]
        read_only, given = split(attributes, Contact::MEMBERS, Contacts)
        consents = given.select { |name, value| set_only?(name, value) }
        made = target.client.contacts.create(**given.except(*consents.keys))
        consents.each { |name, value| target.set_consent(made.id, name, value) }
        with(target.contacts.fetch(made.id), read_only)
      end

      # An order: +Privy::Testing.order(order_id: 1001, total: 95)+.
      #
      # @param attributes [Hash{Symbol => Object}] parameters of {Orders#upsert}, and fields of responses
      # @return [Order]
      # @raise [ValidationError] the API would refuse the order
      def order(**attributes)
        read_only, given = split(attributes, Order::MEMBERS, Orders)
        number = serial
        given = { order_id: number, total: 95, currency: "USD", order_date: Time.now }.merge(given)
        given[:email] = "contact#{number}@example.com" unless given[:email] || given[:phone]
        target = Sandbox.new
        target.set_sms_countries("+")
        client = target.client
        client.orders.upsert(**given) if read_only.delete(:created) == false
        with(client.orders.upsert(**given), read_only)
      end

      # An error as a call would raise it: +Privy::Testing.error(:rate_limit, retry_after: 42)+.
      #
      # @param kind [Symbol, Integer] a status from 400 to 599, or +:validation+, +:unauthorized+, +:forbidden+,
      #   +:not_found+, +:conflict+, +:too_large+, +:rate_limit+, +:server+, +:timeout+ or +:connection+
      # @param message [String, nil] of the API
      # @param code [String, nil] of the API
      # @param details [Array<Hash{Symbol => String}>, nil] +{ field:, message: }+
      # @param retry_after [Numeric, nil] seconds
      # @return [Error]
      # @raise [ArgumentError] there is no such kind
      def error(kind, message: nil, code: nil, details: nil, retry_after: nil)
        target = Sandbox.new
        target.skip_waits
        client = target.client(max_retries: 0, max_wait: 0)
        changed = { code: code, message: message, details: details }.compact
        return conflict(client) if changed.empty? && ERRORS.fetch(kind, kind) == 409

        target.fail(**fault_of(kind, changed, retry_after))
        client.contacts.create(email: "contact@example.com")
      rescue Error => e
        e
      end

      private

      def serial
        @serial += 1
      end

      # Fields that only responses have, and parameters.
      def split(attributes, members, resource)
        parameters = resource.instance_method(resource == Contacts ? :create : :upsert).parameters.map(&:last)
        attributes.partition { |name, _| members.include?(name) && !parameters.include?(name) }.map(&:to_h)
      end

      def set_only?(name, value)
        { email_consent: "compliance_suppressed", sms_consent: "pending" }[name] == value.to_s
      end

      def with(record, fields)
        return record if fields.empty?

        fields = fields.to_h { |name, value| [name.to_s, value.is_a?(Time) ? value.utc.strftime("%FT%T.%6NZ") : value] }
        record.class.from_json(Core.generate(Core.parse(record.to_json).merge(fields)))
      end

      def fault_of(kind, error, retry_after)
        return { delay: 600 } if kind == :timeout
        return { drop: true } if kind == :connection

        status = ERRORS.fetch(kind, kind)
        unless status.is_a?(Integer) && status.between?(400, 599)
          raise ArgumentError, "there is no error #{kind.inspect}: use a status from 400 to 599, or one of " \
                               "#{[*ERRORS.keys, :timeout, :connection].map(&:inspect).join(', ')}"
        end
        { status: status, body: (body(status, error) if error.any?), retry_after: retry_after }.compact
      end

      # The API's own body, with what is given.
      def body(status, error)
        target = Sandbox.new
        target.fail(status: status)
        own = Core.parse(target.handle("GET", "/contacts").body)["error"]
        Core.generate({ error: own.merge(error.transform_keys(&:to_s)) })
      end

      def conflict(client)
        client.contacts.create(email: "contact@example.com")
        client.contacts.create(email: "contact@example.com")
      rescue Error => e
        e
      end
    end
  end
end
