# frozen_string_literal: true

require "rails_helper"
require "active_job/test_helper"
require "active_support/testing/tagged_logging"
require "active_support/testing/time_helpers"

# Jobs of Active Job that call a sandbox, with the queues of Rails.
class TestJob < PrivyTest
  include ActiveSupport::Testing::TaggedLogging # since 7.1 the helpers of Active Job need it
  include ActiveJob::TestHelper
  include ActiveSupport::Testing::TimeHelpers

  RailsApp.boot("config/database.yml" => "test: {adapter: sqlite3, database: ':memory:'}") do |config|
    config.privy.job_queue = :marketing
    config.cache_store = :memory_store
  end

  class ApplicationJob < ActiveJob::Base
    retry_on StandardError, wait: 1, attempts: 2
  end

  class OrderJob < ApplicationJob
    include Privy::Job

    attr_reader :discarded

    cattr_accessor :log, default: []

    def perform(fields = PrivyTest::ORDER)
      log << [:run, executions]
      privy.orders.upsert(**fields)
      log << :done
    end

    private

    def privy_discarded(error)
      log << [:discarded, error.class]
    end
  end

  class StrictJob < OrderJob
    privy_options on_invalid: :raise, deadline: 60
  end

  class TwoEventsJob < ApplicationJob
    include Privy::Job

    def perform(first: true)
      privy.events.ingest("Opened", email: PrivyTest::JANE) if first
      privy.events.ingest("Viewed", email: PrivyTest::JANE)
      privy.events.ingest("Viewed", email: "joe@example.com")
      privy.events.ingest("Viewed", email: PrivyTest::JANE)
    end
  end

  class AccountJob < ApplicationJob
    include Privy::Job

    privy_options account: ->(shop, **) { shop }

    def perform(_shop, order_id:)
      privy.orders.upsert(**PrivyTest::ORDER, order_id: order_id)
    end
  end

  class PlainJob < ActiveJob::Base
    include Privy::Job

    def perform(**options)
      privy.contacts.list(**options).first
    end
  end

  class HandledJob < OrderJob
    rescue_from(Privy::RateLimitError) { log << :own }
  end

  # Since 7.2 Rails leaves the adapter of the application.
  def queue_adapter_for_test = ActiveJob::QueueAdapters::TestAdapter.new

  def setup
    super
    @sandbox = Privy::Sandbox.new
    Privy.client = @sandbox.client(max_retries: 0)
    OrderJob.log.clear
    Privy.resume
    Privy.const_get(:JobPause).free.clear
  end

  def teardown
    Privy.client = nil
    super
  end

  def run_next(job_class = nil)
    data = enqueued_jobs.shift
    assert data, "no job is enqueued"
    assert_equal job_class.name, data["job_class"] if job_class
    ActiveJob::Base.execute(data.except(:job, :args, :queue, :at))
    data
  end

  def next_run
    enqueued_jobs.fetch(0)
  end

  # ---- what passes ----

  def test_a_rate_limit_reschedules_the_job_and_is_no_attempt
    @sandbox.fail(status: 429, retry_after: 42, count: 3)
    OrderJob.perform_later
    3.times { run_next }
    assert_in_delta 42 + Time.now.to_f, next_run[:at].to_f, 41
    assert_operator next_run[:at].to_f, :>, Time.now.to_f + 20
    assert_equal [[:run, 1]] * 3, OrderJob.log
    assert_equal [0, {}], next_run.values_at("executions", "exception_executions")
    run_next
    assert_equal [[:run, 1], :done], OrderJob.log.last(2)
    assert_empty enqueued_jobs
    assert_equal 1, @sandbox.counts.orders
  end

  def test_a_rescheduled_job_is_the_same_job
    @sandbox.fail(status: 503)
    OrderJob.perform_later
    first = run_next
    assert_equal first["job_id"], next_run["job_id"]
    assert_equal first["arguments"], next_run["arguments"]
  end

  def test_outages_without_a_time_reschedule_with_a_growing_delay
    @sandbox.fail(status: 500, count: 12)
    OrderJob.perform_later
    delays = Array.new(12) do
      before = Time.now
      run_next
      next_run[:at].to_f - before.to_f
    end
    assert_operator delays[0], :<=, 2 + PROMPT
    assert_operator delays[11], :>, 299
    assert_operator delays[11], :<=, 600 + PROMPT
  end

  def test_calls_do_not_wait_and_those_that_say_so_do
    @sandbox.set_limits(per_minute: 1)
    Privy.client.orders.upsert(**ORDER)
    seconds = elapsed do
      OrderJob.perform_later
      run_next
    end
    assert_operator seconds, :<, PROMPT
    assert_equal 1, enqueued_jobs.length
    assert_operator next_run[:at].to_f, :>, Time.now.to_f
  end

  def test_other_exceptions_are_attempts_as_without_privy
    OrderJob.perform_later(1)
    run_next
    assert_equal 1, next_run["executions"]
    assert_raises(ArgumentError, TypeError, NoMethodError) { run_next }
  end

  def test_a_handler_of_the_class_for_an_error_of_privy_has_precedence
    @sandbox.fail(status: 429, retry_after: 5)
    HandledJob.perform_later
    run_next
    assert_equal [[:run, 1], :own], OrderJob.log
    assert_empty enqueued_jobs
  end

  # ---- what does not pass ----

  def test_an_invalid_request_discards_the_job_and_reports_it
    events = []
    subscriber = ActiveSupport::Notifications.subscribe("discard.active_job") { |*arguments| events << arguments.last }
    OrderJob.perform_later(ORDER.merge(total: "much"))
    run_next
    assert_equal [[:run, 1], [:discarded, Privy::ValidationError]], OrderJob.log
    assert_instance_of Privy::ValidationError, events.fetch(0).fetch(:error)
    assert_empty enqueued_jobs
    assert_empty @sandbox.requests
  ensure
    ActiveSupport::Notifications.unsubscribe(subscriber)
  end

  def test_what_is_not_there_discards_the_job
    [404, 409, 413, 422].each do |status|
      OrderJob.log.clear
      @sandbox.fail(status: status)
      OrderJob.perform_later
      run_next
      assert_equal :discarded, OrderJob.log.last.first, status
    end
    assert_empty enqueued_jobs
  end

  def test_an_invalid_request_may_fail_the_job
    StrictJob.perform_later(ORDER.merge(total: "much"))
    run_next # retry_on of ApplicationJob
    assert_raises(Privy::ValidationError) { run_next }
  end

  def test_after_the_deadline_the_job_fails_with_the_last_error
    @sandbox.fail(status: 429, retry_after: 61, count: 0)
    StrictJob.retry_on(Privy::PayloadTooLargeError) # of privy, but another one
    StrictJob.perform_later
    run_next
    assert_equal 1, next_run["executions"] # retry_on of ApplicationJob
    error = assert_raises(Privy::RateLimitError) { run_next }
    assert_equal 429, error.status
  end

  def test_the_deadline_counts_from_the_first_error
    @sandbox.fail(status: 429, retry_after: 30, count: 0)
    StrictJob.perform_later
    run_next
    since = next_run.dig("privy", "since")
    assert_in_delta Time.now.to_f, since, PROMPT
    run_next
    assert_equal since, next_run.dig("privy", "since")
    next_run["privy"]["since"] -= 120
    run_next
    assert_equal 1, next_run["executions"] # retry_on of ApplicationJob
  end

  # ---- pauses ----

  def test_a_refused_token_pauses_the_jobs_of_the_account_once
    lines = StringIO.new
    logger = ActiveJob::Base.logger
    ActiveJob::Base.logger = ActiveSupport::Logger.new(lines)
    @sandbox.fail(status: 401, count: 0)
    3.times { OrderJob.perform_later }
    3.times { run_next }
    assert_equal 1, @sandbox.requests.length
    assert_equal 3, enqueued_jobs.length
    enqueued_jobs.each { |data| assert_operator data[:at].to_f, :>, Time.now.to_f + 300 - PROMPT }
    assert_equal [0, 0, 0], (enqueued_jobs.map { |data| data["executions"] })
    assert_equal 1, lines.string.scan(/^privy: .* are paused/).length
    refute_includes lines.string, @sandbox.token
  ensure
    ActiveJob::Base.logger = logger
  end

  def test_one_job_checks_and_the_others_wait
    @sandbox.fail(status: 401, count: 2)
    3.times { OrderJob.perform_later }
    3.times { run_next }
    travel(301) do
      3.times { run_next } # the token is refused once more
      assert_equal 2, @sandbox.requests.length
    end
    travel(602) do
      run_next
      assert_equal 1, @sandbox.counts.orders
      2.times { run_next }
    end
    assert_empty enqueued_jobs
    assert_equal 5, @sandbox.requests.length
  end

  def test_resume_ends_a_pause_at_once
    @sandbox.fail(status: 401)
    OrderJob.perform_later
    run_next
    run_next
    assert_equal 1, @sandbox.requests.length
    Privy.resume
    run_next
    assert_equal 1, @sandbox.counts.orders
  end

  def test_a_missing_scope_pauses_the_jobs_of_one_class
    @sandbox.add_token("privy_#{'1' * 40}", scopes: "orders_write")
    Privy.client = Privy::Client.new(sandbox: @sandbox, token: "privy_#{'1' * 40}")
    TwoEventsJob.perform_later
    run_next
    OrderJob.perform_later
    run_next(TwoEventsJob)
    run_next(OrderJob)
    assert_equal 1, @sandbox.counts.orders
    assert_equal 2, @sandbox.requests.length
  end

  def test_a_paused_job_fails_after_its_deadline_with_the_error_of_the_pause
    @sandbox.fail(status: 401, count: 0)
    StrictJob.perform_later
    run_next
    error = assert_raises(Privy::AuthenticationError) { run_next }
    assert_includes error.message, "the jobs of account default are paused"
  end

  # ---- events ----

  def test_a_job_that_runs_again_sends_no_second_event
    TwoEventsJob.perform_later
    data = enqueued_jobs.shift.except(:job, :args, :queue)
    @sandbox.fail(status: 503, skip: 2)
    ActiveJob::Base.execute(data)
    assert_equal 2, @sandbox.events.length
    run_next
    ActiveJob::Base.execute(data)
    assert_equal 4, @sandbox.events.length
    keys = @sandbox.requests.map { |request| key_of(request) }
    assert(keys.all? { |key| key.start_with?(data["job_id"]) })
    assert_equal 4, keys.uniq.length
  end

  def test_an_event_that_a_later_run_leaves_out_changes_no_other_key
    [true, false].each do |first|
      job = TwoEventsJob.new(first: first)
      job.job_id = "same"
      ActiveJob::Base.execute(job.serialize)
    end
    assert_equal 4, @sandbox.events.length
  end

  def key_of(request)
    request.headers.find { |name, _| name.casecmp?("Idempotency-Key") }&.last
  end

  # ---- accounts and options ----

  def test_a_job_names_its_account_by_its_arguments
    other = Privy::Sandbox.new
    Privy.configure(:eu) { |config| config.sandbox = other }
    AccountJob.perform_later("eu", order_id: 5)
    run_next
    assert_equal [1, 0], [other.counts.orders, @sandbox.counts.orders]
    other.fail(status: 401)
    AccountJob.perform_later("eu", order_id: 6)
    AccountJob.perform_later("default", order_id: 7)
    2.times { run_next }
    assert_equal 1, @sandbox.counts.orders
    AccountJob.perform_later("default", order_id: 8)
  ensure
    Privy.resume(:eu)
  end

  def test_jobs_of_low_priority_leave_half_of_the_minute
    @sandbox.set_limits(per_minute: 40)
    Privy.client.contacts.list.first
    low = Class.new(OrderJob) { privy_options priority: :low }
    client = low.privy_settings.client(:default)
    19.times { |number| client.orders.upsert(**ORDER, order_id: number + 1, max_wait: 0) }
    assert_raises(Privy::RateLimitError) { client.orders.upsert(**ORDER, max_wait: 0) }
    Privy.client.orders.upsert(**ORDER, max_wait: 0)
  end

  def test_options_are_inherited_and_checked
    assert_equal :raise, Class.new(StrictJob).privy_settings[:on_invalid]
    assert_equal :discard, OrderJob.privy_settings[:on_invalid]
    error = assert_raises(ArgumentError) do
      Class.new(OrderJob) { privy_options acount: :eu, deadline: "soon", on_invalid: 1 }
    end
    assert_includes error.message, "there is no option acount: the options are account, priority"
    assert_includes error.message, "deadline must be a positive number of seconds or a duration, not \"soon\""
    assert_includes error.message, "on_invalid must be :discard or :raise, not 1"
  end

  # ---- other queues ----

  def test_perform_now_is_a_call_as_any_other
    @sandbox.set_limits(per_minute: 1)
    Privy.client.contacts.list.first
    assert_raises(Privy::RateLimitError) { PlainJob.perform_now(max_wait: 0) }
    assert_raises(Privy::ValidationError) { PlainJob.perform_now(page: -1) }
    assert_empty enqueued_jobs
  end

  def test_an_inline_queue_raises_the_error
    with_adapter(:inline) do
      @sandbox.fail(status: 503, count: 0)
      assert_raises(Privy::ServerError) { PlainJob.perform_later }
    end
  end

  def test_jobs_that_are_performed_when_they_are_enqueued_run_again_at_once_and_end
    @sandbox.fail(status: 503, count: 2)
    perform_enqueued_jobs { OrderJob.perform_later }
    assert_equal 1, @sandbox.counts.orders
    @sandbox.fail(status: 503, count: 0)
    error = assert_raises(Minitest::UnexpectedError) { perform_enqueued_jobs { PlainJob.perform_later } }
    assert_instance_of Privy::ServerError, error.error
  end

  def test_the_async_queue_runs_jobs_again
    @sandbox.fail(status: 503, retry_after: 1)
    with_adapter(:async) do
      OrderJob.perform_later
      until_true { @sandbox.counts.orders == 1 }
    end
    until_true { OrderJob.log.last == :done }
    assert_equal [[:run, 1], [:run, 1], :done], OrderJob.log
  end

  def with_adapter(adapter)
    before = queue_adapter
    ActiveJob::Base.disable_test_adapter
    ActiveJob::Base.queue_adapter = adapter
    yield
  ensure
    ActiveJob::Base.enable_test_adapter(before)
  end

  # ---- ready made ----

  def test_ready_made_jobs
    Privy::UpsertOrderJob.perform_later(**ORDER, line_items: [{ sku: "A1", quantity: 1, price: "95.00" }])
    Privy::UpsertContactJob.perform_later(email: JANE, tags: %w[vip])
    Privy::IngestEventJob.perform_later("Viewed", email: JANE, event_data: { "sku" => "A1" })
    assert_equal %w[marketing] * 3, (enqueued_jobs.map { |data| data["queue_name"] })
    id = enqueued_jobs.last["job_id"]
    at = Time.now
    travel(3600) { 3.times { run_next } }
    assert_equal [1, 1, 1], @sandbox.counts.to_h.values_at(:contacts, :orders, :events)
    event = @sandbox.events.first
    assert_in_delta at.to_f, event.event_time.to_f, PROMPT
    assert_equal id, key_of(@sandbox.requests.last)
  end

  def test_an_invalid_ready_made_job_is_refused_when_it_is_enqueued
    error = assert_raises(Privy::ValidationError) do
      Privy::UpsertOrderJob.perform_later(order_id: 1, totl: 5, email: "nobody")
    end
    assert_equal %w[currency email order_date total totl], error.details.map { |fault| fault[:field] }.sort
    assert_raises(Privy::ValidationError) { Privy::UpsertContactJob.perform_later(tags: []) }
    assert_raises(Privy::ValidationError) { Privy::IngestEventJob.perform_later("Two words", email: JANE) }
    assert_empty enqueued_jobs
  end

  def test_a_ready_made_job_of_another_account
    other = Privy::Sandbox.new
    Privy.configure(:eu) { |config| config.sandbox = other }
    Privy::UpsertContactJob.perform_later(account: :eu, email: JANE)
    run_next
    assert_equal 1, other.counts.contacts
  end
end
