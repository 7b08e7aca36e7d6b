# frozen_string_literal: true

require "ostruct"
require "set"
require_relative "helper"

# Rows of bulk runs that are objects with fields, and what a nil in a row means.
class TestBulkRows < PrivyTest
  Seen = Struct.new(:event_type, :email, :phone)
  Keyed = Struct.new(:event_type, :email, :phone, keyword_init: true)

  # As a model of Rails: its attributes have Strings as keys, and it has no to_h.
  class Model
    attr_reader :attributes

    def initialize(attributes)
      @attributes = attributes
    end
  end

  # Any object with to_h.
  class Visit
    def to_h
      { event_type: "seen", email: "a@example.com", phone: nil }
    end
  end

  BODY = { "event_type" => "seen", "email" => "a@example.com" }.freeze

  def rows
    fields = BODY.transform_keys(&:to_sym)
    found = [Seen.new("seen", "a@example.com"), Keyed.new(**fields), OpenStruct.new(**fields, phone: nil),
             Model.new(BODY.merge("phone" => nil)), Visit.new]
    found << Data.define(:event_type, :email, :phone).new(**fields, phone: nil) if defined?(Data.define)
    found
  end

  def setup
    @sandbox = Privy::Sandbox.new
    @client = @sandbox.client
  end

  def test_an_object_with_fields_is_a_row_without_its_nils
    results = @client.events.ingest_many(rows).to_a
    assert_equal [nil] * rows.length, results.map(&:error)
    assert_equal [BODY], @sandbox.requests.map(&:json).uniq
    assert_kind_of Seen, results.find { |result| result.index.zero? }.row
    assert_empty @client.events.validate_many(rows)
    assert_predicate @client.events.ingest_many(rows, check_first: true).run, :ok?
  end

  def test_nils_of_objects_are_sent_on_demand
    report = @client.events.ingest_many(rows.take(1), nulls: :send).run
    assert_equal ["phone: must not be null", "base: exactly one of email, phone, privy_id is required"],
                 report.refused.map { |entry| "#{entry.field}: #{entry.message}" }
    assert_equal report.refused, @client.events.validate_many(rows.take(1), nulls: :send)
  end

  def test_nils_of_hashes_are_omitted_on_demand
    [nil, Float::NAN].each do |null|
      row = BODY.merge("phone" => null, event_data: { "a" => nil })
      assert_predicate @client.events.ingest_many([row], nulls: :omit).run, :ok?
      assert_equal BODY.merge("event_data" => { "a" => nil }), @sandbox.requests.to_a.last.json
      assert_equal %w[phone base], @client.events.validate_many([row]).map(&:field)
    end
  end

  def test_an_error_of_an_object_has_key_and_value
    (entry,) = @client.events.validate_many([Seen.new("a b", "a@example.com")])
    assert_equal [0, "event_type", "a b"], [entry.index, entry.field, entry.value]
    order = Struct.new(:order_id, :line_items).new(7, [{ quantity: "two" }])
    entry = @client.orders.validate_many([order]).find { |found| found.field == "line_items[0].quantity" }
    assert_equal [7, "two"], [entry.key, entry.value]
  end

  def test_what_has_no_fields_is_refused
    [nil, 5, "text", [[:event_type, "seen"]], Object.new, Set[1]].each do |row|
      (entry,) = @client.events.ingest_many([row]).run.refused
      assert_equal "must be a Hash, not #{row.class}", entry.message
    end
  end

  def test_other_words_for_nils
    [:drop, "omit", true].each do |nulls|
      error = assert_raises(ArgumentError) { @client.events.ingest_many([], nulls: nulls) }
      assert_equal "nulls must be :omit or :send, not #{nulls.inspect}", error.message
      assert_raises(ArgumentError) { @client.events.validate_many([], nulls: nulls) }
    end
  end
end
