# frozen_string_literal: true

require "csv"
require_relative "helper"
require_relative "rows"

class TestBulk < PrivyTest
  include BothWays
  include Rows

  def test_every_row_has_its_result
    each_way do |client, sandbox|
      results = []
      rows = orders(40)
      summary = client.orders.upsert_many(rows) { |result| results << result }
      assert_equal [*0..39], results.map(&:index).sort
      results.each do |result|
        assert_predicate result, :ok?
        assert_same rows[result.index], result.row
        assert_equal rows[result.index][:order_id], result.value.order_id
      end
      assert_equal [40, 40, 0, 40, 0, 40], summary.to_a.values_at(0, 1, 4, 2, 3, 8)
      assert_predicate summary, :ok?
      assert_equal 40, sandbox.counts.orders
    end
  end

  def test_results_come_as_they_end
    echoing(stall: ->(number) { number == 1 ? 0.8 : 0.05 }) do |client, _server|
      order = client.orders.upsert_many(orders(6)).map(&:index)
      assert_equal [0, [*0..5]], [order.last, order.sort]
    end
  end

  def test_an_invalid_row_does_not_stop_the_others
    rude = Class.new { def to_time = raise("no time") }.new
    rows = [order(1), order(2, total: "much"), nil, "row", { order_id: 5, nmae: 1 }, { 6 => 1 },
            order(7, order_date: rude), order(8)]
    each_way do |client, sandbox|
      results = client.orders.upsert_many(rows).sort_by(&:index)
      assert_equal [0, 7], results.select(&:ok?).map(&:index)
      assert_equal [NilClass, *[Privy::ValidationError] * 6, NilClass], results.map { |result| result.error.class }
      assert_equal %w[total base base], results[1..3].map { |result| result.error.details.first[:field] }
      assert_match(/must be a Hash, not NilClass/, results[2].error.message)
      assert_includes results[4].error.details.map { |fault| fault[:field] }, "nmae"
      assert_equal 2, sandbox.counts.orders
    end
  end

  def test_rows_that_the_server_refuses
    each_way do |client, sandbox|
      rows = [{ email: JANE }, { email: "joe@example.com", phone_number: "+447700900123", sms_consent: :subscribed }]
      results = client.contacts.upsert_many(rows).sort_by(&:index)
      assert_equal [true, false], results.map(&:ok?)
      assert_equal 422, results.last.error.status
      sandbox.fail(status: 404)
      assert_instance_of Privy::NotFoundError, client.contacts.upsert_many([{ email: JANE }]).first.error
    end
  end

  def test_contacts_are_created_and_updated
    each_way do |client, sandbox|
      jane = client.contacts.create(email: JANE)
      rows = [{ "email" => JANE, "first_name" => "Jane" }, { email: "joe@example.com", first_name: "Joe" }]
      results = client.contacts.upsert_many(rows.each, extra: { "last_name" => "Doe" }).sort_by(&:index)
      assert_equal [jane.id, "Jane"], [results.first.value.id, results.first.value.first_name]
      assert_equal(%w[Doe Doe], results.map { |result| result.value.last_name })
      assert_equal 2, sandbox.counts.contacts
    end
  end

  def test_events_have_keys_of_their_own
    stubbed({ status: 500 }, { body: '{"event_id":"e"}' }) do |client, server|
      rows = Array.new(5) { |number| { event_type: "viewed", email: JANE, event_data: { number: number } } }
      assert(client.events.ingest_many(rows, concurrency: 2).all?(&:ok?))
      by_key = server.requests.group_by { |request| request.headers["idempotency-key"] }
      assert_equal 6, server.requests.length
      assert_equal [1, 1, 1, 1, 2], by_key.values.map(&:length).sort
      assert(by_key.values.all? { |requests| requests.map(&:body).uniq.length == 1 })
    end
  end

  def test_rows_are_retried
    each_way do |client, sandbox|
      sandbox.fail(status: 503, count: 3)
      assert(client.orders.upsert_many(orders(5), max_retries: 5).all?(&:ok?))
      sandbox.fail(status: 503, count: 2)
      results = client.orders.upsert_many(orders(5), max_retries: 0)
      assert_equal([Privy::ServerError] * 2, results.reject(&:ok?).map { |result| result.error.class })
    end
  end

  def test_a_result_is_frozen_and_matches_patterns
    result = Privy::Sandbox.new.client.orders.upsert_many([order(1)]).first
    assert_predicate result, :frozen?
    result => { index: 0, value: Privy::Order => value, error: nil, ok: true }
    assert_equal 1, value.order_id
    refute_includes result.inspect, "c1@example.com"
    assert_equal "#<Privy::Result index=3 Privy::Error>", Privy::Result.new(3, {}, error: Privy::Error.new("x")).inspect
  end

  def test_rows_of_a_csv_file
    text = "order_id,email,total,currency,order_date\n7,#{JANE},95.00,USD,2026-05-12T10:00:00Z\n"
    result = Privy::Sandbox.new.client.orders.upsert_many(CSV.new(text, headers: true)).first
    assert_equal [7, BigDecimal("95")], [result.value.order_id.to_i, result.value.total_amount]
    assert_instance_of CSV::Row, result.row
  end

  def test_what_cannot_be_a_bulk_call
    client = Privy::Sandbox.new.client
    [nil, 5, { order_id: 1 }, "rows"].each { |rows| assert_raises(TypeError) { client.orders.upsert_many(rows) } }
    [0, -1, 1.5, "two", true, []].each do |number|
      error = refused(Privy::Error) { client.orders.upsert_many([], concurrency: number) }
      assert_equal "concurrency must be a whole number, 1 or more", error.message
    end
    assert_equal [true], client.orders.upsert_many(orders(1), concurrency: "2").map(&:ok?)
    assert_raises(TypeError) { client.orders.upsert_many([], on_progress: 5) }
    assert_raises(Privy::Error) { client.orders.upsert_many([], max_wait: -1) }
    client.close
    assert_match(/closed/, refused(Privy::Error) { client.orders.upsert_many([order(1)]).to_a }.message)
  end

  def test_a_run_without_rows_sends_nothing
    stubbed do |client, server|
      assert_equal [0, 0], client.orders.upsert_many([]) { flunk }.to_a.values_at(0, 1)
      assert_empty client.orders.upsert_many([].lazy).to_a
      assert_empty server.requests
    end
  end

  def test_calls_inside_the_block
    each_way do |client, _sandbox|
      seen = client.orders.upsert_many(orders(5)).map do |result|
        client.orders.upsert_many([order(result.index + 100)]).first.value.order_id + client.contacts.list.count
      end
      assert_equal 5, seen.length
    end
  end
