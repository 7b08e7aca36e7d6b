# frozen_string_literal: true

require "helper"
require "redis"
require "sidekiq/api"
require "tmpdir"
require_relative "sidekiq_process"

# Two processes of Sidekiq with ten threads each, a real Redis and a served sandbox: one account, 60 requests in five
# seconds.
class TestSidekiqProcesses < PrivyTest
  WINDOW = 5
  DEEP = ENV.key?("PRIVY_DEEP")
  # Seconds: a safety net.
  LIMIT = 150
  FLAGS = $LOAD_PATH.grep(%r{/(build/ruby/lib|ruby/lib)\z}).map { |folder| "-I#{folder}" }
  PROGRAM = File.expand_path("sidekiq_process.rb", __dir__)

  # One for all tests: Sidekiq 7 keeps its connections.
  FOLDER = Dir.mktmpdir("privy-sidekiq")
  Minitest.after_run { FileUtils.rm_rf(FOLDER) }

  def setup
    super
    @socket = File.join(FOLDER, "redis.sock")
    @redis_process = spawn("redis-server", "--port", "0", "--unixsocket", @socket, "--save", "", "--dir", FOLDER,
                           out: File::NULL)
    @redis = Redis.new(path: @socket)
    wait_until { ping? }
    Sidekiq.configure_client { |config| config.redis = { url: "unix://#{@socket}" } }
    @server = Privy::Sandbox::Server.new(port: 0).start
    @sandbox = @server.sandbox
    @sandbox.keep_requests(10_000)
    @workers = []
  end

  def teardown
    stop_workers
    @server.stop
    stop(@redis_process)
    super
  end

  def test_jobs_share_the_budget_of_the_account
    count = DEEP ? 1000 : 180
    start_workers
    # A busy machine may need another try.
    ratios = (DEEP ? 0...4 : 0...1).lazy.map { |attempt| store_orders(count, 1 + (attempt * count)) }
    assert(ratios.any? { |ratio| !DEEP || ratio <= 1.25 })
  end

  def test_a_stop_in_the_middle_loses_nothing_and_sends_no_second_event
    numbers = (1..(DEEP ? 200 : 40))
    @sandbox.set_limits(per_minute: 60, window: WINDOW)
    # Responses that are under way when the processes stop: the jobs run again, and so do their requests.
    @sandbox.fail(delay: 15, skip: 20, count: 10)
    # An idle thread of Sidekiq waits in Redis for two seconds. One that is killed before loses a job that is put back.
    start_workers("-t", "4")
    numbers.each_slice(2) do |one, other|
      SidekiqJobs::Sell.perform_async(one)
      SidekiqJobs::SellByActiveJob.perform_later(other)
    end
    wait_until { @sandbox.counts.requests >= 31 }
    stop_workers
    assert_operator @sandbox.events.length, :<, numbers.size
    start_workers
    wait_until { @sandbox.events.length >= numbers.size && idle? }
    stop_workers
    assert_equal numbers.to_a, @sandbox.events.map { |event| event.event_data["number"] }.sort
    assert_equal numbers.size, @sandbox.counts.orders
    assert_empty Sidekiq::RetrySet.new.to_a
    keys = @sandbox.requests.filter_map { |request| request.headers["idempotency-key"] }
    assert_equal numbers.size, keys.uniq.length
    assert_operator @sandbox.counts.requests, :>, 2 * numbers.size
  end

  # The second execution is in another process.
  def test_a_stop_in_the_middle_of_an_import
    @sandbox.fail(delay: 0.5, count: 0)
    start_workers("-t", "3")
    SidekiqJobs::Import.perform_async(File.join(FOLDER, "events.db"), 200)
    wait_until { @sandbox.events.length >= 10 }
    stop_workers
    accepted = @sandbox.events.length
    assert_operator accepted, :<, 200
    @sandbox.clear_faults
    start_workers
    wait_until { @redis.get("skipped") }
    assert_equal (1..200).to_a, @sandbox.events.map { |event| event.event_data["n"] }.sort
    assert_includes (accepted - 8)..accepted, @redis.get("skipped").to_i
    assert_operator @sandbox.counts.requests, :<=, 208
    assert_empty Sidekiq::RetrySet.new.to_a
  end

  def test_a_refused_token_is_asked_for_once_and_jobs_wait
    @sandbox.revoke_token(@sandbox.token)
    SidekiqJobs::Sell.perform_bulk((1..150).map { |number| [number] })
    start_workers
    wait_until { Sidekiq::ScheduledSet.new.size == 150 }
    asked = @sandbox.counts.requests
    assert_includes 1..20, asked # each thread at most once
    assert_equal 1, @redis.get("reported").to_i
    assert_equal [0, 0], [Sidekiq::RetrySet.new.size, Sidekiq::DeadSet.new.size]
    assert(Sidekiq::ScheduledSet.new.all? { |job| job.at > Time.now + 200 })
    refute(@redis.keys("privy:*").any? { |key| "#{key} #{@redis.get(key)}".include?(@sandbox.token) })

    @sandbox.add_token(@sandbox.token)
    Privy.resume
    Sidekiq::ScheduledSet.new.to_a.each(&:add_to_queue)
    wait_until { @sandbox.events.length == 150 }
  end

  def test_jobs_continue_when_redis_has_lost_what_they_share
    @sandbox.set_limits(per_minute: 60, window: WINDOW)
    start_workers
    SidekiqJobs::Store.perform_bulk((1..90).map { |number| [number] })
    wait_until { @redis.keys("privy:slots:*").any? }
    @redis.keys("privy:*").each { |key| @redis.set(key, "not numbers") }
    wait_until { @redis.get("done").to_i == 90 }
    assert_equal 90, @sandbox.counts.orders
  end

  private

  # Seconds from the first request to the last order, as a multiple of the ideal: all windows but the last to their end.
  def store_orders(count, first)
    @redis.del("executions", "done")
    since = @sandbox.requests.length
    @sandbox.set_limits(per_minute: 60, window: WINDOW)
    SidekiqJobs::Store.perform_bulk((first...(first + count)).map { |number| [number] })
    wait_until { @redis.get("done").to_i >= count }
    report(count, @sandbox.requests.drop(since), @redis.get("executions").to_i)
  end

  def report(count, requests, executions)
    stored = requests.select { |request| request.status == 201 }
    limited = requests.count { |request| request.status == 429 }
    windows = (count - 1) / 60
    ideal = (windows * WINDOW) - (stored.first.at.to_f % 1) + ((count - (windows * 60)) * 0.005)
    ratio = (stored.last.at - stored.first.at) / ideal
    puts "#{count} jobs: #{ratio.round(2)} x #{ideal.round(1)} s, #{(executions / count.to_f).round(2)} executions " \
         "of a job, #{limited} of #{requests.length} requests got 429"
    assert_equal count, stored.length
    assert_operator executions, :<=, 2.2 * count
    assert_operator limited, :<=, 0.05 * requests.length
    ratio
  end

  def start_workers(*arguments)
    environment = { "PRIVY_BASE_URL" => @server.url, "PRIVY_API_TOKEN" => @sandbox.token,
                    "REDIS_URL" => "unix://#{@socket}" }
    command = [RbConfig.ruby, *FLAGS, "-S", "sidekiq", "-r", PROGRAM, "-c", "10", *arguments]
    @workers = Array.new(2) { spawn(environment, *command) }
    wait_until { (@workers - Sidekiq::ProcessSet.new.map { |process| process["pid"] }).empty? }
  end

  def stop_workers
    @workers.each { |pid| Process.kill("TERM", pid) }
    statuses = @workers.map { |pid| Timeout.timeout(LIMIT, nil, "a worker does not stop") { Process.wait2(pid).last } }
    @workers = []
    assert(statuses.all?(&:success?), statuses.inspect)
  end

  def stop(pid)
    Process.kill("TERM", pid)
    Process.wait(pid)
  end

  def idle?
    Sidekiq::Queue.new.size.zero? && Sidekiq::ScheduledSet.new.size.zero?
  end

  def wait_until
    ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + LIMIT
    until yield
      flunk "it did not come: #{state}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > ends

      sleep 0.05
    end
  end

  def state
    { counts: @sandbox&.counts, queue: Sidekiq::Queue.new.size, scheduled: Sidekiq::ScheduledSet.new.map(&:at),
      retries: Sidekiq::RetrySet.new.size, processes: Sidekiq::ProcessSet.new.to_a.length }
  end

  def ping?
    @redis.ping
  rescue Redis::CannotConnectError
    false
  end
end
