# frozen_string_literal: true

require_relative "helper"
require_relative "rows"
require_relative "small_scheduler"
require "logger"
require "stringio"

# Callables and loggers that take the events of calls: whatever they do, the calls are not affected.
class TestObservers < PrivyTest
  include Rows

  class Enough < StandardError; end

  def setup
    @all = []
  end

  def note
    @all.method(:push)
  end

  def kinds_by_call
    @all.group_by(&:call).transform_values { |events| events.map(&:kind) }
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
      assert_equal 12, report.scan(/an observer raised TestObservers::Enough: oops \(.*test_observers/).length
    end
  end

  def test_an_exception_that_is_not_a_standard_error_stops_the_call
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

  def test_an_exception_of_another_thread_is_not_an_error_of_the_callable
    target = nil
    observe = lambda do |event|
      next unless event.kind == :request

      Thread.new { target.raise(Enough, "from outside") }.join
      sleep 0.05
    end
    stubbed({ stall: 60 }, on_event: observe) do |client, _server|
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
    observe = lambda do |event|
      @all << event
      found << client.contacts.list.first(3).length
      found << client.contacts.upsert_many([{ email: JANE }]).map(&:ok?)
    end
    served do |_client, sandbox|
      client = Privy::Client.new(base_url: Served.server.url, token: sandbox.token, on_event: observe)
      client.contacts.create(email: "first@example.com")
      SmallScheduler.run { client.contacts.list.to_a }
    end
    assert_equal [%i[start request response end]] * 2, kinds_by_call.values
    first, *others = found.each_slice(2).to_a
    assert_equal [[0, [true]], [[1, [true]], [2, [true]]]], [first, others.uniq]
  end

  def test_a_callable_may_fork
    statuses = []
    observe = lambda do |event|
      next if event.kind != :request || (child = fork).nil?

      statuses << Process.wait2(child).last.exitstatus
    end
    parent = Process.pid
    stubbed(on_event: observe) do |client, server|
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

  def test_each_event_is_logged_as_one_line
    lines = logged(:debug).lines
    assert_equal 4, lines.length
    assert_match(/DEBUG -- : privy contacts.get, call 1: started$/, lines[0])
    assert_match(%r{DEBUG -- : privy contacts.get, call 1: GET /contacts/\{id\}, attempt 1: sent$}, lines[1])
    assert_match(%r{privy contacts.get, call 1: GET /contacts/\{id\}, attempt 1: 200 in \d\.\d{3} s$}, lines[2])
    assert_match(/privy contacts.get, call 1: ended with 200 after 1 request and \d\.\d{3} s$/, lines[3])
  end

  def test_no_event_is_made_below_the_level_of_the_logger
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
    observe = ->(event) { event.kind == :wait && sandbox.advance(event.seconds) }
    outs = %i[info warn].to_h { |level| [level, StringIO.new] }
    client = sandbox.client(on_event: observe, logger: Logger.new(outs[:info], level: :info))
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
    assert_equal [4, 2], [lines.length, @all.count { |event| %i[request response].include?(event.kind) }]
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

  def test_events_and_logs_contain_no_secret
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

  def test_a_copy_may_have_another_hook
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

  def test_the_configuration_sets_hook_and_logger
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

  def test_invalid_hooks_and_loggers_raise
    assert_match(/\Aon_event: /, refused(Privy::Error) { Privy::Sandbox.new.client(on_event: 5) }.message)
    assert_equal "logger: must respond to debug and info and warn",
                 refused(Privy::Error) { Privy::Sandbox.new.client(logger: "log") }.message
  end
end
