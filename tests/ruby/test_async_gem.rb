# frozen_string_literal: true

require_relative "helper"
# The gem warns of itself.
verbose = $VERBOSE
$VERBOSE = nil
require "async"
$VERBOSE = verbose

# Under the scheduler of the async gem, as its users have it.
class TestAsyncGem < PrivyTest
  CONTACT = '{"data":{"id":"cus_%016d","email":"jane@example.com"}}'

  def answering(stall: nil, **settings, &block)
    choose = ->(request) { { stall: stall, body: format(CONTACT, request.target[/\d+\z/].to_i) } }
    stubbed(choose: choose, **settings, &block)
  end

  def id(number)
    format("cus_%016d", number)
  end

  def test_tasks_go_side_by_side
    all = gate(20)
    choose = ->(request) { all.call && { body: format(CONTACT, request.target[/\d+\z/].to_i) } }
    stubbed(choose: choose) do |client|
      ids = Async { |task| Array.new(20) { |n| task.async { client.contacts.get(id(n)).id } }.map(&:wait) }.wait
      assert_equal(Array.new(20) { |n| id(n) }, ids)
    end
  end

  def test_other_tasks_run_during_a_call
    answering(stall: 1.5) do |client|
      turns = 0
      Async do |task|
        ticker = task.async do
          loop do
            task.sleep(0.01)
            turns += 1
          end
        end
        client.contacts.get(id(1))
        ticker.stop
      end
      assert_operator turns, :>, 5
    end
  end

  # Its with_timeout is not tested: the gem's own io_wait (1.30) takes that exception for the end of a wait.
  def test_a_task_that_is_stopped_stops_its_call_and_the_next_is_right
    stall = 60
    choose = ->(request) { { stall: stall, body: format(CONTACT, request.target[/\d+\z/].to_i) } }
    stubbed(choose: choose) do |client, server|
      took = elapsed do
        Async do |task|
          answered = false
          calling = task.async do
            client.contacts.get(id(1))
            answered = true
          end
          task.sleep(0.01) until server.requests.any?
          calling.stop
          stall = nil
          assert_equal id(2), client.contacts.get(id(2)).id
          refute answered
        end
      end
      assert_operator took, :<, PROMPT
    end
  end

  def test_lists_and_bulk_calls_too
    sandbox = Privy::Sandbox.new
    client = sandbox.client
    Async do
      rows = Array.new(30) { |n| { email: "a#{n}@example.com" } }
      assert_equal 30, client.contacts.upsert_many(rows).count(&:ok?)
      assert_equal 30, client.contacts.list(per_page: 7).map(&:id).uniq.length
    end
  end
end
