# frozen_string_literal: true

require_relative "helper"
require_relative "small_scheduler"
require "time"

# What calls wait for, and for how long: rate limits, responses, tokens.
class TestWaits < PrivyTest
  NOON = 1_800_000_000.5

  # Headers of a server whose clock shows +shown+.
  def limits(remaining, shown, reset)
    { "Date" => shown.httpdate, "X-RateLimit-Limit-Minute" => 60, "X-RateLimit-Remaining-Minute" => remaining,
      "X-RateLimit-Reset-Minute" => shown.to_i + reset }
  end

  def spend_the_minute(sandbox, client)
    sandbox.set_limits(per_minute: 60)
    sandbox.set_clock(NOON)
    60.times { client.request(:GET, "/contacts") }
  end

  # ---- windows ----

  def test_a_clock_set_back_does_not_lengthen_a_window
    sandbox = Privy::Sandbox.new
    client = sandbox.client(max_wait: 0)
    spend_the_minute(sandbox, client)
    sandbox.set_clock(NOON - 7_200)
    assert_equal 200, client.request(:GET, "/contacts").status
  end

  def test_a_wall_clock_that_differs_from_the_server_s
    [-7_200, 7_200].each do |ahead|
      stubbed({ headers: limits(0, Time.now + ahead, 30) }, max_wait: 0) do |client, _server|
        client.contacts.get(NOBODY)
        error = refused(Privy::RateLimitError) { client.contacts.get(NOBODY) }
        assert_in_delta 25, error.retry_after, 5.1
        assert_in_delta 25, error.resets_at - Time.now, 7
        assert_in_delta 25, client.rate_limit.minute.resets_at - Time.now, 7
      end
    end
  end

  def test_limits_that_cannot_be_true_are_not_believed
    [-9_223_372_036_854_775_808, -1, 61].each do |remaining|
      stubbed({ headers: limits(remaining, Time.now, 30) }, max_wait: 0) do |client, server|
        3.times { client.contacts.get(NOBODY) }
        refute_predicate client.rate_limit.minute, :known?
        assert_equal 3, server.requests.length
      end
    end
  end

  def test_the_default_of_max_wait_covers_a_window
    sandbox = Privy::Sandbox.new
    waits = Queue.new
    client = sandbox.client(on_event: ->(event) { waits << event if event.kind.to_s == "wait" })
    spend_the_minute(sandbox, client)
    last = Thread.new { client.request(:GET, "/contacts").status }
    Timeout.timeout(120) { waits.pop }
    sandbox.advance(61)
    assert_equal 200, Timeout.timeout(120) { last.value }
    assert_equal 61, sandbox.counts.requests
  end

  # ---- responses ----

  def test_first_calls_that_may_not_wait
    sandbox = Privy::Sandbox.new
    sandbox.fail(delay: 0.2, count: 12)
    client = sandbox.client(max_wait: 0)
    threads = Array.new(12) { Thread.new { client.request(:GET, "/contacts").status } }
    assert_equal [200] * 12, threads.map(&:value)
  end
end

# Waiting for a token that another call fetches.
class TestTokenWaits < PrivyTest
  # Pages of 20 contacts, and tokens: the first one is to be renewed after a second, later ones come from `tokens`.
  class Pages
    attr_reader :fetched, :pages

    def initialize
      @fetched = 0
      @pages = []
      @hold = Queue.new
    end

    # Lets the second token, which is held until then, go.
    def release
      @hold << true
    end

    def call(request, held)
      return token(held) if request.target == "/oauth/token"
      return {} unless request.method == "GET" && request.target.include?("/contacts?")

      page((request.target[/[?&]page=(\d+)/, 1] || 1).to_i)
    end

    private

    def token(held)
      number = @fetched += 1
      @hold.pop if held && number == 2
      { body: { access_token: "token-#{number}", expires_in: number == 1 ? 31 : 7_200 }.to_json }
    end

    def page(number)
      @pages << number
      data = Array.new(20) { |index| { id: format("cus_%016d", (number * 1_000) + index) } }
      { body: { data: data, pagination: { page: number, per_page: 20, total_pages: 3 } }.to_json }
    end
  end

  def tokens(held: false)
    pages = Pages.new
    server = StubServer.new { |request| pages.call(request, held) }
    yield Privy::Client.new(base_url: server.url, client_id: "id", client_secret: "very-secret"), pages, server
  ensure
    server&.stop
  end

  def wait_until_it_expires
    sleep 1.2
  end

  # Plainly, and under a Fiber scheduler.
  def either_way(&)
    yield
    SmallScheduler.run(&)
  end

  def test_a_loop_body_does_not_wait_for_the_token_of_its_own_list
    either_way do
      tokens do |client, pages, _server|
        seen = 0
        client.contacts.list(per_page: 20).each do |contact|
          wait_until_it_expires if seen == 1
          Timeout.timeout(60) { client.contacts.update(contact.id, first_name: "A") }
          seen += 1
        end
        assert_equal [60, 2, [1, 2, 3]], [seen, pages.fetched, pages.pages]
      end
    end
  end

  def test_a_list_fetches_no_token_ahead_of_need
    either_way do
      tokens do |client, pages, _server|
        seen = 0
        client.contacts.list(per_page: 20).each do
          seen += 1
          wait_until_it_expires if seen == 1
          assert_equal [1, [1]], [pages.fetched, pages.pages] if seen <= 20
        end
        assert_equal [60, 2, [1, 2, 3]], [seen, pages.fetched, pages.pages]
      end
    end
  end

  # It does not arrive, and no call waits for it.
  def test_an_abandoned_token_request_is_replaced
    tokens(held: true) do |client, pages, _server|
      client.contacts.get(NOBODY)
      wait_until_it_expires
      group = Privy::Core::Group.new(session_of(client).core, false)
      group.call(0, "contacts.get", { id: NOBODY }, nil, nil)
      group.wait(0) until pages.fetched == 2
      assert_equal JANE, Timeout.timeout(60) { client.contacts.get(NOBODY).email }
      assert_equal 3, pages.fetched
      pages.release
      group.wait(0.1) until (outcome = group.next_completed)
      assert_equal JANE, outcome[1].email
      group.close
    end
  end

  def test_the_wait_for_another_s_token_ends
    tokens(held: true) do |client, pages, server|
      client.contacts.get(NOBODY)
      wait_until_it_expires
      owner = Thread.new { client.contacts.get(NOBODY).email }
      sleep 0.01 until pages.fetched == 2
      error = refused(Privy::APITimeoutError) { client.contacts.get(NOBODY, timeout: 0.2, max_wait: 0.2) }
      assert_match(/token/, error.message)
      assert_equal ["/oauth/token", 0], [error.path, error.attempts]
      assert_equal 3, server.requests.length
      pages.release
      assert_equal JANE, owner.value
    end
  end
end
