# frozen_string_literal: true

require_relative "helper"
require_relative "small_scheduler"

class TestGarbage < PrivyTest
  FULL = '{"id":"cus_0123456789abcdef","email":"jane@example.com","first_name":"J\u00e9",' \
         '"email_permission":"subscribed","tags":["a","\u00e9"],"custom_fields":{"k":1.50,"s":"t"},' \
         '"created_at":"2026-05-12T10:00:00Z","new":{"deep":[1]}}'

  # A minor collection at every allocation: enough to take whatever is not held, and ten times as fast as a full one.
  def stressed
    GC.stress = 0x01
    yield
  ensure
    GC.stress = false
  end

  def use(record)
    [record.to_h, record.extra, record.inspect, record.hash, record.to_json, record.deconstruct_keys(nil),
     Marshal.load(Marshal.dump(record)) == record, record["new"]]
  end

  def test_records_under_stress
    expected = use(Privy::Contact.from_json(FULL))
    stressed { assert_equal expected, use(Privy::Contact.from_json(FULL)) }
  end

  def test_calls_under_stress
    in_process do |client, sandbox|
      client.contacts.create(email: "first@example.com")
      stressed do
        client.contacts.create(email: JANE, tags: %w[a b],
                               custom_fields: { "é".encode("ISO-8859-1") => BigDecimal("1.5") })
        client.orders.upsert(**ORDER, line_items: [{ sku: :a, price: "1.50" }])
        client.events.ingest("test", email: JANE, event_time: Time.now, event_data: { a: [nil, true, 2**70] })
        assert_equal 2, client.contacts.list(per_page: 1).to_a.length
        assert_equal ["id"], fields { client.contacts.get("wrong") }
        refused(Privy::NotFoundError) { client.contacts.get(NOBODY) }
        client.request("GET", "/contacts").json
      end
      assert_equal [2, 1, 1], [sandbox.counts.contacts, sandbox.counts.orders, sandbox.counts.events]
    end
  end

  def test_records_survive_compaction
    records = Array.new(200) { |n| Privy::Contact.from_json(FULL.sub("cus_", "cus#{n}_")) }
    before = records.map { |record| use(record) }
    records.each_slice(2) { |record, _| record.first_name }
    3.times { GC.compact }
    assert_equal before, records.map { |record| use(record) }
  end

  def test_references_survive_a_verified_compaction
    record = Privy::Contact.from_json(FULL)
    kept = use(record)
    client = Privy::Sandbox.new.client
    GC.verify_compaction_references(double_heap: true, toward: :empty)
    assert_equal kept, use(record)
    assert_equal JANE, client.contacts.create(email: JANE).email
  end

  def test_old_records_keep_young_values
    record = Privy::Contact.from_json(FULL)
    4.times { GC.start }
    record.tags
    record.extra
    GC.start(full_mark: false)
    Array.new(10_000) { +"young" }
    GC.start(full_mark: false)
    assert_equal [%w[a é], { "deep" => [1] }], [record.tags, record.extra["new"]]
  end

  def test_sizes_are_honest
    require "objspace"
    small = Privy::Contact.from_json('{"id":"x"}')
    large = Privy::Contact.from_json(%({"id":"#{'x' * 100_000}"}))
    assert_operator ObjectSpace.memsize_of(large), :>, 100_000
    assert_operator ObjectSpace.memsize_of(small), :<, 10_000
  end

  def resident_kilobytes
    GC.start
    Integer(`ps -o rss= -p #{Process.pid}`)
  end

  # A leak grows in every batch; what the allocators keep for later does not.
  def assert_no_leak(rounds, &)
    rounds.times(&)
    before = resident_kilobytes
    growth = Array.new(5) do
      rounds.times(&)
      after = resident_kilobytes
      after - before.tap { before = after }
    end
    assert_operator growth.min, :<, 1_000, "kilobytes in batches of #{rounds}: #{growth}"
  end

  def test_records_do_not_leak
    large = FULL.sub("J\\u00e9", "x" * 20_000)
    assert_no_leak(400) { use(Privy::Contact.from_json(large)) }
    assert_no_leak(400) { assert_raises(Privy::APIStatusError) { Privy::Contact.from_json("[#{large}") } }
  end

  def test_calls_do_not_leak
    in_process do |client, sandbox|
      long = "x" * 20_000
      jane = client.contacts.create(email: JANE, last_name: long)
      assert_no_leak(300) { client.contacts.update(jane.id, first_name: "J").last_name }
      assert_no_leak(300) { refused { client.contacts.create(email: long, first_name: long) } }
      assert_no_leak(300) { client.contacts.list.to_a }
      sandbox.fail(status: 500, body: long, count: 0)
      assert_no_leak(300) { refused(Privy::ServerError) { client.contacts.get(jane.id, max_retries: 0) } }
      rude = Class.new { def to_time = raise("no time") }.new
      assert_no_leak(300) { refused { client.contacts.create(last_name: long, tags: [long, rude]) } }
    end
  end

  def test_bulk_calls_do_not_leak
    long = "x" * 20_000
    rows = Array.new(4) { |n| { email: "c#{n}@example.com", last_name: long } } + [{ last_name: long }]
    in_process do |client, _sandbox|
      assert_no_leak(60) { client.contacts.upsert_many(rows).to_a }
      assert_no_leak(60) { client.contacts.upsert_many(rows).first }
      assert_no_leak(60) { client.contacts.upsert_many(rows) { break } }
    end
    stubbed do |client, server|
      assert_no_leak(60) { client.contacts.upsert_many(rows, concurrency: 2).to_a && server.requests.clear }
      SmallScheduler.run do
        assert_no_leak(100) { client.contacts.get("cus_0123456789abcdef", extra: { x: long }) && server.requests.clear }
      end
    end
  end

  def test_bulk_calls_under_stress
    in_process do |client, sandbox|
      stressed do
        rows = Array.new(4) { |n| { email: "c#{n}@example.com", tags: %w[a b] } } + [{ email: 5 }]
        assert_equal [4, 1], client.contacts.upsert_many(rows).partition(&:ok?).map(&:length)
        2.times { client.contacts.upsert_many(rows.lazy).next }
        SmallScheduler.run { assert_equal 4, client.contacts.list.to_a.length }
      end
      assert_equal 4, sandbox.counts.contacts
    end
  end

  def test_observed_calls_under_stress
    seen = []
    client = Privy::Sandbox.new.client(on_event: seen.method(:push))
    3.times { |n| client.contacts.create(email: "c#{n}@example.com") }
    expected = seen.first(4).map(&:kind)
    seen.clear
    stressed { 2.times { assert_equal 3, client.contacts.list(per_page: 1).to_a.length } }
    assert_equal [expected * 6, ["/contacts"]], [seen.map(&:kind), seen.map(&:path).uniq]
  end

  def test_lists_and_events_do_not_leak
    count = 0
    client = Privy::Sandbox.new.client(on_event: ->(_event) { count += 1 })
    20.times { |n| client.contacts.create(email: "c#{n}@example.com", last_name: "x" * 20_000) }
    list = client.contacts.list(per_page: 2)
    assert_no_leak(40) { list.first(10) }
    assert_no_leak(40) { list.pages.next }
    assert_no_leak(40) { list.to_a.length }
    stubbed({ stall: 60 }, on_event: ->(_event) { raise Interrupt }) do |sunk, _server|
      assert_no_leak(40) { assert_raises(Interrupt) { sunk.contacts.get("cus_0123456789abcdef", extra: { x: "y" }) } }
    end
    assert_operator count, :>, 1000
  end

  def test_stopped_calls_do_not_leak
    in_process do |client, sandbox|
      sandbox.fail(delay: 60, count: 0)
      sandbox.keep_requests(0) # their bodies would look like a leak
      long = "x" * 200_000
      assert_no_leak(10) do
        assert_raises(Timeout::Error) do
          Timeout.timeout(0.01) { client.contacts.create(email: JANE, first_name: long) }
        end
      end
    end
  end

  def look_at(sandbox)
    [sandbox.requests.map(&:to_h), sandbox.contacts.map(&:to_h), sandbox.orders.map(&:to_h), sandbox.events.map(&:to_h),
     sandbox.contacts[JANE].email, sandbox.requests.inspect, sandbox.requests.first.json]
  end

  def test_views_of_a_sandbox_under_stress_do_not_leak
    sandbox = Privy::Sandbox.new
    sandbox.client.events.ingest("seen", email: JANE, event_data: { a: 1 })
    expected = look_at(sandbox)
    stressed { assert_equal expected, look_at(sandbox) }
    assert_no_leak(200) { look_at(sandbox) }
  end

  def test_clients_and_sandboxes_do_not_leak
    assert_no_leak(200) { Privy::Sandbox.new.client.contacts.create(email: JANE) }
    assert_no_leak(200) { refused(Privy::Error) { Privy::Client.new(token: "no token", base_url: "x" * 10_000) } }
  end
end
