# frozen_string_literal: true

require "rails_helper"
require "new_app"
require "rails/generators"
require "rails/generators/test_case"
require "generators/privy/install/install_generator"

RailsApp.boot("config/database.yml" => "test: { adapter: sqlite3, database: ':memory:' }\n")

# The files that `rails generate privy:install` writes.
class TestInstallGenerator < Rails::Generators::TestCase
  tests Privy::Generators::InstallGenerator
  destination File.join(RailsApp::ROOT, "generated")
  setup :prepare_destination

  def write(path, text)
    FileUtils.mkdir_p(File.dirname(File.join(destination_root, path)))
    File.write(File.join(destination_root, path), text)
  end

  def test_minitest_is_found
    write("test/test_helper.rb", "require 'rails/test_help'\nclass ActiveSupport::TestCase; end\n")
    out = Array.new(2) { run_generator(%w[--no-sidekiq --force]) }
    refute_match(/unchanged/, out.last)
    assert_file "test/test_helper.rb",
                "require 'rails/test_help'\nrequire_relative \"support/privy\"\nclass ActiveSupport::TestCase; end\n"
    assert_file "test/support/privy.rb", %r{^require "privy/minitest"$}
    assert_no_file "spec/support/privy.rb"
    assert_file("config/initializers/privy.rb") { |text| refute_match(/Sidekiq|job_queue/, text) }
  end

  def test_rspec_is_found
    write("spec/rails_helper.rb", "require \"rspec/rails\"\n# more\n")
    run_generator(%w[--no-sidekiq])
    assert_file "spec/rails_helper.rb", "require \"rspec/rails\"\nrequire \"support/privy\"\n# more\n"
    assert_file "spec/support/privy.rb", %r{^require "privy/rspec"$}
    assert_no_file "test/support/privy.rb"
  end

  def test_options_replace_what_is_found
    write("spec/rails_helper.rb", "# mine\n")
    out = run_generator(%w[--no-rspec --minitest --sidekiq])
    assert_file "spec/rails_helper.rb", "# mine\n"
    assert_file "test/support/privy.rb", /chain\.add Privy::Sidekiq::Middleware/
    assert_includes out, 'Add this line to test/test_helper.rb: require_relative "support/privy"'
    assert_file "config/initializers/privy.rb", /^Privy::Sidekiq\.install$/
  end

  def test_every_file_is_plain
    run_generator(%w[--minitest --rspec --sidekiq])
    Dir[File.join(destination_root, "**/*.rb")].each do |path|
      assert_empty `#{RbConfig.ruby} -wc #{path} 2>&1`.sub("Syntax OK\n", "")
    end
    Dir[File.join(destination_root, "**/*.*")].each do |path|
      assert(File.readlines(path).all? { |line| line.chomp.length <= 120 && !line.match?(/[ \t]$|<%/) }, path)
    end
    accounts = YAML.safe_load(File.read(File.join(destination_root, "config/privy.yml")))
    assert_equal %w[development test production], accounts.keys
    accounts.each_value { |settings| assert_empty settings.keys.map(&:to_sym) - Privy::Configuration.names }
  end

  def test_it_can_be_undone
    write("test/test_helper.rb", "require \"rails/test_help\"\n")
    run_generator(%w[--no-sidekiq])
    run_generator(%w[--no-sidekiq], behavior: :revoke)
    assert_no_file "config/privy.yml"
    assert_no_file "test/support/privy.rb"
    assert_file "test/test_helper.rb", "require \"rails/test_help\"\n"
  end
end

# A new application, as a team sets it up.
class TestNewApplication < PrivyTest
  CODE = <<~RUBY
    class Signup
      def self.call(email) = Privy.client.contacts.create(email: email, email_consent: :subscribed)
    end
  RUBY
  TEST = <<~RUBY
    require "test_helper"

    class SignupTest < ActiveSupport::TestCase
      test "a signup reaches Privy" do
        Signup.call("jane@example.com")
        assert_privy_contact "jane@example.com", email_consent: "subscribed"
      end

      test "each test has its own Privy" do
        Signup.call("jane@example.com")
        assert_equal 1, privy_sandbox.counts.contacts
      end
    end
  RUBY

  def test_from_the_generator_to_the_first_call
    app = NewApp.new(gems: ["sidekiq"])
    assert_match(/privy:install/, app.rails("generate"))
    out = app.rails("generate", "privy:install")
    ["create  config/privy.yml", "create  config/initializers/privy.rb", "create  test/support/privy.rb",
     "insert  test/test_helper.rb", "rails privy:ping"].each { |line| assert_includes out, line }
    assert_match(/^Privy::Sidekiq\.install$/, app.read("config/initializers/privy.rb"))
    app.write("app/models/signup.rb", CODE)
    app.write("test/models/signup_test.rb", TEST)
    app.rails("db:migrate") # tests in several processes need db/schema.rb
    out = app.rails("test")
    assert_match(/2 runs, \d assertions, 0 failures, 0 errors/, out)
    refute_match(/privy:/, out)
    assert_equal "jane@example.com 1\n", app.rails("runner", <<~'RUBY')
      puts "#{Signup.call('jane@example.com').email} #{Privy.sandbox.counts.contacts}"
    RUBY
    needs_no_token(app)
    reaches_a_served_sandbox(app)
  end

  def needs_no_token(app)
    app.rails("db:migrate", "zeitwerk:check", RAILS_ENV: "production")
    error = assert_raises(RuntimeError) { app.rails("privy:ping", RAILS_ENV: "production") }
    assert_match(/no credentials: give token/, error.message)
  end

  def reaches_a_served_sandbox(app)
    server = Privy::Sandbox::Server.new(port: 0).start
    out = app.rails("privy:ping", RAILS_ENV: "production", PRIVY_BASE_URL: server.url,
                                  PRIVY_API_TOKEN: server.sandbox.token)
    assert_match(/token    accepted/, out)
  ensure
    server&.stop
  end
end
