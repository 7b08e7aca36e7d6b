# frozen_string_literal: true

module Privy
  # One object of a response: {Contact}, {Order}, {EventReceipt}, {Pagination}. Its readers come from the core's tables.
  # Records are frozen and equal by value. They support Hash keys, Marshal and pattern matching:
  #
  #   case client.contacts.get(id)
  #   in { email_consent: "subscribed", email: } then write_to(email)
  #   end
  #
  # Times are Time in UTC, money is BigDecimal, lists and objects are frozen. A field that is missing in
  # the response is nil.
  #
  # @!method [](name)
  #   Reads any field, also one that this version does not know.
  #   @param name [String, Symbol]
  #   @return [Object, nil]
  # @!method key?(name)
  #   True when the response contains the field, also with null.
  #   @param name [String, Symbol]
  #   @return [Boolean]
  # @!method extra
  #   The fields that this version does not know.
  #   @return [Hash{String => Object}] frozen
  # @!method self.from_json(text)
  #   Makes a record from JSON in the API's format, for example in tests.
  #   @param text [String]
  #   @return [Record]
  #   @raise [APIStatusError] the text is not a JSON object
  # @!method ==(other)
  #   Whether the other record has the same class and the same fields.
  #   @param other [Object]
  #   @return [Boolean]
  # @!method eql?(other)
  #   @param other [Object]
  #   @return [Boolean] as {#==}
  # @!method hash
  #   @return [Integer] the same for equal records
  class Record
    # A mutable copy: the known fields of the response, then the unknown ones, all with Symbol keys.
    #
    # @return [Hash{Symbol => Object}]
    def to_h
      known = self.class::MEMBERS.select { |name| key?(name) }
      known.to_h { |name| [name, thaw(self[name])] }.merge(thaw(extra).transform_keys(&:to_sym))
    end

    # The record as JSON with the API's present field names; {.from_json} reads it. With ActiveSupport it is the text of
    # {#as_json}, escaped for HTML.
    #
    # @param options [Hash, nil] of Rails: +only+ or +except+
    # @return [String]
    def to_json(*options)
      return super if Serializable.active_support?(options)

      options.first.is_a?(Hash) ? Core.generate(as_json(options.first)) : json_text
    end

    # The record as plain JSON values, for Rails: times are the API's text, decimals are Floats, or text where a Float
    # would not be exact.
    #
    # @param options [Hash, nil] +only+ or +except+: names of fields
    # @return [Hash{String => Object}]
    def as_json(options = nil)
      Serializable.chosen(Serializable.plain(Core.parse(json_text)), options)
    end

    # Writes the record as YAML, with the API's present field names.
    #
    # @private
    def encode_with(coder)
      Core.parse(json_text).each { |name, value| coder[+name] = yaml(value) }
    end

    # @private
    def init_with(coder)
      core_load(Core.generate(coder.map))
    end

    # Reads a value inside of objects and lists: +contact.dig(:custom_fields, "size")+.
    #
    # @param name [String, Symbol] a field, known or not
    # @param rest [Array<String, Integer>] keys of objects, which are Strings, and indexes of lists
    # @return [Object, nil] nil when something on the way is missing
    # @raise [TypeError] something on the way is no object or list
    def dig(name, *rest)
      value = self[name]
      return value if rest.empty? || value.nil?
      raise TypeError, "#{value.class} does not have #dig method" unless value.respond_to?(:dig)

      value.dig(*rest)
    end

    # @param keys [Array<Symbol>, nil] the keys of the pattern
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(keys)
      members = self.class::MEMBERS
      return members.to_h { |name| [name, self[name]] }.merge(extra.transform_keys(&:to_sym)) if keys.nil?

      keys.select { |name| members.include?(name) || key?(name) }.to_h { |name| [name, self[name]] }
    end

    # Masks e-mail addresses and phone numbers; of unknown fields and objects it shows only the keys.
    #
    # @return [String]
    def inspect
      "#<#{[self.class, *shown].join(' ')}>"
    end
    alias to_s inspect

    # The record itself, because records never change.
    #
    # @return [self]
    def dup
      self
    end

    # @param freeze [Boolean, nil] as for every object; false is refused
    # @return [self]
    # @raise [ArgumentError] with +freeze: false+
    def clone(freeze: nil)
      raise ArgumentError, "can't unfreeze #{self.class}" if freeze == false

      self
    end

    # @private
    def pretty_print(printer)
      printer.group(1, "#<#{self.class}", ">") do
        shown.each do |field|
          printer.breakable
          printer.text(field)
        end
      end
    end

    private

    # The fields as {#inspect} shows them.
    def shown
      known = self.class::MEMBERS.select { |name| key?(name) }.map { |name| "#{name}=#{show_field(name)}" }
      extra.empty? ? known : known << "extra=#{show(extra)}"
    end

    def thaw(value)
      case value
      when String then +value
      when Array then value.map { |element| thaw(element) }
      when Hash then value.transform_values { |member| thaw(member) }
      else value
      end
    end

    # Each String is a new object: YAML would write an alias for one that occurs twice.
    def yaml(value)
      case value
      when BigDecimal then (float = Serializable.decimal(value)).is_a?(Float) ? float : value
      when Array then value.map { |element| yaml(element) }
      when Hash then value.to_h { |key, member| [+key, yaml(member)] }
      else thaw(value)
      end
    end

    def show_field(name)
      self.class::PERSONAL.include?(name) ? show(self[name]) : show(self[name], mask: false)
    end

    def show(value, mask: true)
      case value
      when String then (mask ? Core.mask(value) : value).inspect
      when Array then "[#{value.map { |element| show(element) }.join(', ')}]"
      when Hash then "{#{value.keys.map { |key| "#{Core.mask(key)}: …" }.join(', ')}}"
      when Time then value.strftime("%FT%TZ")
      when BigDecimal then value.to_s("F")
      else value.inspect
      end
    end
  end

  # A person in the account's audience.
  #
  # @!attribute [r] id
  #   @return [String, nil] The contact's id, cus_ and 1 to 64 characters; read-only, absent in responses before
  #     2026-05.
  # @!attribute [r] email
  #   @return [String, nil] E-mail address; an update can add one, but not change or clear it.
  # @!attribute [r] phone_number
  #   @return [String, nil] Phone number in E.164; an update can add one, but not change or clear it.
  # @!attribute [r] first_name
  #   @return [String, nil] First name.
  # @!attribute [r] last_name
  #   @return [String, nil] Last name.
  # @!attribute [r] email_consent
  #   @return [String, nil] Consent to e-mail; a contact is created with never_subscribed.
  # @!attribute [r] sms_consent
  #   @return [String, nil] Consent to SMS; subscribed and single_opt_in need a phone number of a supported country.
  # @!attribute [r] tags
  #   @return [Array<String>, nil] Tags; an update replaces them all.
  # @!attribute [r] custom_fields
  #   @return [Hash{String => Object}, nil] Your own fields, without nested values; an update replaces them all.
  # @!attribute [r] created_at
  #   @return [Time, String, nil] When the contact was created; read-only.
  # @!attribute [r] updated_at
  #   @return [Time, String, nil] When the contact was last changed; read-only.
  class Contact < Record
    # @return [Boolean] whether {#email_consent} is "subscribed"
    def email_subscribed?
      email_consent == "subscribed"
    end

    # @return [Boolean] whether {#sms_consent} is "subscribed"; false for "single_opt_in" and "pending"
    def sms_subscribed?
      sms_consent == "subscribed"
    end
  end

  # An order as Privy stores it. {#created} is true when the call created it, false when it updated it.
  #
  # @!attribute [r] order_id
  #   @return [Integer, String, nil] Your id of the order, a positive integer or a string of digits; identifies the
  #     order.
  # @!attribute [r] email
  #   @return [String, nil] E-mail address of the customer; finds the contact before phone does, and creates it if
  #     it is missing.
  # @!attribute [r] phone
  #   @return [String, nil] Phone number of the customer in E.164.
  # @!attribute [r] customer_id
  #   @return [String, nil] Your own id of the customer.
  # @!attribute [r] total_items
  #   @return [Integer, nil] Number of items, 0 or more.
  # @!attribute [r] financial_status
  #   @return [String, nil] State of payment, such as paid; any text.
  # @!attribute [r] fulfillment_status
  #   @return [String, nil] State of delivery, such as fulfilled; any text.
  # @!attribute [r] accepts_email_marketing
  #   @return [Boolean, nil] Subscribes the e-mail address of a contact that this call creates.
  # @!attribute [r] accepts_sms_marketing
  #   @return [Boolean, nil] Records an SMS opt-in on a contact that this call creates; needs phone.
  # @!attribute [r] source
  #   @return [String, nil] Where the order came from: api.
  # @!attribute [r] total_amount
  #   @return [BigDecimal, String, nil] Total of the order.
  # @!attribute [r] currency_code
  #   @return [String, nil] ISO 4217 code.
  # @!attribute [r] placed_at
  #   @return [Time, String, nil] When the order was placed.
  # @!attribute [r] created_at
  #   @return [Time, String, nil] When Privy stored the order.
  # @!attribute [r] updated_at
  #   @return [Time, String, nil] When Privy last changed the order.
  # @!attribute [r] created
  #   @return [Boolean, nil] True if this call created the order, false if it updated it.
  class Order < Record
    # @return [Boolean] whether the call created the order
    def created?
      created == true
    end

    # @return [Boolean] whether the call updated the order
    def updated?
      created == false
    end

    # @return [Boolean] false also when it is unknown
    def accepts_email_marketing?
      accepts_email_marketing == true
    end

    # @return [Boolean] false also when it is unknown
    def accepts_sms_marketing?
      accepts_sms_marketing == true
    end
  end

  # The API's receipt for an accepted event.
  #
  # @!attribute [r] event_id
  #   @return [String, nil] Id of the event.
  # @!attribute [r] status
  #   @return [String, nil] Status: accepted.
  # @!attribute [r] idempotent_replay
  #   @return [Boolean, nil] True if the key was accepted before, so that nothing new was recorded.
  class EventReceipt < Record
    # @return [Boolean] whether an earlier event with the same idempotency key was accepted, and this one not again
    def idempotent_replay?
      idempotent_replay == true
    end
    alias replayed? idempotent_replay?
  end

  # The position of a page among all pages.
  #
  # @!attribute [r] page
  #   @return [Integer, nil] Number of this page, from 1.
  # @!attribute [r] per_page
  #   @return [Integer, nil] Records per page.
  # @!attribute [r] total_count
  #   @return [Integer, nil] Records on all pages.
  # @!attribute [r] total_pages
  #   @return [Integer, nil] Number of pages.
  class Pagination < Record; end
end
