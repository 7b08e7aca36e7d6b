# frozen_string_literal: true

module Privy
  module Testing
    # Whether a stored value is the one that a test expects.
    #
    # @private
    module Comparison
      TIMES = /\A\d{4}-\d\d-\d\dT/
      private_constant :TIMES

      class << self
        # @param stored [Object]
        # @param expected [Object] a value, or a Range, Regexp, Class, Proc or matcher
        # @param kind [Symbol, nil] of the parameter
        # @return [Boolean]
        def same?(stored, expected, kind = nil)
          case expected
          when Hash then stored.is_a?(Hash) && same_hash?(stored, expected)
          when Array then stored.is_a?(Array) && same_array?(stored, expected)
          when true, false, nil then expected == stored
          when Symbol then stored.to_s == expected.to_s
          when Numeric then number(stored) == number(expected)
          else same_object?(stored, expected, kind)
          end
        end

        private

        def same_hash?(stored, expected)
          stored = stored.transform_keys(&:to_s)
          expected = expected.transform_keys(&:to_s)
          stored.keys.sort == expected.keys.sort && expected.all? { |name, value| same?(stored[name], value) }
        end

        def same_array?(stored, expected)
          stored.length == expected.length && stored.zip(expected).all? { |pair| same?(*pair) }
        end

        def same_object?(stored, expected, kind)
          return true if expected.is_a?(String) && expected == stored

          text = expected.is_a?(String)
          kind = :money if stored.is_a?(Numeric)
          kind = :time if stored.is_a?(Time) || (!text && expected.respond_to?(:to_time))
          stored = typed(stored, kind)
          return matches?(stored, expected) if matcher?(expected)

          stored == (text || kind == :time ? typed(expected, kind) : expected)
        end

        # A matcher of a Hash may name the keys by Strings or Symbols.
        def matches?(stored, matcher)
          [stored, symbols(stored)].uniq.any? { |value| matcher === value } # rubocop:disable Style/CaseEquality
        end

        def symbols(value)
          case value
          when Hash then value.to_h { |key, member| [key.to_sym, symbols(member)] }
          when Array then value.map { |member| symbols(member) }
          else value
          end
        end

        def typed(value, kind)
          case kind
          when :time then time(value)
          when :money then number(value)
          else value
          end
        end

        def matcher?(value)
          case value
          when Range, Regexp, Module, Proc then true
          else value.respond_to?(:matches?)
          end
        end

        def time(value)
          return value.to_time.utc if value.respond_to?(:to_time) && !value.is_a?(String)

          value.is_a?(String) && value.match?(TIMES) ? Sandbox::Event.time(value) : value
        end

        # The number in a value; the value itself if it holds none.
        def number(value)
          case value
          when Numeric then BigDecimal(value.to_s)
          when String then BigDecimal(value)
          else value
          end
        rescue ArgumentError
          value
        end
      end
    end
  end
end
