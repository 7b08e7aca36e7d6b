# frozen_string_literal: true

require_relative "helper"
require_relative "small_scheduler"
require "csv"
require "fiddle"
require "json"
require "pathname"
require "sqlite3"
require "tmpdir"

# Contacts#export: what the files hold, and exports that are interrupted.
class TestExport < PrivyTest
  CONTACTS = 730
  KILLED = <<~RUBY
    require "privy"

    url, path, pages, signal = ARGV
    seen = 0
    report = ->(_) { Process.kill(signal, Process.pid) if (seen += 1) == pages.to_i }
    Privy::Client.new(token: Privy::Sandbox::TOKEN, base_url: url).contacts.export(path, on_progress: report)
  RUBY

  class Stop < StandardError; end

  def setup
    @folder = Dir.mktmpdir
    @sandbox = Privy::Sandbox.new
    @sandbox.seed("shop", contacts: CONTACTS)
    @sandbox.advance(3600)
    @client = @sandbox.client
    @emails = @sandbox.contacts.map { |contact| contact.email.to_s }.sort
  end

  def teardown
    @client.close
    FileUtils.remove_entry(@folder)
  end

  def path_of(name)
    File.join(@folder, name)
  end

  # The e-mail addresses of a file.
  def read(path)
    found = case File.extname(path)
            when ".csv" then CSV.read(path, headers: true).map { |row| row["email"] }
            when ".jsonl" then File.readlines(path).map { |line| JSON.parse(line)["email"] }
            else SQLite3::Database.new(path).execute("SELECT email FROM contacts").flatten
            end
    found.map(&:to_s).sort
  end

  def stops_at(contacts)
    ->(progress) { raise Stop if progress.done >= contacts }
  end

  def requests
    @sandbox.counts.requests
  end

  def test_a_file_has_all_contacts
    %w[c.csv c.jsonl c.db].each do |name|
      before = requests
      report = @client.contacts.export(Pathname(path_of(name)))
      assert_equal @emails, read(path_of(name))
      assert_equal [path_of(name), CONTACTS, 8, false], report.to_h.values_at(:path, :contacts, :requests, :resumed)
      assert_equal 8, requests - before
      refute_predicate report, :resumed?
      assert_kind_of Time, report.began_at
      assert_predicate report, :frozen?
      assert_equal 0o600, File.stat(path_of(name)).mode & 0o777
    end
    assert_equal %w[c.csv c.db c.jsonl], Dir.children(@folder).sort
  end

  def test_filters
    report = @client.contacts.export(path_of("c.jsonl"), email_consent: :subscribed)
    assert_equal @client.contacts.list(email_consent: :subscribed).total_count, report.contacts
    error = assert_raises(Privy::ValidationError) { @client.contacts.export(path_of("d.csv"), sms_consent: "perhaps") }
    assert_match(/sms_consent/, error.message)
    assert_equal ["c.jsonl"], Dir.children(@folder)
  end

  def test_settings_are_checked_before_a_request
    [["c.txt", {}, Privy::Error], ["c.csv", { format: :xlsx }, Privy::Error], [".", { format: :csv }, Privy::Error],
     ["missing/c.csv", {}, Privy::SnapshotError], ["c.csv", { resume: :maybe }, ArgumentError],
     ["c.csv", { resume: :only }, Privy::SnapshotError], ["c.csv", { on_spent_day: :never }, ArgumentError],
     ["c.csv", { max_wait: -1 }, Privy::Error], ["c.csv", { on_progress: 5 }, TypeError],
     ["c.parquet", {}, LoadError]].each do |name, settings, error|
      assert_raises(error) { @client.contacts.export(path_of(name), **settings) }
    end
    assert_raises(TypeError) { @client.contacts.export(5) }
    assert_raises(TypeError) { @client.contacts.export(nil) }
    assert_raises(ArgumentError) { @client.contacts.export("") }
    assert_equal 0, requests
    assert_empty Dir.children(@folder)
  end

  def test_an_export_that_was_stopped_continues
    path = path_of("c.csv")
    [200, 500].each do |contacts|
      assert_raises(Stop) { @client.contacts.export(path, on_progress: stops_at(contacts)) }
      refute_path_exists path
      assert_equal 0o600, File.stat("#{path}.partial").mode & 0o777
    end
    report = @client.contacts.export(path, resume: :only)
    assert_predicate report, :resumed?
    assert_equal [CONTACTS, 8], [report.contacts, requests]
    assert_equal @emails, read(path)
    assert_equal ["c.csv"], Dir.children(@folder)
  end

  def test_restart_reads_again
    path = path_of("c.jsonl")
    assert_raises(Stop) { @client.contacts.export(path, on_progress: stops_at(500)) }
    error = assert_raises(Privy::SnapshotError) { @client.contacts.export(path, sms_consent: :subscribed) }
    assert_equal "snapshot_filter", error.code
    refute_predicate @client.contacts.export(path, sms_consent: :subscribed, resume: "restart"), :resumed?
  end

  # Contacts that were read are deleted while the export is interrupted: all later ones move forward.
  def test_deleted_contacts_do_not_hide_others
    path = path_of("c.jsonl")
    assert_raises(Stop) { @client.contacts.export(path, on_progress: stops_at(500)) }
    @client.contacts.list.first(20).each { |contact| @client.contacts.delete(contact.id) }
    left = @client.contacts.list.map(&:id)
    @client.contacts.export(path)
    assert_empty left - File.readlines(path).map { |line| JSON.parse(line)["id"] }
  end

  def test_a_spent_day_keeps_what_was_read
    @sandbox.set_limits(per_minute: 60, per_day: 3)
    assert_raises(Privy::RateLimitError) { @client.contacts.export(path_of("c.csv")) }
    @sandbox.advance(86_400)
    @sandbox.set_limits(per_minute: 60, per_day: 1000)
    assert_predicate @client.contacts.export(path_of("c.csv")), :resumed?
    assert_equal @emails, read(path_of("c.csv"))
  end

  def test_an_export_that_was_killed_continues_exactly
    server = Privy::Sandbox::Server.new(@sandbox, port: 0).start
    %w[c.csv c.db].each do |name|
      before = requests
      kills = [1, 2, 3, 9, 1, 100].take_while { |pages| killed?(server.url, path_of(name), pages, "KILL") }.length
      assert_operator kills, :>=, 3
      assert_equal @emails, read(path_of(name))
      assert_operator requests - before, :<=, 8 + kills
    end
    assert_equal %w[c.csv c.db], Dir.children(@folder).sort
  ensure
    server&.stop
  end

  def test_ctrl_c_keeps_what_was_read
    server = Privy::Sandbox::Server.new(@sandbox, port: 0).start
    assert killed?(server.url, path_of("c.csv"), 3, "INT")
    client = Privy::Client.new(token: Privy::Sandbox::TOKEN, base_url: server.url)
    assert_predicate client.contacts.export(path_of("c.csv")), :resumed?
    assert_equal @emails, read(path_of("c.csv"))
    assert_equal 8, requests
  ensure
    client&.close
    server&.stop
  end

  # Whether the process was killed at that report of its progress, and left no file.
  def killed?(url, path, pages, signal)
    arguments = ["-Ibuild/ruby/lib", "-Iruby/lib", "-e", KILLED, url, path, pages.to_s, signal]
    pid = Process.spawn(RbConfig.ruby, *arguments, chdir: File.expand_path("../..", __dir__), err: File::NULL)
    _, status = Process.wait2(pid)
    return false if status.success?

    assert_equal Signal.list[signal], status.termsig
    refute_path_exists path
    true
  end

  def test_fibers_run_meanwhile
    turns = 0
    Thread.new do
      Fiber.set_scheduler(SmallScheduler.new)
      Fiber.schedule { @client.contacts.export(path_of("c.csv")) }
      Fiber.schedule { 5.times { turns += 1 and sleep(0.001) } }
    end.join
    assert_equal [5, @emails], [turns, read(path_of("c.csv"))]
  end

  # polars-df takes the address of an Arrow stream. This one reads its schema and one batch, as polars-df does.
  module Reader
    RELEASE = 3 * Fiddle::SIZEOF_VOIDP

    class << self
      attr_reader :rows
    end

    def self.new(columns)
      stream = Fiddle::Pointer.new(columns.arrow_c_stream)
      batch = Fiddle::Pointer.malloc(80, Fiddle::RUBY_FREE)
      call(stream, 1, stream, batch)
      @rows = batch[0, 8].unpack1("q")
      call(batch, 8, batch)
      self
    end

    # Calls the function at that position of a struct.
    def self.call(struct, position, *arguments)
      address = struct[position * Fiddle::SIZEOF_VOIDP, Fiddle::SIZEOF_VOIDP].unpack1("J")
      Fiddle::Function.new(address, [Fiddle::TYPE_VOIDP] * arguments.length, Fiddle::TYPE_INT).call(*arguments)
    end

    def self.write_parquet(path)
      File.write(path, "#{rows} rows")
    end
  end

  def test_parquet_is_written_by_a_library
    polars = Module.new
    polars.const_set(:DataFrame, Reader)
    Object.const_set(:Polars, polars)
    report = @client.contacts.export(path_of("c.parquet"))
    assert_equal "#{CONTACTS} rows", File.read(path_of("c.parquet"))
    assert_equal [CONTACTS, 8], [report.contacts, requests]
  ensure
    Object.send(:remove_const, :Polars) if Object.const_defined?(:Polars)
  end
end
