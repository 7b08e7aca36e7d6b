# frozen_string_literal: true

require_relative "helper"
require_relative "things"

# Questions that objects answer with true or false.
class TestPredicates < PrivyTest
  def setup
    @sandbox = Privy::Sandbox.new
    @client = @sandbox.client
  end

  def test_every_boolean_of_a_record_has_a_question
    fields = Privy::Core.schema[:objects].to_h { |object| [object[:name], object[:fields]] }
    booleans = fields.transform_values { |list| list.select { |field| field[:kind] == :boolean }.map { _1[:name] } }
    assert_operator booleans.values.flatten.length, :>=, 4
    booleans.each do |name, members|
      members.each do |member|
        { "true" => true, "false" => false, "null" => false }.each do |json, expected|
          record = Privy.const_get(name).from_json(%({"#{member}":#{json}}))
          assert_same expected, record.public_send(:"#{member}?"), "#{name}##{member}? of #{json}"
        end
      end
    end
  end

  def test_an_order_is_created_or_updated
    first, second = Array.new(2) { @client.orders.upsert(**ORDER) }
    assert_equal [true, false, false, true], [first.created?, first.updated?, second.created?, second.updated?]
  end

  def test_an_event_is_replayed
    first, second = Array.new(2) { @client.events.ingest("seen", email: JANE, idempotency_key: "k") }
    assert_equal [false, true, false, true],
                 [first.replayed?, second.replayed?, first.idempotent_replay?, second.idempotent_replay?]
  end

  def test_a_contact_is_subscribed
    { email_consent: :email_subscribed?, sms_consent: :sms_subscribed? }.each do |field, question|
      Privy::Core.schema[:enums].fetch(field).each do |value|
        contact = Privy::Contact.from_json(%({"#{field}":"#{value}"}))
        assert_equal value == "subscribed", contact.public_send(question), value
      end
      refute Privy::Contact.from_json("{}").public_send(question)
    end
  end

  def test_results_and_reports
    report = @client.contacts.upsert_many([{ email: JANE }, { email: "no address" }]) do |result|
      assert_equal result.ok?, !result.failed?
      assert_equal result.index == 1, result.failed?
    end
    assert_equal [true, false, false, true], [report.complete?, report.ok?, report.stopped?, report.sandbox?]
  end

  def test_a_report_of_a_run_that_ends_early
    @sandbox.set_clock(Time.utc(2026, 5, 12))
    @sandbox.set_limits(per_day: 2)
    rows = Array.new(5) { |n| { email: "c#{n}@example.com" } }
    [rows, rows.each, rows.lazy.map(&:itself)].each do |source|
      report = @client.contacts.upsert_many(source).run
      assert_equal [true, false, false], [report.stopped?, report.complete?, report.ok?]
    end
  end

  def test_a_run_that_is_not_finished_is_not_complete
    run = @client.contacts.upsert_many([{ email: JANE }, { email: "b@example.com" }])
    run.next
    refute_predicate run.report, :complete?
    run.close
    refute_predicate run.report, :complete?
  end

  def test_a_connection_is_reused
    assert_nil Privy::CallEvent.new.reused?
    assert Privy::CallEvent.new(reused: true).reused?
  end

  def test_what_a_sandbox_stores
    assert_empty @sandbox.contacts
    assert_nil @sandbox.orders.last
    @client.orders.upsert(**ORDER)
    @client.orders.upsert(**ORDER, order_id: 7)
    refute_empty @sandbox.orders
    assert_equal [7, [1001, 7]], [@sandbox.orders.last.order_id, @sandbox.orders.last(2).map(&:order_id)]
  end
end

# Pattern matching by keys, of everything that holds data.
class TestPatterns < PrivyTest
  def every_error
    ObjectSpace.each_object(Privy::Error.singleton_class).select { |klass| klass.name&.start_with?("Privy::") }
  end

  def test_every_error_matches_its_class_with_each_attribute
    assert_operator every_error.length, :>, 12
    every_error.each do |klass|
      values = klass::ATTRIBUTES.to_h { |name| [name, "a #{name}"] }
      found = klass.new("odd", **values).deconstruct_keys(nil)
      assert_equal values.merge(message: "odd"), found, klass
    end
  end

  def test_errors_as_programs_match_them
    late = Time.utc(2026, 5, 12)
    seen = [Privy::RateLimitError.new("later", retry_at: late, status: 429), Things.error,
            Privy::ValidationError.new("odd", details: [{ field: "email", message: "is odd" }]),
            Privy::APITimeoutError.new("late", may_have_succeeded: true)].map do |error|
      case error
      in Privy::RateLimitError(retry_at:) then retry_at
      in { status: 409, contact_id: } then contact_id
      in Privy::ValidationError(details: [{ field: "email", message: }]) then message
      in Privy::APIConnectionError(may_have_succeeded: true) then :lost
      end
    end
    assert_equal [late, "cus_1", "is odd", :lost], seen
  end

  def test_every_record_matches_each_of_its_fields
    [Privy::Contact, Privy::Order, Privy::EventReceipt, Privy::Pagination].each do |klass|
      record = klass.from_json('{"later":1}')
      assert_equal [*klass::MEMBERS, :later], record.deconstruct_keys(nil).keys
      klass::MEMBERS.each { |name| assert_equal({ name => record[name] }, record.deconstruct_keys([name])) }
    end
    Things.contact => { email: "jane@example.com", email_consent: "subscribed", tags: ["vip", *], later: Hash }
    Things.order => Privy::Order(order_id: "0012", created: true)
  end

  def test_what_else_holds_data
    Things.page => { page: 1, total_count: 1, records: [Privy::Contact] }
    Things.page => [Privy::Contact(email: String)]
    Privy::Response.new(200, { "x-request-id" => "r" }, '{"data":[1]}') => { status: 200, json:, request_id: "r" }
    assert_equal({ "data" => [1] }, json)
    Things.all.find { |thing| thing.is_a?(Privy::RateLimit) } => { minute: { remaining: 59 }, day: { limit: nil } }
    Privy::CallEvent.new(kind: :retry, seconds: 2.0) => { kind: :retry, seconds: }
    assert_in_delta 2.0, seconds
  end

  def test_a_response_is_parsed_only_for_a_pattern_with_json
    odd = Privy::Response.new(200, {}, "odd")
    odd => { status: 200, body: "odd" }
    assert_raises(Privy::APIStatusError) { odd => { json: Hash } }
  end

  def test_results_of_a_bulk_run
    found = Privy::Sandbox.new.client.contacts.upsert_many([{ email: JANE }, { email: "odd" }]).map do |result|
      case result
      in { ok: true, value: Privy::Contact(email:) } then email
      in { index:, error: Privy::ValidationError(details: [{ field: }]) } then [index, field]
      end
    end
    assert_equal [[1, "email"], JANE], found.sort_by(&:length)
    Privy::Sandbox.new.client.contacts.upsert_many([{ email: "odd" }]).run =>
      { failed: 1, refused: [{ index: 0, field: "email" }], stopped: nil }
  end
end

# `total:`, for rows whose number only the caller knows.
class TestTotals < PrivyTest
  METHODS = { contacts: :upsert_many, orders: :upsert_many, events: :ingest_many }.freeze

  def setup
    @client = Privy::Sandbox.new.client
  end

  # Rows without a size.
  def rows(count)
    Enumerator.new { |found| count.times { |n| found << { email: "c#{n}@example.com" } } }
  end

  def test_progress_and_eta_know_the_total
    seen = []
    run = @client.contacts.upsert_many(rows(5), total: 5, on_progress: seen.method(:push), concurrency: 1)
    assert_equal [5, 5], [run.total, run.size]
    assert_equal 5, run.run.total
    assert_equal [5], seen.map(&:total).uniq
    assert_kind_of Float, seen.first.eta
    assert_nil @client.contacts.upsert_many(rows(5)).total
  end

  def test_it_replaces_the_size_of_the_rows
    assert_equal 9, @client.contacts.upsert_many([{ email: JANE }], total: 9).total
    rows = Class.new do
      def each = nil
      def size = raise("not to be asked")
    end
    assert_equal 2, @client.contacts.upsert_many(rows.new, total: 2).total
  end

  def test_the_report_of_an_ended_run_counts_the_rows_that_there_were
    [3, 9].each do |announced|
      report = @client.contacts.upsert_many(rows(5), total: announced).run
      assert_equal [5, true, true], [report.total, report.ok?, report.complete?], announced
    end
    run = @client.contacts.upsert_many(rows(5), total: 9, concurrency: 1)
    run.next
    assert_equal [9, false], [run.report.total, run.report.complete?]
    run.close
  end

  def test_it_is_checked_by_every_bulk_method
    METHODS.each do |resource, method|
      run = ->(total) { @client.public_send(resource).public_send(method, [], total: total) }
      assert_equal "total must be an Integer, not String", assert_raises(TypeError) { run.call("5") }.message
      assert_equal "total must be an Integer, not Float", assert_raises(TypeError) { run.call(5.0) }.message
      assert_equal "total must be 0 or more, not -1", assert_raises(ArgumentError) { run.call(-1) }.message
      assert_equal [0, 7], [run.call(nil).total, run.call(7).total]
    end
  end
end
