# frozen_string_literal: true

require "rails_helper"
require "rails_programs"

# What an application sets up with config/privy.yml and config.privy.
class TestRailtie < PrivyTest
  include RailsPrograms

  LINES = StringIO.new
  FILES = { "config/privy.yml" => <<~YAML, "config/initializers/privy.rb" => <<~RUBY }.freeze
    shared:
      main:
        sandbox: true
    test:
      asia:
      main:
        max_wait: 3
        timeout:
      eu:
        sandbox: <%= 1 + 1 == 2 %>
        web:
          timeout: 2
  YAML
    Rails.application.config.privy.account = :main
    Privy.configure { |config| config.max_retries = 1 }
  RUBY
  DATABASE = { "config/database.yml" => "test: { adapter: sqlite3, database: ':memory:' }\n" }.freeze
  APPLICATION = RailsApp.boot(FILES.merge(DATABASE)) do |config|
    config.eager_load = true
    config.privy.timeout = 7
    config.privy.notifications = false
    config.privy.accounts = { us: { sandbox: true } }
    config.logger = ActiveSupport::Logger.new(LINES)
  end

  def settings(account)
    Privy.const_get(:Accounts).current.settings_of(account).instance_variable_get(:@given)
  end

  def test_accounts_of_all_places
    assert_equal %i[main asia eu us], Privy.accounts
    Privy.client.orders.upsert(**ORDER)
    counts = %i[default main eu us].map { |account| Privy.sandbox(account).counts.orders }
    assert_equal [1, 1, 0, 0], counts
    assert_same Privy.client, Privy.client("main")
    assert_same Privy.client(:eu), Privy.client("eu")
    assert_equal 2, session_of(Privy.web(:eu)).instance_variable_get(:@options)[:timeout]
  end

  def test_places_of_one_account_are_merged
    assert_equal({ sandbox: true, max_wait: 3, timeout: 7, max_retries: 1 }, settings(:default).except(:logger))
    assert_equal({ sandbox: true, web: { timeout: 2 } }, settings(:eu).except(:logger))
  end

  def test_the_client_survives_reloading
    before = [Privy.client, Privy.web]
    3.times { APPLICATION.reloader.reload! }
    assert_equal before.map(&:object_id), [Privy.client, Privy.web].map(&:object_id)
  end

  def test_clients_log_to_the_logger_of_rails_without_notifications
    list = -> { Privy.client(:eu).contacts.list(email: JANE).first }
    list.call
    assert_match(/privy contacts\.list/, LINES.string)
    refute_includes LINES.string, JANE
    old = Rails.logger
    Rails.logger = ActiveSupport::Logger.new(lines = StringIO.new)
    list.call
    assert_match(/privy contacts\.list/, lines.string)
  ensure
    Rails.logger = old if old
  end

  def test_an_unknown_account_is_refused
    assert_match(/PRIVY_ASIA_API_TOKEN/, refused(Privy::Error) { Privy.client(:asia) }.message)
    error = refused(Privy::Error) { Privy.client(:uk) }
    assert_equal "there is no account uk: the accounts are main, asia, eu, us", error.message
  end

  def test_a_level_of_log_lines
    config = ActiveSupport::OrderedOptions.new
    config.logger = ActiveSupport::Logger.new(lines = StringIO.new)
    config.log_level = :info
    log = Privy::Rails::Log.new(config)
    %i[debug info warn].each { |level| log.public_send(level, level.name) }
    assert_equal [%w[info warn], false, true], [lines.string.split, log.debug?, log.info?]
    config.log_level = :loud
    assert_equal "config.privy.log_level: must be debug, info, warn",
                 refused(Privy::Error) { Privy::Rails::Log.new(config) }.message
  end

  # ERB of privy.yml, which needs a secret, is not read before the first call.
  LAZY = { "config/privy.yml" => "production:\n  token: <%= ENV.fetch('NOT_SET') %>\n" }.freeze

  def test_production_boots_without_any_secret
    out = program(<<~RUBY, files: LAZY, environment: { "RAILS_ENV" => "production" })
      RailsApp.boot(FILES) { |config| config.eager_load = true }
      Rails.application.load_tasks
      puts Rake::Task.tasks.map(&:name).grep(/privy:/).join(" "), Privy::Rails::Railtie.config.privy.class
      begin
        Privy.client
      rescue KeyError => error
        puts error.message
      end
    RUBY
    tasks = "privy:budget privy:import privy:ping privy:sandbox"
    assert_equal [tasks, "ActiveSupport::OrderedOptions", 'key not found: "NOT_SET"'],
                 out.lines(chomp: true)
  end

  def test_a_sandbox_in_production_is_reported
    out = program(<<~RUBY, environment: { "RAILS_ENV" => "production" })
      ENV["PRIVY_SANDBOX"] = "1"
      RailsApp.boot { |config| config.logger = ActiveSupport::Logger.new($stdout) }
      2.times { Privy.client }
    RUBY
    assert_equal ["privy: account default uses a sandbox in memory: nothing reaches Privy"],
                 out.lines(chomp: true).grep(/privy/)
  end

  def test_privy_before_rails
    code = 'require "privy"; require "rails"; p Rails::Railtie.subclasses.map(&:name).grep(/Privy/);' \
           'require "privy/rails/railtie"; p Rails::Railtie.subclasses.map(&:name).grep(/Privy/)'
    out, = Open3.capture2e(RbConfig.ruby, *INCLUDES, "-e", code)
    assert_equal "[]\n[\"Privy::Rails::Railtie\"]\n", out
  end

  FAULTY = { "config/privy.yml" => "test: { default: { tokn: x, max_wait: 1 }, eu: { web: { tmeout: 1 } } }" }.freeze

  def test_all_unknown_names_are_refused_at_once
    out = program(<<~RUBY, files: FAULTY)
      RailsApp.boot(FILES) do |config|
        config.privy.acount = :eu
        config.privy.accounts = { us: { tags: 1 }, eu: { timeout: { a: 1 } } }
      end
      begin
        Privy.client
      rescue Privy::Error => error
        puts error.message.split("; ")
      end
      Privy::Rails::Console.greet
    RUBY
    faults = ["config/privy.yml, account default: tokn is not a setting: did you mean token?",
              "config/privy.yml, account eu: web: tmeout is not a setting: did you mean timeout?",
              "config.privy.accounts, account us: tags is not a setting",
              "config.privy, account default: acount is not a setting: did you mean account?"]
    assert_equal [*faults, "privy: #{faults.join('; ')}"], out.lines(chomp: true)
  end

  def test_a_file_without_environments_is_refused
    out = program(<<~RUBY, files: { "config/privy.yml" => "max_wait: 5\n" })
      RailsApp.boot(FILES)
      begin
        Privy.client
      rescue Privy::Error => error
        puts error.message
      end
    RUBY
    assert_equal "config/privy.yml: put the settings below the name of an environment (test), or below shared",
                 out.chomp
  end

  def test_an_environment_may_have_the_name_of_a_setting
    out = program(<<~RUBY, files: { "config/privy.yml" => "sandbox: { max_wait: 5 }\n" })
      RailsApp.boot(FILES)
      ENV["PRIVY_API_TOKEN"] = "privy_#{'a' * 40}"
      puts Privy.client.inspect
    RUBY
    assert_match(/\A#<Privy::Client base_url=/, out)
  end

  CREDENTIALS = <<~RUBY.freeze
    require "active_support/encrypted_configuration"
    FileUtils.mkdir_p(File.join(RailsApp::ROOT, "config"))
    path = File.join(RailsApp::ROOT, "config/credentials.yml.enc")
    ENV["RAILS_MASTER_KEY"] = ActiveSupport::EncryptedConfiguration.generate_key
    ActiveSupport::EncryptedConfiguration.new(config_path: path, key_path: "none", env_key: "RAILS_MASTER_KEY",
                                              raise_if_missing_key: true).write(<<~YAML)
      privy:
        default:
          token: privy_#{'c' * 40}
          max_wait: 1
        eu:
          client_id: mine
          client_secret: secret
    YAML
  RUBY

  # The order: credentials, the file, config.privy, the environment, Privy.configure.
  def test_later_places_are_stronger
    yaml = "test:\n  default:\n    max_wait: 2\n    timeout: 2\n  eu:\n    token: privy_#{'e' * 40}\n"
    out = program(<<~RUBY, files: { "config/privy.yml" => yaml })
      #{CREDENTIALS}
      ENV["PRIVY_BASE_URL"] = "https://env.example.com/v1"
      RailsApp.boot(FILES) do |config|
        config.credentials.content_path = path
        config.privy.timeout = 3
        config.privy.base_url = "https://code.example.com/v1"
      end
      settings = ->(account) { Privy.const_get(:Accounts).current.settings_of(account).instance_variable_get(:@given) }
      puts settings.(:default).except(:logger).to_a.sort.inspect, settings.(:eu).except(:logger).inspect
      ENV.update("PRIVY_CLIENT_ID" => "id", "PRIVY_CLIENT_SECRET" => "s")
      Privy.configure { |config| config.max_wait = 9 }
      puts settings.(:default).except(:logger).to_a.sort.inspect
      puts Privy.client.inspect, Privy.client(:eu).inspect
      Privy::Rails::Console.greet
    RUBY
    places = [[:base_url, "https://env.example.com/v1"], [:max_wait, 2], [:timeout, 3], [:token, "privy_#{'c' * 40}"]]
    oauth = [[:base_url, "https://env.example.com/v1"], [:client_id, "id"], [:client_secret, "s"], [:max_wait, 9],
             [:timeout, 3]]
    client = '#<Privy::Client base_url="https://env.example.com/v1">'
    unknown = "https://env.example.com/v1, budget unknown until the first call"
    assert_equal [places.inspect, { token: "privy_#{'e' * 40}" }.inspect, oauth.inspect, client, client,
                  "privy: default: #{unknown}; eu: #{unknown}"], out.lines(chomp: true)
  end

  def test_the_console_names_the_state
    out = program(<<~RUBY, files: DATABASE)
      RailsApp.boot(FILES)
      greet = -> { Privy::Rails::Console.greet }
      greet.call
      ENV["PRIVY_API_TOKEN"] = Privy::Sandbox.new.token
      greet.call
      server = Privy::Sandbox::Server.new(port: 0).start
      server.sandbox.set_limits(per_minute: 60)
      ENV["PRIVY_BASE_URL"] = server.url
      Privy.client.request("GET", "/contacts")
      puts Privy::Rails::Console.accounts == "\#{server.url}, 59/60"
      Privy.configure { |config| config.sandbox = true }
      greet.call
      Rails.application.load_console
    RUBY
    assert_equal ["privy: no credentials", "privy: live, budget unknown until the first call", "true",
                  "privy: sandbox", "privy: sandbox"], out.lines(chomp: true)
  end
end
