# frozen_string_literal: true

module Privy
  # How the call of one row ended.
  class Result
    include Value

    # @return [Integer] the row's place in the source, from 0
    attr_reader :index
    # @return [Hash] the row as it was given
    attr_reader :row
    # @return [Record, nil] the answer, nil when the call failed
    attr_reader :value
    # @return [Exception, nil] why the call failed: an {Error}, or what building its request raised
    attr_reader :error

    # @param index [Integer]
    # @param row [Hash]
    # @param value [Record, nil]
    # @param error [Exception, nil]
    def initialize(index, row, value: nil, error: nil)
      @index = index
      @row = row
      @value = value
      @error = error
      freeze
    end

    # @return [Boolean]
    def ok?
      error.nil?
    end

    # @return [Hash{Symbol => Object}]
    def to_h
      { index: index, row: row, value: value, error: error, ok: ok? }
    end

    # @return [Hash{Symbol => Object}] for pattern matching
    def deconstruct_keys(_keys)
      to_h
    end

    # @param other [Object]
    # @return [Boolean]
    def ==(other)
      other.instance_of?(self.class) && other.to_h == to_h
    end
    alias eql? ==

    # @return [Integer]
    def hash
      [index, row, value].hash
    end

    # @return [String] without the row, which may hold anything
    def inspect
      "#<#{self.class} index=#{index} #{ok? ? value.inspect : error.class}>"
    end
    alias to_s inspect

    private

    # The row is the caller's.
    def freeze_all(value)
      value
    end
  end

  # A bulk run: one operation for many rows, a few calls at a time. Enumerable over {Result}, once.
  #
  #   report = client.orders.upsert_many(rows).run
  #   client.events.ingest_many(rows).each { |result| log(result.error) unless result.ok? }
  #
  # Rows are taken from the source only as places free up, by the thread that iterates; nothing is sent before the
  # first step. Rows with an order_id, an e-mail address, a phone number or an idempotency_key in common run one after
  # the other, and their results come in that order; all others come as they end. A row that waits for another attempt
  # takes no place. Calls move on only while the run waits: time that the block or the source takes counts against no
  # timeout.
  #
  # {#each}, {#next} and every method of Enumerable take from the same results: what one of them leaves the next one
  # goes on with, and nothing is sent twice. After the end another pass raises RuntimeError.
  #
  # The run stops when the account's budget is spent for longer than a call may wait (a day's, as a rule): after the
  # results of all calls that ended it raises {RateLimitError}. A source that fails raises what it raised, likewise
  # after all results. Whatever else fails is the result of its row. An exception from elsewhere (Interrupt, Timeout,
  # Thread#raise), or from the block, loses nothing: the next step goes on; but a source that was interrupted at work
  # cannot go on, unless it is an Array. At any time each row taken is, once: reported, {#unsent} or {#in_doubt}.
  #
  # @!method each
  #   Every result that was not read before.
  #   @yieldparam result [Result]
  #   @return [self, Enumerator<Result>]
  #   @raise [RuntimeError] the run is over, or in use by another thread or fiber
  # @!method next
  #   The next result.
  #   @return [Result]
  #   @raise [StopIteration] there are no more
  class Bulk < Core::Bulk
    include Enumerable
    include Opaque

    # A wait ends after this time (seconds): a signal may arrive without ending it.
    WAIT = 0.05
    private_constant :WAIT

    # @private
    def initialize(core, drivers, operation, rows, extra:, options:, concurrency:, on_progress:)
      super()
      raise TypeError, "on_progress must respond to call" unless on_progress.nil? || on_progress.respond_to?(:call)

      @core = core
      @drivers = drivers
      @operation = operation
      @rows = BulkRows.new(BulkRows.check_source(rows), Core.row_keys(operation))
      @extra = extra
      @options = options
      @concurrency = concurrency
      @on_progress = on_progress
      @driver = @pending = @stopped = @core_error = nil
      @raised = false
    end

    # @return [Integer, nil] rows in all, nil when the source does not say
    def total
      @rows.total
    end
    alias size total

    # @return [Integer] rows taken from the source: the next one stands at this index
    def taken
      core_counts[0]
    end

    # @return [Integer] rows whose result is there
    def done
      core_counts[1]
    end

    # @return [Integer] those of them that failed
    def failed
      core_counts[2]
    end

    # The rows that no request was sent for: those taken and, of an Array, all further ones.
    #
    # @return [Array<Array(Integer, Object)>] index and row
    def unsent
      open = core_open_rows.reject { |_, _, in_doubt, _| in_doubt }
      open.map { |index, row,| [index, row] } + @rows.rest(taken)
    end

    # The rows that a request was sent for and whose result was not read. While the run goes on these are the rows under
    # way. After an interruption the server may hold them or not: an order or a contact may be sent again; an event too,
    # with the key that its first request carried.
    #
    # @return [Array<Array(Integer, Object, String)>] index, row and idempotency key, nil without one
    def in_doubt
      core_open_rows.select { |_, _, in_doubt, _| in_doubt }.map { |index, row, _, key| [index, row, key] }
    end

    # @return [BulkReport] what became of the rows so far
    def report
      taken, done, failed, created, updated, requests, seconds, waited = core_counts
      refused = @rows.refused.sort.flat_map(&:last)
      BulkReport.new(total: total || taken, succeeded: done - failed, created: created, updated: updated,
                     failed: failed, refused: refused, unsent: unsent, in_doubt: in_doubt, requests: requests,
                     seconds: seconds, waited: waited, stopped: @stopped).freeze
    end

    # Goes on to the end, also when the budget is spent: then the report's +stopped+ says so.
    #
    # @yieldparam result [Result]
    # @return [BulkReport]
    # @raise [Exception] what the source raised: {#report} says what became of the rows until then
    def run(&block)
      each(&block || ->(_result) {})
      report
    rescue RateLimitError => e
      raise unless e.equal?(@stopped)

      report
    end

    # Ends what is under way: see {#in_doubt}. The run is over.
    #
    # @return [void]
    def close
      core_close
      leave
    end

    # @return [String] counts only
    def inspect
      "#<#{self.class} #{@operation} total=#{total.inspect} taken=#{taken} done=#{done} failed=#{failed}>"
    end
    alias to_s inspect

    private

    # Goes on until there is a result; false at the end.
    def advance
      return ended if core_over?

      begin_run unless core_begun?
      loop do
        case core_step
        when :row then take_row
        when :result
          report_progress
          return true
        when :wait
          report_progress
          @driver.wait(WAIT)
        when :end then return ended
        end
      end
    end

    def begin_run
      @driver ||= @drivers.checkout
      core_begin(@driver.group, @operation, @concurrency, total, @options)
    end

    # An exception from elsewhere leaves the row pending, or with the core.
    def take_row
      pull unless @pending
      return unless @pending

      core_add(@pending.first)
      @driver.poll
    end

    # Takes the next row of the source.
    def pull
      return pull_from(@rows.enumerator) unless @rows.array

      taken < @rows.array.length ? @pending = [@rows.array[taken]] : core_end_rows
    end

    # The row is kept in the same step, so that an exception from elsewhere comes before or after.
    def pull_from(enumerator)
      @pending = [enumerator.next]
    rescue StopIteration
      core_end_rows
    rescue => e
      raise if @pending || timeout?(e)

      stop(e)
      core_end_rows
    end

    def timeout?(error)
      defined?(Timeout::Error) && error.is_a?(Timeout::Error)
    end

    # Why the run takes no more rows: the first reason counts.
    def stop(error)
      @stopped ||= error
    end

    # The end of the results: raises, once, what ended the run early.
    def ended
      finish unless core_over?
      return false if @raised || @stopped.nil?

      @stopped = with_rows(@stopped) if @stopped.equal?(@core_error)
      @raised = true
      raise @stopped
    end

    # The core's error with the rows of this run.
    def with_rows(error)
      return error unless error.is_a?(RateLimitError)

      attributes = error.deconstruct_keys(nil).merge(unsent: unsent.freeze, taken: taken)
      RateLimitError.new(attributes.delete(:message), **attributes)
    end

    def finish
      @core_error ||= core_error
      stop(@core_error) if @core_error
      report_progress
      core_finish
      leave
    end

    def leave
      driver = @driver
      @driver = nil
      @drivers.checkin(driver, []) if driver
    end

    # Parameters and extra fields of a row.
    def request_of(row)
      raise Error, "the client is closed" if @core.closed?

      BulkRows.request_of(row, @extra)
    end

    def result_of(index, row, value, error)
      @rows.note(index, row, error) if error
      Result.new(index, row, value: value, error: error)
    end

    def report_progress
      done, failed, waiting_until, eta = core_progress if @on_progress
      return unless done

      waiting_until &&= Time.at(waiting_until).utc
      @on_progress.call(Progress.new(done: done, failed: failed, waiting_until: waiting_until, total: total,
                                     eta: eta).freeze)
    end

    def secret
      "it holds calls under way"
    end
  end
end
