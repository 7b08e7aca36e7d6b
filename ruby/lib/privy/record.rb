# frozen_string_literal: true

module Privy
  # One object of an answer: {Contact}, {Order}, {EventReceipt}, {Pagination}. Its readers come from the core's tables.
  # Records are frozen, equal by value, and can be keys of a Hash, marshalled and matched:
  #
  #   case client.contacts.get(id)
  #   in { email_consent: "subscribed", email: } then write_to(email)
  #   end
  #
  # Times are Time in UTC, money is BigDecimal, lists and objects are frozen. A field that the answer lacks reads nil.
  #
  # @!method [](name)
  #   Any field, also one that this version does not know yet.
  #   @param name [String, Symbol]
  #   @return [Object, nil]
  # @!method key?(name)
  #   True when the answer held the field, be it with null.
  #   @param name [String, Symbol]
  #   @return [Boolean]
  # @!method extra
  #   The fields that this version does not know.
  #   @return [Hash{String => Object}] frozen
  # @!method self.from_json(text)
  #   A record from JSON as the API answers it, for tests say.
  #   @param text [String]
  #   @return [Record]
  #   @raise [APIStatusError] the text is no JSON object
  class Record
    # A plain copy that may be changed: known fields that the answer had, then the unknown ones, all under Symbols.
    #
    # @return [Hash{Symbol => Object}]
    def to_h
      known = self.class::MEMBERS.select { |name| key?(name) }
      known.to_h { |name| [name, thaw(self[name])] }.merge(thaw(extra).transform_keys(&:to_sym))
    end

    # The record as JSON with its present names, which {.from_json} reads back. Where ActiveSupport is loaded it writes
    # the text from {#as_json}, and escapes what would end a script in a page.
    #
    # @param options [Hash, nil] of Rails: +only+ or +except+
    # @return [String]
    def to_json(*options)
      return super if Serializable.active_support?(options)

      options.first.is_a?(Hash) ? Core.generate(as_json(options.first)) : json_text
    end

    # The record as plain JSON values, for Rails: times are text as the API wrote it, decimals are Floats, or text where
    # a Float would not be exact.
    #
    # @param options [Hash, nil] +only+ or +except+: names of fields
    # @return [Hash{String => Object}]
    def as_json(options = nil)
      Serializable.chosen(Serializable.plain(Core.parse(json_text)), options)
    end

    # Writes the record as YAML, with its present names.
    #
    # @private
    def encode_with(coder)
      Core.parse(json_text).each { |name, value| coder[+name] = yaml(value) }
    end

    # @private
    def init_with(coder)
      core_load(Core.generate(coder.map))
    end

    # @param keys [Array<Symbol>, nil] what a pattern asks for
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(keys)
      members = self.class::MEMBERS
      return members.to_h { |name| [name, self[name]] }.merge(extra.transform_keys(&:to_sym)) if keys.nil?

      keys.select { |name| members.include?(name) || key?(name) }.to_h { |name| [name, self[name]] }
    end

    # E-mail addresses and phone numbers are masked; of unknown fields and objects only the keys are shown.
    #
    # @return [String]
    def inspect
      known = self.class::MEMBERS.select { |name| key?(name) }.map { |name| "#{name}=#{show_field(name)}" }
      known << "extra=#{show(extra)}" unless extra.empty?
      "#<#{[self.class, *known].join(' ')}>"
    end
    alias to_s inspect

    # Records never change, so that a copy would be the same.
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
      printer.text(inspect)
    end

    private

    def thaw(value)
      case value
      when String then +value
      when Array then value.map { |element| thaw(element) }
      when Hash then value.transform_values { |member| thaw(member) }
      else value
      end
    end

    # Without a String twice, of which YAML would make an alias.
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

  # A person whom the store may write to.
  class Contact < Record; end

  # An order as Privy keeps it. {#created} tells whether the call created or updated it.
  class Order < Record; end

  # What the API says of an event that it took.
  class EventReceipt < Record; end

  # Where a page stands among all pages.
  class Pagination < Record; end
end
