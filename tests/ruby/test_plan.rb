# frozen_string_literal: true

require_relative "helper"
require_relative "small_scheduler"
require "pathname"
require "tmpdir"

# Plans: what rows of contacts would change, and sending only that.
class TestPlan < PrivyTest
  include BothWays

  class Stop < StandardError; end

  def contact(number, **fields)
    { email: "c#{number}@example.com", first_name: "N#{number}" }.merge(fields)
  end

  def contacts(count)
    Array.new(count) { |number| contact(number) }
  end

  def fill(client, rows)
    assert_predicate client.contacts.upsert_many(rows).run, :ok?
  end

  # ---- the figure ----

  # Ten thousand contacts of which one of twenty differs: naive upserts take two requests each.
  def test_requests_of_a_nightly_sync
    in_process do |client, sandbox|
      rows = contacts(10_000)
      fill(client, rows)
      sandbox.advance(3600)
      before = sandbox.counts.requests
      changed = rows.map.with_index { |row, index| (index % 20).zero? ? row.merge(first_name: "new") : row }
      plan = client.contacts.plan(changed)
      assert_equal [0, 500, 9_500, 0], [plan.create, plan.update, plan.unchanged, plan.blocked].map(&:size)
      assert_predicate plan.apply, :ok?
      requests = sandbox.counts.requests - before
      assert_equal [plan.requests_read + 500, 500], [requests, plan.requests]
      assert_operator requests, :<=, 610
      puts "10,000 contacts, 500 differ: #{requests} requests"
      assert(changed.all? { |row| sandbox.contacts[row[:email]].first_name == row[:first_name] })
    end
  end

  # By the date of a response it is open whether these contacts changed before it or after it.
  def test_requests_of_a_sync_just_after_an_import
    in_process do |client, sandbox|
      rows = contacts(10_000)
      fill(client, rows)
      [0, 5_000, 9_999].each { |number| client.contacts.upsert(**contact(number, last_name: "Doe")) }
      before = sandbox.counts.requests
      plan = client.contacts.plan(rows.map.with_index { |row, i| (i % 20).zero? ? row.merge(first_name: "new") : row })
      assert_equal [500, 9_500], [plan.update, plan.unchanged].map(&:size)
      assert_equal plan.requests_read, sandbox.counts.requests - before
      assert_operator plan.requests_read, :<=, 108
      assert_predicate plan.apply, :ok?
      assert_operator sandbox.counts.requests - before, :<=, 610
    end
  end

  # ---- kinds of rows ----

  def test_rows_of_each_kind
    each_way do |client, sandbox|
      fill(client, [contact(1, tags: %w[a b]), contact(2), contact(3), contact(4, phone_number: PHONE)])
      gone = client.contacts.list(email: "c3@example.com").sole
      client.contacts.update(gone.id, email_consent: :unsubscribed)
      rows = [contact(1, tags: %w[b a]), contact(2, first_name: "Jane", tags: %w[new]),
              contact(3, email_consent: :subscribed), contact(4, phone_number: "+14155550199"), contact(5),
              { email: "no address", tags: [1] }, 7]
      before = sandbox.counts.requests
      plan = client.contacts.plan(rows)
      assert_equal [7, 2, plan.requests_read], [plan.size, plan.requests, sandbox.counts.requests - before]
      assert_equal [[4], [0], [2, 3]], [plan.create, plan.unchanged, plan.blocked].map { |kind| kind.map(&:index) }
      assert_equal [["email", "tags[0]", "base"], [5, 5, 6]], [plan.refused.map(&:field), plan.refused.map(&:index)]
      check_update(plan.update.first, client)
      assert_equal %i[resubscribes immutable], plan.blocked.flat_map { |row| row.reasons.map { |one| one[:code] } }
      assert_equal %w[unsubscribed subscribed], plan.blocked.first.changes.fetch("email_consent")
      check_applied(plan, client)
    end
  end

  def check_update(row, client)
    id = client.contacts.list(email: "c2@example.com").sole.id
    changes = { "first_name" => %w[N2 Jane], "tags" => [[], %w[new]] }
    assert_equal [1, :update, "c2@example.com", id, changes, []], row.to_h.values
    assert_predicate row, :frozen?
    refute_match(/Jane|c2@/, row.inspect)
    assert_equal row, Marshal.load(Marshal.dump(row))
    assert_equal changes, JSON.parse(row.to_json)["changes"]
  end

  def check_applied(plan, client)
    seen = []
    report = plan.apply { |result| seen << [result.index, result.row[:email], result.value.first_name] }
    assert_equal [[1, "c2@example.com", "Jane"], [4, "c5@example.com", "N5"]], seen.sort
    assert_equal [2, 1, 1, 2], report.to_h.values_at(:total, :created, :updated, :requests)
    assert_equal report, plan.report
    assert_equal "unsubscribed", client.contacts.list(email: "c3@example.com").sole.email_consent
    assert_match(/was applied/, refused(Privy::Error) { plan.apply }.message)
    assert_equal report, plan.report
  end

  def test_merging_and_resubscribing
    in_process do |client, sandbox|
      fill(client, [contact(1, tags: %w[a], custom_fields: { size: 39, plan: "pro" }, email_consent: :unsubscribed)])
      row = contact(1, tags: %w[b], custom_fields: { plan: nil }, email_consent: :subscribed)
      plan = client.contacts.plan([row], tags: :merge, custom_fields: "merge", resubscribe: true)
      assert_equal [%w[a], %w[a b]], plan.update.first.changes["tags"]
      assert_predicate plan.apply, :ok?
      stored = sandbox.contacts["c1@example.com"]
      assert_equal [%w[a b], { "size" => 39, "plan" => nil }, "subscribed"],
                   [stored.tags, stored.custom_fields, stored.email_consent]
      plan = client.contacts.plan([row], resubscribe: true)
      assert_equal [%w[a b], %w[b]], plan.update.first.changes["tags"]
      assert_equal 1, client.contacts.plan([row], tags: :merge, custom_fields: :merge).unchanged.size
    end
  end

  def test_nulls_objects_and_extra
    in_process do |client, _sandbox|
      fill(client, [contact(1)])
      row = Struct.new(:email, :first_name, :last_name)
      rows = [row.new("c1@example.com", "N1", nil)].lazy
      assert_equal 1, client.contacts.plan(rows).unchanged.size
      assert_equal 1, client.contacts.plan([contact(1, last_name: nil)], nulls: :omit).unchanged.size
      plan = client.contacts.plan([contact(1)], extra: { "later" => { "x" => 1 } })
      assert_equal [nil, { "x" => 1 }], plan.update.first.changes["later"]
    end
  end

  # ---- texts ----

  def test_texts
    in_process do |client, _sandbox|
      fill(client, contacts(8))
      plan = client.contacts.plan(contacts(8).map { |row| row.merge(last_name: "Doe") } + [{ email: "no" }])
      assert_match(/\A9 rows: 0 create, 8 update, 0 unchanged, 0 blocked, 1 refused\n8 requests to apply/, plan.to_s)
      assert_includes plan.to_s, %(row 0 c***@example.com: last_name: null → "Doe")
      assert_includes plan.to_s, "… and 3 more"
      assert_equal "#<Privy::Plan sandbox 9 rows: 0 create, 8 update, 0 unchanged, 0 blocked, 1 refused>", plan.inspect
      assert_raises(TypeError) { Marshal.dump(plan) }
      assert_equal plan.inspect, JSON.parse(JSON.generate([plan])).first
      assert_raises(NoMethodError, TypeError) { plan.dup }
      rows = plan.update
      assert_equal ["#<Privy::PlanRows 8 rows>", 8, nil, 7], [rows.inspect, rows.each.size, rows[8], rows[-1].index]
      assert_equal [rows.last, true], [rows[7], plan.create.empty?]
      assert_in_delta Time.now.to_f, plan.read_at.to_f, 60
      assert_equal [0.0, false, nil], [plan.duration, plan.from_snapshot?, plan.report]
    end
  end

  def test_duration_by_the_rate_limits
    in_process do |client, sandbox|
      fill(client, contacts(130))
      sandbox.set_limits(per_minute: 60, per_day: 10_000)
      plan = client.contacts.plan(contacts(130).map { |row| row.merge(last_name: "Doe") })
      assert_includes 60..180, plan.duration
      assert_match(/130 requests to apply, in \d min/, plan.to_s)
    end
  end

  # ---- settings ----

  def test_settings_are_checked
    in_process do |client, sandbox|
      { { tags: :add } => [Privy::Error, /tags must be "replace" or "merge"/],
        { custom_fields: nil } => [Privy::Error, /custom_fields must be/],
        { nulls: :never } => [ArgumentError, /nulls must be/],
        { on_spent_day: :never } => [ArgumentError, /on_spent_day must be/],
        { max_age: 5 } => [Privy::Error, /max_age needs a snapshot/], { max_age: "5" } => [TypeError, /max_age/],
        { snapshot: 5 } => [TypeError, //], { on_progress: 5 } => [TypeError, /on_progress/],
        { concurrency: 0 } => [Privy::Error, /concurrency/], { timeout: -1 } => [Privy::Error, /timeout/],
        { extra_headers: { "Authorization" => "x" } } => [Privy::ValidationError, //] }.each do |wrong, (error, text)|
        assert_match(text, assert_raises(error, wrong.to_s) { client.contacts.plan([], **wrong) }.message)
      end
      assert_raises(TypeError) { client.contacts.plan({ email: JANE }) }
      plan = client.contacts.plan([])
      assert_equal [0, 0], [plan.size, sandbox.counts.requests]
      assert_predicate plan.apply, :ok?
      { journal: 5, until: 5 }.each { |name, value| assert_raises(TypeError) { plan.apply(name => value) } }
    end
  end

  # ---- ends and interruptions ----

  def test_errors_of_the_reading_are_raised
    each_way do |client, sandbox|
      sandbox.set_limits(per_day: 1)
      limited = sandbox.client
      fill(limited, contacts(1))
      refused(Privy::RateLimitError) { limited.contacts.plan(contacts(3)) }
      sandbox.set_limits(per_day: 100)
      sandbox.fail(status: 403, count: 0) # last: a server may count requests of a reading that has ended
      refused(Privy::PermissionDeniedError) { client.contacts.plan(contacts(3)) }
    end
  end

  def test_an_exception_ends_the_reading
    served do |client, sandbox|
      fill(client, contacts(3))
      sandbox.fail(delay: 60, count: 1)
      seconds = elapsed do
        assert_raises(Timeout::Error) { Timeout.timeout(0.2) { client.contacts.plan(contacts(3)) } }
      end
      assert_operator seconds, :<, PROMPT
      source = Enumerator.new { |rows| (rows << contact(1)) && raise(Stop, "no more") }
      assert_raises(Stop) { client.contacts.plan(source) }
      sandbox.clear_faults
      assert_equal 3, client.contacts.plan(contacts(3)).unchanged.size
    end
  end

  def test_a_source_that_another_thread_interrupts_makes_no_row_invalid
    in_process do |client, _sandbox|
      main = Thread.current
      slow = Class.new(Hash) { define_method(:to_hash) { sleep(0.01) && self } }
      rows = Array.new(50) { |number| slow[:email, "c#{number}@example.com"] }
      Thread.new { sleep(0.05) && main.raise(Stop) }
      assert_raises(Stop) { client.contacts.plan(rows.lazy.map { |row| sleep(0.01) && row }) }
    end
  end

  def test_an_interrupted_apply_knows_what_it_did
    in_process do |client, sandbox|
      plan = client.contacts.plan(contacts(20))
      assert_raises(Stop) { plan.apply(concurrency: 1) { |result| raise Stop if result.index == 4 } }
      report = plan.report
      assert_equal [20, 5], report.to_h.values_at(:total, :succeeded)
      assert_equal 15, report.unsent.length + report.in_doubt.length
      assert_equal contact(10), report.unsent.to_h.fetch(10)
      plan = client.contacts.plan(contacts(20))
      assert_operator plan.create.size, :<=, 15
      assert_predicate plan.apply, :ok?
      assert_equal 20, sandbox.counts.contacts
    end
  end

  def test_a_journal_and_an_end
    Dir.mktmpdir do |folder|
      in_process do |client, sandbox|
        path = File.join(folder, "contacts.db")
        plan = client.contacts.plan(contacts(6))
        report = plan.apply(journal: path, until: Time.now - 1)
        assert_equal [Privy::DeadlineError, 6], [report.stopped.class, report.unsent.length]
        assert_predicate client.contacts.plan(contacts(6)).apply(journal: path), :ok?
        assert_equal 0, client.contacts.plan(contacts(6)).requests
        assert_predicate client.contacts.plan(contacts(7)).apply(journal: path, resume: :only), :ok?
        assert_equal "journal_operation",
                     refused(Privy::JournalError) { client.contacts.upsert_many(contacts(1), journal: path).run }.code
        assert_equal 7, sandbox.counts.contacts
      end
    end
  end

  # Plans that were applied do not keep it, also while the program keeps them.
  def test_a_snapshot
    Dir.mktmpdir do |folder|
      in_process do |client, sandbox|
        path = Pathname(File.join(folder, "contacts.db"))
        fill(client, contacts(120))
        sandbox.advance(60)
        plans = Array.new(3) do |turn|
          rows = contacts(110).map { |row| row.merge(last_name: "Doe #{turn}") }
          client.contacts.plan(rows, snapshot: path, max_age: 3600).tap { |plan| assert_equal 110, plan.apply.requests }
        end
        assert_equal [[2, false], [0, true], [0, true]], plans.map { |plan| [plan.requests_read, plan.from_snapshot?] }
        assert_equal 0o600, path.stat.mode & 0o777
        File.write(path, "no database" * 1000)
        error = refused(Privy::SnapshotError) { client.contacts.plan(contacts(110), snapshot: path) }
        assert_equal "not_a_snapshot", error.code
      end
    end
  end

  def test_progress
    in_process do |client, _sandbox|
      fill(client, contacts(250))
      read = []
      sent = []
      rows = contacts(250).map { |row| row.merge(last_name: "Doe") }
      plan = client.contacts.plan(rows, on_progress: ->(now) { read << now })
      assert_equal [plan.requests_read, 0, plan.requests_read], read.last.to_h.values_at(:done, :failed, :total)
      plan.apply(on_progress: ->(now) { sent << now })
      assert_equal [250, 250], sent.last.to_h.values_at(:done, :total)
    end
  end

  def test_fibers
    served do |client, _sandbox|
      found = SmallScheduler.run do
        fill(client, contacts(30))
        plan = client.contacts.plan(contacts(40))
        [plan.unchanged.size, plan.create.size, plan.apply.created]
      end
      assert_equal [30, 10, 10], found
    end
  end

  def test_in_a_ractor
    Privy.eager_load!
    experimental = Warning[:experimental]
    Warning[:experimental] = false
    found = Ractor.new do
      client = Privy::Sandbox.new.client
      plan = client.contacts.plan([{ email: "jane@example.com" }, { email: "no" }])
      [plan.create.size, plan.refused.size, plan.apply.created]
    end.take
    assert_equal [1, 1, 1], found
  ensure
    Warning[:experimental] = experimental
  end

  # Plans and groups may be collected in any order, also while they read.
  def test_garbage_collection
    served do |client, sandbox|
      fill(client, contacts(5))
      GC.stress = true
      client.contacts.plan(contacts(2)).update.to_a
      GC.stress = false
      sandbox.fail(delay: 60, count: 0)
      20.times do
        assert_raises(Timeout::Error) { Timeout.timeout(0.01) { client.contacts.plan(contacts(2)) } }
        GC.start
        GC.compact if GC.respond_to?(:compact)
      end
      sandbox.clear_faults
      kept = Array.new(5) { client.contacts.plan(contacts(6)).create }
      GC.start
      assert_equal [5] * 5, kept.map { |rows| rows.first.index }
    end
  ensure
    GC.stress = false
  end

  def test_a_fork
    served do |client, sandbox|
      fill(client, contacts(3))
      plan = client.contacts.plan(contacts(4))
      child = fork { exit!(plan.create.size == 1 && plan.to_s.include?("1 create") ? 0 : 1) }
      assert_predicate Process.wait2(child).last, :success?
      assert_equal 1, plan.apply.created
      assert_equal 4, sandbox.counts.contacts
    end
  end
end
