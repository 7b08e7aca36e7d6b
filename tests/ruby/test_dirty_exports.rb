# frozen_string_literal: true

require_relative "helper"
require "json"

# The sample exports, row by row, as tests/python/test_dirty_exports.py has them: both languages send the same.
class TestDirtyExports < PrivyTest
  DATA = File.join(ROOT, "examples/data")
  EXPORTS = JSON.parse(File.read(File.join(ROOT, "tests/both/dirty_exports.json"), encoding: "UTF-8"),
                       decimal_class: BigDecimal)
  PHONEBOOK = begin
    require "phonelib"
    true
  rescue LoadError
    false
  end

  EXPORTS.each do |export|
    name = export["file"].tr("^a-z", "_")

    define_method("test_rows_of_#{name}") do
      rows = import_of(export).each_row.sort_by(&:lines)
      assert_equal(export["rows"].map { |row| row["lines"] }, rows.map(&:lines))
      rows.zip(export["rows"]) { |row, expected| check_row(row, expected) }
    end

    define_method("test_run_of_#{name}") do
      sandbox = Privy::Sandbox.new
      report = import_of(export).run(sandbox.client)
      refused, ready = export["rows"].partition { |row| row["refused"] }
      ready = ready.reject { |row| row["phonebook"] } unless PHONEBOOK
      assert_operator report.refused, :>=, refused.length
      assert_operator report.ready, :>=, ready.length
      sent = sandbox.requests.select { |request| request.method == "POST" }.map { |request| decimals(request.body) }
      ready.each { |row| assert_includes(sent, row["sends"].except("idempotency_key")) }
      assert_equal(report.ready, sent.length)
    end
  end

  private

  def import_of(export)
    settings = export["settings"].transform_keys(&:to_sym)
    settings[:map] = File.join(ROOT, settings[:map]) if settings[:map]
    Privy::Import.new(export["kind"], source: File.join(DATA, export["file"]), **settings)
  end

  def check_row(row, expected)
    return check_without_phonebook(row, expected) if expected["phonebook"] && !PHONEBOOK

    assert_equal(expected["sends"] ? :ready : :refused, row.state, expected.inspect)
    faults = row.faults.map { |fault| fault.to_h.transform_keys(&:to_s).merge("code" => fault.code.to_s) }
    assert_equal(expected["refused"] || [], faults)
    assert_equal(expected["sends"], row.fields) if row.ready?
  end

  # Without phonelib only numbers with + are read: another number is refused or left out, never guessed.
  def check_without_phonebook(row, expected)
    numbers = %w[phone phone_number]
    return assert_equal(expected["sends"].except(*numbers), row.fields) if row.ready?

    assert_includes([[:invalid_phone], [:identifier_required]], row.faults.map(&:code))
  end

  def decimals(body)
    JSON.parse(body, decimal_class: BigDecimal)
  end
end
