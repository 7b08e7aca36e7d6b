# frozen_string_literal: true

require_relative "helper"
require_relative "rows"
require_relative "small_scheduler"

# Under a Fiber scheduler calls suspend their fiber; the thread and its other fibers continue.
class TestFibers < PrivyTest
  include Rows

  CONTACT = '{"data":{"id":"cus_%016d","email":"jane@example.com"}}'

  # Answers each contact with its own id.
  def answering(stall: nil, **settings, &block)
    choose = lambda do |request|
      { stall: stall, body: format(CONTACT, request.target[/\d+\z/].to_i) }
    end
    stubbed(choose: choose, **settings, &block)
  end

  def id(number)
    format("cus_%016d", number)
  end

  # How often another fiber runs.
  def counting_turns
    turns = 0
    done = false
    Fiber.schedule do
      until done
        sleep 0.01
        turns += 1
      end
    end
    yield
    turns
  ensure
    done = true
  end

  def test_calls_of_many_fibers_go_side_by_side
    all = gate(21)
    choose = lambda do |request|
      request.target.end_with?("/first") ? {} : all.call && { body: format(CONTACT, request.target[/\d+\z/].to_i) }
    end
    stubbed(choose: choose) do |client, server|
      client.request(:GET, "/first") # the first responses report the limits: before, few calls are sent together
      threads = nil
      ids = []
      SmallScheduler.run do |scheduler|
        before = Thread.list.length
        fibers = Array.new(20) { |n| Fiber.schedule { ids << [n, client.contacts.get(id(n)).id] } }
        until_true { server.requests.length == 21 }
        threads = Thread.list.length - before - (server.connections - 1)
        all.call
        sleep 0.01 while fibers.any?(&:alive?)
        assert_operator scheduler.io_waits, :>=, 20
      end
      assert_equal Array.new(20) { |n| [n, id(n)] }, ids.sort
      assert_equal 0, threads
    end
  end

  def test_other_fibers_run_during_a_call
    answering(stall: 1) do |client, _server|
      turns = SmallScheduler.run { counting_turns { client.contacts.get(id(1)) } }
      assert_operator turns, :>, 5
    end
  end

  def test_requests_of_any_kind_suspend
    stubbed({ stall: 1 }) do |client, _server|
      turns = SmallScheduler.run { counting_turns { client.request("GET", "/things") } }
      assert_operator turns, :>, 5
    end
  end

  def test_connections_are_used_again
    answering do |client, server|
      ids = SmallScheduler.run { Array.new(5) { |n| client.contacts.get(id(n)).id } }
      assert_equal [Array.new(5) { |n| id(n) }, 1], [ids, server.connections]
      SmallScheduler.run { client.contacts.get(id(9)) }
      assert_equal 1, server.connections
    end
  end

  def test_every_kind_of_call
    served do |client, sandbox|
      found = SmallScheduler.run do
        jane = client.contacts.create(email: JANE)
        client.contacts.upsert(email: JANE, first_name: "J")
        raw = client.request("GET", "/contacts", params: { page: 1 }).json["data"].length
        refused = [Privy::NotFoundError, Privy::ValidationError].zip([NOBODY, "wrong"]).map do |klass, name|
          assert_raises(klass) { client.contacts.get(name) }.class
        end
        [client.contacts.list.map(&:id) == [jane.id], raw, refused]
      end
      assert_equal [true, 1, [Privy::NotFoundError, Privy::ValidationError]], found
      assert_equal 1, sandbox.counts.contacts
    end
  end

  def test_a_call_to_a_sandbox_in_process_suspends_its_fiber
    in_process do |client, sandbox|
      jane = client.contacts.create(email: JANE)
      sandbox.fail(delay: 0.3)
      turns = nil
      got = SmallScheduler.run { nil.tap { turns = counting_turns { @jane = client.contacts.get(jane.id) } } || @jane }
      assert_equal jane, got
      assert_operator turns, :>, 5
    end
  end

  def test_a_name_lookup_does_not_block_other_fibers
    answering(stall: 0.1) do |_client, server|
      client = Privy::Client.new(base_url: server.url.sub("127.0.0.1", "localhost"), token: "privy_#{'0' * 40}")
      ids = []
      SmallScheduler.run { 4.times { |n| Fiber.schedule { ids << client.contacts.get(id(n)).id } } }
      assert_equal Array.new(4) { |n| id(n) }, ids.sort
    end
  end

  def test_retries_and_waits
    stubbed({ status: 503, headers: { "Retry-After" => "1" } }, {}) do |client, server|
      turns = SmallScheduler.run { counting_turns { assert_equal JANE, client.contacts.get(NOBODY).email } }
      assert_operator turns, :>, 5
      assert_equal 2, server.requests.length
    end
  end

  def test_timeouts_of_calls
    answering(stall: 60) do |client, _server|
      took = elapsed do
        SmallScheduler.run do
          assert_raises(Privy::APITimeoutError) { client.contacts.get(id(1), timeout: 0.2, max_retries: 0) }
        end
      end
      assert_operator took, :<, PROMPT
    end
  end

  def test_timeouts_although_the_scheduler_was_late
    answering(stall: 60) do |client, _server|
      took = elapsed do
        SmallScheduler.run do
          Fiber.schedule { sleep(0.4) && late_for(0.2) }
          short = { timeout: 1, connect_timeout: 0.5, max_retries: 0 }
          assert_raises(Privy::APITimeoutError) { client.contacts.get(id(1), **short) }
        end
      end
      assert_operator took, :<, PROMPT
    end
  end

  # Keeps the scheduler, and all fibers, from going on.
  def late_for(seconds)
    ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    nil while Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends
  end

  def test_a_stopped_call_closes_its_connection
    stubbed({ stall: 60 }) do |client, server|
      SmallScheduler.run do
        assert_raises(Timeout::Error) { Timeout.timeout(1) { client.contacts.get(NOBODY) } }
        server.answer_with(status: 200)
        assert_equal JANE, client.contacts.get(NOBODY).email
      end
      assert_equal 2, server.connections
      Timeout.timeout(PROMPT) { sleep 0.01 until server.closed >= 1 }
    end
  end

  def test_a_bulk_run_suspends_its_fiber_and_uses_a_connection_a_call
    echoing(stall: 0.3) do |client, server|
      turns = seen = nil
      SmallScheduler.run do
        turns = counting_turns { seen = client.orders.upsert_many(orders(20), concurrency: 4) { nil } }
      end
      assert_equal [20, 0], [seen.succeeded, seen.failed]
      assert_operator turns, :>, 5
      assert_equal 4, server.connections
    end
  end

  def test_no_row_waits_for_another
    indexes = []
    stall = ->(number) { until_true { indexes.length == 39 } if number == 1 }
    echoing(stall: stall) do |client, _server|
      SmallScheduler.run { client.orders.upsert_many(orders(40), concurrency: 4) { |result| indexes << result.index } }
      assert_equal [0, [*0..39]], [indexes.last, indexes.sort]
    end
  end

  def test_bulk_calls_can_be_left
    echoing(stall: ->(number) { number == 1 ? 0.05 : 60 }) do |client, server|
      SmallScheduler.run do
        index = client.orders.upsert_many(orders(20)) { |result| break result.index }
        assert_equal 0, index
        assert_equal 1, client.orders.upsert(**order(1)).order_id
      end
      # Of eight connections the one whose response arrived stays open.
      Timeout.timeout(PROMPT) { sleep 0.01 until server.closed >= 7 }
    end
  end

  def test_blocking_fibers_wait_as_threads_do
    answering(stall: 0.1) do |client, _server|
      SmallScheduler.run do |scheduler|
        assert_equal id(3), Fiber.new(blocking: true) { client.contacts.get(id(3)).id }.resume
        assert_equal 0, scheduler.io_waits
      end
    end
  end

  def test_close_closes_the_connections_of_suspended_calls
    answering do |client, server|
      SmallScheduler.run do
        fibers = Array.new(2) { |n| Fiber.schedule { client.contacts.get(id(n)) } }
        sleep 0.01 while fibers.any?(&:alive?)
        client.close
        assert_match(/closed/, assert_raises(Privy::Error) { client.contacts.get(id(1)) }.message)
      end
      Timeout.timeout(PROMPT) { sleep 0.01 until server.closed == server.connections }
    end
  end

  def test_a_child_has_connections_of_its_own
    answering do |client, server|
      SmallScheduler.run { client.contacts.get(id(1)) }
      child = fork { exit!(SmallScheduler.run { client.contacts.get(id(2)).id } == id(2) ? 0 : 1) }
      assert_predicate Process.wait2(child).last, :success?
      SmallScheduler.run { client.contacts.get(id(3)) }
      assert_equal [2, 3], [server.connections, server.requests.length]
    end
  end
end
