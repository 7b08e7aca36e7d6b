# frozen_string_literal: true

require_relative "helper"
require "csv"
require "fileutils"
require "open3"
require "tmpdir"

# Reading a journal: Privy::Journal.
class TestJournalView < PrivyTest
  ROWS = [
    ORDER.merge(order_id: 1),
    ORDER.merge(order_id: -2, email: "no address", line_items: [{ sku: 5 }]),
    ORDER.merge(order_id: 3)
  ].freeze
  START = 1_778_580_000

  def setup
    @folder = Dir.mktmpdir
    @path = File.join(@folder, "orders.db")
  end

  def teardown
    @journal&.close
    FileUtils.remove_entry(@folder)
  end

  # The journal of a run of which one row is invalid and another is refused by the server.
  def orders
    sandbox = Privy::Sandbox.new
    sandbox.fail(status: 422, skip: 1)
    sandbox.client.orders.upsert_many(ROWS, journal: @path, concurrency: 1).run
    @journal = Privy::Journal.new(@path)
  end

  # The server processes the second event, and its response is lost.
  def lose_an_event(sandbox)
    client = sandbox.client(max_retries: 0)
    rows = Array.new(2) { |n| { event_type: "seen", email: JANE, event_data: { n: n } } }
    sandbox.fail(drop: true, skip: 1)
    client.events.ingest_many(rows, journal: @path, concurrency: 1).run
    @journal = Privy::Journal.new(@path)
    [client, rows]
  end

  def fault(&)
    assert_raises(Privy::JournalError, &).code
  end

  def test_it_counts_and_reports
    assert_equal ["orders.upsert", "sandbox", false], [orders.operation, @journal.server, @journal.account_known?]
    assert_equal({ created: 1, refused: 1, invalid: 1 }, @journal.counts.select { |_, count| count.positive? })
    assert_equal [3, true, @path], [@journal.size, @journal.finished?, @journal.path]
    assert_predicate @journal.began, :utc?
    report = @journal.report
    assert_equal [3, 1, 1, 0, 2, 0, 0], report.to_a.first(7)
    assert_equal [1, 0, 2, nil, true], [report.runs, report.killed, report.requests, report.stopped, report.sandbox?]
    assert_predicate report, :finished?
    refute_predicate report, :ok?
    assert_match(/\A1 of 3 rows succeeded \(1 created, 0 updated\); 2 failed; 2 requests in \d/, report.to_s)
    assert_equal 3, JSON.parse(report.to_json)["total"]
  end

  def test_refused_rows_are_entries
    entries = orders.refused.to_a
    sent, invalid = entries.partition(&:status)
    assert_equal 4, @journal.refused.size
    assert_equal [[2, "order_id=3", "base", 422]], sent.map { |entry|
                                                     [entry.row, entry.key, entry.field, entry.status]
                                                   }
    assert_equal 3, sent.first.request["order_id"]
    assert_equal({ "order_id" => -2, "email" => "no address", "line_items[0].sku" => 5 },
                 invalid.to_h { |entry| [entry.field, entry.value] })
    assert_equal [[1, "order_id=-2"]], invalid.map { |entry| [entry.row, entry.key] }.uniq
    assert_equal "no address", invalid.first.request["email"]
    assert(invalid.all? { |entry| entry.code.is_a?(Symbol) && !entry.message.empty? })
    assert_equal entries.first(2), @journal.refused.lazy.first(2)
    assert_equal entries, @journal.refused.each.to_a
    refute_predicate @journal.refused, :empty?
  end

  def test_what_it_shows_has_no_personal_data
    texts = [orders.inspect, @journal.report.inspect, @journal.refused.inspect, @journal.refused.to_a.inspect]
    File.delete(@path)
    lose_an_event(Privy::Sandbox.new)
    texts << @journal.in_doubt.to_a.inspect << @journal.in_doubt.inspect
    texts.each { |text| refute_match(/jane|no address|order_id=|content=/, text) }
  end

  def test_a_decision_to_send
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(Time.at(START))
    client, rows = lose_an_event(sandbox)
    entry = @journal.in_doubt.first
    assert_equal [1, false, true, 32], [entry.row, entry.decided?, entry.too_old?, entry.idempotency_key.length]
    assert_in_delta START, entry.first_sent.to_f, 60
    assert_equal({ "n" => 1 }, entry.request["event_data"])
    sandbox.advance(90_000)
    assert_equal 1, client.events.ingest_many(rows, journal: @path).run.failed
    assert_equal 1, @journal.decide(entry, :send)
    assert_predicate @journal.in_doubt.first, :decided?
    assert_equal 1, client.events.ingest_many(rows, journal: @path).run.succeeded
    assert_equal [0, 2, true], [@journal.in_doubt.size, @journal.counts[:done], @journal.finished?]
    assert_equal 3, sandbox.requests.length
  end

  def test_a_decision_to_skip
    sandbox = Privy::Sandbox.new
    client, rows = lose_an_event(sandbox)
    assert_equal 1, @journal.decide(@journal.in_doubt.first.key, :skip)
    assert_equal 2, client.events.ingest_many(rows, journal: @path).run.skipped
    assert_predicate @journal.report, :ok?
    assert_equal("journal_not_in_doubt", fault { @journal.decide(1, :send) })
    assert_equal 2, sandbox.requests.length
  end

  def test_bad_decisions
    orders
    assert_match(/:send or :skip, not :again/, assert_raises(ArgumentError) { @journal.decide(1, :again) }.message)
    [-1, 1.5, nil].each { |row| assert_raises(ArgumentError) { @journal.decide(row, :send) } }
  end

  def test_a_run_locks_decisions_out_but_not_readers
    run = Privy::Sandbox.new.client.orders.upsert_many(ROWS, journal: @path, concurrency: 1)
    run.next
    @journal = Privy::Journal.new(@path)
    assert_operator @journal.size, :>=, 1
    assert_equal [1, false], [@journal.report.killed, @journal.finished?]
    assert_equal("journal_locked", fault { @journal.decide(0, :send) })
    run.close
    assert_equal "the run was closed", @journal.report.stopped
  end

  def test_a_source_that_fails_leaves_it_unfinished
    rows = Enumerator.new do |out|
      out << ROWS[0]
      raise IOError, "the disk is gone"
    end
    assert_raises(IOError) { Privy::Sandbox.new.client.orders.upsert_many(rows, journal: @path).run }
    @journal = Privy::Journal.new(@path)
    assert_equal [false, "the source of the rows failed"], [@journal.finished?, @journal.report.stopped]
  end

  def test_rejects_can_be_imported_again
    rejects = File.join(@folder, "rejects.csv")
    assert_equal 2, orders.rejects_csv(rejects)
    assert_equal 0o600, File.stat(rejects).mode & 0o777
    lines = CSV.read(rejects, headers: true, encoding: "UTF-8")
    invalid = lines.find { |line| line["order_id"] == "-2" }
    assert_equal %w[email line_items[0].sku order_id], invalid["privy_field"].split("; ").sort
    assert_includes invalid["privy_reason"], "email must be"
    assert_equal '[{"sku":5}]', invalid["line_items"]
    invalid["order_id"] = "2"
    invalid["email"] = "joe@example.com"
    invalid["line_items"] = nil
    again = lines.map { |line| line.to_h.compact.reject { |name, _| name.start_with?("privy_") } }
    assert_predicate Privy::Sandbox.new.client.orders.upsert_many(again).run, :ok?
  end

  def test_rejects_as_lines_of_json
    rejects = File.join(@folder, "rejects.jsonl")
    assert_equal 2, orders.rejects_jsonl(rejects)
    invalid = File.readlines(rejects).map { |line| JSON.parse(line) }.find { |line| line["order_id"] == -2 }
    assert_equal [{ "sku" => 5 }], invalid["line_items"]
    assert_includes invalid["privy_reason"], "email must be"
  end

  def test_rejects_that_cannot_be_written
    assert_raises(Errno::ENOENT) { orders.rejects_csv(File.join(@folder, "missing/rejects.csv")) }
    assert_match(/the journal itself/, assert_raises(Privy::Error) { @journal.rejects_csv(@path) }.message)
    assert_equal 3, @journal.size
  end

  def test_what_is_not_a_journal
    assert_equal("journal_missing", fault { Privy::Journal.new(@path) })
    refute_path_exists @path
    File.write(@path, "order_id\n" * 99)
    assert_equal("not_a_journal", fault { Privy::Journal.open(@path) { flunk } })
  end

  def test_open_closes_it
    orders
    entries = Privy::Journal.open(@path) do |journal|
      reader = journal.refused.each
      reader.next
      journal.close
      assert_predicate journal, :closed?
      assert_raises(IOError) { journal.report }
      reader
    end
    3.times { entries.next } # an iteration that has begun comes to its end
    assert_raises(StopIteration) { entries.next }
  end

  def test_another_process_reads_it
    orders
    code = "puts Privy::Journal.open(ARGV[0]) { |journal| journal.report.total }"
    out, status = Open3.capture2(RbConfig.ruby, *$LOAD_PATH.map { |path| "-I#{path}" }, "-rprivy", "-e", code, @path)
    assert_predicate status, :success?
    assert_equal "3\n", out
  end

  def test_the_child_of_a_fork_opens_its_own
    orders
    reader, writer = IO.pipe
    child = fork do
      reader.close
      code = begin
        @journal.size
      rescue Privy::JournalError => e
        e.code
      end
      writer.puts(code, Privy::Journal.new(@path).size)
      writer.close
      exit!(0)
    end
    writer.close
    Process.wait(child)
    assert_equal "journal_forked\n3\n", reader.read
    assert_equal 3, @journal.size
  end

  def test_it_is_not_marshalled
    assert_raises(TypeError) { Marshal.dump(orders) }
    assert_equal @journal.report, Marshal.load(Marshal.dump(@journal.report))
  end
end
