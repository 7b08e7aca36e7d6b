# frozen_string_literal: true

require "date"
require_relative "helper"

# Every code of error details: what a caller does to get it.
class TestCodes < PrivyTest
  CODES = Privy::Core.schema[:codes]
  ORDER = { order_id: 1, email: "a@b.c", total: 1, currency: "USD", order_date: "2026-05-12T10:00:00Z" }.freeze
  CIRCULAR = [].tap { |list| list << list }
  Unprintable = Class.new { def to_h = raise("no") }
  DEEP = 70.times.reduce({}) { |inner, _| { a: inner } }

  # By code: operation and fields of a call with that error.
  INVALID = {
    required: ["orders.upsert", ORDER.except(:total)],
    not_null: ["contacts.create", { email: "a@b.c", tags: nil }],
    missing_value: ["orders.upsert", ORDER.merge(total: Float::NAN)],
    unknown_field: ["contacts.create", { email: "a@b.c", emial: "a@b.c" }],
    read_only: ["contacts.create", { email: "a@b.c", created_at: "2026-05-12T10:00:00Z" }],
    repeated: ["contacts.create", { email: "a@b.c", custom_fields: { "a" => 1, a: 2 } }],
    wrong_type: ["contacts.create", { email: 5 }],
    not_a_number: ["orders.upsert", ORDER.merge(total: "much")],
    not_an_integer: ["contacts.list", { page: 1.5 }],
    not_finite: ["orders.upsert", ORDER.merge(total: Float::INFINITY)],
    greater_than_or_equal_to: ["contacts.list", { page: 0 }],
    less_than_or_equal_to: ["contacts.list", { per_page: 101 }],
    inclusion: ["contacts.create", { email: "a@b.c", email_consent: :maybe }],
    not_on_create: ["contacts.create", { phone_number: "+14155550171", sms_consent: :unsubscribed }],
    invalid_email: ["contacts.create", { email: "a" }],
    invalid_phone: ["contacts.create", { phone_number: "555" }],
    invalid_time: ["orders.upsert", ORDER.merge(order_date: "soon")],
    without_time_zone: ["orders.upsert", ORDER.merge(order_date: Date.new(2026, 5, 12))],
    invalid_currency: ["orders.upsert", ORDER.merge(currency: "usd")],
    invalid_event_type: ["events.ingest", { event_type: "a b", email: "a@b.c" }],
    invalid_contact_id: ["contacts.get", { id: "5" }],
    invalid_order_id: ["orders.upsert", ORDER.merge(order_id: 0)],
    invalid_name: ["contacts.create", { email: "a@b.c", custom_fields: { 5 => 1 } }],
    invalid_encoding: ["contacts.create", { email: "a@b.c", first_name: "\xff" }],
    too_long: ["contacts.unsubscribe", { id: "cus_1", reason: "x" * 501 }],
    too_large: ["events.ingest", { event_type: "a", email: "a@b.c", event_data: { a: "x" * 300_000 } }],
    too_deep: ["events.ingest", { event_type: "a", email: "a@b.c", event_data: DEEP }],
    nested: ["contacts.create", { email: "a@b.c", custom_fields: { a: [] } }],
    circular: ["events.ingest", { event_type: "a", email: "a@b.c", event_data: { a: CIRCULAR } }],
    not_encodable: ["events.ingest", { event_type: "a", email: "a@b.c", event_data: { a: $stdout } }],
    conversion_failed: ["events.ingest", { event_type: "a", email: "a@b.c", event_data: { a: Unprintable.new } }],
    identifier_required: ["contacts.create", {}],
    exactly_one_identifier: ["events.ingest", { event_type: "a", email: "a@b.c", phone: "+14155550171" }],
    phone_required: ["contacts.create", { email: "a@b.c", sms_consent: :subscribed }],
    nothing_to_update: ["contacts.update", { id: "cus_1" }]
  }.freeze

  def client
    @client ||= Privy::Sandbox.new.client
  end

  # By code: calls that raise, where no field of an operation has the error.
  def raised
    { invalid_header: -> { client.request("GET", "/x", headers: { "X-A" => "a\nb" }) },
      invalid_path: -> { client.request("GET", "x") },
      reserved: -> { client.contacts.create(email: "a@b.c", extra_headers: { "Host" => "x" }) },
      rejected: -> { client.orders.upsert(**ORDER, total: "9" * 40) } }
  end

  def checked
    INVALID.transform_values { |operation, fields| Privy::Core.validate(operation, fields, nil) }
  end

  def test_each_rule_has_its_code
    details = checked.merge(raised.transform_values { |call| refused(&call).details })
    details.each do |code, list|
      assert_includes list.map { |detail| detail[:code] }, code, "of #{list}"
    end
    assert_equal CODES.map { |row| row[:code] }.sort, [:call_failed, *details.keys].sort
  end

  def test_codes_with_a_limit_have_a_count
    counts = CODES.filter_map { |row| row[:code] if row[:counts] }
    with = checked.values.flatten.select { |detail| detail.key?(:count) }
    assert_equal counts.sort, with.map { |detail| detail[:code] }.uniq.sort
    assert_equal [1, 100, 500], with.map { |detail| detail[:count] }.sort
  end

  def test_refused_rows_have_code_and_count
    rows = [{ id: "cus_1" }, { email: "a" }, "row"]
    report = client.contacts.upsert_many(rows).run
    assert_equal %i[unknown_field identifier_required invalid_email wrong_type].sort, report.refused.map(&:code).sort
    entry, = client.contacts.validate_many([{ email: "a" }])
    assert_equal [:invalid_email, nil], [entry.code, entry.count]
  end

  def test_a_row_whose_call_failed
    sandbox = Privy::Sandbox.new
    sandbox.fail(status: 404, count: 1)
    report = sandbox.client.contacts.upsert_many([{ email: "a@b.c" }]).run
    assert_equal([["base", :call_failed]], report.refused.map { |entry| [entry.field, entry.code] })
  end

  def test_rows_that_are_refused_together_keep_code_and_count
    error = refused { client.orders.upsert_many([ORDER, { **ORDER, total_items: -1 }], check_first: true) }
    assert_equal [{ field: "[1].total_items", message: "must be at least 0", code: :greater_than_or_equal_to,
                    count: 0 }], error.details
  end

  def test_a_server_may_give_its_own_code
    codes = ["taken", "too_long", "", "No code", "x" * 65, nil, 5]
    details = codes.map { |code| { field: "email", message: "no", code: code } }
    body = JSON.generate(error: { code: "validation_failed", details: details })
    stubbed({ status: 422, body: body }) do |client, _server|
      error = refused { client.contacts.create(email: "a@b.c") }
      assert_equal %i[taken too_long] + ([:rejected] * 5), error.details.map { |detail| detail[:code] }
      assert_equal [%i[field message code]], error.details.map(&:keys).uniq
    end
  end

  def test_codes_survive_copies
    error = refused { client.contacts.create(email: "a") }
    assert_equal :invalid_email, Marshal.load(Marshal.dump(error)).details.first[:code]
    assert_equal "invalid_email", JSON.parse(JSON.generate(error))["details"].first["code"]
    error => { details: [{ code: :invalid_email }] }
  end
end
