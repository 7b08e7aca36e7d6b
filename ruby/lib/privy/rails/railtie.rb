# frozen_string_literal: true

module Privy
  # What is here exists in a Rails application only.
  module Rails
    autoload :Settings, File.expand_path("settings", __dir__)

    # Sets privy up in a Rails application.
    #
    # @!attribute [r] config
    #   +config.privy+ of an application takes the settings of the default account (+config.privy.timeout = 10+), and:
    #
    #   - +account+: the account that is the default (:default)
    #   - +accounts+: settings of other accounts by their names
    #   - +logger+: what clients log to (Rails.logger)
    #   - +log_level+: lines below this level are dropped (:debug)
    #   - +notifications+: whether calls are events of ActiveSupport::Notifications (true)
    #   - +job_queue+: the queue of jobs that privy enqueues (:default)
    class Railtie < ::Rails::Railtie
      config.privy = ActiveSupport::OrderedOptions.new

      initializer "privy.accounts" do |app|
        Privy.const_get(:Accounts).source = Settings.new(app)
      end
    end
  end
end
