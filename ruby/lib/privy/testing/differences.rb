# frozen_string_literal: true

require_relative "comparison"

module Privy
  module Testing
    # The differences between a stored record and what a test expects.
    #
    # @private
    module Differences
      LISTED = 10
      # Characters of a line that shows Arrays and Hashes completely.
      LONGEST = 120
      NOTHING = Object.new.freeze
      private_constant :LISTED, :LONGEST, :NOTHING

      class << self
        # Why a contact, an order or an event is not as expected.
        #
        # @param title [String]
        # @param stored [#to_h]
        # @param expected [Hash{Symbol => Object}]
        # @param operation [String] the one whose parameters the fields are
        # @return [String, nil] nil if all expected fields are as stored
        def of(title, stored, expected, operation)
          lines = lines(stored.to_h, expected, operation)
          ["#{title} differs:", *lines].join("\n") unless lines.empty?
        end

        # The same for the event of that type that differs least.
        #
        # @param events [Array<Sandbox::Event>]
        # @param type [String]
        # @param expected [Hash{Symbol => Object}]
        # @return [Array(Sandbox::Event, String), nil] the event, or the text
        def of_event(events, type, expected)
          expected = expected.transform_keys { |name| name == :data ? :event_data : name }
          found = events.select { |event| event.event_type == type }
          return missing_event(events, type) if found.empty?

          lines, event = found.map { |one| [lines(one.to_h.compact, expected, "events.ingest"), one] }.min_by do |pair|
            pair.first.length
          end
          return event if lines.empty?

          many = found.length > 1
          head = many ? "none of the #{found.length} events" : "the event"
          ["#{head} of type #{type.inspect}#{many ? ' is as expected; the nearest differs:' : ' differs:'}",
           *lines].join("\n")
        end

        # @param title [String]
        # @param keys [Enumerable] what is stored instead
        # @param what [String]
        # @return [String]
        def missing(title, keys, what)
          first = keys.first(LISTED + 1).map(&:to_s)
          some = first.first(LISTED).join(", ") + (first.length > LISTED ? ", …" : "")
          "the sandbox stores no #{title}; it stores #{first.empty? ? "no #{what}" : "#{what} #{some}"}"
        end

        # @param value [Object] an expected or a stored one
        # @return [String]
        def shown(value)
          return "nothing" if value.equal?(NOTHING)
          return value.to_s("F").inspect if value.is_a?(BigDecimal)

          value.respond_to?(:matches?) && value.respond_to?(:description) ? value.description : value.inspect
        end

        private

        # A name that no field has differs from every value: otherwise a misspelt name would pass with nil.
        def lines(stored, expected, operation)
          kinds = kinds(operation)
          expected.flat_map do |name, value|
            name = name.to_sym
            if !Comparison.same?(stored[name], value, kinds[name])
              lines_of(name, value, plain(stored.fetch(name, NOTHING)))
            elsif stored.key?(name) || kinds.key?(name)
              []
            else
              ["  #{name}: expected #{shown(value)}, but no field has this name"]
            end
          end
        end

        # The line of a value that differs; if it is long, the lines of the members that differ.
        def lines_of(name, expected, stored)
          line = "  #{name}: expected #{shown(expected)}, stored #{shown(stored)}"
          wanted = members(expected)
          there = members(stored)
          return [line] if line.length <= LONGEST || !wanted || !there

          (wanted.keys | there.keys).flat_map do |key|
            one = wanted.fetch(key, NOTHING)
            other = there.fetch(key, NOTHING)
            Comparison.same?(other, one) ? [] : lines_of("#{name}#{key}", one, other)
          end
        end

        # The members of a Hash or an Array, by what follows its name.
        def members(value)
          case value
          when Hash then value.transform_keys { |key| ".#{key}" }
          when Array then value.each_with_index.to_h { |member, index| ["[#{index}]", member] }
          end
        end

        def plain(value)
          value.is_a?(Hash) || value.is_a?(Array) ? Serializable.plain(value) : value
        end

        def kinds(operation)
          table = Core.schema[:operations].find { |row| row[:name] == operation }
          table[:params].to_h { |row| [row[:name], row[:kind]] }
        end

        def missing_event(events, type)
          types = events.map(&:event_type).uniq
          missing("event of type #{type.inspect}", types, types.empty? ? "events" : "events of type")
        end
      end
    end
  end
end
