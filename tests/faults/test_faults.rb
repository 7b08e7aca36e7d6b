# frozen_string_literal: true

require_relative "../ruby/helper"
require_relative "../ruby/small_scheduler"
require "net/http"
require "open3"

# What came of a fault: on the client's side, and what the server saw.
Outcome = Struct.new(:answers, :error, :began, :ended, :seen, :client, :missing) do
  def initialize = super([], nil, 0, 0, nil, nil, nil)

  def seconds = ended - began
end

# The rows of faults.json, completed by the defaults.
module FaultTable
  TABLE = JSON.parse(File.read(File.join(__dir__, "faults.json")), symbolize_names: true)
  ROWS = TABLE[:faults].map do |row|
    defaults = TABLE[:defaults]
    { **defaults, **row, options: { **defaults[:options], **row.fetch(:options, {}) } }
  end
  DRIVES = %i[blocking bulk fibers].freeze
  CASES = DRIVES.product(ROWS).reject { |drive, row| drive == :bulk && !%w[event order].include?(row[:call]) }
end

# The requests, and whether a response belongs to one.
module FaultCalls
  module_function

  def email(number) = "row#{number}@example.com"

  def contact(number) = format("cus_%016d", number)

  def order(number)
    { order_id: number, email: email(number), total: "95.00", currency: "USD", order_date: "2026-05-12T10:00:00Z" }
  end

  def call(client, row, number)
    case row[:call]
    when "event" then client.events.ingest("seen", email: email(number))
    when "order" then client.orders.upsert(**order(number))
    when "create" then client.contacts.create(email: email(number))
    when "delete" then client.contacts.delete(contact(number))
    when "head" then client.request("HEAD", "/contacts")
    when "large" then client.request("POST", "/imports", body: { text: "x" * 8_000_000 })
    end
  end

  def many(client, row, rows, &)
    options = { concurrency: 1, max_wait: row[:options][:max_wait] }
    return client.events.ingest_many(rows, **options, &) if row[:call] == "event"

    client.orders.upsert_many(rows, **options, &)
  end

  def row(call, number)
    call == "event" ? { event_type: "seen", email: email(number) } : order(number)
  end

  def belongs?(row, value, number)
    case row[:call]
    when "event" then value.event_id == "evt_row#{number}"
    when "order" then value.order_id == number
    when "create" then value.email == email(number)
    when "delete" then value.nil?
    when "head" then value.status == 200
    end
  end
end

# The server of faults, in a process of its own.
class FaultServer
  TOKEN = "privy_#{'7' * 40}".freeze
  SECRET = "a-secret-of-the-tests"

  PLAIN = { "Content-Type" => "text/plain" }.freeze

  attr_reader :proxy

  def initialize
    @stdin, @stdout, @process = Open3.popen2(ENV.fetch("PYTHON", "python3"), File.join(__dir__, "server.py"))
    reported = JSON.parse(@stdout.gets)
    @control, @proxy, @ca = reported.values_at("control", "proxy", "ca")
  end

  def stop
    @stdin.close
    @process.join(120)
  end

  # Opens the row's fault, makes calls with a new client, and returns the outcome on both sides.
  def meet(row)
    place = ask("POST", row[:name])
    outcome = Outcome.new
    outcome.missing = place[:missing] and return outcome
    client = Privy::Client.new(**settings(row, place))
    outcome.client = client.inspect
    outcome.began = FaultPace.now
    begin
      yield client, outcome
    rescue Privy::Error => e
      outcome.error = e
    end
    outcome.ended = FaultPace.now
    client.close
    outcome.seen = ask("DELETE", place[:id])
    outcome
  end

  # Opens the row without a fault, and makes a client for it.
  def good
    place = ask("POST", "certificate_good")
    Privy::Client.new(base_url: place[:base_url], ca_bundle: @ca, token: TOKEN, timeout: 300)
  end

  private

  def ask(method, name)
    uri = URI(@control)
    answer = Net::HTTP.start(uri.host, uri.port, nil) { |http| http.send_request(method, "/#{name}", "", PLAIN) }
    JSON.parse(answer.body, symbolize_names: true)
  end

  def settings(row, place)
    known = { base_url: place[:base_url], ca_bundle: @ca, **place.slice(:proxy), **row[:options] }
    return { **known, token: TOKEN } unless row[:oauth]

    { **known, client_id: "tests", client_secret: SECRET, token_url: place[:token_url] }
  end
end

# How fast this machine is while the faults are met: calls that go well, each on a connection of its own, one after the
# other. A fault may last longer than its row says by what twenty of them take meanwhile.
class FaultPace
  ALLOWED = 20
  PAUSE = 0.05

  def self.now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def initialize(server)
    @calls = []
    @thread = Thread.new { keep(server) }
  end

  # Seconds beyond those of the row.
  def allows(outcome)
    sleep 0.01 until (@calls.last || [0]).first >= outcome.ended || !@thread.alive?
    meanwhile = @calls.select { |began, ended| began <= outcome.ended && ended >= outcome.began }
    ALLOWED * (meanwhile.map { |began, ended| ended - began }.max - PAUSE)
  end

  private

  # Keeps when each began, pause included, and ended.
  def keep(server)
    began = FaultPace.now
    loop do
      sleep PAUSE
      client = server.good
      client.events.ingest("seen", email: "row0@example.com")
      client.close
      @calls << [began, began = FaultPace.now]
    end
  end
