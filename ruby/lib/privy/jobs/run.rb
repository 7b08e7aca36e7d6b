# frozen_string_literal: true

module Privy
  # One run of a job: decides what becomes of the job. Active Job and Sidekiq carry it out.
  #
  # @private
  class JobRun
    # How a run ended: :done, :later (run again at +at+), :discard or :raise, with the error.
    Ending = Struct.new(:action, :error, :at)
    DONE = Ending.new(:done).freeze

    # @param options [JobOptions]
    # @param account [Symbol]
    # @param name [String] of the job's class
    # @param state [Hash{String => Object}] what the job carries from run to run; changed in place
    def initialize(options, account, name, state)
      @options = options
      @account = account
      @pause = JobPause.new(account, name)
      @state = state
    end

    # Runs the block unless the account's jobs are paused.
    #
    # @return [Ending]
    def call
      paused = @pause.check
      return later(*paused) if paused

      yield
      @pause.passed
      DONE
    rescue Error => error
      ending(error)
    end

    private

    def ending(error)
      return later(error, time_of(error)) if error.retryable
      return later(error, @pause.begin(error)) if JobPause.for?(error)

      Ending.new(@options.action(error), error)
    end

    # The deadline counts from the first run that ended without success.
    def later(error, time)
      since = @state["since"] ||= Time.now.to_f
      time.to_f > since + @options.deadline ? Ending.new(:raise, error) : Ending.new(:later, error, time)
    end

    def time_of(error)
      if error.retry_at
        @state["failures"] = 0
        return SharedSlots.take(@account, @options.client(@account), error) || error.retry_at
      end
      @state["failures"] = @state["failures"].to_i + 1
      Time.now + Core.job_backoff(@state["failures"], rand)
    end
  end
  private_constant :JobRun
end
