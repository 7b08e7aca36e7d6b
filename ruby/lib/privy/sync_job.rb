# frozen_string_literal: true

module Privy
  # Sends a record of a model with {Syncable}. It reads the record when it runs, so that the latest state is sent; a
  # record that is gone, or that has not changed, costs no request. Privy's refusal is stored in the record's
  # privy_error, and the job does not run again.
  class SyncJob < ::ActiveJob::Base
    retry_on Error, wait: 1
    discard_on ValidationError

    # Seconds, at least, until the job runs again when another process is sending the record.
    BUSY = 5
    private_constant :BUSY

    # @private
    def self.enqueue(record, seconds, queue)
      arguments = [record.class.base_class.name, record.id_in_database]
      options = { wait: (seconds if seconds.positive?), queue: queue }.compact
      set(**options).perform_later(*arguments)
    rescue ScriptError # an adapter that cannot run jobs later, such as :inline
      set(**options.except(:wait)).perform_later(*arguments)
    end

    # @param model [String] name of the class
    # @param id [Object] value of the primary key
    # @return [void]
    # @raise [Error] as for {Syncable#privy_sync!}
    def perform(model, id)
      record = Syncable::Ledger.begin(model.constantize, id)
      return unless record.is_a?(Syncable)

      run(record)
    end

    private

    def run(record)
      sync = Syncable::Sync.new(record)
      outcome = sync.from_job(Privy.jobs(record.privy_declaration.account))
      sync.later([BUSY, record.privy_declaration.debounce].max) if outcome == :busy
    rescue Error => e
      pending = sync && !sync.ledger.announce(e.retry_at || Time.now) if e.retryable? || pauses?(e)
      # The pending job sends the latest state.
      raise unless pending && e.retryable?
    end

    # Whether the job runs again after an error that is not retryable.
    def pauses?(error)
      error.is_a?(AuthenticationError) || error.is_a?(PermissionDeniedError)
    end
  end
end
