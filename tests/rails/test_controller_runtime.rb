# frozen_string_literal: true

require "rails_helper"
require "small_scheduler"
require "net/http"
require "puma"
require "puma/server"
require "rack/mock"

# The time of calls in requests and jobs of a Rails application.
class TestControllerRuntime < PrivyTest
  LINES = StringIO.new
  DATABASE = { "config/database.yml" => "test: {adapter: sqlite3, database: ':memory:'}" }.freeze
  APPLICATION = RailsApp.boot(DATABASE) do |config|
    config.logger = ActiveSupport::Logger.new(LINES)
    config.colorize_logging = false
    config.hosts.clear if config.respond_to?(:hosts)
    config.action_controller.allow_forgery_protection = false
    config.privy.sandbox = true
  end

  class SignupsController < ActionController::Base
    def create
      Integer(params.fetch(:times, 1)).times do
        Privy.client.contacts.create(email: "#{SecureRandom.hex(8)}@example.com")
      end
      sleep Float(params.fetch(:sleep, 0))
      head :created
    end

    def many
      Privy.client.contacts.upsert_many(Array.new(20) { |n| { email: "p#{n}@example.com" } }, concurrency: 8).run
      head :ok
    end

    def working
      Privy.client.contacts.list.to_a
      Job.perform_now(2)
      head :ok
    end

    def quiet
      head :ok
    end

    def shown
      render inline: "<% Privy.client.contacts.list.to_a %><%= 1 %>"
    end
  end

  class Job < ActiveJob::Base
    def perform(times)
      times.times { Privy.client.contacts.list.to_a }
    end
  end

  APPLICATION.routes.draw { match "/:action", controller: "test_controller_runtime/signups", via: %i[get post] }

  def setup
    Privy.sandbox.reset
    Privy.sandbox.clear_faults
    LINES.truncate(LINES.rewind)
  end

  # The line "Completed …" and the payload of the request.
  def request(path)
    payload = nil
    listener = ActiveSupport::Notifications.subscribe("process_action.action_controller") do |event|
      payload = event.payload
    end
    LINES.truncate(LINES.rewind)
    @response = Rack::MockRequest.new(APPLICATION).post(path)
    [LINES.string[/^Completed.*/], payload]
  ensure
    ActiveSupport::Notifications.unsubscribe(listener)
  end

  def test_a_request_reports_the_time_of_its_calls
    Privy.sandbox.fail(delay: 0.05, count: 3)
    line, payload = request("/create?times=3&sleep=0.05")
    assert_equal 201, @response.status
    assert_operator payload[:privy_runtime], :>=, 150
    assert_match(/\ACompleted 201 Created in \d+ms \((?:.* \| )?Privy: \d+\.\dms/, line)
    assert_in_delta payload[:privy_runtime], line[/Privy: ([\d.]+)/, 1].to_f, 0.1
    assert_operator payload[:privy_runtime], :<=, line[/in (\d+)ms/, 1].to_f + 1
  end

  def test_each_request_begins_at_zero
    Privy.sandbox.fail(delay: 0.05, count: 1)
    request("/create")
    line, payload = request("/quiet")
    assert_equal 0.0, payload[:privy_runtime]
    refute_includes line, "Privy"
  end

  def test_overlapping_calls_count_once
    Privy.sandbox.fail(delay: 0.05, count: 20)
    sum = 0
    listener = ActiveSupport::Notifications.subscribe("call.privy") { |event| sum += event.duration }
    line, payload = request("/many")
    assert_operator payload[:privy_runtime], :<=, line[/in (\d+)ms/, 1].to_f + 1
    assert_operator payload[:privy_runtime], :>=, 150
    assert_operator payload[:privy_runtime], :<, sum
  ensure
    ActiveSupport::Notifications.unsubscribe(listener)
  end

  def test_calls_of_a_view_are_no_time_of_the_view
    Privy.sandbox.fail(delay: 0.3, count: 1)
    _, payload = request("/shown")
    assert_operator payload[:privy_runtime], :>=, 300
    assert_operator payload[:view_runtime], :<, payload[:privy_runtime]
  end

  def test_threads_count_apart
    Privy.sandbox.fail(delay: 0.02, count: 100)
    found = Thread::Queue.new
    listener = ActiveSupport::Notifications.subscribe("process_action.action_controller") do |event|
      found << [event.payload[:params]["times"].to_i, event.payload[:privy_runtime]]
    end
    threads = [0, 1, 4].map do |times|
      Thread.new { Rack::MockRequest.new(APPLICATION).post("/create?times=#{times}") }
    end
    threads.each(&:join)
    zero, one, four = Array.new(3) { found.pop }.sort.map(&:last)
    assert_equal 0.0, zero
    assert_operator one, :>=, 20
    assert_operator four, :>=, 80
  ensure
    ActiveSupport::Notifications.unsubscribe(listener)
  end

  # Puma's threads serve several requests after each other.
  def test_under_puma
    Privy.sandbox.fail(delay: 0.05, count: 8)
    events = Puma::Events.null if Puma::Events.respond_to?(:null) # before Puma 6
    server = Puma::Server.new(APPLICATION, events, min_threads: 2, max_threads: 2)
    port = server.add_tcp_listener("127.0.0.1", 0).addr[1]
    server.run
    LINES.truncate(LINES.rewind)
    codes = %w[create quiet].cycle.first(8).map do |action|
      Thread.new { Net::HTTP.post(URI("http://127.0.0.1:#{port}/#{action}"), "").code }
    end
    assert_equal %w[200 201], codes.map(&:value).uniq.sort
    with, without = LINES.string.scan(/^Completed.*/).partition { |line| line.include?("Privy: ") }
    assert_equal [4, 4], [with.length, without.length]
    with.each { |line| assert_includes 50..(line[/in (\d+)/, 1].to_f + 1), line[/Privy: ([\d.]+)/, 1].to_f }
  ensure
    server&.stop(true)
  end

  def test_a_job_logs_its_calls
    LINES.truncate(LINES.rewind)
    Job.perform_now(3)
    Job.perform_now(0)
    lines = LINES.string.lines(chomp: true).grep(/Privy: /)
    assert_equal 1, lines.length
    assert_match(/Privy: \d+\.\dms in 3 calls of TestControllerRuntime::Job\z/, lines.first)
  end

  def test_calls_of_a_job_in_a_request_belong_to_both
    Privy.sandbox.fail(delay: 0.05, count: 3)
    _, payload = request("/working")
    assert_operator payload[:privy_runtime], :>=, 150
    assert_includes LINES.string, "ms in 2 calls of TestControllerRuntime::Job"
  end

  def test_time_of_intervals
    runtime = Privy::Rails.const_get(:Runtime, false)
    random = Random.new(Minitest.seed)
    20.times do
      runtime.reset
      ends = Array.new(40) { random.rand(200) }.sort
      intervals = ends.map { |finish| [finish - random.rand(30), finish] }
      intervals.each { |start, finish| runtime.add(start.to_f, finish.to_f) }
      covered = intervals.flat_map { |start, finish| (start...finish).to_a }.uniq.length
      assert_in_delta covered * 1_000, runtime.milliseconds, 0.001
      assert_equal 40, runtime.calls
    end
  end
end
