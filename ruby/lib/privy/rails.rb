# frozen_string_literal: true

module Privy
  # What programs with Rails, or with ActiveSupport alone, use.
  module Rails
    autoload :Settings, File.expand_path("rails/settings", __dir__)
    autoload :Console, File.expand_path("rails/console", __dir__)
    autoload :Log, File.expand_path("rails/log", __dir__)
    autoload :RecordSerializer, File.expand_path("rails/serializers", __dir__)
    autoload :PageSerializer, File.expand_path("rails/serializers", __dir__)
    autoload :Ping, File.expand_path("rails/ping", __dir__)
    autoload :Tasks, File.expand_path("rails/tasks", __dir__)
    autoload :ImportTask, File.expand_path("rails/import_task", __dir__)
    autoload :Notifications, File.expand_path("rails/notifications", __dir__)
    autoload :Publisher, File.expand_path("rails/publisher", __dir__)
    autoload :Runtime, File.expand_path("rails/runtime", __dir__)
    autoload :LogSubscriber, File.expand_path("rails/log_subscriber", __dir__)
    autoload :ControllerRuntime, File.expand_path("rails/controller_runtime", __dir__)
    autoload :JobRuntime, File.expand_path("rails/job_runtime", __dir__)
    autoload :ErrorContext, File.expand_path("rails/error_context", __dir__)
    private_constant :Settings, :Publisher, :Runtime, :ErrorContext
  end
end
