# frozen_string_literal: true

ENV["RAILS_ENV"] ||= "test"
require "rails"
require "action_controller/railtie"
require "active_job/railtie"
require "active_record/railtie"
require "privy-marketing"
require "helper"
require "tmpdir"

# The Rails application of a test program. A process has one: a test that needs another starts another process.
module RailsApp
  ROOT = Dir.mktmpdir("privy-rails")
  Minitest.after_run { FileUtils.rm_rf(ROOT) }

  # @param files [Hash{String => String}] files below the application's root: "config/privy.yml" => text
  # @yieldparam config [Rails::Application::Configuration]
  # @return [Rails::Application] initialized
  def self.boot(files = {})
    files.each do |name, text|
      path = File.join(ROOT, name)
      FileUtils.mkdir_p(File.dirname(path))
      File.write(path, text)
    end
    application = const_set(:Application, Class.new(Rails::Application))
    application.configure do
      config.root = ROOT
      config.load_defaults Rails::VERSION::STRING.to_f
      config.eager_load = false
      config.secret_key_base = "x" * 64
      config.logger = ActiveSupport::Logger.new(File::NULL)
      config.active_support.deprecation = :silence
      config.active_job.queue_adapter = :test
      yield config if block_given?
    end
    application.initialize!
  end

  # An SQLite database in memory.
  #
  # @yield the schema, as in ActiveRecord::Schema.define
  def self.database(&)
    ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: ":memory:")
    ActiveRecord::Schema.verbose = false
    ActiveRecord::Schema.define(&)
  end
end
