# frozen_string_literal: true

require_relative "helper"

# Whatever Ruby uses to stop a thread stops a call at once; the next call is right.
class TestInterrupts < PrivyTest
  class Enough < StandardError; end

  # A stalled server (the response arrives far too late), and a sandbox that stalls in process.
  def stalled
    stubbed({ stall: 60 }) do |client, server|
      yield client, -> { server.requests.any? }
      server.answer_with(status: 200)
      assert_equal JANE, client.contacts.get(NOBODY).email
    end
    in_process do |client, sandbox|
      jane = client.contacts.create(email: JANE)
      sandbox.fail(delay: 60)
      yield client, -> { true }
      sandbox.clear_faults
      assert_equal jane, client.contacts.get(jane.id)
    end
  end

  def in_a_call(client, under_way, *thread_settings)
    thread = Thread.new do
      Thread.current.report_on_exception = false
      yield if block_given?
      client.contacts.get(NOBODY, *thread_settings)
    end
    Timeout.timeout(PROMPT) { Thread.pass until under_way.call }
    sleep 0.1
    thread
  end

  def test_timeout_stops_a_call
    stalled do |client, _under_way|
      took = elapsed { assert_raises(Timeout::Error) { Timeout.timeout(0.2) { client.contacts.get(NOBODY) } } }
      assert_operator took, :<, PROMPT
    end
  end

  def test_thread_raise_stops_a_call
    stalled do |client, under_way|
      thread = in_a_call(client, under_way)
      took = elapsed do
        thread.raise(Enough, "enough")
        assert_equal "enough", assert_raises(Enough) { thread.join }.message
      end
      assert_operator took, :<, PROMPT
    end
  end

  def test_thread_kill_stops_a_call_and_runs_ensure
    stalled do |client, under_way|
      cleaned = false
      thread = Thread.new do
        client.contacts.get(NOBODY)
      ensure
        cleaned = true
      end
      Thread.pass until under_way.call
      sleep 0.1
      assert_operator(elapsed { thread.kill.join }, :<, PROMPT)
      assert cleaned
    end
  end

  # Seconds from a Ctrl-C, sent when `ready` says so, to its Interrupt. Often: a thread that ends right after the signal
  # may leave nobody to wake the one that waits.
  def control_c(ready, &)
    Array.new(11) do |turn|
      killer = Thread.new do
        sleep 0.01 until ready.call(turn)
        sleep turn * 0.007
        Process.clock_gettime(Process::CLOCK_MONOTONIC).tap { Process.kill("INT", Process.pid) }
      end
      assert_raises(Interrupt, &)
      Process.clock_gettime(Process::CLOCK_MONOTONIC) - killer.value
    end
  end

  # As soon as it ends a sleep on this machine, by the medians.
  def test_control_c_stops_a_call_as_soon_as_a_sleep
    stubbed({ stall: 60 }) do |client, server|
      taken = control_c(->(turn) { server.requests.length > turn }) { client.contacts.get(NOBODY) }
      asleep = control_c(->(_turn) { sleep(0.05) }) { sleep 60 }
      assert_operator taken.max, :<, PROMPT
      assert_operator taken.sort[5], :<, 0.1 + (10 * asleep.sort[5]), taken.inspect
    end
  end

  def test_a_signal_handler_runs_and_costs_nothing
    seen = 0
    before = trap("USR1") { seen += 1 }
    stubbed({ stall: 1 }) do |client, server|
      noise = Thread.new do
        Thread.pass until server.requests.any?
        5.times { Process.kill("USR1", Process.pid) && sleep(0.1) }
      end
      assert_equal JANE, client.contacts.get(NOBODY).email
      noise.join
      assert_equal 1, server.requests.length
    end
    assert_operator seen, :>=, 1
  ensure
    trap("USR1", before || "DEFAULT")
  end

  def test_a_deferred_exception_waits_for_the_response
    stubbed({ stall: 0.6 }) do |client, server|
      answer = nil
      thread = Thread.new do
        Thread.current.report_on_exception = false
        Thread.handle_interrupt(Enough => :never) { answer = client.contacts.get(NOBODY) }
      end
      Thread.pass until server.requests.any?
      thread.raise(Enough)
      assert_raises(Enough) { thread.join }
      assert_equal [JANE, 1], [answer.email, server.requests.length]
    end
  end

  def test_a_stopped_call_closes_its_connection
    stubbed({ stall: 60 }) do |client, server|
      thread = in_a_call(client, -> { server.requests.any? })
      thread.raise(Enough)
      assert_raises(Enough) { thread.join }
      server.answer_with(body: '{"data":{"id":"cus_fedcba9876543210"}}')
      assert_equal "cus_fedcba9876543210", client.contacts.get(NOBODY).id
      assert_equal 2, server.connections
    end
  end

  # An exception may land on any instruction of a call: whatever it hits, no later call gets the response of another
  # one.
  def test_exceptions_at_any_moment
    answers = ->(request) { { body: %({"data":{"id":"#{request.target[/cus_\w+/]}"}}) } }
    stubbed(choose: answers) do |client, server|
      wrong = []
      stopped = []
      thread = Thread.new { calls_that_are_stopped(client, stopped, wrong) }
      Thread.pass until server.requests.any?
      random = Random.new(7)
      400.times do
        sleep random.rand(0.002)
        thread.raise(Enough)
      end
      thread[:done] = true
      thread.join(PROMPT)
      assert_empty wrong
      assert_operator stopped.length, :>, 50
      assert_operator server.connections, :<=, stopped.length + 1
      Timeout.timeout(PROMPT) { sleep 0.01 until server.closed >= server.connections - 1 }
    end
  end

  # Gets one contact after another until it is stopped.
  def calls_that_are_stopped(client, stopped, wrong)
    number = 0
    Thread.handle_interrupt(Enough => :never) do
      until Thread.current[:done]
        begin
          id = format("cus_%016d", number += 1)
          Thread.handle_interrupt(Enough => :immediate) { client.contacts.get(id).id == id || wrong.push(id) }
        rescue Enough
          stopped << id
        end
      end
    end
  rescue Enough
    nil # the last one came after the last call
  end

  # A process in which another thread is always busy: the lock is hard to come by.
  def test_a_stop_while_others_are_busy
    stubbed({ stall: 60 }) do |client, server|
      busy = Array.new(2) { Thread.new { loop { Math.sqrt(2) } } }
      thread = in_a_call(client, -> { server.requests.any? })
      assert_operator(elapsed { thread.raise(Enough) && assert_raises(Enough) { thread.join } }, :<, PROMPT)
    ensure
      busy.each(&:kill).each(&:join)
    end
  end

  def test_other_threads_run_during_a_call
    stubbed({ stall: 0.5 }) do |client, _server|
      call = Thread.new { client.contacts.get(NOBODY) }
      turns = 0
      turns += 1 while call.alive?
      assert_operator turns, :>, 1000
      assert_equal JANE, call.value.email
    end
  end
end
