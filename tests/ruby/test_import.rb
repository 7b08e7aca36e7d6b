# frozen_string_literal: true

require_relative "helper"
require "fileutils"
require "pathname"
require "stringio"
require "tmpdir"

# Imports of files and of other rows, into a sandbox.
class TestImport < PrivyTest
  MAP = {
    timezone: "Europe/Berlin", country: "US", currency: "USD",
    columns: { order_id: "No", order_date: "Date", email: "E-Mail", total: { sum: "line" },
               line_items: { sku: "SKU", quantity: "Qty", price: "Price" } },
    skip: { column: "No", starts_with: "C", reason: "a cancellation" }
  }.freeze
  FILE = <<~CSV
    No;Date;E-Mail;SKU;Qty;Price
    #1;2026-01-02 10:00:00;jane@example.com;T-1;2;$1.10
    #1;;;T-2;1.0;"0,80"
    C2;2026-01-02;jane@example.com;T-1;-1;1
    3;02.01.2026;nobody;T-1;1;1
    4;2026-01-02;bob@example.com;T-1;1;2
  CSV

  def setup
    @folder = Dir.mktmpdir
    @sandbox = Privy::Sandbox.new
    @client = @sandbox.client
  end

  def teardown
    FileUtils.remove_entry(@folder)
  end

  def path(name, text = nil)
    File.join(@folder, name).tap { |file| File.binwrite(file, text) if text }
  end

  def import(source = path("orders.csv", FILE), kind: :orders, map: MAP, **options)
    Privy::Import.new(kind, source: source, map: map, **options)
  end

  def test_a_file_becomes_orders
    rows = import.each_row.to_a
    assert_equal %i[ready skipped refused ready], rows.map(&:state)
    assert_equal({ "order_id" => "1", "email" => "jane@example.com", "total" => BigDecimal("3.00"), "currency" => "USD",
                   "order_date" => "2026-01-02T09:00:00Z",
                   "line_items" => [{ "sku" => "T-1", "quantity" => 2, "price" => BigDecimal("1.10") },
                                    { "sku" => "T-2", "quantity" => 1, "price" => BigDecimal("0.80") }] },
                 rows.first.fields)
    assert_equal [2, 3], rows.first.lines
    assert_includes rows.first.changes.map(&:to_a), [3, "Price", "0,80", "0.80", :amount]
    assert_equal [4, "a cancellation"], [rows[1].lines.first, rows[1].reason]
    assert_equal [[5, "E-Mail", "email", "nobody", :invalid_email]],
                 rows[2].faults.map { |fault| fault.to_a.values_at(0, 1, 2, 3, 5) }
  end

  def test_a_dry_run_sends_nothing_and_estimates_the_run
    report = import.dry_run(@client)
    assert_equal [4, 2, 1, 1, 2], report.to_h.values_at(:rows, :ready, :refused, :skipped, :requests)
    assert_equal [";", "utf-8", nil], [report.delimiter, report.encoding, report.bulk]
    assert_operator report.duration, :>=, 0
    assert_equal 0, @sandbox.counts.orders
    refute_predicate report, :ok?
    assert_nil import.dry_run.duration
  end

  def test_a_run_sends_what_is_ready_and_writes_the_rejects
    rejects = path("rejects.csv")
    report = import(rejects: rejects).run(@client)
    assert_equal [2, 2, 1], [report.bulk.succeeded, @sandbox.counts.orders, report.rejected]
    assert_equal 0o600, File.stat(rejects).mode & 0o777
    header, line = File.readlines(rejects, chomp: true)
    assert_equal "privy_line,privy_field,privy_reason,No,Date,E-Mail,SKU,Qty,Price", header
    assert_match(/\A5,email,"email: must be an e-mail address.*",3,02\.01\.2026,nobody,T-1,1,1\z/, line)
  end

  def test_corrected_rejects_can_be_imported
    rejects = path("rejects.csv")
    import(rejects: rejects).run(@client)
    File.write(rejects, File.read(rejects).sub("nobody", "jo@example.com"))
    report = import(rejects, rejects: path("again.csv")).run(@client)
    assert_equal [1, 0, []], [report.bulk.created, report.rejected, report.unused]
    assert_equal 3, @sandbox.counts.orders
    assert_empty File.read(path("again.csv"))
  end

  def test_rejects_of_rejects_have_one_reason
    rejects = path("rejects.csv")
    import(rejects: rejects).run(@client)
    import(rejects, rejects: path("again.csv")).run(@client)
    assert_equal File.read(rejects).sub("\n5,", "\n2,"), File.read(path("again.csv"))
  end

  def test_check_first_sends_nothing_if_a_row_has_a_fault
    report = import(check_first: true).run(@client)
    assert_equal [nil, 0], [report.bulk, @sandbox.counts.orders]
  end

  def test_a_journal_continues_where_a_run_ended
    journal = path("journal.db")
    assert_equal 2, import(journal: journal).run(@client).bulk.created
    again = import(journal: journal).run(@client).bulk
    assert_equal [0, 2], [again.requests, again.skipped]
  end

  def test_rows_that_the_server_refuses_are_rejects
    sandbox = Privy::Sandbox.new
    sandbox.fail(status: 422, count: 1)
    rejects = path("rejects.csv")
    report = import(rejects: rejects, concurrency: 1).run(sandbox.client)
    assert_equal 1, report.bulk.failed
    assert_equal(%w[2 3 5], File.readlines(rejects).drop(1).map { |line| line[/\A\d+/] })
  end

  def test_rejects_have_what_earlier_runs_of_the_journal_were_refused
    sandbox = Privy::Sandbox.new
    sandbox.fail(status: 422)
    options = { rejects: path("rejects.csv"), journal: path("journal.db"), concurrency: 1 }
    import(**options).run(sandbox.client)
    first = File.read(path("rejects.csv"))
    again = import(**options).run(sandbox.client)
    assert_equal [0, 2], [again.bulk.requests, again.bulk.skipped]
    assert_equal first, File.read(path("rejects.csv"))
    more = path("more.csv", FILE.sub("\n", "\n9;2026-01-02;x@example.com;T-1;1;1\n"))
    import(more, **options).run(sandbox.client)
    assert_equal(%w[3 4 6], File.readlines(path("rejects.csv")).drop(1).map { |line| line[/\A\d+/] })
  end

  def test_rejects_of_events_have_what_earlier_runs_were_refused
    sandbox = Privy::Sandbox.new
    sandbox.fail(status: 400)
    file = path("events.csv", "event_type,email,event_data.n\nx,a@example.com,1\ny,b@example.com,2\n")
    options = { kind: :events, map: nil, rejects: path("rejects.csv"), journal: path("journal.db"), concurrency: 1 }
    import(file, **options).run(sandbox.client)
    first = File.read(path("rejects.csv"))
    assert_match(/^2,.*,x,a@example\.com,1$/, first)
    assert_equal 0, import(file, **options).run(sandbox.client).bulk.requests
    assert_equal first, File.read(path("rejects.csv"))
  end

  def test_a_contact_that_exists_is_not_subscribed
    @client.contacts.create(email: "jane@example.com", email_consent: "unsubscribed")
    file = StringIO.new("email,email_consent\njane@example.com,yes\nnew@example.com,yes\n")
    import(file, kind: :contacts, map: nil).run(@client)
    assert_equal %w[subscribed unsubscribed], @client.contacts.list.map(&:email_consent).sort
  end

  def test_maps_are_read_from_files
    json = path("map.json", JSON.generate(MAP))
    yaml = path("map.yml", MAP.to_json)
    [json, Pathname(json), yaml].each { |map| assert_equal 2, import(map: map).dry_run.ready }
    invoices = File.join(__dir__, "../../examples/invoices.toml")
    rows = import(File.join(__dir__, "../../examples/data/invoices.csv"), map: invoices).dry_run
    assert_equal [12, 9, 3], [rows.rows, rows.ready, rows.refused]
    error = assert_raises(Privy::ValidationError) { import(map: path("map.toml", "\n[columns]\nemail = E-Mail\n")) }
    assert_match(/line 3 of the TOML: a value is missing, or is no text/, error.message)
    assert_raises(Privy::ValidationError) { import(map: path("bad.json", "{")) }
  end

  def test_all_faults_of_a_map_are_raised_at_once
    error = assert_raises(Privy::ValidationError) { import(map: { colums: {}, decimal: ";" }) }
    assert_equal(%w[colums decimal], error.details.map { |detail| detail[:field] })
    error = assert_raises(Privy::ValidationError) do
      import(map: { columns: { email: "Emial", order_id: "No" } }).dry_run
    end
    assert_equal(%w[columns.email columns.order_date columns.total columns.currency].sort,
                 error.details.map { |detail| detail[:field] }.sort)
    assert_raises(ArgumentError) { import(kind: :things) }
    assert_raises(TypeError) { import(5) }
  end

  def test_columns_with_the_names_of_fields_need_no_map
    source = StringIO.new("\xEF\xBB\xBFemail\ttags\tnote\na@example.com\tx, y\t-\n".b)
    report = import(source, kind: :contacts, map: nil).run(@client)
    assert_equal ["\t", ["note"]], [report.delimiter, report.unused]
    assert_equal %w[x y], @client.contacts.list.first.tags
  end

  def test_hashes_and_objects_are_rows
    person = Struct.new(:email, :first_name)
    rows = [{ email: "a@example.com" }, person.new("b@example.com", nil), { email: 5 }]
    rejects = path("rejects.jsonl")
    report = import(rows, kind: :contacts, map: nil, rejects: rejects).run(@client)
    assert_equal [2, 1], [report.bulk.created, report.refused]
    assert_equal({ "privy_line" => "3", "privy_field" => "email", "privy_reason" => "email: must be a string",
                   "email" => 5 }, JSON.parse(File.read(rejects)))
  end

  def test_hashes_by_a_map
    rows = [{ "Mail" => "a@example.com", "Since" => Time.utc(2026) },
            { Mail: "b@example.com", Points: BigDecimal("1.5") }]
    map = { columns: { email: "Mail",
                       custom_fields: { since: "Since", points: { column: "Points", convert: "amount" } } } }
    fields = import(rows, kind: :contacts, map: map).each_row.map(&:fields)
    assert_equal [{ "since" => "2026-01-01T00:00:00Z" }, { "points" => BigDecimal("1.5") }],
                 (fields.map { |row| row["custom_fields"] })
  end

  def test_a_relation_is_read_in_batches
    relation = Struct.new(:rows) do
      def each = raise("all rows at once")
      def find_each(&) = rows.each(&)
    end
    report = import(relation.new([{ email: "a@example.com" }]), kind: :contacts, map: nil).run(@client)
    assert_equal 1, report.bulk.created
  end

  def test_lines_of_json
    file = path("contacts.jsonl", "{\"email\":\"a@example.com\"}\n\nno\n[1]\n")
    rows = import(file, kind: :contacts, map: nil).each_row.to_a
    assert_equal [[1, :ready], [3, :refused], [4, :refused]], (rows.map { |row| [row.lines.first, row.state] })
    assert_equal [:not_json], rows.last.faults.map(&:code)
  end

  def test_times_of_a_zone_and_hours_that_clocks_skip
    file = "order_id,total,currency,order_date,email\n%s"
    line = "1,2,USD,2026-%s,a@example.com\n"
    { "07-01 10:00" => "08:00", "10-25 02:30" => "00:30", "03-29 02:30" => :not_a_local_time }.each do |time, expected|
      row = import(StringIO.new(format(file, format(line, time))), map: nil, timezone: "Europe/Berlin").each_row.first
      found = row.ready? ? row.fields["order_date"][11, 5] : row.faults.first.code
      assert_equal expected, found, time
    end
  end

  def test_an_exception_of_a_callback_passes_through
    core = Privy::Core::Import.new("contacts.upsert", nil, nil, nil, nil, nil, ->(*) { raise "no phones" }, nil, nil)
    core.survey("phone_number\n+1\n")
    core.end_survey
    assert_equal("no phones", assert_raises(RuntimeError) { core.feed("phone_number\n(415) 555\n8\n") }.message)
  end

  def test_a_callback_cannot_use_the_import
    core = nil
    phone = ->(*) { core.feed("x") }
    core = Privy::Core::Import.new("contacts.upsert", nil, nil, nil, nil, nil, phone, nil, nil)
    core.survey("phone_number\n")
    core.end_survey
    assert_raises(RuntimeError) { core.feed("phone_number\n(415) 555\n8\n") }
  end

  def test_inspection_shows_no_values
    row = import.each_row.to_a[2]
    texts = [row, row.faults.first, import.dry_run, import.each_row.first.changes.first]
    texts.each { |object| refute_match(/nobody|jane|1\.10/, object.inspect) }
  end
end
