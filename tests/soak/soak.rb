# frozen_string_literal: true

# Many calls of many threads on one client, as soak.py makes them: `soak.rb [--asked N] [--calls N] [--every N]
# [--mix-up N]`. Prints what it saw, and ends with 1 when something is not as it should be.

require "etc"
require "optparse"
require "privy"
require_relative "../ruby/many_server"

# The threads, and what came of their calls.
class Crew
  THREADS = 32
  STALL_SECONDS = 0.05

  # Of a hundred calls in a row: how many get which response, and the error of those without one.
  MIX = { "well" => 50, "close_after" => 15, "half_close" => 15, "close_without" => 15, "stall" => 5 }.freeze
  FAULTS = { "close_without" => Privy::APIConnectionError, "stall" => Privy::APITimeoutError }.freeze

  # The ways in an order in which each follows each.
  TURNS = MIX.flat_map { |way, share| [way] * share }.then do |ways|
    Array.new(ways.length) { |number| ways[(number * 37) % ways.length] }
  end

  ORDER = { email: "jane@example.com", total: 1, currency: "USD", order_date: "2026-05-12T10:00:00Z" }.freeze

  attr_reader :wrong, :outcomes

  def initialize(server)
    @ways = server.ways
    @client = Privy::Client.new(token: ManyServer::TOKEN, base_url: server.http, max_retries: 0)
    @hasty = @client.with_options(timeout: STALL_SECONDS)
    @wrong = []
    @outcomes = Hash.new(0)
  end

  # Shares out the calls, numbered from 0, and counts what came of them.
  def work(calls)
    threads = Array.new(THREADS) do |first|
      Thread.new { (first...calls).step(THREADS).map { |number| attempt(number) { yield number } }.tally }
    end
    threads.each { |thread| @outcomes.merge!(thread.value) { |_, had, more| had + more } }
  end

  # One of three kinds of request, whose response repeats the request.
  def ask(number)
    case number % 3
    when 0 then hold(number, contact(number))
    when 1 then hold(number, order(number))
    else hold(number, event(number))
    end
    "answered"
  end

  # Gets a contact, with the next form of response.
  def meet(number)
    way = TURNS[number % TURNS.length]
    id = ManyServer.contact(number, @ways[way])
    found = (way == "stall" ? @hasty : @client).contacts.get(id)
    hold(number, !FAULTS.key?(way) && found.id == id)
    way
  rescue Privy::Error => e
    raise unless e.instance_of?(FAULTS[way])

    way
  end

  private

  def attempt(number)
    yield
  rescue => e
    @wrong << "call #{number}: #{e.inspect}"
    "unexpected"
  end

  def hold(number, right)
    @wrong << "call #{number}: the answer to another question" unless right
  end

  def contact(number)
    id = ManyServer.contact(number)
    contact = @client.contacts.get(id)
    contact.id == id && contact.first_name == "n#{number}"
  end

  def order(number)
    order = @client.orders.upsert(order_id: number, **ORDER)
    order.order_id == number && order["first_name"] == "n#{number}"
  end

  def event(number)
    event = @client.events.ingest("seen", email: "jane@example.com", event_data: { number: number })
    event.event_id == "evt_#{number}" && event["number"] == number
  end
end

# One run: its phases, what was seen between them, and whether that is as it should be.
class Soak
  # For each thread a connection, a dead one not yet closed, and the two that libcurl has to be woken by.
  MOST_DESCRIPTORS = 4 * Crew::THREADS

  # Bytes that the process may grow by after it has warmed up: some ten a call, in a run of 100,000.
  MOST_GROWTH = 1 << 20

  Sample = Struct.new(:done, :descriptors, :resident)

  def initialize(server, asked:, calls:, every:)
    @descriptors = sample(0).descriptors
    @crew = Crew.new(server)
    @asked = asked * Crew::THREADS
    @calls = calls
    @every = every
  end

  def run
    @asking = elapsed { @crew.work(@asked) { |number| @crew.ask(number) } }
    meet(2 * @every) # warms up what is kept for later calls
    @crew.outcomes.clear
    @samples = [sample(0)]
    @meeting = elapsed do
      @every.step(@calls, @every) do |done|
        meet(@every)
        @samples << sample(done)
      end
    end
    report
  end

  private

  def meet(calls) = @crew.work(calls) { |number| @crew.meet(number) }

  def elapsed
    began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
  end

  # Descriptors and resident bytes of this process while no call runs.
  def sample(done)
    GC.start
    pages = File.read("/proc/self/statm").split[1].to_i
    Sample.new(done, Dir.children("/proc/self/fd").length, pages * Etc.sysconf(Etc::SC_PAGESIZE))
  end

  def report
    puts "soak, Ruby #{RUBY_VERSION}: #{Crew::THREADS} threads on one client"
    show("questions asked", @asked, "#{@asking.round(1)} s")
    show("calls after warming", @samples.last.done, "#{@meeting.round(1)} s")
    @crew.outcomes.sort.each { |way, count| show("  #{way}", count) }
    show("calls", "descriptors", "resident KiB")
    @samples.each { |one| show(one.done, one.descriptors, one.resident >> 10) }
    held = checks.each { |reported, holds| puts "  #{holds ? 'holds ' : 'BROKEN'} #{reported}" }.all?(&:last)
    @crew.wrong.first(5).each { |fault| puts "  #{fault}" }
    held
  end

  def show(first, *others)
    puts "  #{first.to_s.ljust(22)}#{others.map { |one| one.to_s.rjust(14) }.join}"
  end

  def checks
    first, last = @samples.values_at(0, -1)
    grown = last.resident - first.resident
    opened = @samples.map(&:descriptors).max - @descriptors
    [["wrong answers and unexpected errors #{@crew.wrong.length}, most 0", @crew.wrong.empty?],
     ["descriptors opened #{opened}, most #{MOST_DESCRIPTORS}", opened <= MOST_DESCRIPTORS],
     ["resident grown by #{grown >> 10} KiB, most #{MOST_GROWTH >> 10}", grown <= MOST_GROWTH]]
  end
end

given = { asked: 1_000, calls: 100_000, every: 10_000, "mix-up": 0 }
OptionParser.new do |parser|
  parser.on("--asked N", Integer, "questions of each thread")
  parser.on("--calls N", Integer, "calls over which the sizes must stay")
  parser.on("--every N", Integer, "calls between two looks at the sizes")
  parser.on("--mix-up N", Integer, "have the server answer every Nth question wrongly")
end.parse!(into: given)
Thread.report_on_exception = false
ManyServer.serving("--mix-up", given.delete(:"mix-up").to_s) { |server| exit(Soak.new(server, **given).run) }
