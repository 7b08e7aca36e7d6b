# frozen_string_literal: true

require "rails_helper"
require "sidekiq/cli"
require "sidekiq/testing"

# Jobs of Sidekiq without Active Job, in Sidekiq's own queue for tests.
class TestSidekiq < PrivyTest
  RailsApp.boot
  # Before a class of jobs is loaded, in a process of Sidekiq.
  CONFIG = Sidekiq.respond_to?(:default_configuration) ? Sidekiq.default_configuration : Sidekiq
  INSTALLED = CONFIG.server_middleware.exists?(Privy::Sidekiq::Middleware)
  Sidekiq::Testing.server_middleware { |chain| chain.add(Privy::Sidekiq::Middleware) }
  Sidekiq.logger.level = Logger::FATAL
  ActiveJob::Base.logger = ActiveSupport::Logger.new(File::NULL)

  class OrderWorker
    include Sidekiq::Job
    include Privy::Sidekiq

    sidekiq_options queue: "marketing", retry: 3, tags: ["shop"]
    privy_options deadline: 3600

    @log = []
    class << self
      attr_reader :log
    end

    def perform(order_id, changes = {})
      privy.orders.upsert(**PrivyTest::ORDER, order_id: order_id, **changes.transform_keys(&:to_sym))
      privy.events.ingest("Ordered", email: PrivyTest::JANE)
    end

    private

    def privy_discarded(error)
      OrderWorker.log << error.class
    end
  end

  # Another one that uses no account of its own.
  class PlainWorker
    include Sidekiq::Job

    def perform
      Privy.jobs.contacts.list(max_wait: 0).first
    end
  end

  # Redis that is away: each process decides by itself.
  def setup
    super
    Sidekiq::Queues.clear_all
    OrderWorker.log.clear
    @sandbox = Privy::Sandbox.new
    Privy.client = @sandbox.client(max_retries: 0)
    Privy.const_get(:JobStore).failed(Errno::ECONNREFUSED.new)
    Privy.resume
    Privy.const_get(:JobPause).free.clear
  end

  def teardown
    Privy.client = nil
    super
  end

  def run_next
    item = Sidekiq::Queues["marketing"].shift
    assert item, "no job is in the queue"
    OrderWorker.process_job(item)
    item
  end

  def queued
    Sidekiq::Queues["marketing"]
  end

  def test_rails_adds_the_middleware_to_a_server
    assert INSTALLED
  end

  def test_a_rate_limit_pushes_the_same_job_once_more
    @sandbox.fail(status: 429, retry_after: 30)
    OrderWorker.perform_async(1)
    first = run_next
    assert_equal 1, queued.length
    again = queued.first
    same = first.keys - %w[enqueued_at privy]
    assert_equal first.slice(*same), again.slice(*same)
    assert_operator again["at"], :>, Time.now.to_f
    refute again.key?("retry_count")
    run_next
    assert_empty queued
    assert_equal [1, 1], @sandbox.counts.to_h.values_at(:orders, :events)
  end

  def test_a_second_run_sends_no_second_event
    OrderWorker.perform_async(1)
    item = queued.first.dup
    run_next
    OrderWorker.process_job(item)
    assert_equal [1, 1, 4], @sandbox.counts.to_h.values_at(:orders, :events, :requests)
  end

  def test_an_invalid_request_discards_the_job
    OrderWorker.perform_async(1, { "total" => "much" })
    run_next
    assert_equal [Privy::ValidationError], OrderWorker.log
    assert_empty queued
  end

  def test_what_privy_does_not_know_is_left_to_sidekiq
    OrderWorker.perform_async(1, { "color" => "red" })
    assert_raises(ArgumentError) { run_next }
    @sandbox.fail(status: 418)
    OrderWorker.perform_async(1)
    assert_raises(Privy::APIStatusError) { run_next }
    assert_empty queued
  end

  def test_after_the_deadline_the_job_fails
    @sandbox.fail(status: 429, retry_after: 10, count: 0)
    OrderWorker.perform_async(1)
    run_next
    queued.first["privy"]["since"] -= 3600
    assert_raises(Privy::RateLimitError) { run_next }
    assert_empty queued
  end

  def test_a_refused_token_pauses_the_jobs_of_the_account
    @sandbox.fail(status: 401)
    2.times { |number| OrderWorker.perform_async(1 + number) }
    2.times { run_next }
    assert_equal 1, @sandbox.requests.length
    assert_equal 2, queued.length
    Privy.resume
    2.times { run_next }
    assert_equal 2, @sandbox.counts.orders
  end

  def test_other_jobs_are_as_without_privy
    @sandbox.fail(status: 429, retry_after: 10)
    PlainWorker.perform_async
    assert_raises(Privy::RateLimitError) { PlainWorker.drain }
  end

  def test_a_queue_that_runs_jobs_at_once_raises_the_error
    @sandbox.fail(status: 503, count: 0)
    Sidekiq::Testing.inline! { assert_raises(Privy::ServerError) { OrderWorker.perform_async(1) } }
  end
end
