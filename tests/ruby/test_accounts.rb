# frozen_string_literal: true

require_relative "helper"
require "logger"

# Privy.client without Rails: settings of accounts come from Privy.configure and the environment.
class TestAccounts < PrivyTest
  TOKEN = "privy_#{'a' * 40}".freeze
  OTHER = "privy_#{'b' * 40}".freeze

  def setup
    @environment = ENV.to_h
  end

  def teardown
    ENV.replace(@environment)
    Privy.instance_variable_set(:@configured, {}.freeze)
    Ractor.current[:privy_accounts] = nil
  end

  def options_of(client)
    session_of(client).instance_variable_get(:@options)
  end

  def messages(&)
    refused(Privy::Error, &).message.split("; ")
  end

  # Authorization of the requests that a server received.
  def tokens(server)
    server.requests.map { |request| request.headers["authorization"] }
  end

  def test_one_client_for_the_process
    ENV["PRIVY_API_TOKEN"] = TOKEN
    client = Privy.client
    assert_same client, Privy.client
    assert_same client, Privy.client("default")
    assert_same client, Thread.new { Privy.client }.value
  end

  def test_threads_that_come_at_once_share_one_client
    50.times do
      Privy.configure { |config| config.sandbox = true }
      start = Queue.new
      threads = Array.new(8) { Thread.new { start.pop && [Privy.client, Privy.sandbox] } }
      threads.each { start << true }
      found = threads.map(&:value)
      assert_equal [1, 1], found.transpose.map { |same| same.map(&:object_id).uniq.length }
    end
  end

  def test_a_fork_uses_the_client_of_before
    Privy.configure { |config| config.sandbox = true }
    client = Privy.client
    client.orders.upsert(**ORDER)
    assert_equal "true 2", in_a_fork {
      Privy.client.orders.upsert(**ORDER, order_id: 1002)
      [Privy.client.equal?(client), Privy.sandbox.counts.orders]
    }
    assert_equal 1, Privy.sandbox.counts.orders, "each process has its own data"
  end

  def test_a_fork_while_threads_create_clients
    Privy.configure { |config| config.sandbox = true }
    busy = Array.new(3) { Thread.new { loop { Privy.configure { |config| config.timeout = 5 } || Privy.client } } }
    5.times do
      assert_equal "true 1", in_a_fork {
        Privy.client.orders.upsert(**ORDER)
        [Privy.client.equal?(Privy.client), Privy.sandbox.counts.orders]
      }
    end
  ensure
    busy.each(&:kill).each(&:join)
  end

  # What the block returns in another process.
  def in_a_fork
    reader, writer = IO.pipe
    process = fork do
      writer.write(yield.join(" "))
      writer.close
      exit!(0)
    end
    writer.close
    Timeout.timeout(60) { reader.read }
  ensure
    reader.close
    Process.wait(process)
  end

  def test_presets_share_the_budget_and_have_their_options
    ENV["PRIVY_API_TOKEN"] = TOKEN
    assert_equal({ timeout: 5, max_wait: 0, max_retries: 1 }, options_of(Privy.web))
    assert_equal({ reserve: 10 }, options_of(Privy.jobs))
    assert_same Privy.web, Privy.web
    Privy.configure do |config|
      config.web = { timeout: 2 }
      config.jobs = { reserve: 20, max_wait: 30 }
    end
    assert_equal({ timeout: 2, max_wait: 0, max_retries: 1 }, options_of(Privy.web))
    assert_equal({ reserve: 20, max_wait: 30 }, options_of(Privy.jobs))
    Privy.sandbox
    assert_equal [Privy.client.base_url], [Privy.web, Privy.jobs].map(&:base_url).uniq
  end

  def test_a_web_request_never_waits_for_the_rate_limit
    Privy.configure { |config| config.sandbox = true }
    Privy.sandbox.set_limits(per_minute: 2)
    error = refused(Privy::RateLimitError) { 3.times { Privy.web.orders.upsert(**ORDER) } }
    assert_equal [2, 0.0], [Privy.sandbox.counts.requests, error.waited]
  end

  def test_jobs_leave_requests_for_the_web
    Privy.configure { |config| config.sandbox = true }
    Privy.sandbox.set_limits(per_minute: 12)
    2.times { Privy.jobs.orders.upsert(**ORDER) }
    refused(Privy::RateLimitError) { Privy.jobs.with_options(max_wait: 0).orders.upsert(**ORDER) }
    10.times { Privy.web.orders.upsert(**ORDER) }
    assert_equal 12, Privy.sandbox.counts.requests
  end

  def test_a_client_can_be_replaced
    sandbox = Privy::Sandbox.new
    Privy.client = sandbox.client
    Privy.web.orders.upsert(**ORDER)
    assert_equal 1, sandbox.counts.orders
    Privy.client = nil
    assert_match(/no credentials/, messages { Privy.client }.first)
  end

  def test_a_later_configuration_gives_another_client
    ENV["PRIVY_API_TOKEN"] = TOKEN
    before = Privy.client
    Privy.configure { |config| config.base_url = "https://eu.example.com/v1" }
    assert_equal "https://eu.example.com/v1", Privy.client.base_url
    refute_predicate before, :closed?
    Privy.client = before
    Privy.configure { |config| config.base_url = nil }
    assert_same before, Privy.client, "one that was assigned stays"
  end

  def test_the_configuration_is_stronger_than_the_environment
    stubbed do |_, server|
      ENV.update("PRIVY_API_TOKEN" => TOKEN, "PRIVY_BASE_URL" => server.url)
      Privy.client.request("GET", "/contacts")
      Privy.configure { |config| config.token = OTHER }
      Privy.client.request("GET", "/contacts")
      assert_equal ["Bearer #{TOKEN}", "Bearer #{OTHER}"], tokens(server)
    end
  end

  def test_an_account_has_settings_and_variables_of_its_own
    stubbed do |_, server|
      ENV.update("PRIVY_API_TOKEN" => TOKEN, "PRIVY_EU_API_TOKEN" => OTHER, "PRIVY_BASE_URL" => server.url)
      Privy.configure(:us) { |config| config.token = OTHER.tr("b", "c") }
      %i[default eu us].each { |account| Privy.client(account).request("GET", "/contacts") }
      assert_equal(%w[a b c].map { |letter| "Bearer privy_#{letter * 40}" }, tokens(server))
      assert_equal %i[default us eu], Privy.accounts
    end
  end

  def test_an_account_never_uses_the_credentials_of_another_one
    ENV["PRIVY_API_TOKEN"] = TOKEN
    Privy.configure { |config| config.token = TOKEN }
    Privy.configure(:eu) { |config| config.timeout = 5 }
    assert_equal ["account eu: no credentials: give token, or client_id and client_secret, or set PRIVY_EU_API_TOKEN"],
                 messages { Privy.client(:eu) }
  end

  def test_an_account_takes_other_settings_from_those_of_all_clients
    lines = StringIO.new
    Privy.configure { |config| config.logger = Logger.new(lines) }
    Privy.configure(:eu) { |config| config.sandbox = true }
    Privy.client(:eu).orders.upsert(**ORDER)
    assert_includes lines.string, "orders.upsert"
    assert_equal [1, nil], [Privy.sandbox(:eu).counts.orders, Privy.sandbox]
  end

  def test_a_sandbox_ignores_credentials_and_addresses
    ENV.update("PRIVY_API_TOKEN" => TOKEN, "PRIVY_BASE_URL" => "https://localhost:1/v1", "PRIVY_SANDBOX" => "1")
    Privy.client.orders.upsert(**ORDER)
    assert_equal 1, Privy.sandbox.counts.orders
    mine = Privy::Sandbox.new
    Privy.configure { |config| config.sandbox = mine }
    Privy.client.orders.upsert(**ORDER)
    assert_equal 1, mine.counts.orders
    ENV["PRIVY_SANDBOX"] = "0"
    assert_same mine, Privy.sandbox, "the configuration is stronger"
    Privy.configure { |config| config.sandbox = nil }
    assert_nil Privy.sandbox
  end

  def test_new_clients_ignore_the_sandbox_of_accounts
    Privy.configure { |config| config.sandbox = true }
    assert_match(/no credentials/, refused(Privy::Error) { Privy::Client.new }.message)
  end

  def test_unknown_accounts_are_refused
    Privy.configure(:eu) { |config| config.token = TOKEN }
    assert_equal ["there is no account us: the accounts are eu"], messages { Privy.client(:us) }
    assert_equal ["account: must be a Symbol or a String, not Integer"], messages { Privy.client(5) }
  end

  def test_the_default_account_is_listed_if_it_can_make_calls
    assert_equal %i[default], Privy.accounts
    Privy.configure { |config| config.timeout = 5 }
    ENV["PRIVY_EU_CLIENT_ID"] = "mine"
    assert_equal %i[eu], Privy.accounts
    ENV["PRIVY_API_TOKEN"] = TOKEN
    assert_equal %i[default eu], Privy.accounts
  end

  def test_a_sandbox_is_switched_on_by_a_word_that_is_known
    ENV["PRIVY_SANDBOX"] = "yes"
    assert_equal ["account default: sandbox must be true, false or a Privy::Sandbox"], messages { Privy.client }
    %w[1 true].each do |word|
      ENV["PRIVY_SANDBOX"] = word
      assert_kind_of Privy::Sandbox, Privy.sandbox
    end
  end

  def test_every_invalid_value_is_named
    Privy.configure(:eu) do |config|
      config.token = TOKEN
      config.timeout = "soon"
      config.max_wait = -1
      config.base_url = "ftp://x"
      config.web = { max_retries: -2 }
    end
    faults = messages { Privy.client(:eu) }
    assert_equal(%w[timeout max_wait base_url web:], faults.map { |fault| fault[/\Aaccount eu: (\S+)/, 1] })
  end

  def test_unknown_options_of_presets_are_refused
    Privy.configure(:eu) do |config|
      config.token = TOKEN
      config.web = { tiemout: 1 }
      config.jobs = 5
    end
    assert_equal ["Privy.configure, account eu: web: tiemout is not a setting: did you mean timeout?",
                  "Privy.configure, account eu: jobs: must be options by their names, not Integer"],
                 messages { Privy.client(:eu) }
  end

  def test_no_message_holds_a_token
    Privy.configure(:eu) do |config|
      config.token = TOKEN
      config.timeout = "soon"
    end
    refute_includes messages { Privy.client(:eu) }.join, TOKEN
    settings = Privy.const_get(:Accounts).current.settings_of(:eu)
    [settings, settings.class.layer("file", { token: TOKEN })].each do |secret|
      [secret.inspect, secret.to_s, JSON.generate([secret])].each { |text| refute_includes text, TOKEN }
      assert_raises(TypeError) { Marshal.dump(secret) }
    end
  end

  def test_an_active_sandbox_takes_the_calls_and_needs_no_credentials
    Privy.configure(:eu) { |config| config.timeout = 5 }
    Privy::Sandbox.new.activate do |sandbox|
      [Privy.client, Privy.web(:eu)].each { |client| client.orders.upsert(**ORDER) }
      assert_equal 2, sandbox.counts.requests
    end
    assert_match(/no credentials/, messages { Privy.client }.first)
    ENV["PRIVY_API_TOKEN"] = TOKEN
    real = Privy.client
    Privy::Sandbox.new.activate { |sandbox| real.orders.upsert(**ORDER) && assert_equal(1, sandbox.counts.orders) }
    assert_same real, Privy.client
  end

  def test_a_ractor_has_clients_of_its_own
    Privy.configure { |config| config.sandbox = true }
    Privy.client.orders.upsert(**ORDER)
    Privy.eager_load!
    experimental = Warning[:experimental]
    Warning[:experimental] = false
    inside = Ractor.new do
      Privy.client.orders.upsert(order_id: 1, email: "jane@example.com", total: 5, currency: "USD",
                                 order_date: "2026-05-12T10:00:00Z")
      [Privy.sandbox.counts.orders, Privy.client.equal?(Privy.client)]
    end
    assert_equal [1, true], inside.take
    assert_equal 1, Privy.sandbox.counts.orders
  ensure
    Warning[:experimental] = experimental
  end
end
