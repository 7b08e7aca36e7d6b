# frozen_string_literal: true

require_relative "job"

module Privy
  # Sends a record of a model with {Syncable}. It reads the record when it runs, so that the latest state is sent; a
  # record that is gone, or that has not changed, costs no request. Privy's refusal is stored in the record's
  # privy_error. Otherwise it behaves as any {Job}. The queue is that of privy_sync, else +config.privy.job_queue+.
  class SyncJob < ::ActiveJob::Base
    include Job

    # Seconds, at least, until the job runs again when another process is sending the record.
    BUSY = 5
    private_constant :BUSY

    privy_options account: ->(_model, _id, account) { account }
    queue_as { JobOptions.queue }

    # @private
    def self.enqueue(record, seconds)
      declaration = record.privy_declaration
      arguments = [record.class.base_class.name, record.id_in_database, declaration.account.to_s]
      options = { wait: (seconds if seconds.positive?), queue: declaration.queue }.compact
      set(**options).perform_later(*arguments)
    rescue ScriptError # an adapter that cannot run jobs later, such as :inline
      set(**options.except(:wait)).perform_later(*arguments)
    end

    # @param model [String] name of the class
    # @param id [Object] value of the primary key
    # @param _account [String] for {Job}
    # @return [void]
    # @raise [Error] as for {Syncable#privy_sync!}
    def perform(model, id, _account)
      record = Syncable::Ledger.begin(model.constantize, id)
      run(record) if record.is_a?(Syncable)
    end

    private

    def run(record)
      declaration = record.privy_declaration
      sync = Syncable::Sync.new(record)
      # The class may have another account than when the job was enqueued.
      client = self.class.privy_settings.client(declaration.account)
      sync.later([BUSY, declaration.debounce].max) if sync.from_job(client) == :busy
    rescue Error => error
      raise unless again?(error)

      # A pending job sends the latest state. After an error of the token this one must run again: it checks the token.
      alone = sync.ledger.announce(error.retry_at || Time.now)
      raise if alone || !error.retryable?
    end

    # Whether {Job} runs the job again.
    def again?(error)
      error.retryable? || error.is_a?(AuthenticationError) || error.is_a?(PermissionDeniedError)
    end
  end
end
