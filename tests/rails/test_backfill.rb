# frozen_string_literal: true

require "rails_helper"
require_relative "sync_models"

RailsApp.boot(SyncModels::FILES)
require_relative "sync_records"
require_relative "sync_processes"
RailsApp.database(&SyncModels::SCHEMA)

class TestBackfill < PrivyTest
  include ActiveJob::TestHelper
  include SyncSandbox
  include SyncProcesses

  def orders(count, **values)
    now = Time.now
    rows = (1..count).map do |number|
      { number: (1000 + number).to_s, email: "#{number}@example.com", total: number, status: "paid", created_at: now,
        updated_at: now, **values }
    end
    Order.insert_all!(rows)
    Order.order(:id).last(count)
  end

  def requests
    @sandbox.counts.requests
  end

  def test_it_sends_each_record_once
    records = orders(5)
    report = Order.privy_backfill
    assert_equal [5, 5, 0, 0, 0, 0], report.to_h.values_at(:sent, :created, :updated, :unchanged, :skipped, :failed)
    assert_predicate report, :complete?
    assert_equal records.last.id, report.resume_after
    assert_equal 5, @sandbox.counts.orders
    refute(Order.all.any?(&:privy_stale?))
    assert_equal 5, Order.seen.length
    assert_equal [5, 5], [report.requests, requests]
  end

  def test_records_that_privy_has_cost_no_request
    orders(3).first.privy_sync!
    Order.last.update!(status: "cart")
    report = Order.privy_backfill
    assert_equal [1, 1, 1], report.to_h.values_at(:sent, :unchanged, :skipped)
    assert_equal 2, requests
    assert_equal 0, Order.privy_backfill.sent
    assert_equal 2, requests
  end

  def test_an_initial_sync_says_so_and_does_not_change_the_digest
    orders(1)
    answer = { status: 201, body: '{"data":{"order_id":1001}}' }
    stubbed(answer) do |client, server|
      Privy.client = client
      Order.privy_backfill(initial_sync: true)
      assert_equal [true], server.requests.map { |request| JSON.parse(request.body)["initial_sync"] }
    end
    refute_predicate Order.first, :privy_stale?
  end

  def test_batches_and_relations
    records = orders(7)
    report = Order.where(id: records[1..].map(&:id)).privy_backfill(batch_size: 2, concurrency: 1)
    assert_equal 6, report.sent
    assert_equal 6, @sandbox.counts.orders
    assert_predicate records.first.reload, :privy_stale?
  end

  def test_it_begins_after_a_primary_key
    records = orders(4)
    assert_equal 2, Order.privy_backfill(after: records[1].id).sent
    assert_equal 0, Order.privy_backfill(after: records.last.id).sent
  end

  def test_refused_records_are_listed_by_id_and_field
    records = orders(3)
    records[1].update_columns(email: "nobody")
    report = Order.privy_backfill
    refused = [[records[1].id, "email", :invalid_email]]
    assert_equal refused, report.refused.map { |entry| [entry.id, entry.field, entry.code] }
    assert_equal [2, 1, 0], [report.sent, report.refused_count, report.failed]
    assert_predicate report, :complete?
    assert_match(/email/, records[1].reload.privy_error)
    assert_equal records.last.id, report.resume_after
    [report.to_s, report.inspect].each { |text| refute_includes text, "example.com" }
  end

  def test_a_failed_record_holds_the_place_to_continue
    records = orders(4)
    @sandbox.fail(status: 503)
    report = Order.privy_backfill(concurrency: 1)
    assert_equal [3, 1], [report.sent, report.failed]
    refute_predicate report, :complete?
    assert_nil report.resume_after
    assert_includes report.to_s, "continue with Order.privy_backfill"
    assert_equal 1, Order.privy_backfill.sent
    assert(records.none? { |record| record.reload.privy_stale? })
  end

  def test_the_spent_day_ends_it_with_the_place_to_continue
    records = orders(9)
    @sandbox.set_limits(per_minute: 60, per_day: 4)
    report = Order.privy_backfill(concurrency: 2, batch_size: 3)
    assert_instance_of Privy::RateLimitError, report.stopped
    assert_equal 4, report.sent
    assert_equal records[3].id, report.resume_after
    assert_match(/continue with Order.privy_backfill\(after: #{records[3].id}\)/, report.to_s)
    @sandbox.set_limits
    Privy.client = @sandbox.client
    assert_equal 5, Order.privy_backfill(after: report.resume_after).sent
    assert_equal 9, @sandbox.counts.orders
  end

  def test_the_call_that_continues_has_the_same_arguments
    orders(2)
    @sandbox.fail(status: 401, count: 9)
    report = Order.privy_backfill(initial_sync: true, concurrency: 1, after: 0)
    assert_equal "Order.privy_backfill(initial_sync: true, after: 0)", report.resume
    assert_equal "Order", report.as_json["model"]
  end

  def test_a_refused_token_ends_it
    orders(3)
    @sandbox.fail(status: 401, count: 9)
    report = Order.privy_backfill(concurrency: 1)
    assert_instance_of Privy::AuthenticationError, report.stopped
    assert_nil report.resume_after
    assert(Order.all.all?(&:privy_stale?))
  end

  def test_progress_and_an_exception_of_the_block
    records = orders(5)
    seen = []
    Order.privy_backfill(concurrency: 1) { |report| seen << report.sent }
    assert_equal [1, 2, 3, 4, 5], seen
    Order.update_all(total: 77)
    _, warning = capture_io do
      assert_raises(IOError) { Order.privy_backfill(concurrency: 1, on_progress: ->(_) { raise IOError }) }
    end
    assert_match(/stopped: IOError; continue with Order.privy_backfill\(after: #{records.first.id}\)/, warning)
    assert_equal 4, Order.privy_backfill(after: records.first.id).sent
  end

  def test_a_commit_during_the_backfill_is_not_lost
    record = orders(1).first
    done = false
    during = lambda do |_event|
      Order.find(record.id).update!(total: 7) unless done.tap { done = true }
    end
    Privy.client = @sandbox.client(on_event: during)
    Order.privy_backfill
    assert_predicate record.reload, :privy_stale?
    perform_enqueued_jobs
    refute_predicate record.reload, :privy_stale?
  end

  def test_a_record_that_is_sent_or_gone_before_its_turn_costs_no_request
    records = orders(4)
    sent = false
    Order.privy_backfill(concurrency: 1) do
      next if sent.tap { sent = true }

      records[2].reload.privy_sync!
      records[3].reload.destroy!
    end
    assert_equal 3, requests
  end

  def test_a_record_in_flight_elsewhere_is_taken_over
    record = orders(1).first
    record.update_columns(privy_digest: "..killed.#{Time.now.to_i + 200}")
    assert_equal 1, Order.privy_backfill.sent
    refute_predicate record.reload, :privy_stale?
  end

  def test_consents_need_a_decision
    Customer.insert_all!([{ email: JANE, email_consent: "subscribed" }])
    error = assert_raises(Privy::Error) { capture_io { Customer.privy_backfill } }
    assert_match(/consents: false .* consents: true/, error.message)
    assert_equal 0, requests
    Customer.privy_backfill(consents: false)
    assert_equal :never_subscribed, contact.email_consent.to_sym
    Customer.first.update!(name: "Jane")
    perform_enqueued_jobs
    assert_equal :never_subscribed, contact.email_consent.to_sym
  end

  def test_consents_of_a_first_import
    Customer.insert_all!([{ email: JANE, phone: PHONE, email_consent: "subscribed", sms_consent: "subscribed" }])
    Customer.privy_backfill(consents: true, initial_sync: true)
    assert_equal :subscribed, contact.sms_consent.to_sym
    assert_equal 0, @sandbox.counts.welcome_messages
  end

  def test_reserve
    orders(1)
    assert_raises(Privy::Error) { capture_io { Order.privy_backfill(reserve: -1) } }
    assert_equal 1, Order.privy_backfill(reserve: 50).sent
  end

  # Processes
  def test_a_killed_process_loses_and_doubles_nothing
    interrupted("KILL") do |count, _|
      output = run_process("puts Order.privy_backfill")
      sent, unchanged = output.scan(/(\d+) (?:Order sent|unchanged)/).flatten.map(&:to_i)
      assert_equal count, sent + unchanged, output
      assert_operator unchanged, :>, 0
    end
  end

  def test_a_terminated_process_says_where_to_continue
    interrupted("TERM") do |_, output|
      after = output[/continue with Order\.privy_backfill\(after: (\d+)\)/, 1]
      refute_nil after, output
      run_process("puts Order.privy_backfill(after: #{after})")
    end
  end

  private

  def contact
    @sandbox.client.contacts.list(email: JANE).to_a.first
  end

  # Interrupts a backfill in the middle; after the block Privy has each order once.
  def interrupted(signal)
    count = ENV["PRIVY_DEEP"] ? 2000 : 300
    served do |_, sandbox|
      with_database do
        orders(count)
        output = interrupt("puts Order.privy_backfill", signal) { sandbox.counts.orders >= count / 3 }
        assert_operator sandbox.counts.orders, :<, count
        yield count, output
        assert_equal count, sandbox.counts.orders
        assert_operator sandbox.counts.requests, :<=, count + 8 # those in flight
        assert(Order.all.none?(&:privy_stale?))
      end
    end
  end
end
