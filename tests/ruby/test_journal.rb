# frozen_string_literal: true

require_relative "helper"
require_relative "rows"
require_relative "small_scheduler"
require "pathname"
require "sqlite3"
require "tmpdir"
require "weakref"

# Bulk runs with a journal: what a second run sends, how runs end, and what interrupts them.
# test_journal_kills.rb kills processes.
class TestJournal < PrivyTest
  include BothWays
  include Rows

  class Stop < StandardError; end

  def setup
    @folder = Dir.mktmpdir
    @path = File.join(@folder, "orders.db")
  end

  def teardown
    FileUtils.remove_entry(@folder)
  end

  def counted(report)
    report.to_h.values_at(:total, :succeeded, :failed, :skipped, :requests)
  end

  # A client, and a journal of so many orders that Privy has accepted.
  def journal_of(count)
    sandbox = Privy::Sandbox.new
    client = sandbox.client
    assert_predicate client.orders.upsert_many(orders(count), journal: @path).run, :ok?
    [client, sandbox]
  end

  # ---- the next run ----

  def test_a_second_run_sends_what_is_new_or_has_changed
    each_way do |client, sandbox|
      path = "#{@path}#{sandbox.object_id}"
      rows = orders(5) + [order(6, total: "much")]
      assert_equal [6, 5, 1, 0, 5], counted(client.orders.upsert_many(rows, journal: path).run)
      report = client.orders.upsert_many(rows, journal: Pathname(path)).run
      assert_equal [6, 0, 1, 5, 0], counted(report)
      assert_match(/\A0 of 6 rows succeeded .*; 1 failed; 5 skipped; 0 requests/, report.to_s)
      rows = orders(5) + [order(1, financial_status: "paid"), order(6)]
      assert_equal [7, 2, 0, 5, 2], counted(client.orders.upsert_many(rows, journal: path).run)
      assert_equal [6, 7], [sandbox.counts.orders, sandbox.counts.requests]
    end
  end

  def test_skipped_rows_in_reports_and_progress
    client, = journal_of(3)
    seen = []
    run = client.orders.upsert_many(orders(4), journal: @path, concurrency: 1, on_progress: ->(now) { seen << now })
    assert_equal [[3]], run.map { |result| [result.index] }
    assert_equal [3, 3, 1], [run.skipped, run.report.skipped, run.done]
    assert_equal [[1, 3, 4]], seen.map { |now| [now.done, now.skipped, now.total] }
    report = run.report
    assert_predicate report, :ok?
    assert_predicate report, :complete?
    assert_equal [4, 1, 3], report.deconstruct_keys(nil).values_at(:total, :succeeded, :skipped)
    assert_equal report, Marshal.load(Marshal.dump(report))
    assert_equal 3, JSON.parse(report.to_json)["skipped"]
  end

  def test_a_run_that_skips_all_rows_reports_it
    client, sandbox = journal_of(3)
    seen = []
    report = client.orders.upsert_many(orders(3), journal: @path, on_progress: ->(now) { seen << now.skipped }).run
    assert_equal [[3], 3, 3], [seen, report.skipped, sandbox.counts.requests]
  end

  def test_refused_rows_are_skipped_unless_they_change
    in_process do |client, sandbox|
      wrong = { event_type: "seen", privy_id: NOBODY }
      assert_equal [1, 0, 1, 0, 1], counted(client.events.ingest_many([wrong], journal: @path).run)
      report = client.events.ingest_many([wrong], journal: @path).run
      assert_equal [1, 0, 0, 1, 0], counted(report)
      assert_equal [1, false, true], [report.skipped_refused, report.ok?, report.complete?]
      assert_match(/; 1 skipped \(1 of them refused\);/, report.to_s)
      right = { event_type: "seen", email: JANE }
      assert_equal [1, 1, 0, 0, 1], counted(client.events.ingest_many([right], journal: @path).run)
      assert_equal 1, sandbox.counts.events
    end
  end

  def test_the_choices_of_resume
    client, sandbox = journal_of(2)
    assert_equal 2, client.orders.upsert_many(orders(2), journal: @path, resume: "only").run.skipped
    report = client.orders.upsert_many(orders(2), journal: @path, resume: :restart).run
    assert_equal [2, 2, 0, 0, 2], counted(report)
    assert_equal [2, 4], [sandbox.counts.orders, sandbox.counts.requests]
    missing = client.orders.upsert_many(orders(2), journal: "#{@path}.other", resume: :only)
    assert_equal "journal_missing", refused(Privy::JournalError) { missing.run }.code
    refute_path_exists "#{@path}.other"
  end

  def test_a_block_and_contacts_and_events
    in_process do |client, sandbox|
      seen = []
      rows = [{ email: JANE, first_name: "Jane" }]
      2.times { client.contacts.upsert_many(rows, journal: "#{@path}c") { |result| seen << result.index } }
      rows = [{ event_type: "seen", email: JANE }] * 2
      2.times { client.events.ingest_many(rows, journal: "#{@path}e") { |result| seen << result.index } }
      assert_equal [[0, 0, 1], 1, 2, 3], [seen, *sandbox.counts.to_a.values_at(1, 3, 0)]
    end
  end

  # ---- ends ----

  def test_a_spent_day
    in_process do |client, sandbox|
      sandbox.skip_waits
      sandbox.set_limits(per_day: 5)
      report = client.orders.upsert_many(orders(12), journal: @path).run
      assert_equal [Privy::RateLimitError, 5, 7], [report.stopped.class, report.succeeded, report.unsent.length]
      report = client.orders.upsert_many(orders(12), journal: @path, on_spent_day: :wait).run
      assert_equal [12, 7, 0, 5], counted(report).first(4)
      assert_predicate report, :ok?
      assert_equal 12, sandbox.counts.orders
    end
  end

  def test_until
    in_process do |client, sandbox|
      past = [Time.at(0), Time.now - 1, DateTime.now - 1, "2026-01-01T07:00:00+02:00"]
      past.each do |ends|
        report = client.orders.upsert_many(orders(3), until: ends).run
        assert_equal [Privy::DeadlineError, "until_reached", 3], [report.stopped.class, report.stopped.code,
                                                                  report.unsent.length]
      end
      assert_equal 0, sandbox.counts.requests
      error = refused(Privy::DeadlineError) { client.orders.upsert_many(orders(3), until: past.first) { flunk } }
      assert_equal "until_reached", error.code
      assert_predicate client.orders.upsert_many(orders(3), until: Time.now + 3600).run, :ok?
    end
  end

  def test_settings_are_checked_before_the_run
    client = Privy::Sandbox.new.client
    { { resume: :always, journal: @path } => /resume must be :auto or :only or :restart, not :always/,
      { on_spent_day: "never" } => /on_spent_day must be :stop or :wait, not "never"/,
      { resume: :only } => /resume: :only needs a journal/,
      { journal: "" } => /journal must be the path of a file/,
      { journal: "a\0b" } => /null byte/,
      { until: "07:00" } => /until must be ISO 8601 text with a time zone/ }.each do |wrong, sentence|
      assert_match(sentence, assert_raises(ArgumentError) { client.orders.upsert_many([], **wrong) }.message)
    end
    [{ journal: 5 }, { until: 5 }, { until: Date.new(2026, 1, 1) }].each do |wrong|
      assert_raises(TypeError) { client.orders.upsert_many([], **wrong) }
    end
  end

  # ---- interruptions ----

  # Another process sends a signal to this one every few milliseconds: its handler raises what Ctrl-C raises.
  def interrupted
    before = trap("USR1") { raise Interrupt if @signals }
    sender = Process.spawn("while kill -USR1 #{Process.pid}; do sleep 0.003; done")
    yield
  ensure
    @signals = false
    Process.kill(:KILL, sender)
    Process.wait(sender)
    trap("USR1", before)
  end

  def each_interrupted(run)
    stops = 0
    begin
      @signals = true
      run.each { flunk }
    rescue Interrupt
      stops += 1
      retry
    ensure
      @signals = false
    end
    stops
  end

  def test_skipping_can_be_interrupted_at_any_moment_and_loses_nothing
    client, sandbox = journal_of(600)
    stops = 0
    interrupted do
      3.times do
        run = client.orders.upsert_many(orders(600), journal: @path)
        stops += each_interrupted(run)
        assert_equal [600, 600, [], []], [run.taken, run.skipped, run.unsent, run.in_doubt]
      end
    end
    assert_operator stops, :>=, 3
    assert_equal 600, sandbox.counts.requests
  end

  def test_exceptions_at_each_step_while_rows_are_skipped
    client, sandbox = journal_of(5)
    %i[core_begin core_step core_add].each do |name|
      run = client.orders.upsert_many(orders(5), journal: @path)
      armed = false
      trace = TracePoint.new(:c_return) { |point| raise Stop if point.method_id == name && (armed = !armed) }
      trace.enable(target_thread: Thread.current) do
        run.each { flunk }
      rescue Stop
        assert_equal run.taken, run.skipped
        retry
      end
      assert_equal [5, 5], [run.taken, run.skipped], name
    end
    assert_equal 5, sandbox.counts.requests
  end

  # An exception ends `run`: the next execution of a job may be in the same process.
  def test_a_run_that_an_exception_leaves_releases_its_journal
    client, sandbox = journal_of(2)
    run = client.orders.upsert_many(orders(8), journal: @path, concurrency: 1)
    assert_raises(Stop) { run.run { |result| raise Stop if result.index == 4 } }
    assert_equal [8, 3, 2], [run.report.total, run.report.succeeded, run.skipped]
    assert_equal 8, run.report.then { |now| now.succeeded + now.skipped + now.unsent.length + now.in_doubt.length }
    report = client.orders.upsert_many(orders(8), journal: @path).run
    assert_predicate report, :ok?
    assert_equal 8, sandbox.counts.orders
  end

  def test_other_fibers_run_while_rows_are_skipped
    client, = journal_of(600)
    turns = 0
    report = SmallScheduler.run do
      done = false
      Fiber.schedule { (turns += 1) && sleep(0) until done }
      client.orders.upsert_many(orders(601), journal: @path).run.tap { done = true }
    end
    assert_equal [601, 1, 0, 600, 1], counted(report)
    assert_operator turns, :>=, 3
  end

  def test_rows_that_are_skipped_are_not_kept
    client, = journal_of(500)
    kept = []
    source = orders(500).lazy.map { |row| row.merge(customer_id: nil).compact.tap { |one| kept << WeakRef.new(one) } }
    run = client.orders.upsert_many(source, journal: @path)
    assert_equal [0, 500], [run.count, run.skipped]
    GC.start
    assert_operator kept.count(&:weakref_alive?), :<, 50
  end

  def test_garbage_collection_and_compaction_at_each_row
    in_process do |client, sandbox|
      collect = lambda do |_|
        GC.start
        GC.compact if GC.respond_to?(:compact)
      end
      2.times do
        rows = orders(20).lazy.map { |row| row.tap(&collect) }
        report = client.orders.upsert_many(rows, journal: @path.dup, on_progress: collect).run
        assert_equal [20, 20], [report.total, report.succeeded + report.skipped]
      end
      assert_equal 20, sandbox.counts.requests
    end
  end

  def test_in_a_ractor
    Privy.eager_load!
    experimental = Warning[:experimental]
    Warning[:experimental] = false
    found = Ractor.new(@path) do |path|
      client = Privy::Sandbox.new.client
      rows = Array.new(3) { |number| { event_type: "seen", email: "c#{number}@example.com" } }
      Array.new(2) { client.events.ingest_many(rows, journal: path, resume: :auto, on_spent_day: :wait).run.skipped }
    end.take
    assert_equal [0, 3], found
  ensure
    Warning[:experimental] = experimental
  end

  # The child has a copy of the run, which it must leave alone.
  def test_a_fork_in_the_middle
    in_process do |client, sandbox|
      run = client.orders.upsert_many(orders(10), journal: @path, concurrency: 2)
      3.times { run.next }
      child = fork do
        refused(Privy::Error) { run.next }
        run.close
        other = Privy::Sandbox.new.client.orders.upsert_many(orders(2), journal: @path)
        exit!(refused(Privy::JournalError) { other.run }.code == "journal_locked" ? 0 : 1)
      end
      assert_predicate Process.wait2(child).last, :success?
      assert_equal 7, run.count
      assert_equal [10, 10], [sandbox.counts.orders, run.report.succeeded]
      assert_equal 10, client.orders.upsert_many(orders(10), journal: @path).run.skipped
    end
  end
end
