# frozen_string_literal: true

require "helper"
require "sample_app"

# The sample application as a reader of its README makes it, with its own tests; then in production: a Puma cluster that
# preloads it, Sidekiq and Redis, and a sandbox that another process would see as Privy.
class TestSampleApp < PrivyTest
  DEEP = ENV.key?("PRIVY_DEEP")
  PEOPLE = DEEP ? 60 : 8
  # Seconds in which the slowest machine starts a server or runs the jobs.
  LONG = 300

  # Lines of JSON: the name and the payload of each event.
  SUBSCRIBER = <<~RUBY
    ActiveSupport::Notifications.subscribe(/\\.privy\\z/) do |event|
      line = { name: event.name, **event.payload.except(:exception_object) }.to_json
      File.write(Rails.root.join("log/events.log"), "\#{line}\\n", mode: "a")
    end
    Rails.logger.level = :debug
  RUBY
  KEYS = %w[account attempts created day_left error idempotency_key method minute_left operation path replay request_id
            row_index sandbox status waited].freeze

  def setup
    super
    @app = SampleApp.new
    @tests = @app.make
    @server = Privy::Sandbox::Server.new(port: 0).start
    @server.sandbox.set_limits(per_minute: 60, window: 5)
  end

  def teardown
    @app.close
    @server.stop
    super
  end

  def test_its_tests_pass_and_it_runs
    assert_match(/\b6 runs, \d+ assertions, 0 failures, 0 errors, 0 skips/, @tests)
    prepare
    puma, sidekiq = launch
    buy
    wait_for("all orders") { stored == PEOPLE }
    page = get("/signups/1")
    assert_equal({ "known" => true, "email_consent" => "subscribed" }, JSON.parse(page.body))
    @app.stop(puma, sidekiq)
    assert_equal [PEOPLE] * 3, [sandbox.contacts.to_a.length, sandbox.orders.to_a.length, sandbox.events.length]
    assert_equal PEOPLE, sandbox.events.map { |event| event.email || event.privy_id }.uniq.length
    check_log
    check_events
  end

  private

  def sandbox
    @server.sandbox
  end

  def prepare
    File.write(File.join(@app.root, "config/initializers/zz_events.rb"), SUBSCRIBER)
    @redis_port, @port = Array.new(2) { SampleApp.free_port }
    @production = { RAILS_ENV: "production", SECRET_KEY_BASE: "x" * 64, PORT: @port.to_s,
                    REDIS_URL: "redis://127.0.0.1:#{@redis_port}/0", PRIVY_BASE_URL: @server.url,
                    DATABASE_URL: "sqlite3:db/production.sqlite3", PRIVY_API_TOKEN: sandbox.token }
    # No task of a deployment needs a token.
    @app.run("bin/rails db:migrate", **@production.except(:PRIVY_API_TOKEN))
  end

  def launch
    @app.start("redis-server --port #{@redis_port} --save  --appendonly no", "redis.log")
    puma = @app.start("bundle exec puma -C config/puma.rb", "puma.log", **@production)
    sidekiq = @app.start("bundle exec sidekiq -c 5", "sidekiq.log", **@production)
    wait_for("Puma") { get("/signups/0").is_a?(Net::HTTPResponse) }
    [puma, sidekiq]
  end

  def buy
    PEOPLE.times do |number|
      person = post("/signups", "customer[email]" => "c#{number}@example.com", "customer[newsletter]" => "true")
      order = post("/orders", "order[customer_id]" => person.fetch("id"), "order[total]" => "9#{number}.50")
      paid = request(Net::HTTP::Post.new("/orders/#{order.fetch('id')}/pay"))
      assert_instance_of Net::HTTPNoContent, paid, -> { @app.log("production.log").lines.grep(/Error|Exception/).join }
    end
  end

  def stored
    [sandbox.contacts.to_a.length, sandbox.orders.to_a.length, sandbox.events.length].min
  end

  # A log line for each request with the time in Privy, and one for each call.
  def check_log
    logs = %w[production.log puma.log sidekiq.log].map { |name| @app.log(name) } # since 7.1 Rails logs to the output
    log = logs.join.lines.grep(/Privy/).join
    assert_match(/Completed 200 OK in \d+ms \(.*ActiveRecord: [\d.]+ms.* \| Privy: [\d.]+ms/, log)
    assert_match(/Privy orders\.upsert\S* 20[01] \(\d+\.\dms \| attempts: 1/, log)
    refute_match(/example\.com/, log)
  end

  def check_events
    events = @app.log("events.log").lines.map { |line| JSON.parse(line) }
    calls = events.select { |event| event["name"] == "call.privy" }
    assert_empty KEYS - calls.first.keys
    assert_operator calls.count { |call| call["status"] }, :>=, 3 * PEOPLE
    refute_match(/example\.com/, @app.log("events.log"))
  end

  def get(path)
    request(Net::HTTP::Get.new(path))
  rescue SystemCallError
    nil
  end

  def post(path, form)
    message = Net::HTTP::Post.new(path)
    message.set_form_data(form)
    response = request(message)
    assert_instance_of Net::HTTPCreated, response, response.body
    JSON.parse(response.body)
  end

  # As behind a proxy that ends TLS: since 7.1 production redirects other requests.
  def request(message)
    message["X-Forwarded-Proto"] = "https"
    Net::HTTP.start("127.0.0.1", @port, read_timeout: LONG) { |http| http.request(message) }
  end

  def wait_for(what)
    Timeout.timeout(LONG, nil, "#{what}: #{%w[puma sidekiq].map { |name| @app.log("#{name}.log")[-3000..] }.join}") do
      sleep 0.1 until yield
    end
  end
end
