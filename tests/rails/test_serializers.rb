# frozen_string_literal: true

require "rails_helper"

# Records as arguments of jobs: through the text of JSON, as a queue stores it.
class TestSerializers < PrivyTest
  LINES = StringIO.new
  DATABASE = { "config/database.yml" => "test: { adapter: sqlite3, database: ':memory:' }\n" }.freeze
  RailsApp.boot(DATABASE) { |config| config.active_job.logger = ActiveSupport::Logger.new(LINES) }
  RailsApp.database { create_table(:customers) { |table| table.string :name } }

  class Customer < ActiveRecord::Base; end

  class KeepJob < ActiveJob::Base
    class << self
      attr_accessor :kept
    end

    def perform(*arguments, **options)
      self.class.kept = [arguments, options]
    end
  end

  CUSTOM = { "size" => "M", "ratio" => BigDecimal("1.10"), "long" => 12_345_678_901_234_567_890 }.freeze

  def setup
    @client = Privy::Sandbox.new.client
    @contact = @client.contacts.create(email: JANE, tags: %w[a b], first_name: "J\u00e9 </script>",
                                       custom_fields: CUSTOM)
    @order = @client.orders.upsert(**ORDER)
    @receipt = @client.events.ingest("seen", email: JANE)
    @page = @client.contacts.list.pages.first
  end

  # What the job receives.
  def sent(*arguments, **options)
    text = JSON.generate(KeepJob.new(*arguments, **options).serialize)
    ActiveJob::Base.execute(JSON.parse(text))
    KeepJob.kept
  end

  def test_every_record_is_equal
    records = [@contact, @order, @receipt, @page, @page.pagination]
    received, = sent(*records)
    assert_equal records, received
    assert_equal records.map(&:class), received.map(&:class)
    assert_equal CUSTOM, received.first.custom_fields
    assert_equal [@contact.created_at, BigDecimal("95")], [received[0].created_at, received[1].total_amount]
  end

  def test_records_that_hold_more_or_less_than_known_fields
    strange = Privy::Contact.from_json('{"id":"cus_1","new":{"a":[1.10,null]},"email":null}')
    empty = Privy::Page.new([], nil)
    assert_equal [[strange, empty], {}], sent(strange, empty)
    assert_equal strange.extra, KeepJob.kept[0][0].extra
  end

  def test_inside_lists_hashes_and_options
    assert_equal [[[@contact, 1], { "order" => @order }], { page: @page }],
                 sent([@contact, 1], { "order" => @order }, page: @page)
  end

  def test_with_global_ids_and_other_values
    customer = Customer.create!(name: "Jane")
    values = [customer, :symbol, Time.utc(2026), 5.minutes, Date.new(2026), nil]
    assert_equal [[@contact, *values], {}], sent(@contact, *values)
  end

  def test_the_log_masks_addresses
    KeepJob.perform_later(@contact)
    assert_match(/Enqueued .*KeepJob.*Privy::Contact/, LINES.string)
    refute_includes LINES.string, JANE
  end

  def test_a_payload_names_no_other_class
    payload = Privy::Rails::RecordSerializer.serialize(@contact).merge("class" => "Object")
    assert_raises(KeyError) { Privy::Rails::RecordSerializer.deserialize(payload) }
  end

  # Sidekiq's payload is text of JSON; inline it takes the same way without Redis.
  def test_through_the_adapter_of_sidekiq
    require "sidekiq/testing"
    Class.new(KeepJob) { self.queue_adapter = :sidekiq }.then { |job| self.class.const_set(:SidekiqJob, job) }
    Sidekiq::Testing.inline! { SidekiqJob.perform_later(@contact, pages: [@page]) }
    assert_equal [[@contact], { pages: [@page] }], SidekiqJob.kept
  end

  # The adapter that keeps jobs as they would be stored.
  def test_through_a_queue_adapter
    adapter = ActiveJob::QueueAdapters::TestAdapter.new
    KeepJob.queue_adapter = adapter
    KeepJob.perform_later(@order)
    ActiveJob::Base.execute(JSON.parse(JSON.generate(adapter.enqueued_jobs.first.except(:job, :args, :queue))))
    assert_equal [[@order], {}], KeepJob.kept
  end
end
