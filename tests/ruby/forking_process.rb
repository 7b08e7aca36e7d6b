# frozen_string_literal: true

# A program that forks while it has connections over TLS: `forking_process.rb SCENE URL CA`.
#
# It makes its calls and ends as programs do, by leaving; test_forking_processes.rb looks at what the server saw. The
# questions from CHILD on are the children's, STEP numbers each.

require "privy"
require_relative "many_server"

CHILD = 1_000_000
STEP = 1_000
# Questions from here on are the parent's, from connections that the server closes.
CHURN = 500_000
CLOSE_AFTER = 1
LATE = 5
THREADS = 8

def ask(client, place, way = 0)
  id = ManyServer.contact(place, way)
  raise "another's answer" unless client.contacts.get(id).id == id
end

# The child does this, then ends with all that an interpreter does at its end.
def child(&action)
  fork do
    Thread.new { sleep(300) && abort("the child hangs") }
    action&.call
  end
end

def well(*children)
  children.each { |one| Process.wait2(one).last.success? or raise "a child failed" }
end

# A kept connection; children that use the client, that only end, and that close it.
def idle(client)
  ask(client, 1)
  well(child { 2.times { |n| ask(client, CHILD + n) } })
  ask(client, 2)
  well(child)
  ask(client, 3)
  well(child { client.close })
  ask(client, 4)
end

# A run of many calls, half of it read.
def bulk(client)
  rows = (1..40).lazy.map do |number|
    { order_id: number, email: "row#{number}@example.com", total: 1, currency: "USD", order_date: Time.now }
  end
  run = client.orders.upsert_many(rows, concurrency: 4).each_entry
  read = Array.new(10) { run.next }
  user = child do
    loop { run.next }
    raise "a child went on with the calls of its parent"
  rescue Privy::Error
    ask(client, CHILD)
  end
  well(user, child)
  loop { read << run.next }
  raise "rows are missing" unless read.select(&:ok?).map(&:index).sort == (0...40).to_a
end

def work(number, clients, stop)
  (1..).each do |turn|
    break if stop.any?

    if number < 6
      ask(clients.first, (number * 10_000) + turn, turn % 10 == number ? LATE : 0)
    else
      ask(clients.last, CHURN + (number * 10_000) + turn, CLOSE_AFTER)
    end
  end
end

# Calls of eight other threads in flight; some wait for late responses, some connect.
def in_flight(client)
  clients = [client, Privy::Client.new(token: ManyServer::TOKEN, base_url: client.base_url, ca_bundle: ARGV[2])]
  stop = []
  threads = Array.new(THREADS) { |number| Thread.new { work(number, clients, stop) } }
  children = Array.new(12) do |number|
    first = CHILD + (STEP * number)
    forked = child { 2.times { |n| clients.each { |one| ask(one, first + n) } } }
    sleep(0.03)
    ask(client, 90_000 + number)
    forked
  end
  well(*children)
  stop << true
  threads.each(&:value)
end

Thread.report_on_exception = false
made = Privy::Client.new(token: ManyServer::TOKEN, base_url: ARGV[1], ca_bundle: ARGV[2], max_retries: 0)
{ "idle" => method(:idle), "bulk" => method(:bulk), "in_flight" => method(:in_flight) }.fetch(ARGV[0]).call(made)
