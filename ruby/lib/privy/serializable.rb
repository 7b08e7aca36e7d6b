# frozen_string_literal: true

module Privy
  # JSON for the json library, ActiveSupport and Oj. ActiveSupport calls {#as_json}; without it Rails would write
  # instance variables, and a record has none. The private method +json_data+ returns an object's data.
  #
  # @private
  module Serializable
    # Owners of an as_json that writes whatever an object holds, and of Ruby's own classes without a form in JSON.
    GENERAL = %w[Object Kernel Enumerable Struct Range Exception Numeric Regexp Module Privy::Serializable
                 ActiveModel::Serializers::JSON].freeze
    private_constant :GENERAL

    class << self
      # The value as plain JSON values. Keys become Strings; a decimal becomes a Float where that is exact, else text; a
      # time becomes ISO 8601 text; NaN and infinity become nil.
      def plain(value)
        case value
        when nil, true, false, Integer, String then value
        when Array then value.map { |element| plain(element) }
        when Hash then value.to_h { |key, member| [key.to_s, plain(member)] }
        when Numeric then number(value)
        when Time then time(value)
        else other(value)
        end
      end

      # What the value's class itself defines as its JSON; nil for other objects. ActiveSupport gives every object an
      # as_json with its instance variables, and every model one with all its attributes: these may be personal data.
      def own_json(value)
        return value.value if defined?(::ActiveSupport::Duration) && value.is_a?(::ActiveSupport::Duration)

        owner = Kernel.instance_method(:method).bind_call(value, :as_json).owner
        value.as_json if owner.method_defined?(:as_json) && !GENERAL.include?(owner.name)
      end

      # Applies the options of Rails, +only+ or +except+, to a Hash.
      def chosen(hash, options)
        return hash unless options.is_a?(Hash)

        only, except = options.values_at(:only, :except).map { |names| names && Array(names).map(&:to_s) }
        return hash.slice(*only) if only

        except ? hash.except(*except) : hash
      end

      # Whether ActiveSupport's Object#to_json applies, which also escapes HTML.
      def active_support?(arguments)
        defined?(::ActiveSupport::ToJsonWithActiveSupportEncoder) &&
          (arguments.empty? || arguments.first.nil? || arguments.first.is_a?(Hash))
      end

      # A Float when that is exact, else text.
      def decimal(value)
        float = value.to_f
        float.finite? && BigDecimal(float.to_s) == value ? float : value.to_s("F")
      end

      private

      def number(value)
        case value
        when BigDecimal then decimal(value)
        when Float then value.finite? ? value : nil
        else other(value)
        end
      end

      def time(value)
        utc = value.getutc
        fraction = utc.strftime(".%N").sub(/\.?0+\z/, "") unless utc.nsec.zero?
        "#{utc.strftime('%FT%T')}#{fraction}Z"
      end

      # Of rows, which are the caller's.
      def other(value)
        return value.name if value.is_a?(Symbol)
        return plain(value.as_json) if value.respond_to?(:as_json)

        value.respond_to?(:to_h) && !value.is_a?(Range) ? plain(value.to_h) : value.to_s
      end
    end

    # The data as Hashes, Arrays, Strings, numbers, true, false and nil.
    #
    # @param options [Hash, nil] +only+ or +except+: names of members
    # @return [Hash{String => Object}, Array, String]
    def as_json(options = nil)
      data = Serializable.plain(json_data)
      data.is_a?(Hash) ? Serializable.chosen(data, options) : data
    end

    # @return [String]
    def to_json(*arguments)
      Serializable.active_support?(arguments) ? super : Core.generate(as_json(arguments.first))
    end

    private

    def json_data
      to_h
    end
  end

  # Value objects: frozen and equal by value, also after YAML and Marshal.
  #
  # @private
  module Value
    include Serializable

    # @private
    def marshal_dump
      instance_variables.to_h { |name| [name.name.delete_prefix("@"), instance_variable_get(name)] }
    end

    # @private
    def marshal_load(members)
      members.each { |name, value| instance_variable_set("@#{name}", freeze_all(value)) }
      freeze
    end

    # @private
    def init_with(coder)
      marshal_load(coder.map)
    end

    private

    def freeze_all(value)
      case value
      when Array then value.each { |element| freeze_all(element) }
      when Hash then value.each_value { |member| freeze_all(member) }
      when String, Struct then nil
      else return value
      end
      value.freeze
    end
  end

  # Objects with connections or secrets: JSON writes +inspect+; YAML and Marshal raise TypeError.
  #
  # @private
  module Opaque
    include Serializable

    # @private
    def encode_with(_coder)
      raise TypeError, "a #{self.class} cannot be written as YAML: #{secret}"
    end

    # @private
    def marshal_dump
      raise TypeError, "a #{self.class} cannot be marshalled: #{secret}"
    end

    private

    def json_data
      inspect
    end

    def secret
      "it holds connections or a secret"
    end
  end
end
