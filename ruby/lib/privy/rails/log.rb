# frozen_string_literal: true

module Privy
  module Rails
    # The logger of clients in a Rails application: passes the lines from a level on to +config.privy.logger+, or to
    # what Rails.logger is at that time.
    #
    # @private
    class Log
      LEVELS = %i[debug info warn].freeze

      # @param config [ActiveSupport::OrderedOptions]
      # @return [Symbol]
      # @raise [Error] there is no such level
      def self.level(config)
        level = (config.log_level || :debug).to_sym
        raise Error, "config.privy.log_level: must be #{LEVELS.join(', ')}" unless LEVELS.include?(level)

        level
      end

      # @param config [ActiveSupport::OrderedOptions]
      # @raise [Error] there is no such level
      def initialize(config)
        @logger = config.logger
        @from = LEVELS.index(Log.level(config))
      end

      LEVELS.each_with_index do |level, rank|
        predicate = :"#{level}?"
        define_method(level) { |text| target&.public_send(level, text) if rank >= @from }
        define_method(predicate) do
          rank >= @from && (!target.respond_to?(predicate) || target.public_send(predicate))
        end
      end

      private

      def target
        @logger || ::Rails.logger
      end
    end
  end
end
