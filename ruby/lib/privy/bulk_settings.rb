# frozen_string_literal: true

module Privy
  # The settings of a bulk run that concern the complete run: its journal, and when it ends early.
  #
  # @private
  module BulkSettings
    # In the order of the core's values.
    CHOICES = { resume: %i[auto only restart].freeze, on_spent_day: %i[stop wait].freeze }.freeze
    private_constant :CHOICES

    class << self
      # @param journal [Object] as the user gave it, as the other ones
      # @param resume [Object]
      # @param on_spent_day [Object]
      # @param until [Object]
      # @return [Hash{Symbol => Object}] path or nil; indexes of the two choices; seconds since 1970 or nil
      # @raise [TypeError, ArgumentError] a value is invalid
      def check(journal: nil, resume: :auto, on_spent_day: :stop, until: nil)
        path = path_of(:journal, journal)
        choice = choose(:resume, resume)
        raise ArgumentError, "resume: #{resume.inspect} needs a journal" unless path || choice.zero?

        # 0 means no instant to the core.
        ends = instant(:until, binding.local_variable_get(:until))&.clamp(1..)
        { journal: path, resume: choice, on_spent_day: choose(:on_spent_day, on_spent_day), until: ends }
      end

      # @param value [Time, DateTime, String, #to_time, nil]
      # @return [Float, nil] seconds since 1970
      # @raise [TypeError] it is no instant
      # @raise [ArgumentError] it is text of another form
      def instant(name, value)
        return if value.nil?
        return text_instant(name, value) if value.is_a?(String)

        time = value.respond_to?(:to_time) && !date?(value) ? value.to_time : value
        return time.to_f if time.is_a?(Time)

        raise TypeError, "#{name} must be a Time or ISO 8601 text with a time zone, not #{value.class}"
      end

      # @param path [String, Pathname, nil]
      # @return [String, nil]
      # @raise [TypeError] it is no path
      # @raise [ArgumentError] it is empty, or holds a null byte
      def path_of(name, path)
        return if path.nil?

        path = File.path(path)
        raise ArgumentError, "#{name} must be the path of a file, not an empty text" if path.empty?

        path
      end

      # @param value [Symbol, String]
      # @return [Integer] its number among the choices of that name
      # @raise [ArgumentError] it is not one of them
      def choose(name, value)
        choices = CHOICES.fetch(name)
        found = choices.index(value.is_a?(String) ? value.to_sym : value)
        return found if found

        raise ArgumentError, "#{name} must be #{choices.map(&:inspect).join(' or ')}, not #{value.inspect}"
      end

      private

      # A Date has no time of day: to_time would add midnight of the machine's time zone.
      def date?(value)
        defined?(::Date) && value.is_a?(::Date) && !value.is_a?(::DateTime)
      end

      def text_instant(name, value)
        Core.instant(value) or
          raise ArgumentError, "#{name} must be ISO 8601 text with a time zone, such as 2026-05-12T07:00:00+02:00, " \
                               "not #{value.inspect}"
      end
    end
  end
  private_constant :BulkSettings
end
