# frozen_string_literal: true

require "helper"
require "small_scheduler"

# An active sandbox receives the calls of all clients without a sandbox of their own. The network is a stub server: what
# it counts has left the process.
class TestActivation < PrivyTest
  ANY = "privy_#{'1' * 40}".freeze
  OTHER = "john@example.com"

  def setup
    @sandbox = Privy::Sandbox.new
    @other = Privy::Sandbox.new
    @server = StubServer.new
  end

  def teardown
    @server.stop
    assert_equal [], @server.requests, "a call has reached the network"
  end

  # Its calls would reach the stub server.
  def network(**settings)
    Privy::Client.new(token: ANY, base_url: @server.url, max_retries: 0, **settings)
  end

  def total(client)
    client.contacts.list.total_count
  end

  def ended(&)
    assert_match(/no longer active/, refused(Privy::Error, &).message)
  end

  # ---- clients made meanwhile ----

  def test_clients_made_meanwhile_use_it_with_any_credentials_or_none
    @sandbox.activate do
      [Privy::Client.new, Privy::Client.new(token: ANY),
       Privy::Client.new(client_id: "shop", client_secret: "secret")].each_with_index do |client, index|
        client.contacts.create(email: "#{index}@example.com")
        assert_includes client.inspect, "sandbox"
      end
    end
    assert_equal 3, @sandbox.counts.contacts
  end

  def test_known_tokens_keep_their_scopes
    @sandbox.add_token(ANY, scopes: "orders_write")
    @sandbox.activate do
      refused(Privy::PermissionDeniedError) { Privy::Client.new(token: ANY).contacts.create(email: JANE) }
    end
  end

  def test_invalid_settings_still_raise
    @sandbox.activate do
      refused(Privy::Error) { Privy::Client.new(timeout: -1) }
      refused(Privy::Error) { Privy::Client.new(max_retries: "many") }
    end
  end

  def test_a_client_of_another_sandbox_keeps_it
    @sandbox.activate { @other.client.contacts.create(email: JANE) }
    assert_equal [0, 1], [@sandbox.counts.contacts, @other.counts.contacts]
  end

  # ---- clients made before ----

  def test_a_client_made_before_its_resources_and_copies_use_it
    client = network
    contacts = client.contacts
    copy = client.with_options(timeout: 3)
    kinds = []
    observed = copy.with_options(on_event: ->(event) { kinds << event.kind })
    @sandbox.activate do
      contacts.create(email: JANE)
      copy.contacts.create(email: OTHER)
      assert_equal 2, total(observed)
      assert_equal 200, client.request("POST", "/events", body: { event_type: "a", email: JANE }).status
      assert client.contacts.upsert_many([{ email: JANE }, { email: OTHER }]).run.ok?
      assert_includes client.inspect, "sandbox"
    end
    assert_includes kinds, :request
    refute_includes client.inspect, "sandbox"
    assert_equal 2, @sandbox.counts.contacts
  end

  def test_a_client_made_before_returns_to_the_network
    body = '{"data":[],"pagination":{"page":1,"per_page":25,"total_count":7,"total_pages":1}}'
    stubbed({ status: 200, body: body }) do |client, server|
      @sandbox.activate { assert_equal 0, total(client) }
      assert_equal 0, server.requests.length
      assert_equal 7, total(client)
      assert_equal 1, server.requests.length
    end
  end

  def test_options_are_kept
    client = network(max_retries: 1)
    copy = client.with_options(max_retries: 0)
    @sandbox.fail(status: 503, count: 2, retry_after: 0)
    @sandbox.activate do
      refused(Privy::ServerError) { total(copy) }
      assert_equal [503], @sandbox.requests.map(&:status)
      assert_equal 0, total(client)
      assert_equal [503, 503, 200], @sandbox.requests.map(&:status)
    end
  end

  def test_copies_share_the_rate_limit_of_their_stand_in
    client = network
    copy = client.with_options(timeout: 3)
    @sandbox.set_limits(per_minute: 60, per_day: 1000)
    @sandbox.activate do
      total(copy)
      later = client.with_options(timeout: 2)
      assert_equal [59, 59], [client, later].map { |one| one.rate_limit.minute.remaining }
    end
    assert_nil client.rate_limit.minute.limit
  end

  def test_lists_and_runs_of_before_raise
    client = network
    listed = client.contacts.list.each
    run = client.contacts.upsert_many([{ email: JANE }])
    @sandbox.activate do
      error = refused(Privy::Error) { run.run }
      assert_match(/a sandbox is active, and this list or run/, error.message)
      assert_raises(StopIteration) { listed.next }
    end
    assert_equal 1, @sandbox.counts.requests, "a list is made by its first page"
  end

  # ---- after the activation ----

  def test_what_was_made_inside_raises_afterwards
    client = copy = listed = run = nil
    @sandbox.activate do
      client = Privy::Client.new(token: ANY)
      copy = client.with_options(timeout: 5)
      3.times { |index| client.contacts.create(email: "#{index}@example.com") }
      listed = client.contacts.list(per_page: 1, prefetch: false).each
      listed.next
      run = client.contacts.upsert_many([{ email: JANE }])
    end
    ended { total(client) }
    ended { total(copy) }
    ended { total(client.with_options(timeout: 4)) }
    ended { 2.times { listed.next } }
    ended { run.run }
    ended { client.request("GET", "/contacts") }
    assert_equal 4, @sandbox.counts.requests
    client.close
    assert_predicate copy, :closed?
  end

  def test_a_list_of_before_raises_afterwards
    client = network
    listed = nil
    @sandbox.activate do
      3.times { |index| client.contacts.create(email: "#{index}@example.com") }
      listed = client.contacts.list(per_page: 1, prefetch: false).each
      listed.next
    end
    ended { 2.times { listed.next } }
  end

  def test_a_client_made_inside_uses_the_sandbox_that_is_active_later
    client = @sandbox.activate { Privy::Client.new(token: ANY).tap { |one| one.contacts.create(email: JANE) } }
    copy = client.with_options(timeout: 4)
    2.times do
      @other.activate { assert_equal [0, 0], [total(client), total(copy)] }
      ended { total(copy) }
    end
    assert_equal [1, 4], [@sandbox, @other].map { |one| one.counts.requests }
  end

  def test_closing_closes_for_good
    client = network
    copy = client.with_options(timeout: 5)
    @sandbox.activate do
      2.times { |index| client.contacts.create(email: "#{index}@example.com") }
      listed = client.contacts.list(per_page: 1, prefetch: false).each
      listed.next
      copy.close
      assert_match(/closed/, refused(Privy::Error) { listed.next }.message)
      assert_predicate client, :closed?
      refused(Privy::Error) { total(client) }
    end
    @other.activate { refused(Privy::Error) { total(client) } }
  end

  # ---- activations ----

  def test_the_innermost_counts
    client = network
    @sandbox.activate do
      inside = Privy::Client.new
      @other.activate { [client, inside, Privy::Client.new].each { |one| one.contacts.list.total_count } }
      total(client)
    end
    assert_equal [1, 3], [@sandbox, @other].map { |one| one.counts.requests }
  end

  def test_without_a_block_until_deactivate
    assert_same @sandbox, @sandbox.activate
    client = network
    total(client)
    @other.activate
    total(client)
    @sandbox.deactivate
    total(client)
    @other.deactivate
    assert_equal [1, 2], [@sandbox, @other].map { |one| one.counts.requests }
    assert_match(/not active/, refused(Privy::Error) { @sandbox.deactivate }.message)
    refute Privy::Core.routing?
  end

  def test_an_exception_ends_it_and_the_block_gives_its_value
    assert_raises(ZeroDivisionError) { @sandbox.activate { 1 / 0 } }
    assert_equal 5, @sandbox.activate { |sandbox| sandbox.equal?(@sandbox) ? 5 : 0 }
    assert_raises(ArgumentError) { @sandbox.activate(scope: :fiber) }
    refute Privy::Core.routing?
  end

  # ---- threads ----

  def test_it_is_active_in_all_threads
    client = network
    @sandbox.activate { Array.new(4) { Thread.new { total(client) } }.each(&:join) }
    assert_equal 4, @sandbox.counts.requests
  end

  def test_each_thread_has_its_own_with_the_threads_that_it_starts
    client = network
    sandboxes = Array.new(6) { Privy::Sandbox.new }
    group = Thread.current.group
    sandboxes.map do |sandbox|
      Thread.new do
        sandbox.activate(scope: :thread) do
          20.times { total(client) }
          Thread.new { total(client) }.join
          Fiber.new { total(client) }.resume
          @other.activate { total(client) }
        end
        assert_same group, Thread.current.group
      end
    end.each(&:join)
    assert_equal [22] * 6, sandboxes.map { |one| one.counts.requests }
    assert_equal 6, @other.counts.requests
  end

  # A thread that belongs to no activation: makes a call for each item, and returns what became of it.
  def with_pool(client)
    calls = Queue.new
    results = Queue.new
    pool = Thread.new do
      loop do
        calls.pop
        results << total(client)
      rescue Privy::Error => e
        results << e
      end
    end
    yield -> { (calls << 1) && results.pop }
  ensure
    pool.kill
  end

  def test_another_thread_uses_the_only_one_and_raises_when_there_are_several
    with_pool(network) do |call|
      @sandbox.activate(scope: :thread) do
        assert_equal 0, call.call
        over = Queue.new
        second = Thread.new { @other.activate(scope: :thread) { over.pop } }
        until_true { over.num_waiting == 1 }
        assert_match(/several other threads/, call.call.message)
        over << 1
        second.join
        assert_equal 0, call.call
      end
    end
    assert_equal [2, 0], [@sandbox, @other].map { |one| one.counts.requests }
  end

  def test_a_thread_that_is_killed_leaves_no_activation_to_others
    client = network
    inside = Queue.new
    thread = Thread.new { @other.activate(scope: :thread).tap { inside << 1 } && sleep }
    inside.pop
    thread.kill.join
    with_pool(client) { |call| @sandbox.activate(scope: :thread) { assert_equal 0, call.call } }
    assert_equal [1, 0], [@sandbox, @other].map { |one| one.counts.requests }
  ensure
    @other.deactivate
  end

  def test_a_forked_child_has_a_copy
    client = network
    @sandbox.activate do
      child = fork do
        client.contacts.create(email: JANE)
        exit!(@sandbox.counts.contacts)
      end
      assert_equal 1, Process.wait2(child).last.exitstatus
      assert_equal 0, @sandbox.counts.contacts
    end
  end

  def test_other_ractors_get_a_clear_error
    verbose = $VERBOSE
    $VERBOSE = nil
    Privy.eager_load!
    @sandbox.activate do
      message = Ractor.new do
        Privy::Client.new(token: "privy_#{'1' * 40}", base_url: "http://127.0.0.1:1").contacts.list.total_count
      rescue Privy::Error => e
        e.message
      end.take
      assert_match(/only the main Ractor/, message)
    end
  ensure
    $VERBOSE = verbose
  end

  def test_fibers_of_a_scheduler_use_it
    client = network
    @sandbox.activate do
      SmallScheduler.run do
        total(client)
        Fiber.schedule { total(client) }
      end
    end
    assert_equal 2, @sandbox.counts.requests
  end

  # ---- cost and memory ----

  def test_stand_ins_of_sandboxes_that_ended_are_forgotten
    client = network
    20.times { Privy::Sandbox.new.activate { total(client) } }
    @sandbox.activate do
      total(client)
      assert_equal 1, Privy.const_get(:Activation).stand_ins(session_of(client).instance_variable_get(:@core)).length
    end
  end

  def test_a_call_without_an_active_sandbox_does_not_ask_for_one
    client = Privy::Client.new(token: ANY, base_url: Served.server.url, max_retries: 0)
    @sandbox.activate { total(client) }
    asked = 0
    trace = TracePoint.new(:call) { |point| asked += 1 if point.path.end_with?("privy/activation.rb") }
    trace.enable { refused(Privy::AuthenticationError) { total(client) } }
    assert_equal 0, asked
  end

  # ---- time ----

  def test_waits_of_a_sandbox_that_skips_them_take_no_time
    @sandbox.skip_waits
    client = network(max_retries: 3)
    began = @sandbox.now
    @sandbox.fail(status: 429, retry_after: 42)
    @sandbox.fail(status: 503, count: 2)
    taken = elapsed { @sandbox.activate { total(client) } }
    assert_operator taken, :<, PROMPT
    assert_operator @sandbox.now - began, :>=, 42
    error = @sandbox.activate do
      @sandbox.fail(delay: 31)
      refused(Privy::APITimeoutError) { total(client.with_options(max_retries: 0)) }
    end
    assert_match(/within 30 seconds/, error.message)
  end

  # 40 minutes of the limit; the pacing of the client avoids each 429.
  def test_threads_fibers_and_bulk_runs_skip_waits_together
    @sandbox.skip_waits
    @sandbox.set_limits(per_minute: 4, per_day: 1000)
    client = network(max_wait: 7200)
    began = @sandbox.now
    taken = elapsed do
      @sandbox.activate do
        Array.new(4) { Thread.new { 20.times { total(client) } } }.each(&:join)
        SmallScheduler.run { 20.times { total(client) } }
        assert client.contacts.upsert_many(Array.new(60) { |index| { email: "#{index}@example.com" } }).run.ok?
      end
    end
    assert_operator taken, :<, PROMPT * 3
    assert_operator @sandbox.now - began, :>=, 38 * 60
    assert_empty @sandbox.requests.map(&:status) - [200, 201]
  end

  def test_a_wait_longer_than_max_wait_still_raises
    @sandbox.skip_waits
    @sandbox.fail(status: 429, retry_after: 42)
    error = @sandbox.activate { refused(Privy::RateLimitError) { total(network(max_wait: 10, max_retries: 3)) } }
    assert_in_delta 42, error.retry_after, 0.5
  end
end
