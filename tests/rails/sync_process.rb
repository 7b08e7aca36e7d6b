# frozen_string_literal: true

# A process of an application: ruby sync_process.rb DATABASE CODE. The sandbox's address is in the environment. Sidekiq
# loads it as well, with both in the environment.
ENV["RAILS_ENV"] = "test"
require "logger"
require "rails"
require "sidekiq" if ENV["SYNC_QUEUE"]
require "active_job/railtie"
require "active_record/railtie"
require "privy-marketing"
require "tmpdir"
require_relative "sync_models"

database, code = ARGV.empty? || $PROGRAM_NAME.end_with?("sidekiq") ? ENV.values_at("SYNC_DATABASE", "SYNC_CODE") : ARGV
root = Dir.mktmpdir("privy-process")
at_exit { FileUtils.rm_rf(root) }
FileUtils.mkdir_p(File.join(root, "config"))
File.write(File.join(root, "config/database.yml"), SyncModels::FILES.fetch("config/database.yml"))

class Application < Rails::Application
end
Application.configure do
  config.root = root
  config.load_defaults Rails::VERSION::STRING.to_f
  config.eager_load = false
  config.secret_key_base = "x" * 64
  config.logger = ActiveSupport::Logger.new(File::NULL)
  config.active_support.deprecation = :silence
  config.active_job.queue_adapter = ENV["SYNC_QUEUE"] ? :sidekiq : :test
end
Application.initialize!
ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: database, timeout: 20_000, pool: 12)
require_relative "sync_records"
eval(code) if code # rubocop:disable Security/Eval
