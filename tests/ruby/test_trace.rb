# frozen_string_literal: true

require_relative "helper"
require_relative "rows"
require_relative "small_scheduler"
require "logger"
require "stringio"

# Every call reports what happens to on_event and to the logger, and reporting costs no call.
class TestEvents < PrivyTest
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

  # What happened between the starts and the ends of calls.
  def events
    @all.reject { |event| %i[start end].include?(event.kind) }
  end

  def kinds_by_call
    @all.group_by(&:call).transform_values { |events| events.map(&:kind) }
  end

  def told(*names)
    events.map { |event| names.map { |name| event.public_send(name) } }
  end

  def test_a_call_over_a_socket
    stubbed({ headers: { "X-Request-Id" => "req_1" } }, on_event: note) do |client, _server|
      2.times { client.contacts.get(NOBODY) }
    end
    assert_equal [[:request, 1, nil], [:response, 1, 200], [:request, 2, nil], [:response, 2, 200]],
                 told(:kind, :call, :status)
    assert_equal [["GET", "/contacts/{id}", 1]], told(:http_method, :path, :attempt).uniq
    sent, first, _, second = events
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
    token, again = events.values_at(2, 5)
    assert_operator token.seconds, :>, 60
    assert_operator again.seconds, :>=, 1
    assert_equal [59, 9_999], [events.last.minute_left, events.last.day_left]
  end

  def test_waits
    sandbox = Privy::Sandbox.new
    sandbox.set_limits(per_minute: 1, per_day: 9)
    client = sandbox.client(max_wait: 120, on_event: note)
    refused(Privy::NotFoundError) { client.contacts.get(NOBODY) }
    assert_raises(Timeout::Error) { Timeout.timeout(1) { client.contacts.get(NOBODY) } }
    assert_equal [2, :wait, 0, 0], told(:call, :kind, :attempt, :minute_left).last
    assert_includes 1..61, events.last.seconds
    assert_equal %i[start wait end], kinds_by_call[2]
  end

  def test_failures
    closed = TCPServer.new("127.0.0.1", 0)
    port = closed.addr[1]
    closed.close
    client = Privy::Client.new(base_url: "http://127.0.0.1:#{port}/v1", token: TOKEN, max_retries: 1, on_event: note)
    error = refused(Privy::APIConnectionError) { client.contacts.get(NOBODY) }
    assert_equal %i[request failure retry request failure], events.map(&:kind)
    assert_equal [["APIConnectionError", nil]] * 2, told(:error, :status).values_at(1, 4)
    assert_match(/127\.0\.0\.1/, events.last.reason)
    assert_includes error.message, events.last.reason
  end

  def test_every_way_to_call
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
    assert_equal [[:request, "/contacts"], [:response, "/contacts"]] * 3, told(:kind, :path)
    assert_equal [%i[start request response end]] * 3, kinds_by_call.values
    assert_equal %w[request contacts.list contacts.list], @all.map { |event|
                                                            [event.call, event.operation]
                                                          }.uniq.map(&:last)
  end

  def test_steps_are_told_when_they_happen
    stubbed({ stall: 1.5 }) do |_client, server|
      at = []
      client = Privy::Client.new(base_url: server.url, token: TOKEN,
                                 on_event: ->(_) { at << Process.clock_gettime(Process::CLOCK_MONOTONIC) })
      client.contacts.get(NOBODY)
      assert_operator at[2] - at[1], :>, 0.3
    end
  end

  # ---- stopping ----

  def test_a_call_that_is_stopped_tells_its_end
    stubbed({ stall: 60 }, on_event: note) do |client, server|
      assert_raises(Timeout::Error) { Timeout.timeout(1) { client.contacts.get(NOBODY) } }
      rows = orders(2)
      assert_raises(Timeout::Error) { Timeout.timeout(1) { client.orders.upsert_many(rows) { nil } } }
      SmallScheduler.run do
        assert_raises(Timeout::Error) { Timeout.timeout(1) { client.contacts.get(NOBODY) } }
      end
      assert_equal [[1, :request], [1, :failure], [2, :request], [3, :request], [2, :failure], [3, :failure],
                    [4, :request], [4, :failure]], told(:call, :kind)
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

  def test_a_request_that_is_invalid
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

  def test_a_budget_that_is_spent
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
    tell = lambda do |event|
      @all << event
      next unless armed && dice.rand < 0.3

      armed = false
      dice.rand < 0.5 ? raise(Interrupt) : throw(:out)
    end
    settings = { on_event: tell, max_retries: 1, max_wait: 0.2, timeout: 0.05 }
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
      assert_equal 12, report.scan(/an observer raised TestEvents::Enough: oops \(.*test_trace/).length
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
      @all << event
      found << client.contacts.list.first(3).length
      found << client.contacts.upsert_many([{ email: JANE }]).map(&:ok?)
    end
    served do |_client, sandbox|
      client = Privy::Client.new(base_url: Served.server.url, token: sandbox.token, on_event: tell)
      client.contacts.create(email: "first@example.com")
      SmallScheduler.run { client.contacts.list.to_a }
    end
    assert_equal [%i[start request response end]] * 2, kinds_by_call.values
    first, *others = found.each_slice(2).to_a
    assert_equal [[0, [true]], [[1, [true]], [2, [true]]]], [first, others.uniq]
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
    assert_equal 4, lines.length
    assert_match(/DEBUG -- : privy contacts.get, call 1: started$/, lines[0])
    assert_match(%r{DEBUG -- : privy contacts.get, call 1: GET /contacts/\{id\}, attempt 1: sent$}, lines[1])
    assert_match(%r{privy contacts.get, call 1: GET /contacts/\{id\}, attempt 1: 200 in \d\.\d{3} s$}, lines[2])
    assert_match(/privy contacts.get, call 1: ended with 200 after 1 request and \d\.\d{3} s$/, lines[3])
  end

  def test_nothing_is_observed_when_nobody_listens
    GC.start
    GC.disable
    before = ObjectSpace.each_object(Privy::CallEvent).count
    assert_empty logged(:info)
    assert_equal before, ObjectSpace.each_object(Privy::CallEvent).count
    GC.enable
    assert_equal 4, logged(:info) { |client, logger| logger.debug! && client.contacts.get(NOBODY) }.lines.length
  ensure
    GC.enable
  end

  def levels_of(out)
    out.string.lines.map { |line| [line[/[A-Z]{4,}/], line[/refused|waits|retry in/]] }
  end

  def test_retries_and_long_waits_are_logged_at_info_refusals_at_warn
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute: 2, per_day: 3)
    sandbox.fail(status: 503, retry_after: 0)
    tell = ->(event) { event.kind == :wait && sandbox.advance(event.seconds) }
    outs = %i[info warn].to_h { |level| [level, StringIO.new] }
    client = sandbox.client(on_event: tell, logger: Logger.new(outs[:info], level: :info))
    quiet = sandbox.client(logger: Logger.new(outs[:warn], level: :warn))
    3.times { client.request("GET", "/contacts") }
    refused(Privy::RateLimitError) { client.request("GET", "/contacts") }
    refused(Privy::RateLimitError) { 2.times { quiet.request("GET", "/contacts", max_retries: 0) } }
    refused(Privy::RateLimitError) { quiet.request("GET", "/contacts") }
    refused { quiet.contacts.create }
    assert_equal [["INFO", "retry in"], %w[INFO waits], %w[WARN refused]], levels_of(outs[:info])
    assert_equal [%w[WARN refused]], levels_of(outs[:warn])
  end

  def test_anything_with_the_three_levels_is_a_logger
    lines = []
    simple = Object.new
    %i[debug info warn].each { |level| simple.define_singleton_method(level) { |line| lines << line } }
    stubbed(logger: simple, on_event: note) { |client, _server| client.contacts.get(NOBODY) }
    assert_equal [4, 2], [lines.length, events.length]
  end

  def test_a_logger_that_fails_costs_nothing
    rude = Class.new do
      def debug(_line) = raise("no disk")
      alias_method :info, :debug
      alias_method :warn, :debug
    end
    blind = Class.new(rude) { def debug? = raise("no idea") }
    reports = [rude, blind].map do |klass|
      capture_io do
        stubbed(logger: klass.new) { |client, _server| assert_equal JANE, client.contacts.get(NOBODY).email }
      end.last
    end
    assert_equal [4, 0], reports.map { |report| report.scan("no disk").length }
    assert_includes reports.last, "no idea"
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
    shown = out.string + @all.map(&:inspect).join
    assert_equal 8, @all.length
    [JANE, "jane", secret, "14155550171", "privy_0", "?"].each { |text| refute_includes shown, text }
  end

  # ---- copies ----

  def test_a_copy_may_have_a_hook_of_its_own
    mine = []
    in_process do |_client, sandbox|
      client = sandbox.client(on_event: note)
      copy = client.with_options(on_event: mine.method(:push)).with_options(timeout: 3)
      copy.request("GET", "/contacts")
      copy.contacts.list.to_a
      copy.contacts.upsert_many([{ email: JANE }, {}]).run
      SmallScheduler.run { copy.request("GET", "/contacts") }
      assert_empty @all
      assert_empty %i[start request response end refused] - mine.map(&:kind)
      assert_equal %w[contacts.list contacts.upsert request], mine.map(&:operation).uniq.sort
      client.request("GET", "/contacts")
      refute_empty @all
    end
  end

  def test_a_copy_may_have_no_hook
    out = StringIO.new
    in_process do |_client, sandbox|
      client = sandbox.client(on_event: note, logger: Logger.new(out))
      client.with_options(on_event: false).request("GET", "/contacts")
      assert_empty @all
      refute_empty out.string
      lines = out.string.lines.length
      client.with_options(logger: false, on_event: false).request("GET", "/contacts")
      assert_equal lines, out.string.lines.length
      assert_raises(Privy::Error) { client.with_options(on_event: 5) }
    end
  end

  def test_copies_close_together_and_outlive_each_other
    in_process do |_client, sandbox|
      copy = sandbox.client.with_options(on_event: note)
      GC.start
      copy.request("GET", "/contacts")
      client = sandbox.client
      client.with_options(on_event: note).close
      assert_predicate client, :closed?
      refused(Privy::Error) { client.request("GET", "/contacts") }
      runs = Array.new(50) { sandbox.client.with_options(on_event: note).events.ingest_many([{}]).tap(&:next) }
      assert_equal 50, runs.length
    end
    GC.start
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
    assert_equal [4, 8], [@all.length, out.string.lines.length]
  ensure
    Privy.configure { |config| config.on_event = config.logger = nil }
  end

  def test_settings_that_cannot_be_used
    assert_match(/\Aon_event: /, refused(Privy::Error) { Privy::Sandbox.new.client(on_event: 5) }.message)
    assert_equal "logger: must respond to debug and info and warn",
                 refused(Privy::Error) { Privy::Sandbox.new.client(logger: "log") }.message
  end

  # ---- what an event is ----

  def test_trace_are_values
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