end

# Where the rows come from, and how many are held.
class TestBulkSources < PrivyTest
  include BothWays
  include Rows

  def test_a_run_is_an_enumerator_that_is_read_once
    each_way do |client, sandbox|
      results = client.orders.upsert_many(orders(5))
      assert_equal [5, 0], [results.size, sandbox.counts.requests]
      assert_equal 5, Array.new(5) { results.next }.uniq(&:index).length
      assert_raises(StopIteration) { results.next }
      assert_equal 5, sandbox.counts.requests
      assert_nil client.orders.upsert_many(orders(2).each_entry.lazy.select(&:itself)).size
      assert_equal [0, 1], client.orders.upsert_many(orders(3)).each.with_index.first(2).map(&:last)
      assert_equal [0, 1, 2], client.orders.upsert_many(orders(6), concurrency: 1).lazy.map(&:index).first(3)
    end
  end

  def test_an_endless_source_is_read_only_as_far_as_needed
    each_way do |client, _sandbox|
      taken = 0
      source = (1..).lazy.map { |number| (taken += 1) && order(number) }
      assert_equal 5, client.orders.upsert_many(source, concurrency: 4).first(5).length
      assert_operator taken, :<=, 5 + 4
      generator = Enumerator.new { |rows| 10.times { |number| rows << order(number + 1) } }
      assert_equal 10, client.orders.upsert_many(generator, concurrency: 3).count(&:ok?)
    end
  end

  def test_rows_are_taken_as_places_become_free
    echoing(stall: 0.02) do |client, server|
      taken = ended = most = 0
      source = orders(40).each_entry.lazy.map do |row|
        most = [most, (taken += 1) - ended].max
        row
      end
      client.orders.upsert_many(source, concurrency: 4) { ended += 1 }
      assert_equal [40, 40, 4], [taken, ended, most]
      assert_equal 4, server.connections
    end
  end

  def test_calls_go_side_by_side
    eight = gate(8)
    echoing(stall: ->(_) { eight.call && nil }) do |client, server|
      assert_equal 16, client.orders.upsert_many(orders(16)).count(&:ok?)
      assert_equal 8, server.connections
    end
  end

  def test_one_at_a_time
    echoing(stall: 0.05) do |client, server|
      client.orders.upsert_many(orders(4), concurrency: 1).to_a
      assert_equal 1, server.connections
      assert_operator server.requests.each_cons(2).map { |one, other| other.at - one.at }.min, :>, 0.04
    end
  end

  def test_exceptions_of_the_source_pass_through
    source = Enumerator.new do |rows|
      2.times { |number| rows << order(number + 1) }
      raise "no more"
    end
    each_way do |client, _sandbox|
      assert_equal "no more", assert_raises(RuntimeError) { client.orders.upsert_many(source).to_a }.message
      assert client.orders.upsert(**order(9))
    end
  end

  def test_other_threads_run_during_a_run
    echoing(stall: 0.4) do |client, _server|
      bulk = Thread.new { client.orders.upsert_many(orders(4)).count(&:ok?) }
      turns = 0
      turns += 1 while bulk.alive?
      assert_operator turns, :>, 1000
      assert_equal 4, bulk.value
    end
  end

  def test_several_at_once_on_one_client
    each_way do |client, sandbox|
      threads = Array.new(4) do |thread|
        Thread.new { client.orders.upsert_many(Array.new(10) { |n| order((thread * 10) + n + 1) }).count(&:ok?) }
      end
      assert_equal [10] * 4, threads.map(&:value)
      assert_equal 40, sandbox.counts.orders
    end
  end
