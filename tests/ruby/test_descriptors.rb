# frozen_string_literal: true

require_relative "helper"
require_relative "small_scheduler"

# What a client keeps open when many threads or fibers have used it: few connections, and none that the server closed.
class TestDescriptors < PrivyTest
  CROWD = 200
  KEPT = 16
  # Descriptors that a call of ours may keep: its connection, and two to be woken by.
  A_CALL = 3

  def setup
    skip "only Linux lists a process's descriptors" unless File.directory?("/proc/self/fd")
  end

  def descriptors
    Dir.children("/proc/self/fd").length
  end

  # Waits until so few descriptors are open, asking again and again; how many are in the end.
  def falls_to(most)
    limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 60
    while descriptors > most && Process.clock_gettime(Process::CLOCK_MONOTONIC) < limit
      yield if block_given?
      sleep 0.05
    end
    descriptors
  end

  # Answers each of the first requests when so many are there: all callers hold a connection at one moment.
  def gathering(count, answer)
    gate = Queue.new
    arrived = 0
    lambda do |_request|
      number = arrived
      arrived += 1
      next {} unless number.between?(1, count)

      number == count ? (count - 1).times { gate.push(nil) } : gate.pop
      answer
    end
  end

  def crowd(count, answer = {})
    GC.start
    stubbed(choose: gathering(count, answer), timeout: 60) do |client, server|
      client.contacts.get(NOBODY) # before the first response few calls are in flight together
      before = descriptors
      Array.new(count) { Thread.new { client.contacts.get(NOBODY) } }.each(&:value)
      assert_equal count, server.connections
      yield client, before
    ensure
      client.close # not when it is collected, which is while another test counts
    end
  end

  def test_a_crowd_leaves_few_connections
    crowd(CROWD) do |client, before|
      most = before + (KEPT * (A_CALL + 1))
      assert_operator falls_to(most), :<=, most
      assert_equal JANE, client.contacts.get(NOBODY).email
    end
  end

  def test_what_the_server_has_closed_is_closed_by_later_calls
    whole = "HTTP/1.1 200 OK\r\nContent-Length: #{StubServer::CONTACT.bytesize}\r\n\r\n#{StubServer::CONTACT}"
    crowd(KEPT, { raw: whole }) do |client, before|
      most = before + (2 * (A_CALL + 1))
      assert_operator falls_to(most) { client.contacts.get(NOBODY) }, :<=, most
    end
  end

  def test_fibers_and_threads_share_what_is_kept
    stubbed do |client, server|
      3.times do
        SmallScheduler.run { client.contacts.get(NOBODY) }
        client.contacts.get(NOBODY)
      end
      assert_equal [6, 1], [server.requests.length, server.connections]
    end
  end
end
