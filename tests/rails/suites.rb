# frozen_string_literal: true

require "open3"
require "rbconfig"
require "tmpdir"

# Runs a test suite of a user in a process of its own, and returns what it printed.
module Suites
  LIBRARIES = %w[build/ruby/lib ruby/lib tests/ruby tests/rails].map { |path| "-I#{File.join(ROOT, path)}" }
  RAILS = <<~RUBY
    ENV["RAILS_ENV"] = "test"
    require "rails"
    require "active_job/railtie"
    require "action_controller/railtie"
    require "privy-marketing"
    class Application < Rails::Application
      config.root = __dir__
      config.load_defaults Rails::VERSION::STRING.to_f
      config.eager_load = false
      config.secret_key_base = "x" * 64
      config.logger = ActiveSupport::Logger.new(File::NULL)
      config.active_job.queue_adapter = :inline
      config.active_support.test_order = :random
    end
    Application.initialize!
    require "rails/test_help"
    require "privy/minitest"
    def place(number, client: Privy.client)
      client.orders.upsert(order_id: number, total: 95, currency: "USD", order_date: Time.now, email: "jane@example.com")
    end
  RUBY
  PLAIN = <<~RUBY
    require "minitest/autorun"
    require "privy/minitest"
    CLIENT = Privy::Client.new(token: "any")
    def place(number, client: CLIENT)
      client.orders.upsert(order_id: number, total: 95, currency: "USD", order_date: Time.now, email: "jane@example.com")
    end
  RUBY

  module_function

  # @param text [String] the program
  # @param command [Array<String>] what runs it, after the interpreter
  # @return [Array(String, Boolean)] its output, and whether it succeeded
  def run(text, command: [], name: "program.rb")
    Dir.mktmpdir("privy-suite") do |folder|
      file = File.join(folder, name)
      File.write(file, text)
      output, status = Open3.capture2e(environment, RbConfig.ruby, "-w", *LIBRARIES, *command, file, chdir: folder)
      [output.gsub(/^.*warning: .*\n/, ""), status.success?]
    end
  end

  def environment
    ENV.keys.grep(/\APRIVY_/).to_h { |name| [name, nil] }.merge("RUBYOPT" => nil)
  end
end
