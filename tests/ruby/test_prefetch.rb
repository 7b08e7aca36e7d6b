# frozen_string_literal: true

require_relative "helper"
require_relative "small_scheduler"

# While one page of a list is read, the next one is in flight.
class TestPrefetch < PrivyTest
  class Enough < StandardError; end

  COUNT = 4
  SIZE = 20

  # A server of pages of contacts.
  def paged(count: COUNT, size: SIZE, stall: nil, failing: nil, **settings, &block)
    choose = lambda do |request|
      number = (request.target[/[?&]page=(\d+)/, 1] || 1).to_i
      data = Array.new(size) { |n| { id: format("cus_%016d", (number * 1000) + n) } }
      pagination = { page: number, per_page: size, total_pages: count, total_count: count * size }
      { body: { data: data, pagination: pagination }.to_json, status: number == failing ? 500 : 200,
        stall: stall.respond_to?(:call) ? stall.call(number) : stall }
    end
    stubbed(choose: choose, **settings, &block)
  end

  def asked(server)
    server.requests.map { |request| (request.target[/[?&]page=(\d+)/, 1] || 1).to_i }
  end

  def until_asked(server, *pages)
    Timeout.timeout(PROMPT) { sleep 0.001 until asked(server).length >= pages.length }
    sleep 0.05 # for one too many
    assert_equal pages, asked(server)
  end

  # Plainly, and under a Fiber scheduler.
  def either_way(&)
    yield
    SmallScheduler.run(&)
  end

  def test_when_the_next_page_is_requested
    either_way do
      paged do |client, server|
        seen = 0
        # On the first page when a tenth has been read, then at once; nothing comes after the last.
        expected = { 2 => [1], 3 => [1, 2], 20 => [1, 2], 21 => [1, 2, 3], 41 => [1, 2, 3, 4], 80 => [1, 2, 3, 4] }
        client.contacts.list(per_page: SIZE).each do
          seen += 1
          until_asked(server, *expected[seen]) if expected[seen]
        end
        assert_equal [80, 1], [seen, server.connections]
      end
    end
  end

  def test_each_page_requests_the_next_one
    either_way do
      paged do |client, server|
        numbers = client.contacts.list(per_page: SIZE).pages do |page|
          expected = { 1 => [1], 2 => [1, 2, 3] }.fetch(page.page, [1, 2, 3, 4])
          until_asked(server, *expected)
        end
        assert_kind_of Privy::ContactList, numbers
      end
    end
  end

  def test_without_prefetch_each_page_is_requested_when_it_is_read
    either_way do
      paged do |client, server|
        client.contacts.list(per_page: SIZE, prefetch: false).pages.each.with_index(1) do |page, number|
          assert_equal [number, [*1..number]], [page.page, asked(server)]
        end
      end
    end
  end

  def test_the_reader_does_not_wait_for_a_page_in_flight
    either_way do
      paged(count: 3, stall: 0.6) do |client, _server|
        ready = now
        waited = []
        client.contacts.list(per_page: SIZE).pages do |page|
          waited << (now - ready)
          sleep 1 if page.page == 2
          ready = now
        end
        assert_operator waited.last, :<, waited.first / 2
      end
    end
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def test_other_fibers_run_during_a_wait
    paged(stall: 0.3) do |client, _server|
      turns = 0
      SmallScheduler.run do
        done = false
        Fiber.schedule { (turns += 1) && sleep(0.005) until done }
        assert_equal 80, client.contacts.list(per_page: SIZE).to_a.length
        done = true
      end
      assert_operator turns, :>, 10
    end
  end

  # ---- leaving ----

  def test_a_request_in_flight_is_cancelled_when_the_iteration_ends
    leave = [->(list) { list.pages { |page| break if page.page == 2 } },
             ->(list) { assert_raises(Enough) { list.each_with_index { |_, n| raise Enough if n == 30 } } },
             ->(list) { list.each.first(30) }]
    leave.each do |way|
      either_way do
        paged(stall: ->(number) { number == 3 ? 60 : nil }) do |client, server|
          assert_operator(elapsed { way.call(client.contacts.list(per_page: SIZE)) }, :<, PROMPT)
          Timeout.timeout(PROMPT) { sleep 0.01 until server.closed == 1 }
          assert_operator client.contacts.list(page: 2, per_page: SIZE).first.id, :end_with?, "2000"
        end
      end
    end
  end

  def test_an_abandoned_enumerator
    paged(stall: ->(number) { number == 3 ? 60 : nil }) do |client, server|
      20.times { client.contacts.list(per_page: SIZE).pages.tap { |pages| 2.times { pages.next } } }
      client.close
      assert_equal 40, server.requests.count { |request| !request.target.include?("page=3") }
    end
  end

  def test_an_interruption_stops_the_wait
    either_way do
      paged(stall: ->(number) { number == 3 ? 60 : nil }) do |client, _server|
        seen = 0
        took = elapsed do
          assert_raises(Timeout::Error) do
            Timeout.timeout(2) { client.contacts.list(per_page: SIZE).each { seen += 1 } }
          end
        end
        assert_operator took, :<, PROMPT
        assert_equal 40, seen
      end
    end
  end

  # ---- what can happen between pages ----

  def test_an_error_comes_when_the_reader_is_there
    either_way do
      paged(failing: 3, max_retries: 0) do |client, server|
        seen = 0
        error = refused(Privy::ServerError) do
          client.contacts.list(per_page: SIZE).each do
            seen += 1
            until_asked(server, 1, 2, 3) if seen == 21
          end
        end
        assert_equal [40, 500, "/contacts", 1], [seen, error.status, error.path, error.attempts]
      end
    end
  end

  def test_a_client_closed_between_pages
    either_way do
      paged do |client, server|
        seen = []
        error = refused(Privy::Error) do
          client.contacts.list(per_page: SIZE).pages do |page|
            seen << page.page
            client.close if page.page == 2
          end
        end
        assert_match(/closed/, error.message)
        assert_equal [[1, 2, 3], [1, 2, 3]], [seen, asked(server)]
      end
    end
  end

  def test_a_fork_between_pages
    paged do |client, server|
      pages = client.contacts.list(per_page: SIZE).pages
      2.times { pages.next }
      until_asked(server, 1, 2, 3)
      child = fork { exit!([pages.next.page, pages.next.page] == [3, 4] ? 0 : 1) }
      assert_predicate Process.wait2(child).last, :success?
      assert_equal [3, 4], [pages.next.page, pages.next.page]
      assert_equal [2, [1, 2, 3, 3, 4, 4]], [server.connections, asked(server).sort]
    end
  end

  def test_a_scheduler_that_starts_or_ends_between_pages
    paged do |client, _server|
      pages = client.contacts.list(per_page: SIZE)
      pager = pages.instance_variable_get(:@new_pager).call
      assert_equal(1, pager.next[0].page)
      pager.prefetch(20)
      assert_equal(2, SmallScheduler.run { pager.next[0].page.tap { pager.prefetch(0) } })
      assert_equal [3, 4], [pager.next[0].page, pager.next[0].page]
      assert_nil pager.next
      pager.close
    end
  end

  def test_the_reader_may_make_other_calls
    either_way do
      paged do |client, server|
        client.contacts.list(per_page: SIZE).each_slice(10) { client.request("GET", "/things") }
        assert_equal [8, 2], [asked(server).length - COUNT, server.connections]
      end
    end
  end

  # ---- drift ----

  # Each contact that is created or deleted moves those that follow by a place.
  def test_no_contact_comes_twice
    body = lambda do |number, ids|
      { data: ids.map { |id| { id: id } }, pagination: { page: number, per_page: 3, total_pages: 3 } }.to_json
    end
    answers = [[1, %w[a b c]], [2, %w[c d e]], [3, %w[e f]]].map { |answer| { body: body.call(*answer) } }
    %i[each pages].product([true, false]).each do |way, prefetch|
      stubbed(*answers) do |client, _server|
        list = client.contacts.list(per_page: 3, prefetch: prefetch)
        ids = way == :each ? list.map(&:id) : list.pages.flat_map { |page| page.map(&:id) }
        assert_equal way == :each ? %w[a b c d e f] : %w[a b c c d e e f], ids
      end
    end
  end
end
