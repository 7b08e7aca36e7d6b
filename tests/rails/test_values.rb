# frozen_string_literal: true

require "rails_helper"
require "ipaddr"
require "money"

# Values of Rails and of gems next to it, in event_data, custom fields, options and rows.
class TestRailsValues < PrivyTest
  DATABASE = { "test" => { "adapter" => "sqlite3", "database" => ":memory:" } }.freeze
  APPLICATION = RailsApp.boot({ "config/database.yml" => DATABASE.to_yaml }) { |config| config.time_zone = "Berlin" }

  RailsApp.database do
    create_table(:subscribers) do |t|
      t.string :email
      t.string :first_name
      t.string :password_digest
      t.timestamps
    end
  end

  class Subscriber < ActiveRecord::Base; end

  # Shows what it wants to show.
  class Plan
    def initialize
      @secret = "s3cret"
    end

    def as_json(*)
      { "name" => "pro", since: Time.utc(2026, 5, 12), price: BigDecimal("9.50") }
    end
  end

  # An object of an application, of which ActiveSupport would write the instance variables.
  class Basket
    def initialize
      @card = "4242"
    end
  end

  # A model whose author decided what is public.
  class Member < Subscriber
    def as_json(*) = { "first_name" => first_name }
  end

  # An object whose as_json returns the value.
  class Scalar
    def initialize(value)
      @value = value
    end

    def as_json(*) = @value
  end

  def setup
    Money.rounding_mode = BigDecimal::ROUND_HALF_UP # without it money warns
    @sandbox = Privy::Sandbox.new
    @client = @sandbox.client
    Subscriber.delete_all
  end

  # What is sent for the value.
  def sent(value)
    @client.events.ingest("test", email: JANE, event_data: { v: value })
    @sandbox.requests.last.body[/"v":(.*)\}\}\z/m, 1]
  end

  def assert_refused(words, value)
    assert_equal [["event_data.v", words]], faults { @client.events.ingest("t", email: JANE, event_data: { v: value }) }
    assert_empty @sandbox.requests
  end

  def params(**given)
    ActionController::Parameters.new(given)
  end

  def test_values_of_active_support
    zoned = Time.zone.local(2026, 5, 12, 12, 0, 0.25r)
    { 5.minutes => "300", 1.5.seconds => "1.5", 0.seconds => "0", 1.day + 1.hour => "90000",
      zoned => '"2026-05-12T10:00:00.25Z"', zoned.to_datetime => '"2026-05-12T10:00:00.25Z"',
      zoned.to_date => '"2026-05-12"',
      "<b>".html_safe => '"<b>"', { a: { b: 1 } }.with_indifferent_access => '{"a":{"b":1}}',
      Set[1, :a] => '[1,"a"]', ActiveSupport::OrderedOptions[{ a: 1 }] => '{"a":1}',
      ActiveSupport::StringInquirer.new("live") => '"live"',
      Time.at(1, 123_456, :usec) => '"1970-01-01T00:00:01.123456Z"',
      BigDecimal("1.50") => "1.5", URI("http://x/") => '"http://x/"', Pathname("/x") => '"/x"',
      IPAddr.new("1.2.3.4") => '"1.2.3.4"' }
      .each { |value, text| assert_equal text, sent(value), value.inspect }
  end

  def test_parameters_of_a_controller
    permitted = params(plan: "pro", page: { name: "/" }).permit(:plan, page: :name)
    assert_equal '{"plan":"pro","page":{"name":"/"}}', sent(permitted)
    contact = @client.contacts.create(email: "b@example.com", custom_fields: params(size: "39").permit(:size))
    assert_equal({ "size" => "39" }, contact.custom_fields)
  end

  def test_parameters_that_are_not_permitted_are_refused_by_name
    words = "is a ActionController::Parameters whose conversion raised ActionController::UnfilteredParameters"
    assert_refused words, params(plan: "pro")
    found = faults { @client.contacts.create(email: JANE, custom_fields: params(a: 1)) }
    assert_equal [["custom_fields", words]], found
    assert_empty @sandbox.requests
  end

  def test_what_a_class_defines_as_its_json
    assert_equal '{"name":"pro","since":"2026-05-12T00:00:00Z","price":9.5}', sent(Plan.new)
    assert_equal '{"first_name":"Jane"}', sent(Member.new(first_name: "Jane"))
    { 1 => "1", 2**70 => (2**70).to_s, 1.5 => "1.5", true => "true", false => "false", a: '"a"', "x" => '"x"',
      BigDecimal("1.50") => "1.5", [1, { a: 2 }] => '[1,{"a":2}]' }
      .each { |value, text| assert_equal text, sent(Scalar.new(value)), value.inspect }
  end

  def test_nothing_is_sent_that_a_class_did_not_define
    jane = Subscriber.new(email: JANE, password_digest: "hash")
    { Basket.new => "TestRailsValues::Basket", jane => "TestRailsValues::Subscriber", (1..2) => "Range",
      RuntimeError.new("x") => "RuntimeError", 1r => "Rational",
      @client => "Privy::Client", @client.contacts.list => "Privy::ContactList", Money.new(100, "USD") => "Money",
      Scalar.new(nil) => "TestRailsValues::Scalar", Scalar.new(1r) => "Rational",
      Scalar.new(Basket.new) => "TestRailsValues::Scalar", [1].each => "Enumerator" }
      .each { |value, name| assert_refused "is a #{name}, which cannot be encoded as JSON", value }
    assert_refused "is a SimpleDelegator, which cannot be encoded as JSON", SimpleDelegator.new(jane)
    assert_refused "is NaN: omit a field that has no value", Scalar.new(Float::NAN)
  end

  def test_money_is_refused_until_its_amount_is_passed
    price = Money.new(95_00, "EUR")
    assert_equal [["total", "must be a number such as 95.00, not Money"]],
                 faults { @client.orders.upsert(**ORDER, total: price) }
    order = @client.orders.upsert(**ORDER, total: price.to_d, currency: price.currency.iso_code)
    assert_equal [95, "EUR"], [order.total_amount, order.currency_code]
  end

  def test_durations_as_options
    @client.with_options(timeout: 5.seconds, max_wait: 2.minutes).contacts.create(email: JANE, timeout: 1.5.seconds)
    @sandbox.set_clock(Time.zone.local(2026, 5, 12, 12))
    @sandbox.advance(5.minutes)
    assert_equal Time.utc(2026, 5, 12, 10, 5), @sandbox.now
  end

  # ---- rows ----

  def subscribers(count)
    count.times { |n| Subscriber.create!(email: "s#{n}@example.com") }
    Subscriber.order(:id)
  end

  def test_rows_of_a_query
    source = subscribers(5).find_each.lazy.map { |person| { email: person.email } }
    run = @client.contacts.upsert_many(source)
    assert_equal 5, run.total
    assert_predicate run.run, :complete?
    assert_equal 5, @sandbox.counts.contacts
  end

  def test_models_are_rows_if_their_attributes_are_parameters
    subscribers(2)
    report = @client.contacts.upsert_many(Subscriber.all).run
    assert_equal %w[created_at id updated_at], report.refused.map(&:field).uniq.sort
    assert_equal 0, report.requests
  end

  def test_a_query_of_columns_that_are_parameters
    subscribers(2)
    report = @client.contacts.upsert_many(Subscriber.select(:email, :first_name)).run # their id is nil
    assert_equal [2, []], [report.created, report.refused]
    assert_equal({ "email" => "s0@example.com" }, @sandbox.requests.first.json)
    report = @client.contacts.upsert_many(Subscriber.select(:email), nulls: :send).run
    assert_equal ["id"], report.refused.map(&:field).uniq
  end

  # An Enumerator's fiber would wait for the transaction forever.
  def test_a_relation_in_a_transaction
    Subscriber.transaction do
      list = subscribers(3).reselect(:email)
      run = @client.contacts.upsert_many(list)
      assert_equal 3, run.total
      assert_equal [3, 0], [run.run.succeeded, run.unsent.length]
    end
  end

  def test_rows_of_parameters
    rows = [params(email: JANE), params(email: "b@example.com").permit(:email)]
    report = @client.contacts.upsert_many(rows).run
    assert_equal [1, 1], [report.succeeded, report.failed]
    assert_equal [[0, nil, "base"]], report.refused.map { |entry| [entry.index, entry.key, entry.field] }
    assert_equal ["is a ActionController::Parameters whose conversion raised ActionController::UnfilteredParameters"],
                 report.refused.map(&:message)
    assert_equal report.refused, @client.contacts.validate_many(rows)
  end
end
