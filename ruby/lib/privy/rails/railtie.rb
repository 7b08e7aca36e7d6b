# frozen_string_literal: true

require_relative "../rails"

module Privy
  module Rails
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
      config.eager_load_namespaces << Privy

      initializer "privy.accounts" do |app|
        Accounts.source = Settings.new(app)
        Accounts.default = Accounts.resolve(app.config.privy.account || :default)
      end

      # Before a server starts: classes of jobs may be loaded later.
      initializer "privy.sidekiq" do
        Privy::Sidekiq.install if defined?(::Sidekiq) && ::Sidekiq.server?
      end

      initializer "privy.job_arguments" do
        ActiveSupport.on_load(:active_job) do
          ActiveJob::Serializers.add_serializers(RecordSerializer, PageSerializer)
        end
      end

      initializer "privy.notifications", after: :load_config_initializers do |app|
        Notifications.set_up(app.config.privy) unless app.config.privy.notifications == false
      end

      # Before the files of the application, which may replace its texts.
      ActiveSupport.on_load(:i18n) { ::I18n.load_path << File.expand_path("../locales/privy.en.yml", __dir__) }

      # The files of config/initializers may have changed config.privy.
      config.after_initialize do |app|
        Accounts.source.forget
        Accounts.default = Accounts.resolve(app.config.privy.account || :default)
      end

      console { Console.greet }

      rake_tasks { load File.expand_path("tasks.rake", __dir__) }
    end
  end
end
