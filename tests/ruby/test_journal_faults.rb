# frozen_string_literal: true

require_relative "helper"
require_relative "rows"
require "sqlite3"
require "tmpdir"

# Each reason for which a journal cannot be used: an error with its code, no request, and no change of the file.
class TestJournalFaults < PrivyTest
  include Rows

  def setup
    @folder = Dir.mktmpdir
    @path = File.join(@folder, "orders.db")
    @sandbox = Privy::Sandbox.new
    @client = @sandbox.client
  end

  def teardown
    FileUtils.remove_entry(@folder)
  end

  def fill(path = @path)
    assert_predicate @client.orders.upsert_many(orders(2), journal: path).run, :ok?
  end

  def bytes
    Dir.glob("#{@folder}/**/*").reject { |name| name.end_with?("-lock") || File.directory?(name) }
       .to_h { |name| [name, File.binread(name)] }
  end

  # Neither a run nor a block changes anything.
  def assert_fault(code, path: @path, client: @client, operation: :orders)
    before = [@sandbox.counts.requests, bytes]
    rows = operation == :orders ? orders(3) : [{ email: JANE }]
    error = refused(Privy::JournalError) { client.public_send(operation).upsert_many(rows, journal: path).run }
    assert_equal code, error.code
    assert_includes error.message, path
    refute_predicate error, :retryable?
    assert_raises(Privy::JournalError) { client.public_send(operation).upsert_many(rows, journal: path) { flunk } }
    assert_equal before, [@sandbox.counts.requests, bytes]
    error
  end

  def test_another_run_of_this_process
    fill
    run = @client.orders.upsert_many(orders(4), journal: @path)
    run.next
    before = @sandbox.counts.requests
    other = @client.orders.upsert_many(orders(4), journal: @path)
    error = refused(Privy::JournalError) { other.next }
    assert_equal ["journal_locked", true], [error.code, error.retryable?]
    assert_equal before, @sandbox.counts.requests
    assert_equal 1, run.count
    assert_equal 4, other.run.skipped # it could not begin, and begins now
  end

  def test_another_process
    fill
    program = <<~PROGRAM
      run = Privy::Sandbox.new.client.orders.upsert_many([{ order_id: 9, email: "a@example.com", total: 1,
        currency: "USD", order_date: "2026-05-12T00:00:00Z" }], journal: #{@path.dump})
      run.next
      puts "open"
      $stdout.flush
      $stdin.read
    PROGRAM
    command = [RbConfig.ruby, "-Ibuild/ruby/lib", "-Iruby/lib", "-rprivy", "-e", program]
    IO.popen(command, "r+", chdir: ROOT) do |other|
      assert_equal "open\n", other.gets
      assert_match(/another run or program/, refused(Privy::JournalError) do
        @client.orders.upsert_many(orders(3), journal: @path).run
      end.message)
    end
    assert_equal [1, 2], @client.orders.upsert_many(orders(3), journal: @path).run.to_h.values_at(:succeeded, :skipped)
  end

  def test_files_that_are_no_journals
    File.write(@path, "order_id,email\n1,jane@example.com\n" * 40)
    assert_fault("not_a_journal")
    File.delete(@path)
    SQLite3::Database.new(@path) { |database| database.execute("CREATE TABLE orders (id)") }
    assert_fault("not_a_journal")
    assert_fault("journal_unusable", path: File.join(@folder, "missing", "orders.db"))
    assert_fault("journal_unusable", path: @folder)
  end

  def test_a_newer_format
    fill
    SQLite3::Database.new(@path) { |database| database.execute("PRAGMA user_version = 99") }
    assert_match(/newer version/, assert_fault("journal_newer").message)
  end

  def test_another_operation_and_another_server
    fill
    assert_fault("journal_operation", operation: :contacts)
    assert_fault("journal_server", client: Privy::Client.new(base_url: "http://127.0.0.1:1", token: @sandbox.token))
  end

  def test_a_damaged_journal
    fill
    File.open(@path, "r+b") do |file|
      file.seek(4096)
      file.write("\xff".b * 4096 * 4)
    end
    FileUtils.rm_f(["#{@path}-wal", "#{@path}-shm"])
    error = refused(Privy::JournalError) { @client.orders.upsert_many(orders(3), journal: @path).run }
    assert_equal "journal_damaged", error.code
  end

  # Runs the block in a child; what it returns goes to this process. The superuser may write to any file.
  def in_child(unprivileged: false)
    reader, writer = IO.pipe
    child = fork do
      Process::Sys.setuid(65_534) if unprivileged && Process.uid.zero?
      writer.write(Marshal.dump(yield))
      exit!(0)
    end
    writer.close
    found = reader.read
    Process.wait(child)
    Marshal.load(found)
  end

  def test_a_journal_that_may_not_be_written
    fill
    File.chmod(0o444, @path)
    File.chmod(0o555, @folder)
    code = in_child(unprivileged: true) do
      Privy::Sandbox.new.client.orders.upsert_many(orders(3), journal: @path).run
    rescue Privy::JournalError => e
      e.code
    end
    assert_equal "journal_read_only", code
  ensure
    File.chmod(0o700, @folder)
  end

  # The report of a run whose disk is full after a while, and what the server has received.
  def report_of_full_disk(path, &limit)
    in_child do
      sandbox = Privy::Sandbox.new
      client = sandbox.client
      client.orders.upsert_many(orders(1), journal: path).run
      limit&.call
      report = client.orders.upsert_many(orders(200), journal: path, concurrency: 4).run
      [report.stopped.class, report.stopped&.code, report.succeeded, report.skipped, report.unsent.length,
       report.in_doubt.length, sandbox.counts.orders]
    end
  end

  def check_full(found)
    error, code, succeeded, skipped, unsent, in_doubt, stored = found
    assert_equal [Privy::JournalError, "journal_full"], [error, code]
    assert_equal [200, stored], [succeeded + skipped + unsent + in_doubt, succeeded + skipped + in_doubt]
    assert_operator succeeded, :>, 10
    assert_operator unsent, :>, 10
    succeeded + skipped
  end

  # Afterwards, with space: what was reported is skipped, but for the calls whose outcome could not be written.
  def check_rest(path, reported)
    report = @client.orders.upsert_many(orders(200), journal: path).run
    assert_predicate report, :ok?
    assert_includes (reported - 4)..(reported + 4), report.skipped
  end

  def test_a_full_disk
    reported = check_full(report_of_full_disk(@path) do
      trap("XFSZ", "IGNORE")
      Process.setrlimit(:FSIZE, 150_000, 150_000)
    end)
    check_rest(@path, reported)
  end

  def test_a_full_file_system
    mounted = File.join(@folder, "small")
    Dir.mkdir(mounted)
    skip "only the superuser mounts" unless system("mount -t tmpfs -o size=300k none #{mounted}", err: File::NULL)
    begin
      path = File.join(mounted, "orders.db")
      reported = check_full(report_of_full_disk(path))
      system("mount -o remount,size=20m #{mounted}", exception: true)
      check_rest(path, reported)
    ensure
      system("umount #{mounted}", exception: true)
    end
  end
end
