# frozen_string_literal: true

require_relative "ledger"

module Privy
  module Syncable
    # Sends one record, as it was read from the database.
    #
    # @private
    class Sync
      # How often a claim is tried that another process wins.
      TRIES = 5

      # A request to send: its payload, the state that the record had, and the claim of it; nil in place of the claim
      # when another process was faster.
      Prepared = Struct.new(:payload, :old, :claim)

      class << self
        # Sends the record now, also while another process does. It sends what is stored, because values in memory may
        # be older than those that another process has sent.
        #
        # @return [Record, nil] nil: nothing to send
        # @raise [Error]
        def now(record)
          found = nil
          with_claim(-> { found = stored(record) }) do |sync, prepared|
            sync.send_with(Privy.client(record.privy_declaration.account), prepared)
          end
        ensure
          Ledger.copy(found, record)
        end

        # Yields what is to be sent, and claims it even if another process has a request in flight: that one will send
        # the record again.
        #
        # @param find [Proc] reads the record
        # @yieldparam sync [Sync]
        # @yieldparam prepared [Prepared]
        # @return [Object, nil] what the block returns; nil: nothing to send
        # @raise [Error] other processes are faster each time
        def with_claim(find)
          TRIES.times do
            sync = new(find.call || return)
            prepared = sync.prepare or return
            return yield(sync, prepared) if prepared.claim
          end
          raise Error, "other processes are sending the same record: try again later"
        end

        private

        def stored(record)
          raise Error, "save the #{record.class} before it is synced" if record.new_record?

          record.class.unscoped.find_by(record.class.primary_key => record.id_in_database)
        end
      end

      # @return [ActiveRecord::Base]
      attr_reader :record
      # @return [Ledger]
      attr_reader :ledger

      def initialize(record)
        @record = record
        @declaration = record.privy_declaration
        @ledger = Ledger.new(record)
      end

      # Whether the record differs from what Privy has.
      def stale?
        payload = @declaration.payload(@record)
        !payload.nil? && payload.content != @ledger.state.content
      end

      # Enqueues a job unless one is pending.
      #
      # @param seconds [Numeric]
      # @return [Boolean]
      def later(seconds)
        return false unless @ledger.announce(Time.now + seconds)

        enqueued = false
        begin
          enqueued = SyncJob.enqueue(@record, seconds) ? true : false
        ensure
          @ledger.withdraw unless enqueued
        end
      end

      # @return [Symbol] :sent, :unsent (nothing to send) or :busy (another process sends it)
      # @raise [Error]
      def from_job(client)
        return :busy if @ledger.state.busy?

        prepared = prepare or return :unsent
        return :busy unless prepared.claim

        send_with(client, prepared)
        :sent
      end

      # @return [Prepared, nil] nil: nothing to send
      def prepare
        payload = @declaration.payload(@record) or return
        state = @ledger.state
        return Prepared.new(payload, state, @ledger.claim(state)) unless payload.content == state.content

        @ledger.clear_error if @record.privy_error
        nil
      end

      # @return [Record]
      # @raise [Error]
      def send_with(client, prepared)
        settled = false
        payload = prepared.payload
        params = payload.params_after(prepared.old.consent)
        result = client.public_send(@declaration.resource).upsert(**params, extra: payload.extra)
        settled = true
        accepted(prepared, result)
        result
      rescue Error => e
        failed(prepared, e) unless settled
        settled = true
        raise
      ensure
        @ledger.doubt(prepared.claim) unless settled
      end

      # @return [void]
      def accepted(prepared, result)
        resend(prepared.claim) unless @ledger.accept(prepared.claim, prepared.payload)
        @record.privy_synced(result)
      end

      # @return [void]
      def failed(prepared, error)
        claim = prepared.claim
        settled = error.may_have_succeeded? ? @ledger.doubt(claim, error) : @ledger.refuse(claim, prepared.old, error)
        resend(claim) unless settled
        @record.privy_failed(error)
      end

      private

      # Two processes have sent the record: only a third request is sure to be the last.
      def resend(claim)
        @ledger.forget(claim)
        later(@declaration.debounce)
      end
    end
  end
end
