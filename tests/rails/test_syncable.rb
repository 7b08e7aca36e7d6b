# frozen_string_literal: true

require "rails_helper"
require "active_support/testing/time_helpers"

require_relative "sync_models"

RailsApp.boot(SyncModels::FILES)
require_relative "sync_records"
RailsApp.database(&SyncModels::SCHEMA)

class TestSyncable < PrivyTest
  include ActiveJob::TestHelper
  include SyncSandbox
  include ActiveSupport::Testing::Assertions
  include ActiveSupport::Testing::TimeHelpers

  def order(**values)
    Order.create!(number: "1001", email: JANE, total: 95, status: "paid", **values)
  end

  def requests
    @sandbox.counts.requests
  end

  # Runs the jobs that are enqueued, and what these enqueue.
  def drain
    perform_enqueued_jobs
    perform_enqueued_jobs until enqueued_jobs.empty?
  end

  # Jobs
  def test_a_commit_enqueues_a_job_that_sends_the_record
    record = order
    assert_enqueued_with(job: Privy::SyncJob, args: ["Order", record.id, "default"])
    assert_equal 0, requests
    drain
    assert_equal 1, requests
    record.reload
    assert_predicate record, :privy_synced_at
    refute_predicate record, :privy_stale?
    assert_equal [[:synced, record.id, Privy::Order]], Order.seen
  end

  def test_commits_within_the_debounce_are_one_job_and_one_request
    record = order
    4.times { |number| record.update!(total: number) }
    assert_equal 1, enqueued_jobs.length
    drain
    assert_equal 1, requests
    refute_predicate record.reload, :privy_stale?
  end

  def test_the_job_is_due_after_the_debounce
    freeze_time do
      order
      assert_in_delta 5, enqueued_jobs.first[:at].to_f - Time.now.to_f, 0.001
    end
  end

  def test_no_change_is_no_request
    record = order
    drain
    record.reload.touch
    record.save!
    assert_equal 1, enqueued_jobs.length
    drain
    assert_equal 1, requests
  end

  def test_a_change_back_to_what_privy_has_is_no_request
    record = order
    drain
    record.update!(total: 1)
    record.update!(total: 95)
    drain
    assert_equal 1, requests
  end

  def test_a_condition_counts_at_the_commit_and_when_the_job_runs
    record = order(status: "cart")
    assert_empty enqueued_jobs
    refute_predicate record, :privy_stale?
    record.update!(status: "paid")
    record.update_columns(status: "void")
    drain
    assert_equal 0, requests
  end

  def test_a_rollback_enqueues_nothing
    Order.transaction do
      order
      raise ActiveRecord::Rollback
    end
    assert_empty enqueued_jobs
  end

  def test_several_saves_in_a_transaction_are_one_job
    Order.transaction do
      record = order
      record.update!(total: 1)
      record.save!
      Order.find(record.id).update!(total: 2)
    end
    assert_equal 1, enqueued_jobs.length
    drain
    assert_equal "2.00", sent_order.total_amount.to_s("F").then { |text| format("%.2f", text) }
  end

  def test_a_record_that_is_gone_is_no_error
    order.destroy!
    drain
    assert_equal 0, requests
    assert_empty enqueued_jobs
  end

  def test_a_destroyed_record_sends_nothing
    record = order
    drain
    record.reload.destroy!
    assert_empty enqueued_jobs
    assert_equal 1, requests
  end

  def test_the_bookkeeping_changes_nothing_else
    record = order
    before = Order.find(record.id)
    drain
    after = Order.find(record.id)
    assert_equal before.attributes.except(*Privy::Syncable::Ledger::COLUMNS),
                 after.attributes.except(*Privy::Syncable::Ledger::COLUMNS)
    before.update!(total: 1) # would raise StaleObjectError
  end

  def test_a_job_cannot_be_enqueued_before_the_end_of_a_transaction
    record = order(status: "cart")
    error = assert_raises(Privy::Error) { Order.transaction { record.privy_sync_later } }
    assert_match(/after the transaction/, error.message)
  end

  def test_a_lost_job_is_replaced_after_ten_minutes
    record = order
    queue_adapter.enqueued_jobs.clear
    record.update!(total: 1)
    assert_empty enqueued_jobs
    travel(611) { record.update!(total: 2) }
    assert_equal 1, enqueued_jobs.length
  end

  def test_a_queue_that_is_down_raises_and_the_next_commit_enqueues
    record = order(status: "cart")
    Privy::SyncJob.stub(:set, ->(**) { raise IOError, "no queue" }) do
      assert_raises(IOError) { record.update!(status: "paid") }
    end
    assert_nil Order.find(record.id).privy_due_at
    record.update!(total: 1)
    assert_equal 1, enqueued_jobs.length
  end

  def test_a_commit_while_the_job_runs_is_sent_too
    record = order
    once { Order.find(record.id).update!(total: 7) }
    assert_equal 1, enqueued_jobs.length
    assert_predicate record.reload, :privy_stale?
    drain
    assert_equal 2, requests
    refute_predicate record.reload, :privy_stale?
  end

  def test_a_second_worker_does_not_send_what_the_first_one_sends
    record = order
    once do
      Order.find(record.id).update!(total: 7)
      assert_equal 1, enqueued_jobs.length
      assert_no_changes(-> { requests }) { perform_enqueued_jobs } # the second worker
      assert_equal 1, enqueued_jobs.length # it comes back
    end
    drain
    assert_equal 2, requests
    refute_predicate record.reload, :privy_stale?
  end

  def test_a_state_that_was_read_before_a_newer_one_was_sent_is_not_sent
    read_before = Order.find(order.id)
    Order.find(read_before.id).tap { |record| record.update!(total: 7) }.privy_sync!
    assert_equal :busy, Privy::Syncable::Sync.new(read_before).from_job(Privy.client)
    assert_equal 1, requests
    refute_predicate Order.first, :privy_stale?
  end

  def test_two_requests_at_once_are_followed_by_a_third
    record = order
    once { Order.find(record.id).tap { |other| other.update!(total: 7) }.privy_sync! }
    assert_predicate record.reload, :privy_stale? # which of the two came last is unknown
    drain
    refute_predicate record.reload, :privy_stale?
    assert_equal 3, requests
  end

  def test_a_killed_worker_leaves_a_record_that_is_sent_again
    record = order
    assert_raises(NoMemoryError) { once { raise NoMemoryError, "killed" } }
    assert_predicate record.reload, :privy_stale?
    record.privy_sync_later
    drain
    assert_equal 2, requests
    refute_predicate record.reload, :privy_stale?
  end

  def test_a_lease_ends
    record = order
    record.update_columns(privy_digest: "..token.#{Time.now.to_i + 299}")
    perform_enqueued_jobs
    assert_equal 0, requests
    travel(301) { drain }
    assert_equal 1, requests
  end

  # Refusals and failures
  def test_a_refusal_is_stored_and_the_job_does_not_run_again
    record = order(email: "nobody")
    drain
    assert_empty enqueued_jobs
    assert_match(/email/, record.reload.privy_error)
    refute_includes record.privy_error, "nobody"
    assert_nil record.privy_synced_at
    assert_equal [[:failed, record.id, Privy::ValidationError]], Order.seen
    record.update!(email: JANE)
    drain
    assert_nil record.reload.privy_error
  end

  def test_a_refusal_of_the_server_is_stored_too
    record = order
    @sandbox.fail(status: 422)
    drain
    refute_nil record.reload.privy_error
    assert_predicate record, :privy_stale?
    assert_empty enqueued_jobs
  end

  def test_a_stored_refusal_holds_no_address
    record = order
    body = { error: { code: "validation_failed", message: "#{JANE} and #{PHONE} are blocked", details: [] } }
    stubbed({ status: 422, body: JSON.generate(body) }) do |client, _|
      Privy.client = client
      drain
    end
    assert_match(/are blocked/, record.reload.privy_error)
    refute_includes record.privy_error, JANE
    refute_includes record.privy_error, PHONE
  end

  def test_an_outage_runs_the_job_again
    record = order
    @sandbox.fail(status: 503)
    perform_enqueued_jobs
    assert_equal 1, enqueued_jobs.length
    refute_nil record.reload.privy_due_at
    record.update!(total: 3) # waits for that job
    assert_equal 1, enqueued_jobs.length
    drain
    assert_equal 2, requests
    refute_predicate record.reload, :privy_stale?
  end

  def test_a_failed_job_leaves_the_record_to_one_that_is_pending
    record = order
    @sandbox.fail(status: 503)
    once { Order.find(record.id).update!(total: 7) }
    assert_equal 1, enqueued_jobs.length
    drain
    assert_equal 2, requests
    refute_predicate record.reload, :privy_stale?
  end

  def test_a_refused_token_pauses_the_job
    record = order
    @sandbox.fail(status: 401)
    perform_enqueued_jobs
    record.reload.update!(total: 3) # waits for the paused job
    assert_equal 1, enqueued_jobs.length
    assert_match(/401/, record.reload.privy_error)
    Privy.resume
    drain
    refute_predicate record.reload, :privy_stale?
  ensure
    Privy.resume
  end

  def test_the_queue_is_that_of_the_model_or_of_the_configuration
    order
    assert_equal "default", enqueued_jobs.first["queue_name"]
    model = Class.new(Order) do
      def self.base_class = Order
      privy_sync(:order, queue: :slow) { nil }
    end
    Rails.application.config.privy.job_queue = :privy
    Order.delete_all
    order
    model.find(Order.first.id).tap { |record| record.update_columns(privy_due_at: nil) }.privy_sync_later
    assert_equal %w[default privy slow], enqueued_jobs.map { |job| job["queue_name"] }.sort
  ensure
    Rails.application.config.privy.delete(:job_queue)
  end

  def test_a_change_back_is_sent_if_privy_may_have_the_change
    record = order
    drain
    record.reload.update!(total: 1)
    @sandbox.fail(status: 503)
    perform_enqueued_jobs # the server may have acted on it
    record.reload.update!(total: 95)
    drain
    assert_equal 3, requests
  end

  def test_a_failure_keeps_what_privy_has
    record = order
    drain
    record.reload.update!(total: 1)
    @sandbox.fail(status: 422)
    drain
    record.reload.update!(total: 95)
    drain
    assert_equal 2, requests
    assert_nil record.reload.privy_error
  end

  # Now
  def test_privy_sync_sends_now
    record = order
    assert record.privy_sync
    assert_equal 1, requests
    assert_predicate record, :privy_synced_at
    refute_predicate record, :changed?
    drain
    assert_equal 1, requests
  end

  def test_privy_sync_puts_refusals_into_errors
    record = order(email: "nobody")
    refute record.privy_sync
    assert_equal [:email], record.errors.attribute_names
    assert_raises(Privy::ValidationError) { record.privy_sync! }
    assert_equal 0, requests
    refute_nil record.privy_error
  end

  def test_privy_sync_raises_what_is_no_refusal
    record = order
    @sandbox.fail(status: 503)
    assert_raises(Privy::ServerError) { record.privy_sync }
  end

  def test_a_new_record_cannot_be_synced
    error = assert_raises(Privy::Error) { Order.new(status: "paid").privy_sync! }
    assert_match(/save the Order/, error.message)
  end

  def test_a_copy_is_another_record
    record = order
    record.privy_sync!
    assert_nil record.dup.privy_digest
    assert_nil record.dup.privy_due_at
  end

  # Off
  def test_disable
    Privy::Syncable.disable { order }
    Order.privy_sync_disabled { order }
    assert_empty enqueued_jobs
    Privy::Syncable.disable(Customer) { order }
    Customer.privy_sync_disabled { order }
    assert_equal 2, enqueued_jobs.length
  end

  def test_disable_counts_when_a_record_is_saved
    Order.transaction { Privy::Syncable.disable { order } }
    assert_empty enqueued_jobs
    Order.transaction do
      record = Privy::Syncable.disable { order }
      record.update!(total: 1)
    end
    assert_equal 1, enqueued_jobs.length
    Order.transaction do
      record = order
      Privy::Syncable.disable { record.update!(total: 1) }
    end
    assert_equal 2, enqueued_jobs.length
  end

  def test_disable_ends_with_an_exception_and_is_of_one_thread
    assert_raises(IOError) { Privy::Syncable.disable { raise IOError } }
    Privy::Syncable.disable { refute Thread.new { Privy::Syncable.disabled?(Order) }.value }
    refute Privy::Syncable.disabled?(Order)
  end

  # Models
  def test_a_subclass_is_found_by_its_base_class
    record = GiftOrder.create!(number: "1001", email: JANE, total: 1, status: "paid")
    assert_enqueued_with(job: Privy::SyncJob, args: ["Order", record.id, "default"])
    drain
    assert_equal 1, requests
    refute_predicate GiftOrder.find(record.id), :privy_stale?
  end

  def test_a_table_without_columns_is_an_error_that_says_what_to_do
    error = assert_raises(Privy::Error) { PlainOrder.create!(email: JANE) }
    assert_match(/plain_orders lacks privy_digest, privy_due_at.*rails generate privy:sync PlainOrder/, error.message)
  end

  def test_wrong_arguments_are_reported_together
    error = assert_raises(Privy::Error) do
      Class.new(Order) { privy_sync(:event, debounce: -1, attributes: 3, when: 1) }
    end
    ["kind must be :order or :contact, not :event", "a block", "debounce", "attributes", "when"].each do |words|
      assert_includes error.message, words
    end
  end

  def test_one_declaration_for_a_class
    model = Class.new(Order) { privy_sync(:order) { nil } }
    error = assert_raises(Privy::Error) { model.privy_sync(:contact) { nil } }
    assert_match(/calls it twice/, error.message)
  end

  def test_a_model_of_another_database
    model = Object.const_set(:OtherOrder, Class.new(ActiveRecord::Base))
    model.table_name = "orders"
    model.inheritance_column = "none"
    model.establish_connection(adapter: "sqlite3", database: ":memory:")
    model.include(Privy::Syncable)
    model.privy_sync(:order) do |o|
      { order_id: o.number, email: o.email, total: o.total, currency: "USD", order_date: o.created_at }
    end
    model.connection.create_table(:orders) do |table|
      %i[number email phone status type].each { |name| table.string name }
      table.decimal :total
      table.timestamps
      SyncModels::COLUMNS.call(table)
    end
    record = OtherOrder.create!(number: "7", email: JANE, total: 1, status: "paid")
    drain
    refute_predicate record.reload, :privy_stale?
    assert_equal 1, requests
    assert_equal 0, Order.count
  ensure
    model.remove_connection
    Object.send(:remove_const, :OtherOrder)
  end

  def test_a_queue_that_runs_jobs_at_once
    Privy::SyncJob.stub(:queue_adapter, ActiveJob::QueueAdapters::InlineAdapter.new) do
      record = order
      assert_equal 1, requests
      record.update!(total: 3)
      assert_equal 2, requests
      refute_predicate record.reload, :privy_stale?
    end
  end

  def test_a_class_without_records_is_refused
    assert_raises(Privy::Error) { Class.new { include Privy::Syncable } }
  end

  def test_a_mapping_must_return_a_hash
    model = Class.new(Order) { privy_sync(:order) { |o| [o.number] } }
    error = assert_raises(Privy::Error) { model.new.privy_valid? }
    assert_match(/must return a Hash, not Array/, error.message)
  end

  def test_nil_is_left_out_unless_it_is_to_be_sent
    assert_predicate Customer.new(email: JANE), :privy_valid?
    model = Class.new(Customer) { privy_sync(:contact, compact: false) { |c| { email: c.email, tags: nil } } }
    refute_predicate model.new(email: JANE), :privy_valid?
  end

  # Consents
  def customer(**values)
    Customer.create!(email: JANE, email_consent: "subscribed", **values)
  end

  def contact
    @sandbox.client.contacts.list(email: JANE).to_a.first
  end

  def test_an_old_consent_does_not_subscribe_again
    record = customer
    drain
    assert_equal :subscribed, contact.email_consent.to_sym
    @sandbox.client.contacts.update(contact.id, email_consent: :unsubscribed)
    record.update!(name: "Jane")
    drain
    assert_equal "Jane", contact.first_name
    assert_equal :unsubscribed, contact.email_consent.to_sym
    record.update!(email_consent: "never_subscribed")
    drain
    assert_equal :never_subscribed, contact.email_consent.to_sym
  end

  def test_a_lost_response_does_not_make_an_old_consent_new
    record = customer
    drain
    @sandbox.client.contacts.update(contact.id, email_consent: :unsubscribed)
    record.update!(name: "Jane")
    assert_raises(NoMemoryError) { once { raise NoMemoryError } }
    record.reload.privy_sync_later
    drain
    assert_equal "Jane", contact.first_name
    assert_equal :unsubscribed, contact.email_consent.to_sym
  end

  # Forms
  def test_errors_of_a_form
    record = Order.new(status: "paid", number: "x", email: "nobody", total: 1, created_at: Time.now)
    refute record.valid?(:form)
    assert_equal %i[email number], record.errors.attribute_names.sort
    assert_equal 0, requests
    assert_equal({ email: [{ error: :invalid_email }], number: [{ error: :invalid_order_id }] }, record.errors.details)
    assert_match(/\Ais not an e-mail address/, record.errors[:email].first)
    record.assign_attributes(number: "1", email: JANE)
    assert record.valid?(:form)
    assert_predicate Order.new(status: "cart"), :privy_valid?
  end

  def test_messages_in_the_applications_own_words
    words = { invalid_email: "ist keine Adresse", too_long: { one: "zu lang", other: "mehr als %<count>d Zeichen" } }
    locales = I18n.available_locales
    I18n.available_locales = [*locales, :de]
    I18n.backend.store_translations(:de, privy: { errors: words })
    I18n.with_locale(:de) do
      record = Order.new(status: "paid", number: "1", email: "nobody", total: 1, created_at: Time.now)
      refute_predicate record, :privy_valid?
      assert_equal ["ist keine Adresse"], record.errors[:email]
      Privy::Syncable::ModelErrors.add(record, [{ field: "number", message: "m", code: :too_long, count: 5 }])
      assert_equal ["mehr als 5 Zeichen"], record.errors[:number]
      assert_equal [{ error: :too_long, count: 5 }], record.errors.details[:number]
    end
  ensure
    I18n.available_locales = locales
    I18n.reload!
  end

  def test_fields_without_attribute_are_errors_of_base
    model = Class.new(Order) do
      def self.name = "Order"
      privy_sync(:order) do |o|
        { order_id: 1, total: 1, currency: "dollars", email: o.email, order_date: o.created_at,
          line_items: [{ sku: 1, quantity: 1, price: "x" }] }
      end
    end
    record = model.new(email: JANE, created_at: Time.now)
    refute_predicate record, :privy_valid?
    assert_equal [:base], record.errors.attribute_names
    assert(record.errors[:base].any? { |message| message.start_with?("currency ") })
    assert(record.errors[:base].any? { |message| message.start_with?("line_items[0].price ") })
  end

  private

  # Runs the enqueued jobs, and the block once while the first one makes its call.
  def once
    before = Privy.client
    done = false
    inside = lambda do |_event|
      yield unless done.tap { done = true }
    rescue Minitest::Assertion => e
      @failed = e # a StandardError of a handler would be reported only
    end
    Privy.client = @sandbox.client(max_retries: 0, on_event: inside)
    perform_enqueued_jobs
    assert done
    raise @failed if @failed
  ensure
    Privy.client = before
  end

  def sent_order
    @sandbox.client.orders.upsert(**ORDER.merge(total: 2))
  end
end