end

# Every fault met by every drive, several at a time; each outcome is asked for once.
class FaultRun
  AT_ONCE = 6

  attr_reader :pace

  def initialize
    @server = FaultServer.new
    @pace = FaultPace.new(@server)
    ENV.delete_if { |name, _| name.downcase.end_with?("_proxy") }
    ENV.update("https_proxy" => @server.proxy, "no_proxy" => "127.0.0.1,::1,nowhere.invalid")
    @outcomes = FaultTable::CASES.to_h { |drive, row| [[drive, row[:name]], Thread::Queue.new] }
    @threads = FaultTable::DRIVES.flat_map { |drive| workers(drive) }
    Minitest.after_run { @server.stop }
  end

  def outcome(drive, row)
    came = Timeout.timeout(600) { @outcomes.fetch([drive, row[:name]]).pop }
    came.is_a?(Outcome) ? came : raise(came)
  end

  private

  def workers(drive)
    rows = Thread::Queue.new
    FaultTable::CASES.each { |of, row| rows << row if of == drive }
    rows.close
    Array.new(AT_ONCE) { Thread.new { work(drive, rows) } }
  end

  def work(drive, rows)
    while (row = rows.pop)
      came = begin
        @server.meet(row) { |client, outcome| send(drive, client, row, outcome) }
      rescue => e
        e
      end
      @outcomes.fetch([drive, row[:name]]) << came
    end
  end

  def blocking(client, row, outcome)
    (1..row[:calls]).each do |number|
      sleep(row[:pause]) if number > 1
      outcome.answers << FaultCalls.call(client, row, number)
    end
  end

  def bulk(client, row, outcome)
    rows = Enumerator.new do |given|
      (1..row[:calls]).each do |number|
        sleep(row[:pause]) if number > 1
        given << FaultCalls.row(row[:call], number)
      end
    end
    found = {}
    FaultCalls.many(client, row, rows) do |result|
      raise result.error unless result.ok?

      found[result.index] = result.value
    end
  ensure
    outcome.answers = found.sort.map(&:last) # a row that is retried comes after later ones
  end

  # As the blocking drive does it, but in a fiber of a scheduler, which does the waiting.
  def fibers(client, row, outcome)
    failure = nil
    SmallScheduler.run do
      blocking(client, row, outcome)
    rescue => e
      failure = e
    end
    raise failure if failure
  end
end

# Every fault of faults.json met by the blocking, the bulk and the fibers' drive: what happens, and how soon.
class TestFaults < PrivyTest
  def self.run_of_all
    @run_of_all ||= FaultRun.new
  end

  FaultTable::CASES.each do |drive, row|
    define_method("test_#{row[:name]}_#{drive}") do
      outcome = TestFaults.run_of_all.outcome(drive, row)
      skip outcome.missing if outcome.missing
      refute_includes outcome.client, FaultServer::SECRET
      check_end(row, outcome)
      check_requests(row, outcome)
      assert_operator outcome.seconds, :<=, row[:within] + TestFaults.run_of_all.pace.allows(outcome)
      assert_operator outcome.seconds, :>=, row.fetch(:at_least, 0)
    end
  end

  def test_the_matrix_is_whole
    names = FaultTable::ROWS.map { |row| row[:name] }
    assert_equal names.uniq, names
    assert_operator names.length, :>=, 45
    FaultTable::ROWS.each { |row| assert returns?(row) || row[:raised], row[:name] }
  end

  private

  def returns?(row)
    row[:value] || row[:or] == "value"
  end

  def check_end(row, outcome)
    outcome.answers.each.with_index(1) { |value, n| assert FaultCalls.belongs?(row, value, n), outcome.answers.inspect }
    if outcome.error.nil?
      assert returns?(row), "it should have raised"
      assert_equal row[:calls], outcome.answers.length
    else
      check_error(row, outcome.error)
      assert_equal row[:calls] - 1, outcome.answers.length
    end
  end

  def check_error(row, error)
    assert_includes Array(row[:raised]), error.class.name.delete_prefix("Privy::"), error.inspect
    assert_equal row.fetch(:attempts, error.attempts), error.attempts
    assert_equal row.fetch(:status, error.status).to_i, error.status.to_i
    assert_includes error.message, row.fetch(:message, "")
    assert_operator error.waited, :<=, row[:options][:max_wait]
    check_secrets(error)
  end

  def check_secrets(error)
    reported = error.instance_variables.map { |name| error.instance_variable_get(name) }.push(error.message).inspect
    refute_includes reported, FaultServer::TOKEN
    refute_includes reported, FaultServer::SECRET
  end

  def check_requests(row, outcome)
    requests, connections, elsewhere = outcome.seen.values_at(:requests, :connections, :elsewhere)
    assert_equal row[:requests], requests.length if row[:requests]
    assert_includes Array(row[:connections]), connections if row[:connections]
    assert_equal 0, elsewhere
    check_keys(row, requests) unless row[:name].start_with?("h2_")
  end

  # Each event has a key of its own, the same over all attempts.
  def check_keys(row, requests)
    events = requests.select { |request| request[:target].end_with?("/v1/events") }
    keys = events.map { |request| request[:key] }
    keys.each { |key| assert_match(/\A\h{32}\z/, key) }
    assert_equal [row[:calls], keys.length].min, keys.uniq.length
  end
end
