# frozen_string_literal: true

require_relative "helper"
require_relative "journal_rows"
require "open3"
require "sqlite3"
require "tmpdir"

# Bulk runs with a journal in processes that are killed (SIGKILL) at random moments, against a served sandbox that
# outlives them. A run that is repeated until it ends loses no row, records no event twice, refuses no row because of
# its own first request, repeats at most `concurrency` requests for each kill, and leaves the journal and the records
# that a run without kills leaves. PRIVY_DEEP=1 kills 200 processes.
class TestJournalKills < PrivyTest
  KILLS = ENV["PRIVY_DEEP"] == "1" ? 200 : 12
  ROWS = 60
  CONCURRENCY = 8
  PROCESS = [RbConfig.ruby, "-Ibuild/ruby/lib", "-Iruby/lib", File.join(__dir__, "journal_process.rb")].freeze
  # What may differ: ids, keys and times, and the status of a repeated request.
  DUMP = "SELECT key, nth, source_row, hex(hash), state, message, details, request FROM rows ORDER BY key, nth"

  def setup
    @server_in, @server, @process = Open3.popen2(*PROCESS, "serve", chdir: ROOT)
    @url = @server.gets.chomp
    @random = Random.new(20)
    @kills = @runs = 0
  end

  def teardown
    @server_in.close
    @process.value
    @server.close
  end

  def held
    @server_in.puts
    JSON.parse(@server.gets, symbolize_names: true)
  end

  # Runs a process; kills it after so many seconds unless it has ended. Returns its report, nil when it was killed.
  def run_process(operation, journal, after: nil)
    Open3.popen2(*PROCESS, "run", operation, ROWS.to_s, @url, journal, chdir: ROOT) do |_input, output, process|
      assert_equal "began\n", output.gets
      kill(process) if after && !process.join(after)
      killed = process.value.signaled?
      text = output.read
      @kills += 1 if killed
      assert(killed || process.value.success?)
      text.empty? ? nil : JSON.parse(text, symbolize_names: true)
    end
  end

  def kill(process)
    Process.kill(:KILL, process.pid)
  rescue Errno::ESRCH
    nil # it has ended in this moment
  end

  # The report over all runs, without what kills change.
  def overall(journal)
    Privy::Journal.open(journal) { |read| read.report.to_h.except(:runs, :killed, :requests, :seconds, :waited) }
  end

  # Runs processes until one ends by itself, and yields the journal.
  #
  # @return the reports, the dump of the journal, what the sandbox held, the kills, the report over all runs
  def finish(operation, folder, kills)
    journal = File.join(folder, "#{@runs += 1}.db")
    before = @kills
    report = nil
    loop do
      report = run_process(operation, journal, after: (@random.rand(0.09) if @kills < before + kills))
      break if report
    end
    dump = SQLite3::Database.new(journal) { |database| break database.execute(DUMP) }
    [report, dump, held, @kills - before, overall(journal)]
  end

  def check_report(report)
    assert_equal [ROWS, nil, 0], report.values_at(:total, :stopped, :open)
    assert_equal ROWS, report[:succeeded] + report[:failed] + report[:skipped]
    assert_empty report[:refused] - JournalRows.refused(ROWS)
  end

  # A request may be repeated for each kill. A contact may then take three: a look-up, a create and an update.
  def check_requests(operation, found, expected, kills)
    repeated = found[:sent].length - expected[:sent].length
    assert_includes 0..(kills * CONCURRENCY), repeated
    assert_operator found[:requests] - expected[:requests], :<=,
                    kills * CONCURRENCY * (operation == "contacts.upsert" ? 3 : 1)
    assert_equal expected[:sent].map(&:first).tally.keys.sort, found[:sent].map(&:first).tally.keys.sort
  end

  def check_events(found, expected)
    assert_equal expected[:events].tally, found[:events].tally
    # An event that is sent again has the key of its first request: so many keys as events.
    assert_equal expected[:sent].length, found[:sent].map(&:last).uniq.length if expected[:events].any?
  end

  def check(operation, result, expected)
    report, journal, found, kills = result
    check_report(report)
    assert_equal expected.last, result.last
    assert result.last[:finished]
    assert_equal [[], []], [expected[1] - journal, journal - expected[1]]
    assert_equal expected[1].length, journal.length
    check_requests(operation, found, expected[2], kills)
    check_events(found, expected[2])
    %i[contacts orders].each { |name| assert_equal expected[2][name].sort_by(&:to_s), found[name].sort_by(&:to_s) }
  end

  def check_without_kills(operation, expected)
    report, journal, found, kills = expected
    assert_equal [JournalRows.refused(ROWS), 0], [report[:refused].sort, kills]
    assert_equal JournalRows.sent(ROWS).length, found[:sent].length
    refused = journal.select { |row| %w[refused invalid].include?(row[4]) }
    assert_equal JournalRows.refused(ROWS).length, refused.length, operation
  end

  def test_a_killed_run_continues_exactly
    Dir.mktmpdir do |folder|
      JournalRows::METHODS.each_key.with_index(1) do |operation, number|
        expected = finish(operation, folder, 0)
        check_without_kills(operation, expected)
        check(operation, finish(operation, folder, 4), expected) until @kills >= KILLS * number / 3
      end
    end
    assert_operator @kills, :>=, KILLS
    puts "#{@kills} kills"
  end

  # Each process plans again: what an earlier one has created is there, and is not sent again.
  def test_a_killed_apply_continues_exactly
    Dir.mktmpdir do |folder|
      _report, _journal, expected, = finish("plan", folder, 0)
      until @kills >= KILLS / 3
        report, _journal, found, kills = finish("plan", folder, 4)
        assert_nil report[:stopped]
        assert_equal expected[:contacts].sort_by(&:to_s), found[:contacts].sort_by(&:to_s)
        assert_includes expected[:writes]..(expected[:writes] + (kills * CONCURRENCY)), found[:writes]
      end
    end
  end
end
