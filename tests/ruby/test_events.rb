# frozen_string_literal: true

require_relative "helper"
require_relative "rows"
require_relative "small_scheduler"
require "logger"
require "stringio"

# Every step of every call is told to whoever wants to know, and telling costs no call.
class TestEvents < PrivyTest
  include Rows

  class Enough < StandardError; end

  TIMES = %i[lookup connect tls first_byte total].freeze
  ENDS = [*TIMES, :bytes_sent, :bytes_received, :reused].freeze
  TOKEN = "privy_#{'1' * 40}".freeze

  def setup
    @events = []
  end

  def note
    @events.method(:push)
  end

  def told(*names)
    @events.map { |event| names.map { |name| event.public_send(name) } }
  end

  def test_a_call_over_a_socket
    stubbed({ headers: { "X-Request-Id" => "req_1" } }, on_event: note) do |client, _server|
      2.times { client.contacts.get(NOBODY) }
    end
    assert_equal [[:request, 1, nil], [:response, 1, 200], [:request, 2, nil], [:response, 2, 200]],
                 told(:kind, :call, :status)
    assert_equal [["GET", "/contacts/{id}", 1]], told(:method, :path, :attempt).uniq
    sent, first, _, second = @events
    assert_equal [nil] * ENDS.length, ENDS.map { |name| sent.public_send(name) }
    assert(TIMES.all? { |name| first.public_send(name) >= 0 })
    assert_operator first.total, :>=, first.first_byte
    assert_operator first.first_byte, :>, 0
    assert_operator [first.bytes_sent, first.bytes_received].min, :>, 50
    assert_equal ["req_1", false, true, 0.0], [first.request_id, first.reused, second.reused, second.connect]
    assert_equal [nil] * 4, [first.seconds, first.error, first.reason, first.minute_left]
  end

  def test_budget_errors_and_tokens
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
                  [:response, "/contacts/{id}", 3, 404, "NotFoundError"]], told(:kind, :path, :attempt, :status, :error)
    token, again = @events.values_at(2, 5)
    assert_operator token.seconds, :>, 60
    assert_operator again.seconds, :>=, 1
    assert_equal [59, 9_999], [@events.last.minute_left, @events.last.day_left]
  end

  def test_waits
    sandbox = Privy::Sandbox.new
    sandbox.set_limits(per_minute: 1, per_day: 9)
    client = sandbox.client(max_wait: 120, on_event: note)
    refused(Privy::NotFoundError) { client.contacts.get(NOBODY) }
    assert_raises(Timeout::Error) { Timeout.timeout(0.2) { client.contacts.get(NOBODY) } }
    assert_equal [2, :wait, 0, 0], told(:call, :kind, :attempt, :minute_left).last
    assert_includes 1..61, @events.last.seconds
  end

  def test_failures
    closed = TCPServer.new("127.0.0.1", 0)
    port = closed.addr[1]
    closed.close
    client = Privy::Client.new(base_url: "http://127.0.0.1:#{port}/v1", token: TOKEN, max_retries: 1, on_event: note)
    error = refused(Privy::APIConnectionError) { client.contacts.get(NOBODY) }
    assert_equal %i[request failure retry request failure], @events.map(&:kind)
    assert_equal [["APIConnectionError", nil]] * 2, told(:error, :status).values_at(1, 4)
    assert_match(/127\.0\.0\.1/, @events.last.reason)
    assert_includes error.message, @events.last.reason
  end

  def test_every_way_to_call
    echoing(on_event: note) do |client, _server|
      client.orders.upsert_many(orders(3), concurrency: 2).to_a
      SmallScheduler.run do
        client.orders.upsert(**order(9))
        client.orders.upsert_many(orders(3), concurrency: 2).to_a
      end
    end
    assert_equal [7, 7], %i[request response].map { |kind| @events.count { |event| event.kind == kind } }
    assert_equal [*1..7], @events.map(&:call).uniq.sort
    @events.clear
    client = Privy::Sandbox.new.client(on_event: note)
    client.request("GET", "/contacts")
    client.contacts.list.to_a
    SmallScheduler.run { client.contacts.list.to_a }
    assert_equal [[:request, "/contacts"], [:response, "/contacts"]] * 3, told(:kind, :path)
  end

  def test_steps_are_told_when_they_happen
    stubbed({ stall: 0.5 }) do |_client, server|
      at = []
      client = Privy::Client.new(base_url: server.url, token: TOKEN,
                                 on_event: ->(_) { at << Process.clock_gettime(Process::CLOCK_MONOTONIC) })
      client.contacts.get(NOBODY)
      assert_operator at[1] - at[0], :>, 0.3
    end
  end

  # ---- stopping ----

  def test_a_call_that_is_stopped_tells_its_end
    stubbed({ stall: 60 }, on_event: note) do |client, server|
      assert_raises(Timeout::Error) { Timeout.timeout(0.2) { client.contacts.get(NOBODY) } }
      rows = orders(2)
      assert_raises(Timeout::Error) { Timeout.timeout(0.2) { client.orders.upsert_many(rows).to_a } }
      SmallScheduler.run do
        assert_raises(Timeout::Error) { Timeout.timeout(0.2) { client.contacts.get(NOBODY) } }
      end
      assert_equal [[1, :request], [1, :failure], [2, :request], [3, :request], [2, :failure], [3, :failure],
                    [4, :request], [4, :failure]], told(:call, :kind)
      assert_equal [[nil, "the call was stopped"]],
                   @events.select { |event| event.kind == :failure }.map { |event| [event.error, event.reason] }.uniq
      assert_equal 4, server.requests.length
    end
  end

  # ---- callables that misbehave ----

  def test_an_error_of_the_callable_is_reported
    stubbed(on_event: ->(_event) { raise Enough, "oops" }) do |client, server|
      emails = []
      _, report = capture_io do
        emails << client.contacts.get(NOBODY).email
        SmallScheduler.run { emails << client.contacts.get(NOBODY).email }
        emails.concat(client.contacts.upsert_many([{ email: JANE }]).map { |result| result.value.email })
      end
      assert_equal [[JANE] * 3, 3], [emails, server.requests.length]
      assert_equal 6, report.scan(/an observer raised TestEvents::Enough: oops \(.*test_events/).length
    end
  end

  def test_what_is_no_error_stops_the_call
    kinds = %i[request response]
    stop = ->(event) { raise Interrupt, "enough" if kinds.first == event.kind }
    stubbed({ stall: 0.3 }, on_event: stop) do |client, server|
      2.times do
        assert_raises(Interrupt) { client.contacts.get(NOBODY) }
        SmallScheduler.run { assert_raises(Interrupt) { client.contacts.get(NOBODY) } }
        assert_raises(Interrupt) { client.contacts.upsert_many([{ email: JANE }]).to_a }
        assert_raises(Interrupt) { client.contacts.list.first }
        kinds.shift
      end
      server.answer_with(body: StubServer::CONTACT)
      assert_equal JANE, client.contacts.get(NOBODY).email
    end
  end

  def test_throw_leaves_the_call
    stubbed({ stall: 60 }, on_event: ->(_event) { throw :out, 7 }) do |client, _server|
      assert_equal(7, catch(:out) { client.contacts.get(NOBODY) })
    end
  end

  # What another thread raises is not the callable's fault.
  def test_an_exception_from_outside_is_not_taken_for_the_callable_s
    target = nil
    tell = lambda do |event|
      next unless event.kind == :request

      Thread.new { target.raise(Enough, "from outside") }.join
      sleep 0.05
    end
    stubbed({ stall: 60 }, on_event: tell) do |client, _server|
      target = Thread.new do
        Thread.current.report_on_exception = false
        client.contacts.get(NOBODY)
      end
      _, report = capture_io { assert_equal "from outside", assert_raises(Enough) { target.join(PROMPT) }.message }
      assert_empty report
    end
  end

  def test_a_callable_may_use_the_client
    client = nil
    found = []
    tell = lambda do |event|
      @events << event
      found << client.contacts.list.first(3).length
      found << client.contacts.upsert_many([{ email: JANE }]).map(&:ok?)
    end
    served do |_client, sandbox|
      client = Privy::Client.new(base_url: Served.server.url, token: sandbox.token, on_event: tell)
      client.contacts.create(email: "first@example.com")
      SmallScheduler.run { client.contacts.list.to_a }
    end
    assert_equal [%i[request response request response], [1, 1, 2, 2]], [@events.map(&:kind), @events.map(&:call)]
    assert_equal [[0, [true]], *[[2, [true]]] * 3], found.each_slice(2).to_a
  end

  def test_a_callable_may_fork
    statuses = []
    tell = lambda do |event|
      next if event.kind != :request || (child = fork).nil?

      statuses << Process.wait2(child).last.exitstatus
    end
    parent = Process.pid
    stubbed(on_event: tell) do |client, server|
      answers = Array.new(2) do
        client.contacts.get(NOBODY).email
      rescue Privy::Error => e
        exit!(Process.pid != parent && e.message.include?("forked") ? 9 : 1)
      end
      assert_equal [[JANE] * 2, [9, 9], 2, 1], [answers, statuses, server.requests.length, server.connections]
    end
  end

  # ---- logging ----

  def logged(level)
    out = StringIO.new
    logger = Logger.new(out, level: level)
    stubbed(logger: logger) do |client, _server|
      client.contacts.get(NOBODY)
      yield client, logger if block_given?
    end
    out.string
  end

  def test_one_line_a_step
    lines = logged(:debug).lines
    assert_equal 2, lines.length
    assert_match(%r{DEBUG -- : privy GET /contacts/\{id\}, attempt 1: sent$}, lines[0])
    assert_match(%r{privy GET /contacts/\{id\}, attempt 1: 200 in \d\.\d{3} s$}, lines[1])
  end

  def test_nothing_is_observed_when_nobody_listens
    GC.start
    GC.disable
    before = ObjectSpace.each_object(Privy::Event).count
    assert_empty logged(:info)
    assert_equal before, ObjectSpace.each_object(Privy::Event).count
    GC.enable
    assert_equal 2, logged(:info) { |client, logger| logger.debug! && client.contacts.get(NOBODY) }.lines.length
  ensure
    GC.enable
  end

  def test_anything_with_debug_is_a_logger
    lines = []
    simple = Object.new
    simple.define_singleton_method(:debug) { |line| lines << line }
    stubbed(logger: simple, on_event: note) { |client, _server| client.contacts.get(NOBODY) }
    assert_equal [2, 2], [lines.length, @events.length]
  end

  def test_a_logger_that_fails_costs_nothing
    rude = Class.new { def debug(_line) = raise("no disk") }
    blind = Class.new(rude) { def debug? = raise("no idea") }
    reports = [rude, blind].map do |klass|
      capture_io do
        stubbed(logger: klass.new) { |client, _server| assert_equal JANE, client.contacts.get(NOBODY).email }
      end.last
    end
    assert_equal [2, 0], reports.map { |report| report.scan("no disk").length }
    assert_includes reports.last, "no idea"
  end

  def test_lines_of_every_kind
    common = { call: 1, method: "GET", path: "/contacts", attempt: 2 }
    lines = [{ kind: :failure, error: "APITimeoutError", reason: "too late", total: 1.5 },
             { kind: :failure, reason: "the call was stopped", total: 0.0 },
             { kind: :retry, status: 503, error: "ServerError", seconds: 2.0, minute_left: 3, day_left: 4 },
             { kind: :wait, seconds: 30.25, minute_left: 0 }, { kind: :token, seconds: 3600.0 }]
            .map { |fields| Privy::Event.new(**common, **fields).to_s.delete_prefix("GET /contacts, attempt 2: ") }
    assert_equal ["APITimeoutError after 1.500 s: too late", "stopped after 0.000 s: the call was stopped",
                  "another attempt in 2.000 s after 503 ServerError, 3 of the minute and 4 of the day left",
                  "waits 30.250 s for the account's budget, 0 of the minute left", "a token for 3600.000 s"], lines
  end

  def test_no_secret_is_told
    out = StringIO.new
    secret = "privy_#{'a1' * 20}"
    body = %({"access_token":"#{secret}","email":"#{JANE}","error":{"code":"bad","message":"#{secret} #{JANE}"}})
    path = "/contacts/#{JANE}/#{secret}?phone=%2B14155550171&token=#{secret}"
    stubbed({ status: 200, body: body }, { status: 422, body: body }, on_event: note,
                                                                      logger: Logger.new(out)) do |client, _server|
      client.request("GET", path)
      refused { client.request("POST", path, body: { email: JANE }) }
    end
    shown = out.string + @events.map(&:inspect).join
    assert_equal 4, @events.length
    [JANE, "jane", secret, "14155550171", "privy_0", "?"].each { |text| refute_includes shown, text }
  end

  # ---- settings ----

  def test_configuration
    out = StringIO.new
    Privy.configure do |config|
      config.on_event = note
      config.logger = Logger.new(out)
    end
    stubbed { |client, _server| client.with_options(timeout: 9).contacts.get(NOBODY) }
    assert_equal 1, Privy::Sandbox.new.client(on_event: ->(_event) {}).contacts.list.to_a.length + 1
    assert_equal [2, 4], [@events.length, out.string.lines.length]
  ensure
    Privy.configure { |config| config.on_event = config.logger = nil }
  end

  def test_settings_that_cannot_be_used
    assert_match(/\Aon_event: /, refused(Privy::Error) { Privy::Sandbox.new.client(on_event: 5) }.message)
    assert_match(/\Alogger: /, refused(Privy::Error) { Privy::Sandbox.new.client(logger: "log") }.message)
  end

  # ---- what an event is ----

  def test_events_are_values
    one, other = Array.new(2) { Privy::Event.new(kind: :wait, call: 1, method: "GET", path: "/x", seconds: 2.0) }
    assert_equal one, other
    assert_equal 1, { one => 1, other => 2 }.length
    refute_equal one, Privy::Event.new(kind: :wait)
    assert_predicate one, :frozen?
    assert_equal "#<Privy::Event kind=:wait call=1 method=\"GET\" path=\"/x\" seconds=2.0>", one.inspect
    assert_equal :to_s, one.method(:to_s).name
    assert_raises(ArgumentError) { Privy::Event.new(colour: 1) }
    assert_equal Privy::Event::ATTRIBUTES, one.to_h.keys
    assert_equal one, Marshal.load(Marshal.dump(one))
    case one
    in { kind: :wait, seconds: Float => seconds } then assert_equal 2.0, seconds
    end
  end
end
