# frozen_string_literal: true

require "notifications_helper"
require "small_scheduler"
# The gem warns of itself.
verbose = $VERBOSE
$VERBOSE = nil
require "async"
$VERBOSE = verbose

# Calls as events of ActiveSupport::Notifications, in a program without Rails.
class TestNotifications < PrivyTest
  include NotificationsHelper

  PAGE = File.read(File.join(ROOT, "docs/observability.md"))
  ABSENT = %i[exception exception_object].freeze

  def setup
    Privy::Rails::Notifications.install
  end

  def teardown
    Privy::Rails::Notifications.uninstall
  end

  # ---- payloads ----

  # { name of an event => its keys }, of the table in the page.
  def documented
    rows = PAGE[/^## Rails and ActiveSupport::Notifications.*?(?=^## )/m].scan(/^\| `(\w+)\.privy` \|[^|]*\|([^|]*)\|/)
    rows.to_h { |name, keys| [name.to_sym, keys.scan(/`(\w+)`/).flatten.map(&:to_sym)] }
  end

  def some_of_each
    sandbox, client = hurried
    sandbox.fail(status: 503, count: 1)
    client.contacts.list.to_a
    client.contacts.upsert_many([{ email: JANE }, { email: "no address" }, { email: JANE }]).run
    sandbox.set_limits(per_minute: 1)
    3.times { client.contacts.list.to_a }
    sandbox.set_limits(per_day: 1)
    client.contacts.upsert_many([{ email: JANE }] * 3, concurrency: 1).run
  end

  # A sandbox of which each wait takes no time, and an OAuth client of it.
  def hurried
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(Time.now)
    sandbox.add_client("id", "secret")
    hurry = ->(event) { sandbox.advance(event.seconds) if %i[wait retry].include?(event.kind) }
    [sandbox, sandbox.client(account: :eu, client_id: "id", client_secret: "secret", on_event: hurry)]
  end

  def test_every_event_has_the_keys_of_the_page
    events = seen { some_of_each }
    assert_equal documented.keys.sort, events.map(&:kind).uniq.sort
    events.group_by(&:kind).each do |kind, all|
      keys = all.flat_map { |event| event.payload.keys }.uniq
      assert_equal documented.fetch(kind).sort, keys.sort, kind
      all.each { |event| assert_empty documented.fetch(kind) - event.payload.keys - ABSENT, kind }
    end
  end

  def test_a_call
    in_process do |client, sandbox|
      sandbox.set_limits(per_minute: 60, per_day: 10_000)
      call, = calls { client.contacts.create(email: JANE, email_consent: :subscribed) }
      expected = { operation: "contacts.create", account: nil, method: "POST", path: "/contacts", status: 201,
                   error: nil, reason: nil, attempts: 1, waited: 0.0, idempotency_key: nil, minute_left: 59,
                   day_left: 9_999, created: true, replay: nil, row_index: nil, sandbox: true }
      assert_equal expected, call.except(:request_id)
      assert_match(/\Areq_/, call[:request_id])
    end
  end

  def test_what_the_server_did
    in_process do |client, _sandbox|
      all = calls do
        2.times { client.orders.upsert(**ORDER) }
        2.times { client.events.ingest("seen", email: JANE, idempotency_key: "job-1") }
        client.contacts.upsert(email: JANE, first_name: "Jane")
        client.request("GET", "/contacts")
      end
      assert_equal [true, false, nil, nil, false, nil], all.map { |call| call[:created] }
      assert_equal [nil, nil, false, true, nil, nil], all.map { |call| call[:replay] }
      assert_equal [nil, nil, "job-1", "job-1", nil, nil], all.map { |call| call[:idempotency_key] }
      assert_equal "request", all.last[:operation]
    end
  end

  def test_one_event_for_each_refused_call
    in_process do |client, sandbox|
      sandbox.set_limits(per_minute: 1)
      client.contacts.list.to_a
      errors = []
      all = calls do
        [-> { client.contacts.create(email: "no address") },
         -> { client.with_options(max_wait: 0).orders.upsert(**ORDER) }].each do |call|
          call.call
        rescue Privy::Error => e
          errors << e
        end
      end
      assert_equal [["ValidationError", 0], ["RateLimitError", 0]], (all.map do |call|
                                                                       call.values_at(:error, :attempts)
                                                                     end)
      assert_equal "invalid: email", all.first[:reason]
      assert_match(/rate limit/, all.last[:reason])
      assert_equal errors.map { |error| [error.class.name, error.message] }, (all.map { |call| call[:exception] })
      assert_same errors.last, all.last[:exception_object]
    end
  end

  def test_the_steps_of_a_call
    sandbox, client = hurried
    sandbox.set_limits(per_minute: 1)
    sandbox.fail(status: 503, count: 1, on: "contacts.list")
    all = seen(:attempt, :retry, :wait, :token, :call) { 2.times { client.contacts.list.to_a } }
    assert_equal %i[attempt token attempt retry], all.first(4).map(&:kind)
    assert_includes all.map(&:kind), :wait
    by_kind = all.group_by(&:kind).transform_values { |events| events.first.payload }
    assert_equal ["/oauth/token", 200], by_kind[:attempt].values_at(:path, :status)
    assert_equal "503 ServerError", by_kind[:retry][:reason]
    assert_operator by_kind[:retry][:seconds], :>, 0
    assert_equal "rate limit of the minute", by_kind[:wait][:why]
    assert_in_delta by_kind[:wait][:seconds], by_kind[:wait][:until] - Time.now, PROMPT
    assert_operator by_kind[:token][:expires_at], :>, Time.now
  end

  # ---- what no event holds ----

  MARK = "zq7"
  ODD = ["#{MARK}@#{MARK}.example.com", "+1415555#{MARK}", "+14155550171", MARK, "cus_#{MARK}00000000000", 7.5, nil,
         { MARK => MARK }, [MARK], "\e[31m#{MARK}\n", "%40#{MARK}", "/#{MARK}"].freeze

  def odd_call(client, dice)
    odd = -> { ODD.sample(random: dice) }
    case dice.rand(7)
    when 0 then client.contacts.create(email: odd.call, phone_number: odd.call, tags: [odd.call],
                                       custom_fields: odd.call)
    when 1 then client.contacts.get(odd.call.to_s)
    when 2 then client.orders.upsert(**ORDER, email: odd.call, extra: { "#{MARK}@x.io" => odd.call })
    when 3 then client.events.ingest(odd.call.to_s, email: odd.call, idempotency_key: "#{odd.call}@x.io +14155550171")
    when 4 then client.request(dice.rand < 0.5 ? "GET" : MARK, "/people/#{odd.call}?q=#{MARK}", body: odd.call)
    when 5 then client.contacts.list(email: odd.call, extra_headers: { "X-Odd" => odd.call }).to_a
    else client.contacts.upsert_many([{ email: odd.call }, odd.call].grep(Hash)).run
    end
  rescue Privy::Error, ArgumentError, TypeError
    nil
  end

  def test_no_payload_holds_what_was_sent
    dice = Random.new(Minitest.seed)
    sandbox, client = hurried
    events = seen do
      (ENV["PRIVY_DEEP"] ? 5_000 : 500).times do
        body = { error: { code: MARK, message: MARK, details: [{ field: MARK, message: MARK }] } }.to_json
        sandbox.fail(status: [400, 404, 409, 422, 500].sample(random: dice), body: body) if dice.rand < 0.3
        odd_call(client, dice)
      end
    end
    assert_operator events.length, :>, 300
    events.each do |one|
      text = one.payload.except(*ABSENT, :idempotency_key).inspect
      refute_match(/#{MARK}|4155550171|@/, text)
      refute_match(/#{MARK}@|4155550171/, one.payload[:idempotency_key].to_s)
      refute_match(/#{MARK}@|4155550171/, one.payload[:exception].to_s)
    end
  end

  # ---- exceptions ----

  def test_the_exception_is_the_one_that_is_raised
    served do |client, _sandbox|
      [->(&block) { block.call }, ->(&block) { SmallScheduler.run(&block) }].each do |run|
        error = nil
        call, = calls { run.call { error = assert_raises(Privy::NotFoundError) { client.contacts.get(NOBODY) } } }
        assert_same error, call[:exception_object]
        assert_equal ["Privy::NotFoundError", error.message], call[:exception]
        assert_equal ["NotFoundError", 404], call.values_at(:error, :status)
        refute_nil error.backtrace
      end
    end
  end

  def test_the_exceptions_of_a_bulk_run_are_those_of_its_results
    in_process do |client, sandbox|
      sandbox.fail(status: 404, count: 1)
      results = nil
      all = calls { results = client.contacts.upsert_many([{ email: JANE }, { email: "joe@example.com" }]).to_a }
      failed = results.reject(&:ok?)
      assert_equal 1, failed.length
      assert_same failed.first.error, all.find { |call| call[:error] }[:exception_object]
    end
  end

  def test_a_call_that_is_stopped
    stubbed({ stall: 60 }) do |client, server|
      raised = ->(thread) { thread.raise(IOError, "enough") }
      [[raised, "IOError"], [->(thread) { thread.kill }, nil]].each do |stop, error|
        call, = calls { stopped(client, server, &stop) }
        assert_equal [nil, error, error && [error, "enough"]], call.values_at(:status, :error, :exception)
        assert_equal "the call was stopped", call[:reason]
      end
      call, = calls { assert_raises(Timeout::Error) { Timeout.timeout(0.1) { client.contacts.get(NOBODY) } } }
      assert_equal "the call was stopped", call[:reason]
    end
  end

  # Stops a thread by the block while its call is in flight.
  def stopped(client, server)
    before = server.requests.length
    thread = Thread.new do
      Thread.current.report_on_exception = false
      client.contacts.get(NOBODY)
    rescue IOError
      nil
    end
    sleep 0.005 while server.requests.length == before
    yield thread
    thread.join(PROMPT)
  end

  # ---- times ----

  # Every kind of subscriber gets the times of the call.
  def test_every_kind_of_subscriber_gets_the_duration_of_the_call
    timed = monotonic = object = nil
    evented = Evented.new
    subscribing(["call.privy", evented],
                ["call.privy", ->(_, start, finish, _, _) { timed = [start, finish] }],
                [/privy/, proc { |event| object = event }]) do
      listener = ActiveSupport::Notifications.monotonic_subscribe("call.privy") do |_, start, finish, _, _|
        monotonic = [start, finish]
      end
      stubbed({ stall: 0.1 }) do |client, _server|
        all = elapsed { client.contacts.get(NOBODY) }
        assert_operator object.duration, :>=, 100
        assert_operator object.duration, :<=, all
        [timed, monotonic].each { |start, finish| assert_in_delta object.duration, (finish - start) * 1_000, 1 }
      end
      assert_kind_of Time, timed.first
      assert_in_delta Time.now.to_f, timed.last.to_f, PROMPT
      assert_kind_of Float, monotonic.first
      assert_equal %w[start finish], evented.got
    ensure
      ActiveSupport::Notifications.unsubscribe(listener)
    end
  end

  # A subscriber with its own start and finish.
  class Evented
    attr_reader :got

    def initialize
      @got = []
    end

    def start(*)
      @got << "start"
    end

    def finish(*)
      @got << "finish"
    end
  end

  def subscribing(*pairs)
    listeners = pairs.map { |pattern, listener| ActiveSupport::Notifications.subscribe(pattern, listener) }
    yield
  ensure
    listeners&.each { |listener| ActiveSupport::Notifications.unsubscribe(listener) }
  end

  SLOW = "cus_0000000000000001"

  # Runs two calls that overlap, and returns their events.
  def overlapping
    choose = ->(request) { { stall: request.target.end_with?(SLOW) ? 0.6 : 0.05 } }
    stubbed(choose: choose) do |client, _server|
      seen(:call) { yield -> { client.contacts.get(SLOW) }, -> { client.contacts.get(NOBODY) } }
    end
  end

  # An instrumenter with a stack would give the short call the start of the long one.
  def assert_own_times(all)
    short, long = all.map(&:event)
    assert_operator short.time, :>=, long.time
    assert_operator short.end, :<, long.end
    assert_operator long.duration, :>=, 600
    assert_operator short.duration, :<, long.duration
    assert_equal 2, all.map(&:fiber).uniq.length
  end

  def test_calls_that_overlap_have_their_own_times
    all = overlapping { |slow, fast| SmallScheduler.run { [slow, fast].each { |call| Fiber.schedule(&call) } } }
    assert_own_times(all)
  end

  # A slow observer delays the events, not their times.
  def test_events_that_are_published_late_have_the_times_of_the_call
    arrived = {}
    observer = lambda do |event|
      arrived[event.kind] = monotonic
      sleep(0.05)
    end
    stubbed(on_event: observer) do |client, _server|
      before = monotonic
      attempt, call = seen(:attempt, :call) { client.contacts.get(NOBODY) }.map(&:event)
      assert_operator attempt.end, :<=, arrived.fetch(:response)
      assert_operator call.end, :<=, arrived.fetch(:end)
      assert_operator call.time, :>=, before
    end
  end

  def monotonic
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def test_tasks_of_the_async_gem
    all = overlapping { |slow, fast| Async { |task| [slow, fast].each { |call| task.async { call.call } } } }
    assert_own_times(all)
  end

  def test_subscribers_run_in_the_thread_of_the_call
    served do |client, _sandbox|
      mine = nil
      all = seen(:call) do
        mine = Array.new(8) do |number|
          Thread.new { 5.times { client.request("GET", "/contacts", params: { per_page: number + 1 }) } }
        end.each(&:join)
      end
      assert_equal(mine.to_h { |thread| [thread, 5] }, all.map(&:thread).tally)
      assert(all.all? { |one| one.payload[:operation] == "request" })
    end
  end

  # ---- bulk runs ----

  def test_a_bulk_run
    served do |client, _sandbox|
      rows = Array.new(30) { |number| { email: "p#{number}@example.com" } } << { email: "no address" }
      report = nil
      all = seen(:call, :bulk) { report = client.contacts.upsert_many(rows, concurrency: 8).run }
      *each, run = all
      assert_equal (0..30).to_a, each.map { |one| one.payload[:row_index] }.sort
      assert_equal [31, 31, 31, 1, 30, 0, 0],
                   run.payload.values_at(:total, :taken, :done, :failed, :created, :updated, :skipped)
      assert_equal ["contacts.upsert", nil, true], run.payload.values_at(:operation, :error, :sandbox)
      assert_in_delta report.seconds * 1_000, run.event.duration, 1
      assert_operator each.sum { |one| one.event.duration }, :>, 0
    end
  end

  def test_a_bulk_run_that_ends_early
    in_process do |client, sandbox|
      sandbox.set_limits(per_day: 2)
      rows = Array.new(10) { |number| { email: "p#{number}@example.com" } }
      run = seen(:bulk) { client.contacts.upsert_many(rows, concurrency: 1).run }.first.payload
      assert_equal "RateLimitError", run[:error]
      assert_kind_of Privy::RateLimitError, run[:exception_object]
      assert_equal [2, 10], run.values_at(:created, :total)
      closed = client.contacts.upsert_many(rows)
      assert_empty(seen(:bulk) { closed.close })
    end
  end

  # ---- what subscribers may do ----

  def test_a_subscriber_that_raises_stops_no_call
    in_process do |client, _sandbox|
      subscribing(["call.privy", proc { |_event| raise "broken" }]) do
        all = nil
        _, report = capture_io { all = calls { client.contacts.list.to_a } }
        assert_equal 1, all.length
        assert_includes report, "privy: a subscriber of call.privy raised RuntimeError: broken"
      end
    end
  end

  def test_calls_of_a_subscriber_are_no_events
    in_process do |client, _sandbox|
      counts = []
      subscribing(["call.privy", proc { |_event|
                                   counts << client.contacts.list.total_count
                                 }]) { client.contacts.list.to_a }
      assert_equal [0], counts
    end
  end

  def test_an_observer_gets_its_events_as_well
    events = []
    client = Privy::Sandbox.new.client(on_event: ->(event) { events << event.kind })
    assert_equal 1, calls { client.contacts.list.to_a }.length
    assert_equal %i[start request response end], events
  end

  # ---- without subscribers ----

  def allocations
    before = GC.stat(:total_allocated_objects)
    20.times { |_round| yield }
    GC.stat(:total_allocated_objects) - before
  end

  def test_a_call_without_subscribers_makes_no_object_for_them
    in_process do |client, _sandbox|
      call = -> { client.request("GET", "/contacts") }
      allocations(&call)
      with = allocations(&call)
      assert_equal 0, Privy::Core.notifier.kinds
      Privy::Rails::Notifications.uninstall
      refute_predicate Privy::Rails::Notifications, :installed?
      assert_equal allocations(&call), with
      Privy::Rails::Notifications.install
      calls { assert_operator allocations(&call), :>, with }
    end
  end

  WANTED = { call: %i[refused end], attempt: %i[response failure], retry: %i[retry], wait: %i[wait],
             token: %i[token], bulk: [] }.freeze

  def test_only_what_has_a_subscriber_is_wanted
    notifier = Privy::Core.notifier
    WANTED.each do |name, expected|
      kinds = subscribing(["#{name}.privy", proc { |_event| }]) { notifier.kinds }
      assert_equal expected, Privy::Core::EVENT_KINDS.select.with_index { |_, at| kinds[at] == 1 }
    end
    Privy::Rails::Notifications.uninstall
    in_process { |client, _sandbox| assert_empty(seen { client.contacts.upsert_many([{ email: JANE }]).run }) }
  end
end
