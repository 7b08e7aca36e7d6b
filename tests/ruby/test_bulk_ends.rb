# frozen_string_literal: true

require_relative "helper"
require_relative "rows"

# However a bulk run is left, no call stays in flight, and the next call is correct.
class TestBulkEnds < PrivyTest
  include Rows

  class Enough < StandardError; end

  # Rows in flight on a server, and on a sandbox, that do not respond.
  def stalled
    echoing(stall: 60) do |client, server|
      yield client, -> { server.requests.length == 8 }
      server.answer_with(status: 200)
    end
    sandbox = Privy::Sandbox.new
    sandbox.fail(delay: 60, count: 0)
    yield sandbox.client, -> { sandbox.counts.requests == 8 }
  end

  # Seconds from the interruption to its arrival.
  def stopped_within(client, under_way)
    thread = Thread.new do
      Thread.current.report_on_exception = false
      client.orders.upsert_many(orders(20)).to_a
    end
    until_true(&under_way)
    elapsed { yield thread }
  end

  def test_a_run_ends_when_the_token_is_refused
    { 401 => Privy::AuthenticationError, 403 => Privy::PermissionDeniedError }.each do |status, kind|
      sandbox = Privy::Sandbox.new
      sandbox.fail(status: status, skip: 3, count: 0)
      report = sandbox.client.orders.upsert_many(orders(20), concurrency: 1).run
      assert_instance_of kind, report.stopped
      assert_equal [status, 3, 0, 17], [report.stopped.status, report.succeeded, report.failed, report.unsent.length]
      assert_equal 4, sandbox.counts.requests
      run = sandbox.client.orders.upsert_many(orders(2), concurrency: 1)
      assert_raises(kind) { run.to_a }
    end
  end

  def test_an_error_of_privy_that_the_source_raises_is_raised
    [Privy::RateLimitError.new("spent"), Privy::AuthenticationError.new("no token")].each do |error|
      sandbox = Privy::Sandbox.new
      rows = Enumerator.new do |yielder|
        yielder << orders(1).first
        raise error
      end
      assert_same error, assert_raises(error.class) { sandbox.client.orders.upsert_many(rows).run }
      assert_equal 1, sandbox.counts.orders
    end
  end

  def test_thread_raise_stops_a_bulk_run
    stalled do |client, under_way|
      took = stopped_within(client, under_way) do |thread|
        thread.raise(Enough)
        assert_raises(Enough) { thread.join }
      end
      assert_operator took, :<, PROMPT
    end
  end

  def test_thread_kill_stops_a_bulk_run
    stalled do |client, under_way|
      assert_operator(stopped_within(client, under_way) { |thread| thread.kill.join }, :<, PROMPT)
    end
  end

  def test_timeout_stops_a_bulk_run
    stalled do |client, _under_way|
      took = elapsed do
        assert_raises(Timeout::Error) { Timeout.timeout(0.2) { client.orders.upsert_many(orders(20)).to_a } }
      end
      assert_operator took, :<, PROMPT
    end
  end

  def test_control_c_stops_a_bulk_run
    stalled do |client, under_way|
      at = nil
      killer = Thread.new do
        until_true(&under_way)
        at = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        Process.kill("INT", Process.pid)
      end
      assert_raises(Interrupt) { client.orders.upsert_many(orders(20)).to_a }
      assert_operator Process.clock_gettime(Process::CLOCK_MONOTONIC) - at, :<, PROMPT
      killer.join
    end
  end

  def test_an_interruption_while_waiting_for_the_rate_limit
    sandbox = Privy::Sandbox.new
    sandbox.set_limits(per_minute: 3)
    client = sandbox.client
    seen = 0
    assert_raises(Timeout::Error) do
      Timeout.timeout(2) { client.orders.upsert_many(orders(20)) { seen += 1 } }
    end
    assert_equal [3, 3], [seen, sandbox.counts.requests]
  end

  # What another thread raises while a row is read is not the row's fault.
  def test_an_exception_of_another_thread_is_not_an_error_of_a_row
    main = Thread.current
    slow = Class.new do
      define_method(:to_time) do
        Thread.new { main.raise(Enough, "from outside") }.join
        Time.now
      end
    end
    results = []
    assert_raises(Enough) do
      Privy::Sandbox.new.client.orders.upsert_many([order(1, order_date: slow.new)]) { |result| results << result }
    end
    assert(results.all?(&:ok?))
  end

  def test_a_signal_handler_costs_nothing
    seen = 0
    before = trap("USR1") { seen += 1 }
    echoing(stall: 0.5) do |client, server|
      noise = Thread.new do
        sleep 0.01 until server.requests.any?
        3.times { Process.kill("USR1", Process.pid) && sleep(0.05) }
      end
      assert_equal 8, client.orders.upsert_many(orders(8)).count(&:ok?)
      noise.join
      assert_equal 8, server.requests.length
    end
    assert_operator seen, :>=, 1
  ensure
    trap("USR1", before || "DEFAULT")
  end

  def test_leaving_the_block_early
    echoing(stall: ->(number) { number == 1 ? 0.05 : 60 }) do |client, server|
      took = elapsed { client.orders.upsert_many(orders(20)) { |result| break assert_equal(0, result.index) } }
      assert_operator took, :<, PROMPT
      assert_operator server.requests.length, :<=, 9
      until_true { server.closed == server.connections - 1 } # all but the one whose response arrived
      assert_equal 1, client.orders.upsert(**order(1)).order_id
    end
  end

  def test_an_exception_in_the_block
    each_row = lambda do |client|
      assert_raises(Enough) { client.orders.upsert_many(orders(20)) { raise Enough } }
    end
    echoing { |client, _server| each_row.call(client) }
    sandbox = Privy::Sandbox.new
    each_row.call(sandbox.client)
    assert_operator sandbox.counts.requests, :<=, 8
  end

  def test_an_abandoned_enumerator
    stubbed({ body: '{"data":{"order_id":1}}' }) do |client, server|
      20.times { client.orders.upsert_many(orders(20), concurrency: 2).next }
      3.times { GC.start }
      client.close
      GC.start
      assert_operator server.requests.length, :>=, 20
    end
    client = Privy::Sandbox.new.client
    abandoned = Array.new(20) { client.orders.upsert_many(orders(20)).tap(&:next) }
    client.close
    assert_equal 20, abandoned.length
  end

  def test_a_run_that_finishes_early_leaves_nothing_in_doubt
    sandbox = Privy::Sandbox.new
    sandbox.set_limits(per_minute: 20)
    run = sandbox.client.orders.upsert_many(orders(50))
    results = [run.next]
    run.finish
    run.each { |result| results << result }
    report = run.report
    assert_equal [results.length, results.length], [sandbox.counts.requests, report.succeeded]
    assert_equal 50 - results.length, report.unsent.length
    assert_empty report.in_doubt
    assert_nil report.stopped
    run.finish
  end

  def test_a_run_that_finishes_before_it_begins_sends_nothing
    sandbox = Privy::Sandbox.new
    run = sandbox.client.orders.upsert_many(orders(5))
    run.finish
    assert_equal 5, run.report.unsent.length
    assert_equal 0, sandbox.counts.requests
  end

  def test_a_client_closed_during_a_run
    echoing(stall: 0.02) do |client, _server|
      run = client.orders.upsert_many(orders(12), concurrency: 2)
      results = []
      error = refused(Privy::Error) do
        run.each do |result|
          client.close
          results << result.index
        end
      end
      assert_match(/closed/, error.message)
      assert_equal [*0..11], (results + run.unsent.map(&:first)).sort
      assert_equal [error, []], [run.report.stopped, run.in_doubt]
      refused(Privy::Error) { client.contacts.get(NOBODY) }
    end
  end

  def test_a_fork_inside_the_block
    echoing(stall: 0.02) do |client, server|
      statuses = []
      results = client.orders.upsert_many(orders(8), concurrency: 2).map do |result|
        if result.index == 3
          child = fork { exit!(client.orders.upsert(**order(99)).order_id == 99 ? 0 : 1) }
          statuses << Process.wait2(child).last.success?
        end
        result.ok?
      end
      assert_equal [[true], [true] * 8, 3], [statuses, results, server.connections]
    end
  end

  def test_a_child_cannot_continue_its_parents_run
    echoing do |client, _server|
      results = client.orders.upsert_many(orders(8), concurrency: 2)
      results.next
      child = fork do
        4.times { results.next }
      rescue Privy::Error => e
        exit!(e.message.include?("forked") ? 0 : 1)
      end
      assert_predicate Process.wait2(child).last, :success?
      assert_equal 7, Array.new(7) { results.next.ok? }.count(true)
    end
  end

  def test_groups_check_what_they_are_given
    client = Privy::Sandbox.new.client
    core = session_of(client).core
    group = Privy::Core::Group.new(core, false)
    assert_raises(RuntimeError) { group.send(:initialize, core, false) }
    assert_raises(TypeError) { Privy::Core::Group.new(client, false) }
    assert_raises(RuntimeError) { Privy::Core::Group.allocate.next_completed }
    assert_raises(ArgumentError) { group.call(0, "orders.fly", {}, nil, nil) }
    assert_nil group.next_completed
    2.times { group.close }
    assert_raises(RuntimeError) { group.wait(1) }
    assert_raises(TypeError) { Marshal.dump(group) }
  end

  def test_a_group_serves_one_thread_at_a_time
    sandbox = Privy::Sandbox.new
    sandbox.fail(delay: 2)
    group = Privy::Core::Group.new(session_of(sandbox.client).core, false)
    group.call(7, "contacts.list", {}, nil, nil)
    thread = Thread.new { group.wait(5) }
    until_true { sandbox.counts.requests == 1 && thread.status == "sleep" }
    assert_match(/another thread/, assert_raises(RuntimeError) { group.close }.message)
    thread.join
    group.wait(5) until (outcome = group.next_completed)
    assert_equal [7, 0], [outcome.first, outcome.last.size]
    group.close
  end
end
