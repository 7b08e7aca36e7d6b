# frozen_string_literal: true

module Privy
  # The result of one row of a bulk run. Frozen, equal by value.
  class Result
    include Value

    # @return [Integer] index of the row in the source, from 0
    attr_reader :index
    # @return [Hash] the row from the source
    attr_reader :row
    # @return [Record, nil] the record of the response, nil when the call failed
    attr_reader :value
    # @return [Exception, nil] the error of the call: an {Error}, or the exception that building the request raised
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

    # @return [Boolean]
    def failed?
      !ok?
    end

    # @return [Hash{Symbol => Object}]
    def to_h
      { index: index, row: row, value: value, error: error, ok: ok? }
    end

    # For pattern matching: +in { ok: true, value: }+, +in { index:, error: Privy::RateLimitError }+.
    #
    # @return [Hash{Symbol => Object}]
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

    # @return [String] without the row, which may hold personal data
    def inspect
      "#<#{self.class} index=#{index} #{ok? ? value.inspect : error.class}>"
    end
    alias to_s inspect

    private

    # The row belongs to the caller.
    def freeze_all(value)
      value
    end
  end

  # A bulk run: one operation for many rows, several calls at a time. An Enumerable of {Result} that is read once.
  #
  #   report = client.orders.upsert_many(rows).run
  #   client.events.ingest_many(rows).each { |result| log(result.error) unless result.ok? }
  #
  # The thread that iterates takes rows from the source when a call is free; nothing is sent before the first step. Rows
  # with the same order_id, e-mail address, phone number or idempotency_key run one after the other, and their results
  # come in that order. All other results come in the order in which calls end. A row that waits for its next attempt
  # does not occupy a call. Calls advance only while the run waits; time that the block or the source takes does not
  # count against timeouts.
  #
  # {#each}, {#next} and all methods of Enumerable read the same results: each continues after the last result that was
  # read, and nothing is sent twice. Reading after the end raises RuntimeError.
  #
  # The run stops when the account's rate limit is reached for longer than a call may wait (usually the day's). It then
  # raises {RateLimitError} after the results of all calls that ended. It also stops when the server does not accept the
  # token (401, 403), because it would refuse each further row: then it raises {AuthenticationError} or
  # {PermissionDeniedError}. Rows whose requests were refused so are {#unsent}. An exception that the source raises is
  # raised likewise, after all results. Any other error is the result of its row. An exception from elsewhere
  # (Interrupt, Timeout, Thread#raise) or from the block loses nothing: the next step continues. One that arrives as
  # {#next} returns hides the result: {#last_result} has it. A source that is interrupted while it works cannot
  # continue, unless it is an Array. At any time each row taken is exactly one of: reported, {#unsent} or {#in_doubt}.
  #
  # @!method each
  #   Yields every result that was not read before.
  #   @yieldparam result [Result]
  #   @return [self, Enumerator<Result>]
  #   @raise [RuntimeError] the run has ended, or another thread or fiber uses it
  # @!method next
  #   Reads the next result.
  #   @return [Result]
  #   @raise [StopIteration] there are no more
  # @!method last_result
  #   The result that was read last, for a program that an exception interrupted in {#next}.
  #   @return [Result, nil] nil before the first
  class Bulk < Core::Bulk
    include Enumerable
    include Opaque

    # A wait ends after this time (seconds): a signal may arrive without ending it.
    WAIT = 0.05
    private_constant :WAIT

    # @private
    def initialize(core, drivers, operation, rows, extra:, nulls:, options:, concurrency:, on_progress:, settings:,
                   total: nil)
      super()
      raise TypeError, "on_progress must respond to call" unless on_progress.nil? || on_progress.respond_to?(:call)

      @core = core
      @drivers = drivers
      @operation = operation
      @rows = BulkRows.new(BulkRows.check_source(rows), Core.row_keys(operation), total)
      @extra = extra
      @nulls = nulls
      @options = options
      @concurrency = concurrency
      @settings = settings
      @on_progress = on_progress
      @driver = @pending = @stopped = @core_error = nil
      @exhausted = false
      @raised = false
    end

    # @return [Integer, nil] number of rows: that of the source, or the one that was given; nil when it is unknown
    def total
      @rows.total
    end
    alias size total

    # @return [Integer] rows taken from the source, which is the index of the next row
    def taken
      core_counts[0]
    end

    # @return [Integer] rows that have a result
    def done
      core_counts[1]
    end

    # @return [Integer] rows whose call failed
    def failed
      core_counts[2]
    end

    # @return [Integer] rows that an earlier run with the same journal has finished: they have no result in this run
    def skipped
      core_counts[8]
    end

    # The rows that are still to be sent: rows taken and, of an Array, the rest. A row whose request the server has
    # refused for what ended the run (429, 401, 403) is one of them.
    #
    # @return [Array<Array(Integer, Object)>] index and row
    def unsent
      open = core_open_rows.reject { |_, _, in_doubt, _| in_doubt }
      open.map { |index, row,| [index, row] } + @rows.rest(taken)
    end

    # The rows that a request was sent for and whose result was not read. During the run these are the rows in flight.
    # After an interruption the server may or may not have stored them. Send an order or a contact again; send an event
    # again with its idempotency key.
    #
    # @return [Array<Array(Integer, Object, String)>] index, row and idempotency key, nil without one
    def in_doubt
      core_open_rows.select { |_, _, in_doubt, _| in_doubt }.map { |index, row, _, key| [index, row, key] }
    end

    # @return [BulkReport] the state of all rows so far
    def report
      taken, done, failed, created, updated, requests, seconds, waited, *skipped = core_counts
      refused = @rows.refused.sort.flat_map(&:last)
      number = total unless @exhausted
      BulkReport.new(total: number || taken, succeeded: done - failed, created: created, updated: updated,
                     failed: failed, refused: refused, unsent: unsent, in_doubt: in_doubt, requests: requests,
                     seconds: seconds, waited: waited, stopped: @stopped, sandbox: @core.sandbox?,
                     skipped: skipped[0], skipped_refused: skipped[1]).freeze
    end

    # Runs to the end. If the rate limit, the token or a journal that cannot be written ends the run it does not raise:
    # the report's +stopped+ has the error. With a journal, an exception from elsewhere closes the run: another run may
    # then use the journal, also in this process.
    #
    # @yieldparam result [Result]
    # @return [BulkReport]
    # @raise [Exception] the exception of the source; {#report} has the state of the rows
    def run(&block)
      ended = false
      each(&block || ->(_result) {})
      ended = true
      report
    rescue Error => e
      raise unless e.equal?(@core_error)

      ended = true
      report
    ensure
      close if @settings[:journal] && !ended && core_begun? && !core_over?
    end

    # Rows of {Contacts#upsert_many} that are taken later subscribe only contacts that they create. The update of a
    # contact that exists leaves out a consent that would subscribe it: a file is older than what the contact may have
    # decided since. Call it before the first result is read.
    #
    # @return [self]
    def keep_consents
      begin_run unless core_begun?
      core_keep_consents
      self
    end

    # Takes no more rows, and sends nothing for rows without a request: they are {#unsent}. The calls in flight end,
    # and the enumerator returns their results. Nothing is in doubt then, unlike after {#close}. Call it between two
    # results, for example after an Interrupt.
    #
    # @return [void]
    def finish
      core_begun? ? core_end_soon : close
    end

    # Cancels the calls in flight, see {#in_doubt}, and ends the run.
    #
    # @return [void]
    def close
      core_close
      leave
    end

    # @return [String] counts only
    def inspect
      place = "sandbox " if @core.sandbox?
      "#<#{self.class} #{place}#{@operation} total=#{total.inspect} taken=#{taken} done=#{done} failed=#{failed}>"
    end
    alias to_s inspect

    private

    # Runs until a result is there. Returns false at the end.
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
      core_begin(@driver.group, @operation, @concurrency, total, @options, @settings, nil)
    end

    # An asynchronous exception leaves the row either pending or with the core.
    def take_row
      pull unless @pending
      return unless @pending

      return @driver.poll if core_add(@pending.first)

      report_progress
      @driver.give_way
    end

    # Takes the next row of the source.
    def pull
      return pull_from(@rows.enumerator { |row| @pending = [row] }) unless @rows.array

      at = taken
      at < @rows.array.length ? @pending = [@rows.array[at]] : exhausted
    end

    # The source's side stores the row: an asynchronous exception may replace what +next+ returns.
    def pull_from(enumerator)
      enumerator.next
    rescue StopIteration
      exhausted
    rescue => e
      raise if @pending || timeout?(e)

      stop(e)
      core_end_rows(true)
    end

    # The source has no more rows.
    def exhausted
      @exhausted = true
      core_end_rows(false)
    end

    def timeout?(error)
      defined?(Timeout::Error) && error.is_a?(Timeout::Error)
    end

    # Stores why the run takes no more rows. The first reason stays.
    def stop(error)
      @stopped ||= error
    end

    # At the end of the results: raises, once, the error that ended the run early.
    def ended
      conclude unless core_over?
      return false if @raised || @stopped.nil?

      @stopped = @core_error = with_rows(@core_error) if @stopped.equal?(@core_error)
      @raised = true
      raise @stopped
    end

    # The core's error with the rows of this run.
    def with_rows(error)
      return error unless error.is_a?(RateLimitError)

      attributes = error.deconstruct_keys(nil).merge(unsent: unsent.freeze, taken: taken)
      RateLimitError.new(attributes.delete(:message), **attributes)
    end

    def conclude
      @core_error ||= core_error
      stop(@core_error) if @core_error
      report_progress
      core_finish
      leave
    end

    def leave
      driver = @driver
      @driver = nil
      return unless driver

      @drivers.checkin(driver, [])
      Core.notifier&.bulk(*summary)
    end

    # The payload of the event bulk.privy, and the seconds of the run.
    def summary
      taken, done, failed, created, updated, requests, seconds, waited, skipped = core_counts
      payload = { operation: @operation, account: @core.account, total: total, taken: taken, done: done, failed: failed,
                  created: created, updated: updated, skipped: skipped, requests: requests, waited: waited,
                  error: @stopped&.class&.name&.delete_prefix("Privy::"), sandbox: @core.sandbox? }
      payload.update(exception: [@stopped.class.name, @stopped.message], exception_object: @stopped) if @stopped
      [payload, seconds]
    end

    # The row's parameters, extra fields and headers. The core calls it.
    def request_of(row)
      raise Error, "the client is closed" if @core.closed?

      BulkRows.request_of(row, @extra, @nulls) << @options[:extra_headers]
    end

    def result_of(index, row, value, error)
      @rows.note(index, row, error) if error
      Result.new(index, row, value: value, error: error)
    end

    def report_progress
      done, failed, waiting_until, eta, skipped = core_progress if @on_progress
      return unless done

      waiting_until &&= Time.at(waiting_until).utc
      @on_progress.call(Progress.new(done: done, failed: failed, waiting_until: waiting_until, total: total,
                                     eta: eta, skipped: skipped).freeze)
    end

    def secret
      "it holds calls in flight"
    end
  end
end
