# frozen_string_literal: true

require_relative "syncable/declaration"
require_relative "syncable/ledger"
require_relative "syncable/sync"
require_relative "syncable/model_errors"
require_relative "syncable/backfill"

module Privy
  # Keeps an order or a contact of Privy equal to a record of Active Record.
  #
  #   class Order < ApplicationRecord
  #     include Privy::Syncable
  #
  #     privy_sync :order, if: :paid?, debounce: 5.seconds do |order|
  #       { order_id: order.number, email: order.email, total: order.total, currency: order.currency,
  #         order_date: order.created_at }
  #     end
  #   end
  #
  # Each commit enqueues a {SyncJob}, unless one is pending for the record. The job reads the record when it runs, and
  # sends it if its digest has changed since it was last sent.
  #
  # The table needs the columns that +rails generate privy:sync Order+ adds: privy_digest (what was last sent),
  # privy_due_at (when the pending job is due), privy_synced_at (when Privy last accepted the record) and privy_error
  # (why not, since then). They change without callbacks, without +updated_at+ and without +lock_version+.
  module Syncable
    # @private
    def self.included(model)
      unless model.respond_to?(:after_commit)
        raise Error,
              "Privy::Syncable needs a model of Active Record, not #{model}"
      end

      super
      model.extend(ClassMethods)
      model.class_attribute(:privy_declaration, instance_accessor: false)
    end

    # Commits in the block enqueue no job, in this thread or fiber: for seeds and imports. {ClassMethods#privy_backfill}
    # sends what was left out.
    #
    # @return [Object] what the block returns
    def self.disable(*models)
      before = Thread.current[:privy_sync_disabled]
      Thread.current[:privy_sync_disabled] = [*before, *(models.empty? ? [Object] : models)]
      yield
    ensure
      Thread.current[:privy_sync_disabled] = before
    end

    # @param model [Class]
    # @return [Boolean] whether commits of the model enqueue no job
    def self.disabled?(model)
      Thread.current[:privy_sync_disabled]&.any? { |disabled| model <= disabled } || false
    end

    # Methods of the model's class.
    module ClassMethods
      # Declares how a record becomes an order or a contact.
      #
      # Contacts: a consent is sent when the record's own value is new or has changed since it was last sent. Otherwise
      # it is left out, so that an old value does not subscribe a person again who has unsubscribed in Privy.
      #
      # @param kind [Symbol] +:order+ or +:contact+
      # @param debounce [ActiveSupport::Duration, Numeric] seconds between a commit and its job: all commits of that
      #   time become one request. 0: no delay
      # @param account [Symbol, String] the account whose client is used: see {Privy.client}
      # @param queue [Symbol, String, nil] queue of the job; nil: that of {SyncJob}
      # @param compact [Boolean] whether parameters that are nil are left out; false: they are sent as null
      # @param attributes [Hash{Symbol => Symbol}] which attribute of the model gets the errors of a field, where the
      #   names differ: +{ order_id: :number }+
      # @param conditions [Hash] +if+ and +unless+: a name of a method, a Proc, or several. Checked at the commit and
      #   when the job runs
      # @yieldparam record [ActiveRecord::Base]
      # @yieldreturn [Hash, nil] parameters of {Orders#upsert} or {Contacts#upsert}, and +extra+; nil: nothing is sent
      # @return [void]
      # @raise [Error] an argument is invalid
      def privy_sync(kind, debounce: 5, account: :default, queue: nil, compact: true, attributes: {}, **conditions,
                     &mapping)
        if instance_variable_defined?(:@privy_declared)
          raise Error, "privy_sync: #{self} calls it twice: a record is one order or one contact of one account"
        end

        @privy_declared = true
        self.privy_declaration = Declaration.new(kind, mapping, debounce: debounce, account: account, queue: queue,
                                                                compact: compact, attributes: attributes,
                                                                conditions: conditions)
        after_save :privy_note_disabled
        after_commit :privy_committed, on: %i[create update]
      end

      # Adds the rules of Privy to the validations of the model: see {Syncable#privy_valid?}. It sends no request.
      #
      # @param options [Hash] those of +validate+: +on+, +if+, +unless+
      # @return [void]
      def validates_privy(**options)
        validate(:privy_add_errors, **options)
      end

      # Commits of this model enqueue no job in the block.
      #
      # @return [Object] what the block returns
      def privy_sync_disabled(&)
        Syncable.disable(self, &)
      end

      # Sends all records of the model or relation that Privy does not have yet, in the order of their primary keys, by
      # a bulk run. A record whose digest has not changed costs no request. Call it again after a run that was stopped,
      # with +after+ or from the start: records that Privy has accepted are not sent again, and one that was in flight
      # is, which has no second effect.
      #
      # @param initial_sync [Boolean] historical import. Orders: sends +initial_sync+, so that they start no flows or
      #   automations and are not attributed to campaigns. Contacts: a new SMS subscription sends no welcome message
      # @param after [Object, nil] primary key: begin with the record that follows
      # @param consents [Boolean, nil] of contacts: whether a consent that was not sent before is sent. true may
      #   subscribe a person again who has unsubscribed in Privy. Required if the mapping contains consents
      # @param reserve [Integer, nil] requests of each minute to leave for other users of the account; nil: those of
      #   {Privy.jobs}
      # @param concurrency [Integer, nil] concurrent calls; nil: 8
      # @param batch_size [Integer, nil] records of one query; nil: that of Active Record
      # @param on_progress [#call, nil] called with the {BackfillReport} after each record that was sent
      # @yieldparam report [BackfillReport] likewise
      # @return [BackfillReport]
      # @raise [Error] the table lacks the columns, or consents is missing
      def privy_backfill(initial_sync: false, after: nil, consents: nil, reserve: nil, concurrency: nil,
                         batch_size: nil, on_progress: nil, &block)
        Backfill.new(all, initial_sync: initial_sync, after: after, consents: consents, reserve: reserve,
                          concurrency: concurrency, batch_size: batch_size, on_progress: on_progress || block).run
      end
    end

    # Sends the record now, unless it has not changed since it was last sent. It sends what is stored: save first.
    #
    # @return [Boolean] false if Privy refuses it: then {#errors} has an error for each detail
    # @raise [AuthenticationError, PermissionDeniedError, RateLimitError, APIConnectionError, APIStatusError]
    # @raise [Error] the record is new, or the table lacks the columns
    def privy_sync
      privy_sync!
      true
    rescue ValidationError => e
      errors.clear
      ModelErrors.add(self, e.details)
      errors.add(:base, :rejected, message: e.message) if e.details.empty?
      false
    end

    # {#privy_sync} that raises.
    #
    # @return [Record, nil] the record of the response, nil if there was nothing to send
    # @raise [ValidationError] Privy refuses the record
    # @raise [AuthenticationError, PermissionDeniedError, RateLimitError, APIConnectionError, APIStatusError]
    # @raise [Error] the record is new, or the table lacks the columns
    def privy_sync!
      Sync.now(self)
    end

    # Enqueues a {SyncJob} for the record, unless one is pending.
    #
    # @return [Boolean] whether it enqueued one
    # @raise [Error] a transaction is open: the job could run before its end, and find nothing to send
    def privy_sync_later
      if self.class.connection.current_transaction.joinable?
        raise Error, "privy_sync_later must be called after the transaction: use after_commit"
      end

      Sync.new(self).later(privy_declaration.debounce)
    end

    # Whether the record differs from what Privy last accepted. Sends no request.
    #
    # @return [Boolean] false for a record that is not to be sent
    def privy_stale?
      Sync.new(self).stale?
    end

    # Whether the rules of Privy accept the record, as far as they can be checked without a request. {#errors} then has
    # one error for each detail, on the attribute of the field's name if the model has one, else on +:base+; its type is
    # the detail's code. Like +valid?+ it first clears the errors.
    #
    # @return [Boolean] true for a record that is not to be sent
    def privy_valid?
      errors.clear
      privy_add_errors
      errors.empty?
    end

    # Called when Privy has accepted the record; for the model to override.
    #
    # @param _result [Record] the record of the response
    # @return [void]
    def privy_synced(_result); end

    # Called when sending the record has failed; for the model to override.
    #
    # @param _error [Error]
    # @return [void]
    def privy_failed(_error); end

    # How the record's class is synced.
    #
    # @return [Declaration]
    # @raise [Error] the class does not call privy_sync
    # @private
    def privy_declaration
      self.class.privy_declaration or raise Error, "#{self.class} includes Privy::Syncable: call privy_sync in it"
    end

    private

    # A copy is another record, which has not been sent.
    def initialize_dup(other)
      super
      Ledger.clear(self)
    end

    # A transaction may end after the block of {Syncable.disable}.
    def privy_note_disabled
      @privy_disabled = @privy_disabled != false && Syncable.disabled?(self.class)
    end

    # A touch saves nothing.
    def privy_committed
      disabled = @privy_disabled || Syncable.disabled?(self.class)
      @privy_disabled = nil
      Sync.new(self).later(privy_declaration.debounce) if !disabled && privy_declaration.applies?(self)
    end

    def privy_add_errors
      payload = privy_declaration.payload(self)
      ModelErrors.add(self, payload.details) if payload
    end
  end
end
