# frozen_string_literal: true

require "time"
require_relative "../job"

module Privy
  # A job that makes one call. Its fields are validated when it is enqueued, before a request is spent on them.
  #
  # @private
  class ReadyMadeJob < ::ActiveJob::Base
    include Job

    # Parameters of a call that are no fields.
    OPTIONS = %i[extra extra_headers timeout connect_timeout max_wait max_retries].freeze
    private_constant :OPTIONS

    privy_options account: ->(*, account: :default, **) { account }
    queue_as { JobOptions.queue }
    # The log would have addresses and phone numbers.
    self.log_arguments = false
    before_enqueue { privy_check unless @privy_state }

    private

    def privy_check
      Accounts.current.settings_of(privy_account)
      fields = privy_fields
      details = Core.validate(self.class::OPERATION, fields.except(*OPTIONS), fields[:extra])
      return if details.empty?

      faults = details.map { |detail| "#{detail[:field]} #{detail[:message]}" }.join("; ")
      raise ValidationError.new("invalid request: #{faults}", details: details)
    end

    def privy_fields
      arguments.last.is_a?(Hash) ? arguments.last.except(:account) : {}
    end
  end
  private_constant :ReadyMadeJob

  # Creates or updates an order: {Orders#upsert} in a queue.
  #
  #   Privy::UpsertOrderJob.perform_later(order_id: 1001, email: "jane@example.com", total: "95.00", currency: "USD",
  #                                       order_date: Time.current)
  #
  # +perform_later+ takes the parameters of {Orders#upsert} and +account:+ (:default). It raises {ValidationError} if
  # one of them is invalid. The queue is +config.privy.job_queue+.
  class UpsertOrderJob < ReadyMadeJob
    # @private
    OPERATION = "orders.upsert"

    # @param account [Symbol, String]
    # @param fields [Hash{Symbol => Object}] parameters of {Orders#upsert}
    # @return [Order]
    def perform(account: :default, **fields) # rubocop:disable Lint/UnusedMethodArgument
      privy.orders.upsert(**fields)
    end
  end

  # Creates or updates a contact: {Contacts#upsert} in a queue.
  #
  #   Privy::UpsertContactJob.perform_later(email: "jane@example.com", email_consent: :subscribed)
  #
  # +perform_later+ takes the parameters of {Contacts#upsert} and +account:+ (:default). It raises {ValidationError} if
  # one of them is invalid. The queue is +config.privy.job_queue+.
  class UpsertContactJob < ReadyMadeJob
    # @private
    OPERATION = "contacts.upsert"

    # @param account [Symbol, String]
    # @param fields [Hash{Symbol => Object}] parameters of {Contacts#upsert}
    # @return [Contact]
    def perform(account: :default, **fields) # rubocop:disable Lint/UnusedMethodArgument
      privy.contacts.upsert(**fields)
    end
  end

  # Records an event of a contact: {Events#ingest} in a queue. The time of the event is when the job was enqueued, and
  # its idempotency key is the job's id, unless they are given.
  #
  #   Privy::IngestEventJob.perform_later("Viewed", email: "jane@example.com", event_data: { sku: "A1" })
  #
  # +perform_later+ takes the parameters of {Events#ingest} and +account:+ (:default). It raises {ValidationError} if
  # one of them is invalid. The queue is +config.privy.job_queue+.
  class IngestEventJob < ReadyMadeJob
    # @private
    OPERATION = "events.ingest"

    # @param event_type [String, Symbol]
    # @param account [Symbol, String]
    # @param fields [Hash{Symbol => Object}] parameters of {Events#ingest}
    # @return [EventReceipt]
    def perform(event_type, account: :default, **fields) # rubocop:disable Lint/UnusedMethodArgument
      privy.events.ingest(event_type, idempotency_key: job_id, **fields)
    end

    private

    def privy_check
      arguments.last[:event_time] ||= Time.now.utc.iso8601(3) if arguments.last.is_a?(Hash)
      super
    end

    def privy_fields
      arguments.first.is_a?(Hash) ? super : { event_type: arguments.first, **super }
    end
  end
end
