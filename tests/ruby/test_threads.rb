# frozen_string_literal: true

require_relative "helper"
require "open3"

class TestThreads < PrivyTest
  # In a new process: parts of the library are loaded when they are first used. Exceptions arrive meanwhile.
  FIRST_USE = <<~PROGRAM
    Stop = Class.new(StandardError)
    Thread.report_on_exception = false
    client = Privy::Sandbox.new.client
    use = lambda do
      refused = client.contacts.upsert_many([{ email: "no" }]).run.refused.length
      refused + client.contacts.list.to_a.length + client.contacts.plan([]).size
    end
    go = false
    threads = Array.new(12) do
      Thread.new do
        Thread.pass until go
        begin
          use.call
        rescue Stop
          nil
        end
      end
    end
    go = true
    40.times do
      threads.sample.raise(Stop)
      sleep(rand * 0.0005)
    end
    threads.each { |thread| thread.join(20) || abort("it hangs") rescue Stop }
    others = Array.new(10) { Thread.new(&use) }
    print others.map(&:value).uniq
  PROGRAM

  def test_the_first_use_of_a_part_by_many_threads_that_are_interrupted
    command = [RbConfig.ruby, "-Ibuild/ruby/lib", "-Iruby/lib", "-rprivy", "-e", FIRST_USE]
    10.times do
      output, status = Open3.capture2e(*command, chdir: ROOT)
      assert_equal ["[1]", true], [output[0, 2000], status.success?]
    end
  end

  include BothWays

  def test_one_client_for_many_threads
    each_way do |client, sandbox|
      emails = Array.new(8) do |number|
        Thread.new do
          Array.new(10) { |n| client.contacts.create(email: "t#{number}-#{n}@example.com").email }
        end
      end.flat_map(&:value)
      assert_equal 80, emails.uniq.length
      assert_equal 80, sandbox.counts.contacts
      assert_equal emails.sort, client.contacts.list.map(&:email).sort
    end
  end

  def test_calls_go_side_by_side
    five = gate(5)
    stubbed(choose: ->(_) { five.call && {} }) do |client, server|
      Array.new(5) { Thread.new { client.contacts.get(NOBODY) } }.each(&:value)
      assert_equal 5, server.requests.length
    end
  end

  def test_readers_of_one_record
    record = Privy::Contact.from_json('{"first_name":"J\u00e9","tags":["a","b"],"custom_fields":{"k":1.5},"new":{}}')
    seen = Array.new(4) do
      Thread.new do
        Array.new(200) do
          [record.first_name, record.tags, record.extra]
        end
      end
    end.flat_map(&:value)
    assert_equal 1, seen.uniq.length
  end

  def test_errors_stay_with_their_thread
    stubbed do |client, _server|
      results = Array.new(6) do |n|
        Thread.new { n.even? ? client.contacts.get(NOBODY).email : fields { client.contacts.get("wrong") } }
      end.map(&:value)
      assert_equal [JANE, ["id"]] * 3, results
    end
  end

  def test_a_call_inside_a_fiber_without_scheduler_blocks_it
    in_process do |client, _sandbox|
      fiber = Fiber.new { Fiber.yield(client.contacts.create(email: JANE).email) }
      assert_equal JANE, fiber.resume
    end
  end

  def test_a_child_process_ends_in_peace
    served do |client, _sandbox|
      client.contacts.create(email: JANE)
      child = fork { exit!(Privy::Contact.from_json("{}").id.nil? ? 0 : 1) }
      _, status = Process.wait2(child)
      assert_predicate status, :success?
      assert_equal 1, client.contacts.list.count
    end
  end
end
