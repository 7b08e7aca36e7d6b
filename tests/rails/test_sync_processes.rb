# frozen_string_literal: true

require "rails_helper"
require "redis"
require_relative "sync_models"

RailsApp.boot(SyncModels::FILES)
require_relative "sync_records"
require_relative "sync_processes"

# An application's process, two processes of Sidekiq, Redis and a database in a file.
class TestSyncProcesses < PrivyTest
  include SyncProcesses

  # The application commits within the debounce, unless the machine is very slow: then it tries again.
  COMMITS = <<~RUBY
    begun = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    order = Order.find(%<id>d)
    5.times { |number| order.update!(total: %<base>d + number); sleep 0.2 }
    puts Process.clock_gettime(Process::CLOCK_MONOTONIC) - begun
  RUBY
  # Sidekiq looks for due jobs often.
  SIDEKIQ = <<~RUBY
    Sidekiq.configure_server { |config| (config.respond_to?(:[]=) ? config : Sidekiq.options)[:poll_interval_average] = 0.2 }
  RUBY

  def test_five_commits_in_a_second_are_one_request_and_no_change_is_none
    with_processes do |sandbox|
      id = Privy::Syncable.disable { Order.create!(number: "1001", email: JANE, total: 0, status: "paid").id }
      before = nil
      commits(id) { before = sandbox.counts.requests }
      run_process("Order.find(#{id}).touch; Order.find(#{id}).save!")
      until_sent
      stop_workers
      assert_equal before + 1, sandbox.counts.requests
    end
  end

  def test_commits_of_many_records_and_many_workers_lose_nothing
    count = ENV["PRIVY_DEEP"] ? 200 : 40
    with_processes do |sandbox|
      rows = (1..count).map do |number|
        { number: number.to_s, email: JANE, total: 0, status: "paid", created_at: Time.now, updated_at: Time.now }
      end
      Order.insert_all!(rows)
      run_process("3.times { |round| Order.find_each { |order| order.update!(total: round + 1) } }")
      until_sent
      stop_workers
      assert(Order.all.none?(&:privy_stale?))
      assert_equal count, sandbox.counts.orders
      assert_operator sandbox.counts.requests, :<=, 3 * count
    end
  end

  # Contacts have no debounce: jobs overtake each other.
  def test_the_last_state_wins
    with_processes do |sandbox|
      Customer.insert_all!((1..6).map { |number| { email: "#{number}@example.com", name: "new" } })
      # Threads of one process would wait for each other: the library of SQLite waits without letting others run.
      changes = 3.times.map do |number|
        code = "10.times { |round| Customer.find_each { |one| one.update!(name: \"#{number} \#{round}\") } }"
        Thread.new { run_process(code) }
      end
      changes.each(&:join)
      until_sent(Customer)
      stop_workers
      assert_equal Customer.pluck(:email, :name).sort,
                   sandbox.client.contacts.list.map { |contact| [contact.email, contact.first_name] }.sort
      assert(Customer.all.none?(&:privy_stale?))
    end
  end

  private

  # Five commits, until they were made within the debounce.
  def commits(id)
    fast = 5.times.any? do |attempt|
      yield
      seconds = run_process(format(COMMITS, id: id, base: attempt * 10)).lines.last.to_f # Sidekiq 7 logs before
      until_sent
      seconds < Order.privy_declaration.debounce
    end
    assert fast, "five commits take longer than the debounce"
  end

  # Each job has begun, and each record was sent.
  def until_sent(model = Order)
    Timeout.timeout(280) do
      sleep 0.1 until model.all.none? { |record| record.privy_due_at || record.privy_stale? }
    end
  end

  def with_processes
    served do |_, sandbox|
      with_database do |folder|
        @log = File.join(folder, "log")
        redis = spawn_redis(File.join(folder, "redis.sock"))
        @workers = Array.new(2) { spawn_sidekiq }
        yield sandbox
      ensure
        stop_workers
        stop(redis) if redis
      end
    end
  end

  def spawn_redis(socket)
    @socket = socket
    pid = spawn("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", File.dirname(socket),
                out: File::NULL)
    @redis = Redis.new(path: socket)
    until_true { ping? }
    pid
  end

  def ping?
    @redis.ping
  rescue Redis::CannotConnectError
    false
  end

  def spawn_sidekiq
    spawn(environment.merge("SYNC_CODE" => SIDEKIQ), RbConfig.ruby, *FLAGS, "-S", "sidekiq", "-r", PROCESS, "-c", "5",
          "-t", "20", out: [@log, "a"], err: [@log, "a"])
  end

  def environment
    super.merge("REDIS_URL" => "unix://#{@socket}", "SYNC_QUEUE" => "sidekiq")
  end

  # They finish their jobs.
  def stop_workers
    @workers&.each { |pid| stop(pid) }
    @workers = nil
  end

  def stop(pid)
    Process.kill("TERM", pid)
    Process.wait(pid)
  end
end
