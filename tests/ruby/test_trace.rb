# frozen_string_literal: true

require_relative "helper"
require_relative "rows"
require_relative "small_scheduler"

# Every call reports its events to on_event.
class TestTrace < PrivyTest
  include Rows

  class Enough < StandardError; end

  TIMES = %i[lookup connect tls first_byte total].freeze
  ENDS = [*TIMES, :bytes_sent, :bytes_received, :reused].freeze
  TOKEN = "privy_#{'1' * 40}".freeze

  def setup
    @all = []
  end

  def note
    @all.method(:push)
  end

  # The events without starts and ends of calls.
  def events
    @all.reject { |event| %i[start end].include?(event.kind) }
  end

  def kinds_by_call
    @all.group_by(&:call).transform_values { |events| events.map(&:kind) }
  end

  def values_of(*names)
    events.map { |event| names.map { |name| event.public_send(name) } }
  end

  def test_a_call_over_a_socket
    stubbed({ headers: { "X-Request-Id" => "req_1" } }, on_event: note) do |client, _server|
      2.times { client.contacts.get(NOBODY) }
    end
    assert_equal [[:request, 1, nil], [:response, 1, 200], [:request, 2, nil], [:response, 2, 200]],
                 values_of(:kind, :call, :status)
    assert_equal [["GET", "/contacts/{id}", 1]], values_of(:http_method, :path, :attempt).uniq
    sent, first, _, second = events
    assert_equal [nil] * ENDS.length, ENDS.map { |name| sent.public_send(name) }
    assert(TIMES.all? { |name| first.public_send(name) >= 0 })
    assert_operator first.total, :>=, first.first_byte
    assert_operator first.first_byte, :>, 0
    assert_operator [first.bytes_sent, first.bytes_received].min, :>, 50
    assert_equal ["req_1", false, true, 0.0], [first.request_id, first.reused, second.reused, second.connect]
    assert_equal [nil] * 4, [first.seconds, first.error, first.reason, first.minute_left]
  end

  def test_events_report_tokens_retries_errors_and_rate_limits
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(1_000_000)
    sandbox.set_limits(per_minute: 60, per_day: 10_000)
    sandbox.fail(status: 503, retry_after: 1, skip: 1)
    client = sandbox.client(client_id: Privy::Sandbox::CLIENT_ID, client_secret: Privy::Sandbox::CLIENT_SECRET,
                            on_event: note)
    refused(Privy::NotFoundError) { client.contacts.get(NOBODY) }
    assert_equal [[:request, "/oauth/token", 1, nil, nil], [:response, "/oauth/token", 1, 200, nil],
                  [:token, "/oauth/token", 1, nil, nil], [:request, "/contacts/{id}", 2, nil, nil],
                  [:response, "/contacts/{id}", 2, 503, "ServerError"],
                  [:retry, "/contacts/{id}", 2, 503, "ServerError"], [:request, "/contacts/{id}", 3, nil, nil],
                  [:response, "/contacts/{id}", 3, 404, "NotFoundError"]],
                 values_of(:kind, :path, :attempt, :status, :error)
    token, again = events.values_at(2, 5)
    assert_operator token.seconds, :>, 60
    assert_operator again.seconds, :>=, 1
    assert_equal [59, 9_999], [events.last.minute_left, events.last.day_left]
  end

  def test_a_wait_for_the_rate_limit_is_an_event
    sandbox = Privy::Sandbox.new
    sandbox.set_limits(per_minute: 1, per_day: 9)
    client = sandbox.client(max_wait: 120, on_event: note)
    refused(Privy::NotFoundError) { client.contacts.get(NOBODY) }
    assert_raises(Timeout::Error) { Timeout.timeout(1) { client.contacts.get(NOBODY) } }
    assert_equal [2, :wait, 0, 0], values_of(:call, :kind, :attempt, :minute_left).last
    assert_includes 1..61, events.last.seconds
    assert_equal %i[start wait end], kinds_by_call[2]
  end

  def test_a_failed_connection_is_a_failure_event_per_attempt
    closed = TCPServer.new("127.0.0.1", 0)
    port = closed.addr[1]
    closed.close
    client = Privy::Client.new(base_url: "http://127.0.0.1:#{port}/v1", token: TOKEN, max_retries: 1, on_event: note)
    error = refused(Privy::APIConnectionError) { client.contacts.get(NOBODY) }
    assert_equal %i[request failure retry request failure], events.map(&:kind)
    assert_equal [["APIConnectionError", nil]] * 2, values_of(:error, :status).values_at(1, 4)
    assert_match(/127\.0\.0\.1/, events.last.reason)
    assert_includes error.message, events.last.reason
  end

  def test_all_ways_to_call_report_the_same_events
    echoing(on_event: note) do |client, _server|
      client.orders.upsert_many(orders(3), concurrency: 2).to_a
      SmallScheduler.run do
        client.orders.upsert(**order(9))
        client.orders.upsert_many(orders(3), concurrency: 2).to_a
      end
    end
    assert_equal [*1..7].to_h { |call| [call, %i[start request response end]] }, kinds_by_call
    assert_equal ["orders.upsert"], @all.map(&:operation).uniq
    @all.clear
    client = Privy::Sandbox.new.client(on_event: note)
    client.request("GET", "/contacts")
    client.contacts.list.to_a
    SmallScheduler.run { client.contacts.list.to_a }
    assert_equal [[:request, "/contacts"], [:response, "/contacts"]] * 3, values_of(:kind, :path)
    assert_equal [%i[start request response end]] * 3, kinds_by_call.values
    assert_equal %w[request contacts.list contacts.list], @all.map { |event|
                                                            [event.call, event.operation]
                                                          }.uniq.map(&:last)
  end

  def test_events_are_reported_when_they_happen
    stubbed({ stall: 1.5 }) do |_client, server|
      at = []
      client = Privy::Client.new(base_url: server.url, token: TOKEN,
                                 on_event: ->(_) { at << Process.clock_gettime(Process::CLOCK_MONOTONIC) })
      client.contacts.get(NOBODY)
      assert_operator at[2] - at[1], :>, 0.3
    end
  end

  # ---- stopping ----

  def test_a_stopped_call_reports_its_end
    stubbed({ stall: 60 }, on_event: note) do |client, server|
      assert_raises(Timeout::Error) { Timeout.timeout(1) { client.contacts.get(NOBODY) } }
      rows = orders(2)
      assert_raises(Timeout::Error) { Timeout.timeout(1) { client.orders.upsert_many(rows) { nil } } }
      SmallScheduler.run do
        assert_raises(Timeout::Error) { Timeout.timeout(1) { client.contacts.get(NOBODY) } }
      end
      assert_equal [[1, :request], [1, :failure], [2, :request], [3, :request], [2, :failure], [3, :failure],
                    [4, :request], [4, :failure]], values_of(:call, :kind)
      assert_equal [[nil, "the call was stopped"]],
                   events.select { |event| event.kind == :failure }.map { |event| [event.error, event.reason] }.uniq
      assert_equal 4, server.requests.length
      assert_equal [%i[start request failure end]] * 4, kinds_by_call.values
      ends = @all.select { |event| event.kind == :end }
      assert_equal [[nil, nil, 1]], ends.map { |event| [event.status, event.error, event.attempt] }.uniq
      open = "the call was stopped; the request may have been acted on"
      assert_equal ["the call was stopped", open, open, "the call was stopped"], ends.map(&:reason)
    end
  end

  # ---- refusals ----

  def test_an_invalid_request_is_one_refused_event
    client = Privy::Sandbox.new.client(on_event: note)
    refused { client.contacts.create(email: "no address", tags: [5]) }
    refused { client.request("GRAB", "/joe@x.io/..", headers: { "Host" => "joe" }) }
    assert_equal([false, true], client.events.ingest_many([{ event_type: "joe@x.io" },
                                                           { event_type: "seen",
                                                             email: JANE }]).map(&:ok?).sort_by(&:to_s))
    SmallScheduler.run { refused { client.contacts.get("joe") } }
    found = @all.select { |event| event.kind == :refused }
    assert_equal [["contacts.create", "POST", "/contacts", "invalid: email, tags"],
                  ["request", "", "", "invalid: method, path, headers"],
                  ["events.ingest", "POST", "/events", "invalid: event_type, base"],
                  ["contacts.get", "GET", "/contacts/{id}", "invalid: id"]],
                 found.map { |event| [event.operation, event.http_method, event.path, event.reason] }
    assert_equal [[:debug, "ValidationError", 0, nil, nil]],
                 found.map { |event| [event.level, event.error, event.attempt, event.status, event.seconds] }.uniq
    assert_equal "contacts.create, call 1: refused: invalid: email, tags", found.first.to_s
    assert_equal [[:refused]] * 4, kinds_by_call.values_at(*found.map(&:call))
  end

  def test_a_rate_limit_that_is_reached_is_a_refused_event
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute: 1)
    client = sandbox.client(on_event: note, max_wait: 5)
    client.request("GET", "/contacts")
    error = refused(Privy::RateLimitError) { client.request("GET", "/contacts") }
    assert_equal %i[start refused end], kinds_by_call[2]
    found, last = @all.last(2)
    assert_equal ["RateLimitError", error.message, error.retry_after, :warning],
                 [found.error, found.reason, found.seconds, found.level]
    assert_equal ["RateLimitError", error.message, 0], [last.error, last.reason, last.attempt]
  end

  def test_a_refusal_and_an_observer_that_misbehaves
    client = Privy::Sandbox.new.client(on_event: ->(_event) { raise Enough, "oops" })
    _, report = capture_io { refused { client.contacts.create } }
    assert_includes report, "oops"
    client = Privy::Sandbox.new.client(on_event: ->(_event) { raise Interrupt, "enough" })
    assert_raises(Interrupt) { client.contacts.create }
    client.close
    refused { client.contacts.create }
  end

  # ---- each start has one end ----

  def ends
    kinds_by_call.each_value do |kinds|
      next if kinds == [:refused]

      assert_equal %i[start end], [kinds.first, kinds.last]
      assert_equal [1, 1], [kinds.count(:start), kinds.count(:end)]
    end
    last = @all.select { |event| event.kind == :end }
    last.map { |event| event.error || (event.reason ? "stopped" : "success") }.uniq
  end

  def both_ways(settings)
    served do |_client, sandbox|
      yield Privy::Client.new(base_url: Served.server.url, token: sandbox.token, **settings), sandbox
    end
    sandbox = Privy::Sandbox.new
    yield sandbox.client(**settings), sandbox
  end

  def some_faults(sandbox, dice)
    sandbox.clear_faults
    fault = [{}, { status: 503, retry_after: 0 }, { status: 422 }, { drop: true }, { delay: 20 }].sample(random: dice)
    sandbox.fail(**fault, skip: dice.rand(3), count: dice.rand(1..2)) unless fault.empty?
  end

  def some_rows(dice)
    good = { event_type: "seen", email: JANE }
    Array.new(dice.rand(8)) { [good, good, { event_type: "no way" }].sample(random: dice) }
  end

  def some_run(client, dice)
    left = dice.rand(1..6)
    client.events.ingest_many(some_rows(dice), concurrency: 3) { break if (left -= 1).zero? }
  end

  # One call, list or run; sometimes left before its end.
  def some_calls(client, dice)
    case dice.rand(5)
    when 0 then client.contacts.upsert(email: "#{dice.rand(9)}@b.c", first_name: "A")
    when 1 then client.contacts.get([NOBODY, "joe"].sample(random: dice))
    when 2 then client.request("GET", "/contacts")
    when 3 then client.contacts.list(per_page: 2).first(dice.rand(6))
    else some_run(client, dice)
    end
  end

  def test_every_start_has_one_end
    dice = Random.new(20_260_512)
    armed = false
    observe = lambda do |event|
      @all << event
      next unless armed && dice.rand < 0.3

      armed = false
      dice.rand < 0.5 ? raise(Interrupt) : throw(:out)
    end
    settings = { on_event: observe, max_retries: 1, max_wait: 0.2, timeout: 0.05 }
    both_ways(settings) do |client, sandbox|
      80.times do |round|
        some_faults(sandbox, dice)
        armed = dice.rand < 0.2
        once = proc do
          catch(:out) { Timeout.timeout([0.01, 1].sample(random: dice)) { some_calls(client, dice) } }
        rescue Privy::Error, Interrupt, Timeout::Error
          nil
        end
        round.odd? ? once.call : SmallScheduler.run(&once)
      end
      assert_empty %w[success stopped] - ends
      @all.clear
    end
  end

  # ---- what a call did ----

  def ends_of(settings = {})
    ends = []
    yield Privy::Sandbox.new.client(on_event: ->(event) { ends << event if event.kind == :end }, **settings)
    ends
  end

  def test_an_end_reports_what_the_call_did
    ends = ends_of do |client|
      client.contacts.upsert(email: "jane@example.com", email_consent: :subscribed)
      client.contacts.upsert(email: "jane@example.com", first_name: "Jane")
      2.times { client.events.ingest("seen", email: "jane@example.com", idempotency_key: "jane@example.com:1") }
      client.contacts.list.total_count
    end
    assert_equal [true, false, nil, nil, nil], ends.map(&:created)
    assert_equal [nil, nil, false, true, nil], ends.map(&:replay)
    assert_equal [nil, "j***@example.com:1"], ends.map(&:idempotency_key).uniq
    assert(ends.all? { |event| event.sandbox && event.row_index.nil? })
  end

  def test_events_of_a_bulk_run_have_the_index_of_their_row
    events = []
    client = Privy::Sandbox.new.client(on_event: ->(event) { events << event })
    rows = [{ email: "jane@example.com" }, { email: "no address" }, { email: "joe@example.com" }]
    client.contacts.upsert_many(rows).run
    found = events.filter_map { |event| [event.row_index, event.kind] if %i[refused end].include?(event.kind) }
    assert_equal [[0, :end], [1, :refused], [2, :end]], found.sort
  end

  # ---- what an event is ----

  def test_events_are_values
    attributes = { kind: :wait, call: 1, http_method: "GET", path: "/x", seconds: 2.0 }
    one, other = Array.new(2) { Privy::CallEvent.new(**attributes) }
    assert_equal one, other
    assert_equal 1, { one => 1, other => 2 }.length
    refute_equal one, Privy::CallEvent.new(kind: :wait)
    assert_predicate one, :frozen?
    assert_equal "#<Privy::CallEvent kind=:wait call=1 http_method=\"GET\" path=\"/x\" seconds=2.0>", one.inspect
    assert_equal [one.inspect, "said"], [one.to_s, Privy::CallEvent.new(message: "said").to_s]
    assert_equal :to_s, one.method(:to_s).name
    assert_raises(ArgumentError) { Privy::CallEvent.new(colour: 1) }
    assert_equal Privy::CallEvent::ATTRIBUTES, one.to_h.keys
    assert_equal one, Marshal.load(Marshal.dump(one))
    case one
    in { kind: :wait, seconds: Float => seconds } then assert_equal 2.0, seconds
    end
  end
end
