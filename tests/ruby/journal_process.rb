# frozen_string_literal: true

# The processes of test_journal_kills.rb.
#
# `journal_process.rb serve` serves a sandbox and prints its URL. For each line that it reads it prints what the sandbox
# holds, as JSON, and empties it.
# `journal_process.rb run OPERATION COUNT URL JOURNAL` sends the rows and prints "began", then the report as JSON. It
# may be killed at any moment. OPERATION "plan" applies a plan of the contacts.

require "json"
require "privy"
require_relative "journal_rows"

CONCURRENCY = 8
# Seconds of each response: so long a request is in flight.
DELAY = 0.004

def first_sends(sandbox)
  sent = sandbox.requests.select { |request| JournalRows::FIRST.value?(request.operation) }
  sent.map { |request| [request.body, request.headers["idempotency-key"]] }
end

def held(sandbox)
  { requests: sandbox.counts.requests, sent: first_sends(sandbox),
    writes: sandbox.requests.count { |request| request.method != "GET" },
    contacts: sandbox.contacts.map { |one| one.to_h.slice(:email, :phone_number, :first_name, :last_name) },
    orders: sandbox.orders.map { |one| one.to_h.slice(:order_id, :email, :total_amount, :financial_status) },
    events: sandbox.events.map { |one| [one.event_type, one.email, one.event_data] } }
end

def serve
  server = Privy::Sandbox::Server.new(port: 0).start
  sandbox = server.sandbox
  sandbox.keep_requests(100_000)
  sandbox.fail(delay: DELAY, count: 0)
  puts server.url
  while $stdin.gets
    puts JSON.generate(held(sandbox))
    sandbox.reset
  end
end

def report_of(client, operation, count, journal)
  if operation == "plan"
    client.contacts.plan(JournalRows.make("contacts.upsert", count)).apply(journal: journal, concurrency: CONCURRENCY)
  else
    resource, method = JournalRows::METHODS.fetch(operation)
    rows = JournalRows.make(operation, count)
    client.public_send(resource).public_send(method, rows, journal: journal, concurrency: CONCURRENCY).run
  end
end

def run(operation, count, url, journal)
  client = Privy::Client.new(base_url: url, token: Privy::Sandbox::TOKEN)
  puts "began"
  report = report_of(client, operation, Integer(count), journal)
  puts JSON.generate(report.to_h.slice(:total, :succeeded, :failed, :created, :updated, :skipped, :requests)
                           .merge(refused: report.refused.map(&:index).uniq, stopped: report.stopped&.message,
                                  open: report.unsent.length + report.in_doubt.length))
end

if $PROGRAM_NAME == __FILE__
  $stdout.sync = true
  ARGV.first == "serve" ? serve : run(*ARGV.drop(1))
end
