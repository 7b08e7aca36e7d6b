# frozen_string_literal: true

module Privy
  # What a client and its resources make calls with: the core's client, the default options and the observer. Never
  # changes; {#with} makes another one. While a sandbox is active its calls use another client of the core.
  #
  # @private
  class Session
    # @param on_event [#call, nil]
    # @param logger [#debug & #info & #warn, nil]
    # @return [Observer, nil]
    def self.observer(on_event, logger)
      return unless on_event || logger

      Privy.load_parts
      Observer.of(on_event, logger)
    end

    # @param core [Core::Client]
    # @param options [Hash{Symbol => Object}] defaults of each call's options
    # @param on_event [#call, nil]
    # @param logger [#debug & #info & #warn, nil]
    def initialize(core, options, on_event, logger)
      @core = core
      @options = options.freeze
      @on_event = on_event
      @logger = logger
    end

    # Lets the active sandbox receive the calls in place of the client's own one.
    #
    # @return [void]
    def follow
      @core.follow
    end

    # @return [Core::Client] the one that calls use now
    def core
      @core.current(nil)
    end

    # Closes the connections: see {Client#close}.
    #
    # @return [void]
    def close
      @core.close
      Activation.stand_ins(@core).each(&:close) if Core.routing?
    end

    # A session with other options over the same connections.
    #
    # @param options [Hash{Symbol => Object}] nil keeps an option
    # @param on_event [#call, false, nil] nil keeps it, false removes it
    # @param logger [#debug & #info & #warn, false, nil] likewise
    # @return [Session]
    # @raise [Error] an option is invalid
    def with(options, on_event, logger)
      changed = @core.check_options(merge(options))
      return Session.new(@core, changed, @on_event, @logger) if on_event.nil? && logger.nil?

      on_event = on_event.nil? ? @on_event : on_event || nil
      logger = logger.nil? ? @logger : logger || nil
      Session.new(@core.view(Session.observer(on_event, logger)), changed, on_event, logger)
    end

    # Calls an operation.
    #
    # @param operation [String]
    # @param params [Hash{Symbol => Object}]
    # @param extra [Hash, nil]
    # @param options [Hash{Symbol => Object}]
    # @return [Record, Page, nil]
    # @raise [Error]
    def call(operation, params, extra, options)
      arguments = [operation, params, extra, merge(options)]
      core = @core.current(operation)
      return core.call(*arguments) unless Fiber.current_scheduler

      Drivers.new(core).run { |group| group.call(0, *arguments) }
    end

    # Calls any endpoint: see {Client#request}.
    #
    # @return [Response]
    # @raise [Error]
    def request(method, path, params, headers, body, options)
      Privy.load_parts
      arguments = [method, path, params, headers, body, merge(options)]
      core = @core.current("request")
      return core.request(*arguments) unless Fiber.current_scheduler

      Drivers.new(core).run { |group| group.request(0, *arguments) }
    end

    # @return [Pager] of a paged operation
    def pager(operation, params, extra, options)
      Privy.load_parts
      Pager.new(Drivers.new(@core.current(operation)), operation, params, extra, merge(options))
    end

    # A bulk run. The default max_wait is for single calls: a run has its own.
    #
    # @param settings [Hash{Symbol => Object}] of {BulkSettings.check}
    # @return [Bulk, BulkReport] the report with a block
    # @raise [Error]
    def bulk(operation, rows, extra, options, nulls:, concurrency:, on_progress:, check_first:, total: nil, **settings,
             &block)
      Privy.load_parts
      settings = BulkSettings.check(**settings)
      options = @core.check_options(@options.except(:max_wait).merge(options.compact), concurrency)
      Core.check_headers(operation, options[:extra_headers])
      BulkRows.check_nulls(nulls)
      rows = BulkRows.checked(operation, rows, extra, nulls) if check_first
      core = @core.current(operation)
      bulk = Bulk.new(core, Drivers.new(core), operation, rows, extra: extra, nulls: nulls, options: options,
                                                                concurrency: concurrency, on_progress: on_progress,
                                                                settings: settings, total: total)
      return bulk unless block

      begin
        bulk.each(&block).report
      ensure
        bulk.close
      end
    end

    # A plan of what rows would change. Reads, and changes nothing.
    #
    # @param settings [Hash{Symbol => Object}] of {PlanSettings}
    # @return [Plan]
    # @raise [Error]
    def plan(operation, rows, extra, options, **settings)
      Privy.load_parts
      defaults = @options.except(:max_wait)
      options = @core.check_options(defaults.merge(options.compact), settings[:concurrency])
      Core.check_headers(operation, options[:extra_headers])
      settings = PlanSettings.new(extra: extra, options: options, defaults: defaults, **settings)
      core = @core.current(operation)
      Plan.new(core, Drivers.new(core), operation, settings).read(BulkRows.check_source(rows))
    end

    # Writes all contacts that match a filter to a file.
    #
    # @param settings [Hash{Symbol => Object}] path, format, resume, on_spent_day
    # @return [ExportReport]
    # @raise [Error]
    def export(operation, filter, extra, options, on_progress, **settings)
      Privy.load_parts
      options = @core.check_options(@options.except(:max_wait).merge(options.compact), nil)
      values = { path: BulkSettings.path_of(:path, settings[:path]), format: settings[:format]&.to_s,
                 resume: BulkSettings.choose(:resume, settings[:resume]),
                 on_spent_day: BulkSettings.choose(:on_spent_day, settings[:on_spent_day]) }
      raise TypeError, "path must be the path of a file, not nil" if values[:path].nil?

      core = @core.current(operation)
      ExportRun.new(core, Drivers.new(core), on_progress).run(operation, filter, extra, values, options)
    end

    # Takes a slot of those that all processes of the account share.
    #
    # @param from [Time] the error's resets_at
    # @param numbers [Array<Float>] what the processes share; empty at first
    # @return [Array(Float, Array<Float>), nil] the instant and the changed numbers; nil: nothing is known of the limit
    def take_slot(from, numbers)
      @core.take_slot(from.to_f, numbers, @options)
    end

    # @return [String] as of the client, without any secret
    def inspect
      "#<Privy::Client #{'sandbox ' if core.sandbox?}base_url=#{core.base_url.inspect}>"
    end

    private

    # In a job only a call's own max_wait counts.
    def merge(options)
      defaults = JobScope.current ? @options.except(:max_wait) : @options
      defaults.merge(options.compact)
    end
  end
  private_constant :Session
end
