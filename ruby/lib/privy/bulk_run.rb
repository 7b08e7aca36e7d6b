# frozen_string_literal: true

module Privy
  # One run of a bulk call.
  #
  # @private
  class BulkRun
    # Seconds after which a wait looks around: a signal may come without ending it.
    TURN = 0.05
    # Who is to wait longer than this has no minute's limit before it, but a day's.
    LONGEST_MINUTE = 90

    def initialize(bulk)
      @bulk = bulk
      @under_way = {}
      @taken = @done = @failed = 0
      @total = bulk.total
      @unsent = []
    end

    # @yieldparam result [Result]
    # @return [Progress]
    def run(&)
      @driver = @bulk.drivers.take
      @began = monotonic
      feed(&)
      turn(TURN, &) until @under_way.empty?
      @spent ? stop : progress
    ensure
      @bulk.drivers.give(@driver, @under_way.keys) if @driver
    end

    private

    # Takes a row from the source whenever a place is free.
    def feed(&)
      @bulk.rows.each do |row|
        start(row, &)
        turn(0, &)
        turn(TURN, &) until @under_way.length < @bulk.concurrency || @spent
        break if @spent
      end
    end

    def start(row, &)
      index = @taken
      @taken += 1
      error = begin_call(index, row)
      if error
        settle(index, row, error, &)
      else
        @under_way[index] = row
      end
    end

    # What keeps the row from being sent, nil when nothing does. An exception that another thread raises here is not the
    # row's: it waits until the call has begun.
    def begin_call(index, row)
      Thread.handle_interrupt(Exception => :never) do
        @driver.group.call(index, @bulk.operation, params_of(row), @bulk.extra, @bulk.options)
        nil
      rescue => e
        e
      end
    end

    # A Hash, or what passes for one, such as a row of a CSV file with headers.
    def params_of(row)
      params = Hash.try_convert(row)
      return params if params

      fault = { field: "base", message: "the row is a #{row.class}, not a Hash of parameters" }.freeze
      raise ValidationError.new("base #{fault[:message]}", details: [fault].freeze)
    end

    # Moves all calls on, and yields those that have ended.
    def turn(seconds, &)
      @driver.wait(seconds)
      while (index, outcome = @driver.group.take)
        settle(index, @under_way.delete(index), outcome, &)
      end
      tell_of_wait
    end

    def settle(index, row, outcome)
      failed = outcome.is_a?(Exception)
      if failed && spends_the_day?(outcome)
        @spent ||= outcome
        return @unsent << [index, row] if may_go_again?(outcome)
      end
      @done += 1
      @failed += 1 if failed
      @bulk.tell(progress)
      yield failed ? Result.new(index, row, error: outcome) : Result.new(index, row, value: outcome)
    end

    # ---- a spent day ----

    # True when no other row could go either: the day's limit is spent, or a limit that takes as long.
    def spends_the_day?(error)
      return false unless error.is_a?(RateLimitError)
      return true if error.retry_after.to_f > LONGEST_MINUTE

      limit = @bulk.client.rate_limit
      day = limit.day
      return false unless day.known? && day.resets_at

      day.remaining.zero? || (resets_with?(day, error) && !resets_with?(limit.minute, error))
    end

    def resets_with?(window, error)
      window.resets_at && error.resets_at ? (window.resets_at - error.resets_at).abs < 2 : false
    end

    # True when the row can be sent anew: no attempt of it can have been acted on, or doing it twice does no harm. What
    # carries a key that a new call would not repeat is told as the failure that it is.
    def may_go_again?(error)
      error.idempotency_key.nil? || error.attempts.zero? || (error.attempts == 1 && error.status == 429)
    end

    def stop
      rest = @bulk.rows.is_a?(Array) ? (@taken...@bulk.rows.length).map { |index| [index, @bulk.rows[index]] } : []
      @spent.instance_variable_set(:@unsent, (@unsent.sort_by(&:first) + rest).freeze)
      @spent.instance_variable_set(:@taken, @taken)
      raise @spent
    end

    # ---- progress ----

    def progress
      Progress.new(done: @done, failed: @failed, waiting_until: waiting_until, total: @total, eta: eta).freeze
    end

    def waiting_until
      seconds = @driver.group.waiting_until
      seconds && Time.at(seconds).utc
    end

    # Tells once of each wait that is worth telling.
    def tell_of_wait
      wait = waiting_until
      return @told_wait = nil unless wait
      return if @told_wait && (wait - @told_wait).abs < 1
      return if wait - @bulk.client.now < 1

      @told_wait = wait
      @bulk.tell(progress)
    end

    def eta
      return unless @total

      rest = [@total - @done, 0].max
      rest.zero? ? 0.0 : [by_pace(rest), by_budget(rest)].max
    end

    def by_pace(rest)
      @done.zero? ? 0.0 : (monotonic - @began) / @done * rest
    end

    # Seconds until the minute that has room for the last of these rows begins.
    def by_budget(rest)
      minute = @bulk.client.rate_limit.minute
      return 0.0 unless minute.known? && rest > minute.remaining

      minutes = (rest - minute.remaining).fdiv([minute.limit, 1].max).ceil
      first = minute.resets_at ? minute.resets_at - @bulk.client.now : 60.0
      [first, 0.0].max + ((minutes - 1) * 60.0)
    end

    def monotonic
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
