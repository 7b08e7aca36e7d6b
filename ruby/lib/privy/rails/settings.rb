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

      # The places of settings, the weakest first.
      #
      # @return [Array<Struct>]
      # @raise [Error] a place does not hold settings
      def layers
        @layers ||= [AccountSettings.layer("credentials.privy", @app.credentials.privy),
                     AccountSettings.layer(FILE, file), in_code].freeze
      end

      private

      def file
        path = @app.paths["config"].existent.first && @app.root.join(FILE)
        @app.config_for(:privy) if path&.exist?
      end

      def in_code
        config = @app.config.privy
        default = config.to_h.except(*OPTIONS)
        AccountSettings.layer("config.privy", {})
                       .tap { |layer| layer.accounts.merge!(config.accounts.to_h, default: default) }
      end
    end
  end
end
