# frozen_string_literal: true

require "rails_helper"
require "rails_programs"
require "rake"
require "tmpdir"

# The Rake tasks against a served sandbox, which they know by the environment only.
class TestTasks < PrivyTest
  include RailsPrograms

  APPLICATION = RailsApp.boot
  APPLICATION.load_tasks

  SUPPORT = "API access may not be enabled for this account: ask support@privy.com"

  def setup
    @environment = ENV.to_h
    @server = Privy::Sandbox::Server.new(port: 0).start
    @server.sandbox.set_limits(per_minute: 60, per_day: 10_000)
    ENV.update("PRIVY_BASE_URL" => @server.url, "PRIVY_API_TOKEN" => @server.sandbox.token)
  end

  def teardown
    @server.stop
    ENV.replace(@environment)
    Ractor.current[:privy_accounts] = nil
  end

  # Exit status and lines of a task.
  def run_task(name, **environment)
    ENV.update(environment.transform_keys(&:to_s))
    status = 0
    out, = capture_io do
      Rake::Task[name].execute
    rescue SystemExit => e
      status = e.status
    end
    [status, out.lines(chomp: true).map(&:strip)]
  end

  def token_with(scopes)
    token = "privy_#{'d' * 40}"
    @server.sandbox.add_token(token, scopes: scopes)
    token
  end

  def test_ping_of_a_token_with_all_scopes
    assert_equal [0, ["account default, #{@server.url}", "token    accepted",
                      "scopes   contacts_read, contacts_write, orders_write, events_write",
                      "budget   56/60 of the minute, 9996/10000 of the day"]], run_task("privy:ping")
    assert_equal [4, 0, 0, 0, 0], @server.sandbox.counts.to_a, "it stores nothing"
  end

  def import_of(text, **environment)
    Dir.mktmpdir do |folder|
      file = File.join(folder, "contacts.csv")
      File.write(file, text)
      rejects = File.join(folder, "rejects.csv")
      [*run_task("privy:import", FILE: file, KIND: "contacts", REJECTS: rejects, **environment), File.read(rejects)]
    end
  end

  def test_import_sends_rows_and_writes_rejects
    text = "email,first_name,note\njane@example.com,Jane,x\nnobody,,\n"
    status, lines, rejects = import_of(text)
    assert_equal [1, 1], [status, @server.sandbox.counts.contacts]
    assert_match(/\A2 contacts: 1 ready, 1 refused, 0 skipped; 1 of 1 row succeeded.*; 1 line in /, lines[0])
    assert_equal "columns that no field uses: note", lines[1]
    assert_match(/\Aline 3: column email, email: must be an e-mail address/, lines[2])
    assert_match(/^3,email,".*",nobody,,$/, rejects)
    refute_match(/nobody|jane/, lines.join, "values are personal data")
  end

  def test_import_as_a_dry_run_sends_nothing
    status, lines, = import_of("email\njane@example.com\n", DRY_RUN: "1")
    assert_equal [0, 0], [status, @server.sandbox.counts.requests]
    assert_match(/1 ready, 0 refused, 0 skipped; at least 1 request, 0 minutes/, lines[0])
  end

  def test_import_says_what_it_lacks
    assert_equal [1, ["error: FILE: name the file to import, such as FILE=orders.csv"]], run_task("privy:import")
    assert_equal [1, ["error: FILE: there is no file no.csv"]], run_task("privy:import", FILE: "no.csv")
  end

  def test_ping_of_a_token_with_some_scopes
    status, lines = run_task("privy:ping", PRIVY_API_TOKEN: token_with("contacts_read orders_write"))
    assert_equal [0, "scopes   contacts_read, orders_write"], [status, lines[2]]
    assert_match(/\Arefused  contacts_write, events_write: 403 insufficient_scope/, lines[3])
    refute_match(SUPPORT, lines.join)
  end

  def test_ping_of_a_wrong_token_says_where_to_ask
    status, lines = run_task("privy:ping", PRIVY_API_TOKEN: "privy_#{'e' * 40}")
    assert_equal [1, "token    not accepted"], [status, lines[1]]
    assert_match(/\Aerror    .*401.*#{SUPPORT}/, lines[2])
    assert_equal 1, @server.sandbox.counts.requests
  end

  def test_ping_of_an_account_without_api_access_says_where_to_ask
    @server.sandbox.fail(status: 403, body: '{"error":{"code":"forbidden","message":"no"}}', count: 0)
    status, lines = run_task("privy:ping")
    assert_equal 1, status
    assert_match(SUPPORT, lines.join)
  end

  def test_ping_of_a_server_that_is_away
    @server.stop
    status, lines = run_task("privy:ping")
    assert_equal 1, status
    assert_match(/\Aerror    /, lines[1])
    refute_match(/token/, lines.join)
  end

  def test_ping_of_several_accounts
    ENV["PRIVY_EU_API_TOKEN"] = "privy_#{'e' * 40}"
    status, lines = run_task("privy:ping")
    assert_equal [1, ["account default, #{@server.url}", "account eu, #{@server.url}"]],
                 [status, lines.grep(/\Aaccount/)]
    assert_equal [0, 1], [run_task("privy:ping", ACCOUNT: "default").first, run_task("privy:ping", ACCOUNT: "eu").first]
    status, lines = run_task("privy:ping", ACCOUNT: "us")
    assert_equal [1, "error    there is no account us: the accounts are default, eu"], [status, lines[1]]
  end

  def test_ping_without_credentials
    ENV.delete("PRIVY_API_TOKEN")
    assert_equal [1, ["account default", "error    account default: no credentials: give token, or client_id and " \
                                         "client_secret, or set PRIVY_API_TOKEN"]], run_task("privy:ping")
  end

  def test_budget
    assert_equal [0, ["account default, #{@server.url}", "budget   59/60 of the minute, 9999/10000 of the day"]],
                 run_task("privy:budget")
    assert_equal 1, @server.sandbox.counts.requests
  end

  def test_of_a_sandbox_in_memory
    status, lines = run_task("privy:ping", PRIVY_SANDBOX: "1")
    assert_equal [0, "account default, a sandbox in memory"], [status, lines.first]
    assert_equal [0, 4], [@server.sandbox.counts.requests, Privy.sandbox.counts.requests]
  end

  def test_budget_needs_no_scope
    status, lines = run_task("privy:budget", PRIVY_API_TOKEN: token_with("orders_write"))
    assert_equal [0, "budget   59/60 of the minute, 9999/10000 of the day"], [status, lines[1]]
  end

  def test_budget_that_is_used_up
    @server.sandbox.set_limits(per_minute: 1)
    Privy.client.request("GET", "/contacts")
    assert_equal [0, "budget   0/1 of the minute"], [run_task("privy:budget").first, run_task("privy:budget").last[1]]
  end

  def test_sandbox_serves_until_a_signal
    command = [RbConfig.ruby, *INCLUDES, "-rrails_helper", "-rrake", "-e",
               'RailsApp.boot.load_tasks; Rake::Task["privy:sandbox"].invoke; exit!(0)']
    IO.popen({ "PORT" => "0", "LIMITS" => "70/80", "SEED" => "shop:20" }, command, err: %i[child out]) do |out|
      lines = Timeout.timeout(120) { [out.gets, out.gets] }
      url, token = lines[1].scan(/PRIVY_BASE_URL=(\S+) PRIVY_API_TOKEN=(\S+)/).first
      client = Privy::Client.new(base_url: url, token: token)
      assert_equal 20, client.contacts.list.count
      assert_equal [70, 80], client.rate_limit.to_h.values.map(&:limit)
      Process.kill("TERM", out.pid)
      assert_predicate Timeout.timeout(60) { Process.wait2(out.pid).last }, :success?
    end
  end

  def test_sandbox_refuses_invalid_values
    error = refused(Privy::Error) { Privy::Rails::Tasks.new(environment: { "PORT" => "http" }).sandbox }
    assert_equal 'PORT: must be a number, not "http"', error.message
    error = refused(Privy::Error) { Privy::Rails::Tasks.new(environment: { "LIMITS" => "many" }).sandbox }
    assert_match(/limits/, error.message)
  end
end
