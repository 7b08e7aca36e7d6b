# frozen_string_literal: true

require_relative "plan_rows"

module Privy
  # What rows of contacts would change: see {Contacts#plan}. Each row is in exactly one of {#create}, {#update},
  # {#unchanged}, {#blocked} and {#refused}; a row of {#refused} has an entry for each of its errors.
  #
  #   plan = client.contacts.plan(rows, tags: :merge)
  #   puts plan                       # counts, the first rows of each kind, requests and time
  #   plan.update.first.changes       # => {"first_name" => ["Jane", "Janet"]}
  #   report = plan.apply(journal: "contacts.db")
  class Plan < Core::Plan
    include Opaque

    # Rows of each kind that {#to_s} shows.
    SHOWN = 5
    # A wait ends after this time (seconds): a signal may arrive without ending it.
    WAIT = 0.05
    # In the order of the core's values.
    STATES = %i[create update unchanged blocked refused].freeze
    private_constant :SHOWN, :WAIT, :STATES

    # @return [Array<RefusedRow>] the error details of rows that are invalid, as in {BulkReport#refused}
    attr_reader :refused

    # @private
    # @param settings [PlanSettings]
    def initialize(core, drivers, operation, settings)
      super()
      @core = core
      @drivers = drivers
      @operation = operation
      @settings = settings
      @keys = Core.row_keys(operation)
      @refused = []
      @taken = 0
      @rows = {}
      @indexes = @run = nil
    end

    # Takes the rows, reads the contacts and compares. An exception ends the reading.
    #
    # @private
    # @return [self]
    # @raise [Error]
    def read(rows)
      driver = @drivers.checkout
      core_begin(driver.group, @core, @operation, @settings.modes, @settings.values, @settings.concurrency,
                 @settings.options)
      rows.each { |*row| take(row.length > 1 ? row : row.first) }
      core_end_rows
      drive(driver)
      keep_sent_rows
      self
    ensure
      core_close
      @drivers.checkin(driver, []) if driver
    end

    # @return [PlanRows] rows of which no contact has the e-mail address or phone number
    def create
      rows_of(:create)
    end

    # @return [PlanRows] rows whose contact differs, with the fields that do
    def update
      rows_of(:update)
    end

    # @return [PlanRows] rows whose contact has all that they say
    def unchanged
      rows_of(:unchanged)
    end

    # @return [PlanRows] rows that must not or cannot be applied, with the reasons
    def blocked
      rows_of(:blocked)
    end

    # @return [Integer] rows in all
    def size
      core_counts[0].sum
    end
    alias length size

    # @return [Integer] requests that {#apply} sends: one for each contact that is created or changed
    def requests
      core_counts[1]
    end

    # @return [Integer] requests that were sent to read what is there
    def requests_read
      core_counts[2]
    end

    # @return [Float, nil] seconds that {#apply} takes by the rate limits, as of now; nil if the limit of the day does
    #   not allow it today
    def duration
      core_counts[3]
    end

    # @return [Time] when the contacts were read, in UTC
    def read_at
      core_counts[4]
    end

    # @return [Boolean] whether the contacts come from the snapshot
    def from_snapshot?
      core_counts[5]
    end

    # @return [BulkReport, nil] the report of {#apply} so far, also after an exception; nil before it
    def report
      @run&.report
    end

    # Sends what differs: one request for each contact that is created or changed. A plan is applied once. What was
    # changed by others in the meantime stays as it is, unless the plan changes the same field. Requires the scope
    # contacts_write.
    #
    # The rows of the report stand for requests: their index is that of the contact's first row.
    #
    # @param concurrency [Integer, nil] concurrent calls; nil: 8
    # @param on_progress [#call, nil] called with a {Progress} after each request
    # @param journal [String, Pathname, nil] path of a file that keeps what becomes of each request. A plan of the same
    #   snapshot skips what the journal says was done; any other plan knows it from what it has read
    # @param resume [Symbol, String] as for {Contacts#upsert_many}
    # @param on_spent_day [Symbol, String] as for {Contacts#upsert_many}
    # @param until [Time, DateTime, String, nil] as for {Contacts#upsert_many}
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that one request may wait; nil: as the minute's limit requires, at most an
    #   hour
    # @param max_retries [Integer, nil] attempts after the first
    # @yieldparam result [Result]
    # @return [BulkReport] if the rate limit, the token, the journal or +until+ ends the run, +stopped+ has the error
    # @raise [JournalError] the journal cannot be used
    # @raise [Error] the plan was applied before, or an option is invalid
    # @raise [TypeError, ArgumentError] as for {Contacts#upsert_many}
    def apply(concurrency: nil, on_progress: nil, journal: nil, resume: :auto, on_spent_day: :stop, until: nil,
              timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil, &block)
      given = { timeout: timeout, connect_timeout: connect_timeout, max_wait: max_wait, max_retries: max_retries }
      settings = BulkSettings.check(journal: journal, resume: resume, on_spent_day: on_spent_day,
                                    until: binding.local_variable_get(:until))
      options = @core.check_options(@settings.defaults.merge(given.compact), concurrency)
      run_with(PlanRun.new(self, @indexes, @core, @drivers, @operation, @rows,
                           options: options, concurrency: concurrency, on_progress: on_progress, settings: settings),
               &block)
    end

    # @return [String] the counts, what applying takes, and the first rows of each kind, with e-mail addresses and phone
    #   numbers masked
    def to_s
      core_text(SHOWN)
    end

    # @return [String] the counts
    def inspect
      "#<#{self.class} #{'sandbox ' if @core.sandbox?}#{core_text(nil)}>"
    end

    private

    def rows_of(state)
      number = STATES.index(state)
      PlanRows.new(core_counts[0][number]) { |nth| row_at(state, number, nth) }
    end

    def row_at(state, number, nth)
      index, key, contact_id, changes, reasons = core_row(number, nth)
      PlanRow.new(index: index, state: state, key: key, contact_id: contact_id, changes: changes,
                  reasons: reasons).freeze
    end

    # Asynchronous exceptions (Thread#raise, Timeout) are deferred: they are no errors of the row.
    def take(row)
      details = Thread.handle_interrupt(Object => :never) { details_of(row) }
      if details
        @refused.concat(BulkRows.refusals(@taken, row, @keys, details))
      else
        @rows[@taken] = row
      end
      @taken += 1
    end

    # Adds the row. Returns the details of its errors, nil if it is valid. An exception of its own methods makes it
    # invalid.
    def details_of(row)
      core_add(*BulkRows.request_of(row, @settings.extra, @settings.nulls), @settings.options[:extra_headers])
    rescue ValidationError => e
      refuse(e.details)
    rescue Error
      raise
    rescue => e
      refuse([{ field: "base", message: e.message, code: :call_failed }])
    end

    def refuse(details)
      core_refuse(details.map { |detail| detail.values_at(:field, :message, :code, :count) })
      details
    end

    def drive(driver)
      until (step = core_step) == :end
        report_progress
        step == :wait ? driver.wait(WAIT) : driver.give_way(1)
      end
      report_progress
      error = core_error
      raise error if error
    end

    def report_progress
      done, total, waiting_until, eta = core_progress if @settings.on_progress
      return unless done

      waiting_until &&= Time.at(waiting_until).utc
      @settings.on_progress.call(Progress.new(done: done, failed: 0, waiting_until: waiting_until, total: total,
                                              eta: eta, skipped: 0).freeze)
    end

    # Another run that cannot begin, such as a second one, has no report.
    def run_with(run, &)
      before = @run
      @run = run
      run.run(&)
    ensure
      @run = before unless run.begun?
      run.close
    end

    # Of the rows, only those that stand for a request are needed further on.
    def keep_sent_rows
      @indexes = Array.new(requests) { |request| core_row_of(request) }.freeze
      @rows = @rows.values_at(*@indexes).freeze
      @refused.freeze
    end

    def secret
      "it holds personal data and a client"
    end
  end

  # The run that applies a plan: its rows are the plan's requests.
  #
  # @private
  class PlanRun < Bulk
    # @param indexes [Array<Integer>] of each request, the index of its first row
    def initialize(plan, indexes, core, drivers, operation, rows, **settings)
      super(core, drivers, operation, rows, extra: nil, nulls: nil, **settings)
      @plan = plan
      @indexes = indexes
    end

    # @return [Boolean]
    def begun?
      core_begun?
    end

    # @return [Array<Array(Integer, Object)>]
    def unsent
      super.map { |request, row| [@indexes[request], row] }
    end

    # @return [Array<Array(Integer, Object, String)>]
    def in_doubt
      super.map { |request, row, key| [@indexes[request], row, key] }
    end

    private

    def begin_run
      @driver ||= @drivers.checkout
      core_begin(@driver.group, @operation, @concurrency, total, @options, @settings, @plan)
    end

    def result_of(request, row, value, error)
      super(@indexes[request], row, value, error)
    end
  end
  private_constant :PlanRun
end
