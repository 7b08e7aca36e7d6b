# frozen_string_literal: true

require_relative "helper"
require_relative "rows"
require_relative "small_scheduler"

# A bulk run as an object: read once, left and gone on with, and what it says of its rows.
class TestBulkRuns < PrivyTest
  include BothWays
  include Rows

  class Enough < StandardError; end

  def event(number, **fields)
    { event_type: "viewed", email: "c#{number}@example.com" }.merge(fields)
  end

  def events(count, **fields)
    Array.new(count) { |number| event(number, **fields) }
  end

  # ---- one sending ----

  def test_a_second_pass_raises_and_sends_nothing
    each_way do |client, sandbox|
      results = client.events.ingest_many(events(10))
      assert_equal 10, results.count(&:ok?)
      [-> { results.reject(&:ok?) }, -> { results.run }, -> { results.to_a }, -> { results.each.next }].each do |again|
        assert_match(/run is over/, assert_raises(RuntimeError, &again).message)
      end
      assert_raises(StopIteration) { results.next }
      assert_equal 10, sandbox.counts.events
    end
  end

  def test_a_later_pass_continues_where_one_was_left
    each_way do |client, sandbox|
      run = client.events.ingest_many(events(12))
      found = run.first(3) + [run.next] + run.each_slice(2).first + run.to_a
      assert_equal [*0..11], found.map(&:index).sort
      assert_equal 12, sandbox.counts.events
    end
  end

  def test_external_next_repeats_nothing
    each_way do |client, sandbox|
      run = client.events.ingest_many(events(6))
      outside = run.each
      found = Array.new(3) { [outside.next, run.next] }.flatten
      assert_equal [*0..5], found.map(&:index).sort
      assert_raises(StopIteration) { run.next }
      assert_equal 6, sandbox.counts.events
    end
  end

  def test_next_under_a_timeout_sends_nothing_twice
    echoing(stall: 0.1) do |client, server|
      run = client.orders.upsert_many(orders(6), concurrency: 2)
      found = []
      until found.length == 6
        begin
          Timeout.timeout(0.03) { found << run.next }
        rescue Timeout::Error
          nil
        end
      end
      assert_equal [*0..5], found.map(&:index).sort
      assert_equal 6, server.requests.length
    end
  end

  def test_an_exception_in_the_block_loses_nothing
    each_way do |client, sandbox|
      run = client.events.ingest_many(events(9))
      seen = []
      begin
        run.each do |result|
          seen << result.index
          raise Enough if seen.length.odd?
        end
      rescue Enough
        retry
      end
      assert_equal [*0..8], seen.sort
      assert_equal 9, sandbox.counts.events
    end
  end

  def test_one_consumer_at_a_time
    echoing(stall: 0.3) do |client, server|
      run = client.orders.upsert_many(orders(4))
      other = Thread.new { run.next }
      sleep 0.01 until server.requests.any?
      assert_match(/in use/, assert_raises(RuntimeError) { run.next }.message)
      assert_match(/in use/, assert_raises(RuntimeError) { run.in_doubt }.message)
      assert_match(/in use/, assert_raises(RuntimeError) { run.close }.message)
      found = [other.value, *run]
      assert_equal [*0..3], found.map(&:index).sort
    end
  end

  def test_two_threads_that_take_turns
    each_way do |client, sandbox|
      run = client.events.ingest_many(events(40))
      lock = Mutex.new
      readers = Array.new(2) do
        Thread.new do
          found = []
          loop { found << lock.synchronize { run.next } }
          found
        end
      end
      assert_equal [*0..39], readers.flat_map(&:value).map(&:index).sort
      assert_equal 40, sandbox.counts.events
    end
  end

  def test_a_second_fiber_may_not_iterate_a_run_in_use
    echoing(stall: 0.05) do |client, server|
      refused_ones = 0
      found = []
      SmallScheduler.run do
        run = client.orders.upsert_many(orders(6), concurrency: 2)
        2.times do
          Fiber.schedule do
            loop { found << run.next }
          rescue RuntimeError => e
            refused_ones += 1 if e.message.include?("in use")
          end
        end
      end
      assert_equal [1, [*0..5], 6], [refused_ones, found.map(&:index).sort, server.requests.length]
    end
  end

  # Inside Enumerator#next there is no scheduler before Ruby 3.3.
  def test_external_next_under_a_scheduler
    echoing(stall: 0.02) do |client, _server|
      found = SmallScheduler.run do
        run = client.orders.upsert_many(orders(6), concurrency: 2)
        first = run.next
        outside = run.each
        [first, outside.next, outside.next, *run]
      end
      assert_equal [*0..5], found.map(&:index).sort
    end
  end

  def test_calls_on_the_run_inside_its_block
    each_way do |client, _sandbox|
      run = client.orders.upsert_many(orders(5), concurrency: 1)
      seen = run.flat_map { |result| [result.index, run.taken.positive? ? run.next.index : nil] }
      assert_equal [*0..4], seen.sort
    rescue StopIteration
      assert_equal 5, run.done
    end
  end

  # ---- order ----

  def test_rows_of_one_key_keep_their_order
    each_way do |client, sandbox|
      sandbox.fail(status: 503, count: 1)
      rows = [order(1, financial_status: "pending"), order(1, financial_status: "paid"), order(2)]
      indexes = client.orders.upsert_many(rows).map(&:index)
      assert_operator indexes.index(0), :<, indexes.index(1)
      assert_equal "paid", client.orders.upsert(**order(1)).financial_status
    end
  end

  def test_states_of_one_order_at_any_concurrency
    3.times do
      each_way do |client, _sandbox|
        states = %w[pending authorized paid partially_refunded refunded voided open closed]
        rows = states.map { |state| order(1, financial_status: state) }
        assert_equal [*0..7], client.orders.upsert_many(rows).map(&:index)
        assert_equal "closed", client.orders.upsert(**order(1)).financial_status
      end
    end
  end

  def test_contacts_keep_order_by_email_and_by_phone
    each_way do |client, _sandbox|
      rows = [{ email: JANE, first_name: "A" }, { email: JANE, phone_number: PHONE, first_name: "B" },
              { phone_number: PHONE, first_name: "C" }, { email: JANE, phone_number: PHONE, first_name: "D" }]
      assert_equal [*0..3], client.contacts.upsert_many(rows).map(&:index)
      assert_equal "D", client.contacts.list(email: JANE).first.first_name
    end
  end

  def test_a_row_that_waits_holds_its_key_and_not_the_run
    choose = lambda do |request|
      number = JSON.parse(request.body)["order_id"]
      { body: %({"data":{"order_id":#{number}}}), stall: number == 1 ? 0.5 : nil }
    end
    stubbed(choose: choose) do |client, _server|
      rows = [order(1), order(1), order(1)] + orders(30).drop(1)
      indexes = client.orders.upsert_many(rows, concurrency: 2).map(&:index)
      assert_equal [0, 1, 2], indexes.last(3)
    end
  end

  # ---- ends ----

  # A 429 is one row's failure while the rate limit is not reached: 4 attempts of the fourth row, or one of each of
  # four.
  def test_a_429_ends_nothing
    each_way do |client, sandbox|
      sandbox.fail(status: 429, retry_after: 0, count: 4, skip: 3)
      report = client.orders.upsert_many(orders(20), concurrency: 1).run
      assert_equal [20, 19, 1, [], nil], report.to_a.values_at(0, 1, 4, 6, 11)
      sandbox.fail(status: 429, retry_after: 0, count: 4, skip: 3)
      report = client.orders.upsert_many(orders(20), concurrency: 1, max_retries: 0).run
      assert_equal [20, 16, 4, [], nil], report.to_a.values_at(0, 1, 4, 6, 11)
    end
  end

  def test_a_429_that_names_more_than_max_wait_ends_nothing_either
    each_way do |client, sandbox|
      sandbox.fail(status: 429, retry_after: 30)
      rows = orders(4).map { |row| { email: row[:email] } }
      report = client.contacts.upsert_many(rows, max_retries: 0, max_wait: 5).run
      assert_equal [3, 1, 0], [report.created, report.failed, report.unsent.length]
    end
  end

  def test_after_an_interruption_it_is_known_what_was_sent
    echoing(stall: ->(number) { number > 4 ? 60 : 0.01 }) do |client, server|
      run = client.orders.upsert_many(orders(20), concurrency: 4)
      seen = []
      assert_raises(Timeout::Error) { Timeout.timeout(0.5) { run.each { |result| seen << result.index } } }
      assert_equal [0, 1, 2, 3], seen.sort
      assert_equal [4, 5, 6, 7], run.in_doubt.map(&:first)
      assert_equal [order(5), nil], run.in_doubt.first.drop(1)
      assert_equal [*8..19], run.unsent.map(&:first)
      before = [run.in_doubt, run.unsent]
      run.close
      assert_equal before, [run.in_doubt, run.unsent]
      assert_equal [*8..19], run.report.unsent.map(&:first)
      assert_equal 8, server.requests.length
    end
  end

  def test_events_in_doubt_can_be_sent_again_with_their_keys
    in_process do |client, sandbox|
      sandbox.fail(delay: 60, count: 0)
      run = client.events.ingest_many(events(3) + [event(9, idempotency_key: "mine")])
      assert_raises(Timeout::Error) { Timeout.timeout(0.2) { run.to_a } }
      run.close
      keys = run.in_doubt.map(&:last)
      assert_equal [4, "mine"], [keys.uniq.length, keys.last]
      sandbox.clear_faults
      again = run.in_doubt.map do |_, row, key|
        client.events.ingest(row[:event_type], email: row[:email], idempotency_key: key)
      end
      assert(again.all?(&:idempotent_replay))
      assert_equal 4, sandbox.counts.events
    end
  end

  def test_a_source_that_fails_does_so_after_all_results
    source = Enumerator.new do |rows|
      3.times { |number| rows << order(number + 1) }
      raise Enough, "no more"
    end
    each_way do |client, sandbox|
      run = client.orders.upsert_many(source)
      seen = []
      assert_equal "no more", assert_raises(Enough) { run.each { |result| seen << result.index } }.message
      assert_equal [[0, 1, 2], 3], [seen.sort, sandbox.counts.orders]
      assert_equal [3, 3, Enough], [run.report.total, run.report.succeeded, run.report.stopped.class]
    end
  end

  def test_an_interrupted_source_ends_the_run_and_does_not_restart
    pulled = 0
    source = Enumerator.new do |rows|
      loop do
        pulled += 1
        sleep 60 if pulled == 4
        rows << order(pulled)
      end
    end
    each_way do |client, sandbox|
      pulled = 0
      run = client.orders.upsert_many(source)
      seen = []
      assert_raises(Timeout::Error) { Timeout.timeout(0.3) { run.each { |result| seen << result.index } } }
      assert_match(/interrupted/, refused(Privy::Error) { run.each { |result| seen << result.index } }.message)
      assert_equal [[0, 1, 2], 3, 4], [seen.sort, sandbox.counts.orders, pulled]
    end
  end

  # Results do not wait until a slow source has given as many rows as there are places.
  def test_results_arrive_before_the_source_ends
    in_process do |client, _sandbox|
      seen = []
      source = Enumerator.new { |rows| 6.times { |number| rows << order(number + 1, customer_id: seen.length.to_s) } }
      client.orders.upsert_many(source) { |result| seen << result.value.customer_id.to_i }
      assert(seen.each_with_index.all? { |before, index| index - before <= 2 }, seen.inspect)
    end
  end

  def test_a_row_that_was_interrupted_is_taken_once
    main = Thread.current
    slow = Object.new
    slow.define_singleton_method(:to_time) do
      Thread.new { main.raise(Enough) }.join
      Time.utc(2026)
    end
    in_process do |client, sandbox|
      run = client.orders.upsert_many([order(1, order_date: slow), order(2)].each)
      assert_raises(Enough) { run.to_a }
      assert_equal [0, 1], run.map(&:index).sort
      assert_equal 2, sandbox.counts.orders
    end
  end

  # ---- checks without a request ----

  WRONG = [{ email: "a@example.com" }, { email: "no address", first_name: "X" }, "text",
           { "email" => "b@example.com", "emial" => "c@example.com", "extra" => { any: 1 } }].freeze

  def test_all_rows_are_checked_without_a_request
    in_process do |client, sandbox|
      found = client.contacts.validate_many(WRONG.each)
      assert_equal [[1, "no address", "email", "no address"], [2, nil, "base", nil],
                    [3, "b@example.com", "emial", "c@example.com"]],
                   found.map { |fault| [fault.index, fault.key, fault.field, fault.value] }
      assert_equal found, client.contacts.upsert_many(WRONG).run.refused
      assert_empty client.orders.validate_many(orders(2))
      assert_equal %w[event_type base],
                   client.events.validate_many([event(1), { event_type: "!" }]).map(&:field)
      assert_equal ["tags[0]"], client.contacts.validate_many([{ email: JANE, extra: 5 }, { email: JANE, tags: [1] }])
                                      .drop(1).map(&:field)
      assert_raises(TypeError) { client.orders.validate_many({ order_id: 1 }) }
      assert_equal 1, sandbox.counts.requests
    end
  end

  def test_a_run_may_be_refused_as_one
    in_process do |client, sandbox|
      error = refused { client.contacts.upsert_many(WRONG.each, check_first: true) }
      assert_match(/\A3 of 4 rows are invalid, nothing was sent: row 1: email /, error.message)
      assert_equal(%w[[1].email [2].base [3].emial], error.details.map { |fault| fault[:field] })
      refused { client.contacts.upsert_many(WRONG, check_first: true) { flunk } }
      assert_equal 0, sandbox.counts.requests
      report = client.contacts.upsert_many(WRONG.each.first(1).lazy, check_first: true).run
      assert_equal [1, 1], [report.total, report.succeeded]
      many = refused { client.orders.upsert_many([{}] * 9, check_first: true) }
      assert_match(/; and \d+ more errors\z/, many.message)
    end
  end

  # ---- rows and reports ----

  def test_extra_of_a_row_and_of_the_run
    stubbed({ body: '{"data":{"order_id":1}}' }) do |client, server|
      rows = [order(1, extra: { "a" => 1, "b" => 1 }), order(2).transform_keys(&:to_s).merge("extra" => { "a" => 2 }),
              order(3, extra: nil), order(4, extra: 5)]
      results = client.orders.upsert_many(rows, extra: { "b" => 0 }, concurrency: 1).to_a
      sent = server.requests.map { |request| JSON.parse(request.body).values_at("a", "b") }
      assert_equal [[1, 1], [2, 0], [nil, 0]], sent
      assert_equal [["extra", "must be a Hash, not Integer"]],
                   results.last.error.details.map { |fault| [fault[:field], fault[:message]] }
    end
  end

  def test_a_report_counts_created_updated_and_refused_rows
    each_way do |client, sandbox|
      client.orders.upsert(**order(1))
      rows = [order(1), order(2), order(3, total: "much", line_items: [{ price: [] }]), order(4)]
      sandbox.fail(status: 404, skip: 2)
      report = client.orders.upsert_many(rows, concurrency: 1).run
      assert_equal [4, 2, 1, 1, 2], report.to_a.first(5)
      assert_equal [[2, 3, "line_items[0].price", []], [2, 3, "total", "much"], [3, 4, "base", nil]],
                   report.refused.map { |row| [row.index, row.key, row.field, row.value] }.sort_by(&:to_s)
      assert_equal [[], [], 3, nil], report.to_a.values_at(6, 7, 8, 11)
      refute_predicate report, :ok?
      assert_predicate report, :frozen?
      assert_operator report.seconds, :>=, report.waited
      counts = "2 of 4 rows succeeded (1 created, 1 updated); 2 failed; 3 requests"
      assert_match(/\A#{Regexp.escape(counts)} in \d+\.\d s; in a sandbox\z/, report.to_s)
      refute_includes report.inspect, "example.com"
      assert_equal 2, JSON.parse(report.to_json)["failed"]
    end
  end

  def test_reports_of_runs_that_have_not_ended
    in_process do |client, _sandbox|
      run = client.orders.upsert_many(orders(5), concurrency: 1)
      assert_equal [5, 0, 5], [run.report.total, run.taken, run.unsent.length]
      run.next
      assert_equal [1, 1, 0], [run.done, run.report.created, run.failed]
      assert_equal 5, run.done + run.unsent.length + run.in_doubt.length
      run.close
      assert_equal 5, run.done + run.unsent.length + run.in_doubt.length
      2.times { run.close }
      never = client.orders.upsert_many(orders(2))
      never.close
      assert_equal [[0, 1], 0], [never.unsent.map(&:first), never.report.requests]
    end
  end

  def test_run_returns_a_report_when_the_rate_limit_is_reached
    in_process do |client, sandbox|
      sandbox.set_limits(per_day: 10)
      seen = []
      run = client.orders.upsert_many(orders(20), concurrency: 1)
      report = run.run { |result| seen << result.index }
      assert_equal [[*0...10], [*10..19]], [seen, report.unsent.map(&:first)]
      assert_equal [report.unsent, 11], [report.stopped.unsent, report.stopped.taken]
      mine = Privy::RateLimitError.new("mine")
      other = client.orders.upsert_many([{}])
      assert_same(mine, assert_raises(Privy::RateLimitError) { other.run { raise mine } })
    end
  end

  def test_what_a_report_shows
    in_process do |client, _sandbox|
      report = client.contacts.upsert_many([{ email: "jane@example.com", phone_number: "+1 415" }]).run
      assert_equal ["jane@example.com", "+1 415"], [report.refused[0].key, report.refused[0].value]
      shown = [report.inspect, report.to_s, report.refused.inspect].join
      refute_match(/jane|415/, shown)
    end
  end

  def test_what_a_run_shows
    in_process do |client, _sandbox|
      run = client.orders.upsert_many(orders(2))
      assert_equal "#<Privy::Bulk sandbox orders.upsert total=2 taken=0 done=0 failed=0>", run.inspect
      assert_equal run.inspect, JSON.parse(JSON.generate([run])).first
      assert_raises(TypeError) { Marshal.dump(run) }
      assert_raises(NoMethodError, TypeError) { run.dup }
    end
  end
end
