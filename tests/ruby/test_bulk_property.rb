# frozen_string_literal: true

require_relative "helper"

# Random rows, keys, faults, interruptions, time-outs and early ends. Whatever happens:
# - every row is, once: reported, unsent or in doubt;
# - the events of the server are those reported, or in doubt;
# - what is stored for a key is its last row that succeeded, or a later one in doubt;
# - every consumer ends.
# SEED=n repeats one case, CASES=n runs more of them.
class TestBulkProperty < PrivyTest
  class Stop < StandardError; end

  CASES = Integer(ENV.fetch("CASES", "120"))
  # Cases side by side: most of their time they wait for retries.
  AT_ONCE = 12
  # A case takes seconds; this ends one that hangs.
  LONG = 120

  # One case: what is random comes from its seed.
  class Case
    attr_reader :rows, :source, :seen, :sandbox, :client

    def initialize(seed)
      @random = Random.new(seed)
      @sandbox = Privy::Sandbox.new
      @client = @sandbox.client(max_retries: @random.rand(3), timeout: 5)
      @seen = []
      @rows = make_rows
      poured = Enumerator.new { |rows| pour(rows) }
      @source = [@rows, @rows.each, @rows.lazy.map(&:itself), poured].sample(random: @random)
    end

    def orders?
      @orders
    end

    # @return [Privy::Bulk] a run that is over
    def play
      faults
      run = resource(@source)
      consume(run)
      run.close
      sandbox.clear_faults
      run
    end

    private

    def chance(share)
      @random.rand < share
    end

    def make_rows
      @orders = chance(0.5)
      Array.new(@random.rand(50)) { |number| @orders ? order(number) : event(number) }
    end

    def pour(rows)
      @rows.each do |row|
        rows << row
      end
    end

    def order(number)
      row = { order_id: @random.rand(1..5), email: "c#{@random.rand(3)}@example.com", total: 1, currency: "USD",
              order_date: Time.utc(2026), customer_id: "row #{number}" }
      chance(0.05) ? row.merge(total: "much") : row
    end

    def event(number)
      { event_type: "viewed", email: "c#{number % 7}@example.com", idempotency_key: "key-#{number}" }
    end

    def faults
      @random.rand(4).times do
        sandbox.fail(**fault, skip: @random.rand(8), count: @random.rand(1..4))
      end
    end

    def fault
      case @random.rand(6)
      when 0 then { status: 503, retry_after: 0 }
      when 1 then { status: 429, retry_after: 0 }
      when 2 then { status: 404 }
      when 3 then { drop: true }
      when 4 then { truncate: true }
      else { delay: @random.rand * 0.02 }
      end
    end

    def resource(rows)
      options = { concurrency: @random.rand(1..8) }
      @orders ? client.orders.upsert_many(rows, **options) : client.events.ingest_many(rows, **options)
    end

    # Reads the run to its end, or leaves it early, while other threads raise.
    def consume(run)
      noise = interrupting(Thread.current)
      early = chance(0.3) ? @random.rand(20) : nil
      nil until (early && @seen.length >= early) || read(run)
    ensure
      noise&.kill&.join
      Thread.current.thread_variable_set(:interruptions, nil)
    end

    def interrupting(target)
      case @random.rand(3)
      when 0 then target.thread_variable_set(:interruptions, Random.new(@random.rand(1_000_000)))
      when 1 then return elsewhere(target, @random.rand * 0.003)
      end
      nil
    end

    # While the run waits, as a rule: then the other thread gets its turn.
    def elsewhere(target, pause)
      Thread.new do
        loop do
          sleep pause
          target.raise(Stop)
        end
      end
    end

    # One attempt at reading; true at the end.
    def read(run)
      way = @random.rand(4)
      before = run.last_result
      Thread.handle_interrupt(Stop => :immediate) { send(%i[by_each by_next by_timeout by_raising_block][way], run) }
    rescue Stop, Timeout::Error
      false
    rescue StopIteration, Privy::Error # the end, or that of a source that was interrupted
      true
    ensure
      # An exception that arrives as `next` returns hides what it returns.
      @seen << run.last_result if [1, 2].include?(way) && !run.last_result.equal?(before)
    end

    def by_each(run)
      run.each { |result| @seen << result }
      true
    rescue RuntimeError => e
      raise unless e.message.include?("over")

      true
    end

    def by_next(run)
      run.next
      false
    end

    # Timeout itself cannot bear to be interrupted.
    def by_timeout(run)
      Thread.handle_interrupt(Stop => :never) { Timeout.timeout(0.002) { run.next } }
      false
    end

    def by_raising_block(run)
      run.each do |result|
        @seen << result
        raise Stop
      end
      true
    rescue RuntimeError => e
      raise unless e.message.include?("over")

      true
    end
  end

  # Where exceptions from elsewhere arrive, line by line: everything that a run calls of the library, and a source.
  INTERNAL = %i[BulkRows Drivers Driver WaitingDriver].map { |name| Privy.const_get(name) }
  TRACED = [Privy::Bulk, Privy::Result, *INTERNAL, INTERNAL[0].singleton_class].flat_map do |klass|
    names = klass.instance_methods(false) + klass.private_instance_methods(false)
    names.map { |name| klass.instance_method(name) }.select { |method| RubyVM::InstructionSequence.of(method) }
  end.push(Case.instance_method(:pour)).freeze

  # Each is traced by itself: a handler that looked at other lines would let exceptions in there.
  def interrupting
    traces = TRACED.map do |method|
      trace = TracePoint.new(:line, :return, :b_return) do
        random = Thread.current.thread_variable_get(:interruptions)
        Thread.current.raise(Stop) if random && random.rand < 0.02
      end
      trace.tap { trace.enable(target: method) }
    end
    yield
  ensure
    traces&.each(&:disable)
  end

  def test_what_always_holds
    interrupting { play_all }
  end

  private

  def play_all
    seeds = ENV["SEED"] ? [Integer(ENV["SEED"])] : Array.new(CASES) { Random.rand(1_000_000) }
    seeds.each_slice(AT_ONCE) do |some|
      games = some.map { |seed| [seed, Case.new(seed)] }
      players = Thread.handle_interrupt(Stop => :never) { games.map { |_, game| Thread.new { game.play } } }
      games.zip(players) { |(seed, game), player| judge(game, player, "SEED=#{seed}") }
    end
  end

  def judge(game, player, seed)
    player.report_on_exception = false
    flunk("#{seed} waits for ever: #{player.backtrace.join("\n")}") unless player.join(LONG)
    check(game, player.value, seed)
  end

  def check(game, run, seed)
    reported = game.seen.map(&:index)
    everyone = reported + run.unsent.map(&:first) + run.in_doubt.map(&:first)
    everyone += [*run.taken...game.rows.length] unless game.source.is_a?(Array) # which a source alone knows
    assert_equal [*0...game.rows.length], everyone.sort, "#{seed} each row once"
    assert_equal reported, reported.uniq, "#{seed} no result twice"
    game.seen.each { |result| assert_same game.rows[result.index], result.row, seed }
    game.orders? ? check_orders(game, run, seed) : check_events(game, run, seed)
  end

  # A key that the server knows replays its event.
  def check_events(game, run, seed)
    sure = game.seen.select(&:ok?).map(&:index)
    held = game.sandbox.counts.events
    known = game.rows.each_index.select do |index|
      row = game.rows[index]
      game.client.events.ingest(row[:event_type], **row.except(:event_type)).idempotent_replay
    end
    assert_empty sure - known, "#{seed} reported and not there"
    assert_empty known - sure - perhaps(game, run), "#{seed} there and never sent"
    assert_equal known.length, held, "#{seed} an event twice"
  end

  def check_orders(game, run, seed)
    (1..5).each do |id|
      of_key = game.rows.each_index.select { |index| game.rows[index][:order_id] == id }
      done = game.seen.select { |result| result.ok? && of_key.include?(result.index) }.map(&:index)
      assert_equal done.sort, done, "#{seed} results of one key in order"
      later = perhaps(game, run) & of_key
      later.select! { |index| index > done.max } if done.any?
      expected = (done.max(1) + later).map { |index| game.rows[index][:customer_id] }
      expected << nil if done.empty?
      assert_includes expected, stored(game, id), "#{seed} order #{id}"
    end
  end

  # Rows that the server may or may not have acted on.
  def perhaps(game, run)
    run.in_doubt.map(&:first) | game.seen.reject(&:ok?).map(&:index)
  end

  # What is not sent keeps its value.
  def stored(game, id)
    game.client.orders.upsert(order_id: id, email: "c0@example.com", total: 1, currency: "USD",
                              order_date: Time.utc(2026)).customer_id
  end
end
