# frozen_string_literal: true

module Privy
  module Rails
    # The settings of accounts in a Rails application: +credentials.privy+, config/privy.yml and +config.privy+. They
    # are read when the first client is created, so that tasks without a client need no secret.
    #
    # @private
    class Settings
      # What +config.privy+ holds next to the settings of the default account.
      OPTIONS = %i[account accounts logger log_level notifications job_queue].freeze
      FILE = "config/privy.yml"

      # @param app [Rails::Application]
      def initialize(app)
        @app = app
      end

      # @return [String]
      def inspect
        "#<#{self.class}>"
      end

      # The places of settings, the weakest first. They are read once.
      #
      # @return [Array<Struct>]
      # @raise [Error] a place does not hold settings
      def layers
        @layers ||= [AccountSettings.layer("credentials.privy", @app.credentials.privy),
                     AccountSettings.layer(FILE, file), *in_code].freeze
      end

      # Settings of all accounts, weaker than those of any place. The lines of notifications replace a logger.
      #
      # @return [Hash{Symbol => Object}]
      def defaults
        config = @app.config.privy
        config.notifications == false ? { logger: Log.new(config) } : {}
      end

      # Called when an account begins to use a sandbox.
      #
      # @param account [Symbol]
      # @return [void]
      def report_sandbox(account)
        return unless ::Rails.env.production?

        ::Rails.logger&.warn("privy: account #{account} uses a sandbox in memory: nothing reaches Privy")
      end

      # Reads the places again at the next use.
      #
      # @return [void]
      def forget
        @layers = nil
      end

      private

      def file
        path = @app.root.join(FILE)
        return unless path.exist?

        @app.config_for(:privy).tap { |found| refuse_without_environments(path) if found.blank? }
      end

      # A file without environments would be ignored.
      def refuse_without_environments(path)
        given = ActiveSupport::ConfigurationFile.parse(path)
        return unless given.is_a?(Hash)
        return if given.none? { |name, value| Configuration.names.include?(name.to_sym) && !value.is_a?(Hash) }

        raise Error, "#{FILE}: put the settings below the name of an environment (#{::Rails.env}), or below shared"
      end

      def in_code
        config = @app.config.privy
        [AccountSettings.layer("config.privy.accounts", config.accounts),
         AccountSettings.layer("config.privy", config.to_h.except(*OPTIONS), also: OPTIONS)]
      end
    end
  end
end