end

# The account's limits, obeyed by many rows.
class TestBulkBudget < PrivyTest
  include BothWays
  include Rows

  # A sandbox whose clock advances when the run waits.
  def limited(per_minute: 60, per_day: 0, **settings)
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(Time.utc(2026, 5, 12, 10))
    sandbox.set_limits(per_minute: per_minute, per_day: per_day)
    waits = []
    on_progress = lambda do |progress|
      next unless progress.waiting_until

      waits << progress
      sandbox.advance(progress.waiting_until - sandbox.now + 0.01) if progress.waiting_until > sandbox.now
    end
    yield sandbox.client(**settings), sandbox, on_progress, waits
  end

  def test_the_minute_is_used_and_kept
    limited do |client, sandbox, on_progress, waits|
      began = sandbox.now
      codes = client.orders.upsert_many(orders(600), on_progress: on_progress).map { |result| result.error&.status }
      assert_equal [nil], codes.uniq
      assert_equal [600, 600], [sandbox.counts.orders, sandbox.counts.requests]
      assert_operator sandbox.now - began, :<=, 10 * 61
      assert_operator waits.length, :>=, 9
      assert(waits.all? { |progress| progress.waiting_until.utc? && progress.eta.positive? })
      assert_in_delta 540, waits.first.eta, 65
    end
  end

  def test_a_wait_is_given_up_when_the_caller_says_so
    limited(per_minute: 10) do |client, sandbox, _on_progress, _waits|
      report = client.orders.upsert_many(orders(15), max_wait: 0).run
      assert_equal [10, 0, [*10..14]], [report.succeeded, report.failed, report.unsent.map(&:first)]
      assert_instance_of Privy::RateLimitError, report.stopped
      assert_equal 10, sandbox.counts.requests
    end
  end

  def test_the_clients_own_max_wait_is_for_single_calls
    limited(per_minute: 10, max_wait: 0) do |client, sandbox, on_progress, _waits|
      assert(client.with_options(max_wait: 1).orders.upsert_many(orders(15), on_progress: on_progress).all?(&:ok?))
      assert_equal 15, sandbox.counts.requests
    end
  end

  def test_a_reserve_is_left
    limited(per_minute: 20, reserve: 5) do |client, sandbox, on_progress, _waits|
      client.orders.upsert_many(orders(30), on_progress: on_progress).to_a
      assert_equal [30, 5], [sandbox.counts.requests, client.rate_limit.minute.remaining]
    end
  end

  def test_no_row_is_lost_when_the_day_is_used_up
    each_way do |_client, sandbox|
      sandbox.set_limits(per_day: 20)
      client = sandbox.equal?(Served.server.sandbox) ? Served.fresh : sandbox.client
      rows = orders(50)
      results = []
      error = refused(Privy::RateLimitError) { client.orders.upsert_many(rows) { |result| results << result } }
      # Answers that overtake each other look like other users of the account, to whom a few requests are left.
      assert_includes 16..20, results.length
      assert_equal [[true], sandbox.counts.orders], [results.map(&:ok?).uniq, results.length]
      reported = results.map { |result| [result.index, result.row] } + error.unsent
      assert_equal rows.each_with_index.map { |row, index| [index, row] }, reported.sort_by(&:first)
      assert_operator error.taken, :<=, 28
      assert_kind_of Time, error.resets_at
      assert_equal error.unsent, Marshal.load(Marshal.dump(error)).unsent
    end
  end

  def test_the_source_is_not_read_on_when_the_day_is_used_up
    limited(per_minute: 0, per_day: 12) do |client, sandbox, _on_progress, _waits|
      source = orders(50).each
      lazy = Enumerator.new { |rows| loop { rows << source.next } }
      error = refused(Privy::RateLimitError) { client.orders.upsert_many(lazy, concurrency: 4).to_a }
      assert_equal [*12...error.taken], error.unsent.map(&:first)
      assert_equal source.next[:order_id], error.taken + 1
      sandbox.advance(86_400)
      assert(client.orders.upsert_many(error.unsent.map(&:last)).all?(&:ok?))
    end
  end

  def test_a_server_that_reports_a_used_up_day_stops_the_run
    headers = { "Retry-After" => "40000", "X-RateLimit-Limit-Day" => "10000", "X-RateLimit-Remaining-Day" => "0",
                "X-RateLimit-Reset-Day" => (Time.now.to_i + 40_000).to_s }
    stubbed({}, { status: 429, headers: headers }) do |client, server|
      error = nil
      took = elapsed do
        error = refused(Privy::RateLimitError) { client.orders.upsert_many(orders(9), concurrency: 1).to_a }
      end
      assert_operator took, :<, PROMPT
      assert_equal [[*1..8], 2], [error.unsent.map(&:first), server.requests.length]
      assert_in_delta 40_000, error.retry_after, 60
    end
  end

  def test_on_progress_is_called_after_each_result
    each_way do |client, sandbox|
      sandbox.fail(status: 404, skip: 3)
      seen = []
      client.orders.upsert_many(orders(10), on_progress: seen.method(:<<)) { nil }
      assert_equal [*1..10], seen.map(&:done)
      failed = seen.map(&:failed)
      assert_equal [failed.sort, 1, [10]], [failed, failed.last, seen.map(&:total).uniq]
      assert(seen.all?(&:frozen?))
      seen.clear
      client.orders.upsert_many(orders(3).lazy.select(&:itself), on_progress: seen.method(:<<)).to_a
      assert_equal [[nil, nil]], seen.map { |progress| [progress.total, progress.eta] }.uniq
    end
  end

  def test_exceptions_of_on_progress_pass_through
    each_way do |client, _sandbox|
      loud = ->(_progress) { raise "loud" }
      assert_raises(RuntimeError) { client.orders.upsert_many(orders(3), on_progress: loud).to_a }
    end
  end
end
