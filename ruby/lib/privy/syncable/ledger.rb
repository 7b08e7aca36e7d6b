# frozen_string_literal: true

require "securerandom"

module Privy
  module Syncable
    # The columns of one record that say what was sent, what is in flight and which job is pending. Each change is one
    # UPDATE that states what it expects, so that processes need no other lock.
    #
    # privy_digest is "content.consent" of what Privy last accepted. While a request is in flight it is
    # ".consent.token.until": the content is unknown, also after the process was killed.
    #
    # @private
    class Ledger
      COLUMNS = %w[privy_digest privy_due_at privy_synced_at privy_error].freeze
      # A job that is so many seconds late is taken to be lost. If it is not, one job too many finds nothing to send.
      LATE = 600
      # Longer than all attempts of a call that does not wait.
      LEASE = 300

      # A value of privy_digest.
      State = Struct.new(:text, :content, :consent, :token, :until) do
        # Reads the text of the column.
        def self.of(text)
          content, consent, token, ends = text.to_s.split(".", -1)
          new(text, content.to_s, consent.to_s, token, ends.to_i)
        end

        # Whether another process has a request in flight.
        def busy?
          !token.nil? && self.until > Time.now.to_i
        end
      end

      class << self
        # @raise [Error] the table lacks columns
        def check(model)
          missing = COLUMNS - model.column_names
          unless missing.empty?
            raise Error, "the table #{model.table_name} lacks #{missing.join(', ')}: " \
                         "run rails generate privy:sync #{model.base_class.name}, then rails db:migrate"
          end
          return unless model.primary_key.nil? || model.primary_key.is_a?(Array)

          raise Error, "the table #{model.table_name} must have a primary key of one column"
        end

        # The job has begun: a later commit enqueues another one.
        #
        # @return [ActiveRecord::Base, nil] the record as it is after that, nil when it is gone
        def begin(model, id)
          check(model)
          rows = model.unscoped.where(model.primary_key => id)
          update(rows, privy_due_at: nil)
          rows.first
        end

        # One UPDATE. Active Record would count lock_version up: objects of the application would be stale.
        #
        # @return [Integer] changed rows
        def update(rows, values)
          model = rows.klass
          kept = model.locking_enabled? ? { model.locking_column => model.arel_table[model.locking_column] } : {}
          rows.update_all(values.transform_keys(&:to_s).merge(kept))
        end

        # Removes the columns' values in memory.
        def clear(record)
          COLUMNS.each { |name| record[name] = nil if record.has_attribute?(name) }
        end

        # Takes the columns' values from another object of the same record.
        def copy(from, record)
          note(record, COLUMNS.to_h { |name| [name, from[name]] }) if from
        end

        # Values that are stored already: they are no changes of the record.
        def note(record, values)
          return if record.frozen?

          values = values.select { |name, _| record.has_attribute?(name) }
          values.each { |name, value| record[name] = value }
          record.clear_attribute_changes(values.keys.map(&:to_s))
        end
      end

      # @param record [ActiveRecord::Base]
      # @raise [Error] the record is new, or the table lacks columns
      def initialize(record)
        @record = record
        @model = record.class
        Ledger.check(@model)
        raise Error, "save the #{@model} before it is synced" if record.new_record?

        @id = record.id_in_database
      end

      # @return [State]
      def state
        State.of(@record.privy_digest)
      end

      # Notes that a job is pending.
      #
      # @param due [Time]
      # @return [Boolean] false: one is pending already, or the record is gone
      def announce(due)
        free = rows.where(privy_due_at: nil).or(rows.where(privy_due_at: ...(Time.now - LATE)))
        Ledger.update(free, privy_due_at: due) == 1
      end

      # No job is pending after all.
      def withdraw
        Ledger.update(rows, privy_due_at: nil)
      end

      # Notes that a request is in flight.
      #
      # @param old [State]
      # @return [State, nil] nil: another process was faster
      def claim(old)
        token = SecureRandom.hex(8)
        text = ["", old.consent, token, Time.now.to_i + LEASE].join(".")
        return if Ledger.update(rows.where(privy_digest: old.text), privy_digest: text) != 1

        note(privy_digest: text)
        State.of(text)
      end

      # @return [Boolean] false: another process has begun a request meanwhile
      def accept(claim, payload)
        settle(claim, privy_digest: "#{payload.content}.#{payload.consent}", privy_synced_at: Time.now,
                      privy_error: nil)
      end

      # Privy has not accepted what was sent.
      #
      # @param old [State] what it has
      # @return [Boolean] as for accept
      def refuse(claim, old, error)
        settle(claim, privy_digest: old.token ? nothing(old) : old.text, privy_error: error.message)
      end

      # It is unknown whether Privy has accepted what was sent.
      #
      # @return [Boolean] as for accept
      def doubt(claim, error = nil)
        settle(claim, { privy_digest: nothing(claim) }.merge(error ? { privy_error: error.message } : {}))
      end

      # It is unknown which of two requests came last.
      def forget(claim)
        text = nothing(claim)
        Ledger.update(rows, privy_digest: text)
        note(privy_digest: text)
      end

      # What Privy has is what the record contains.
      def clear_error
        Ledger.update(rows, privy_error: nil)
        note(privy_error: nil)
      end

      private

      def rows
        @model.unscoped.where(@model.primary_key => @id)
      end

      def nothing(state)
        state.consent.empty? ? nil : ".#{state.consent}"
      end

      def settle(claim, values)
        return false if Ledger.update(rows.where(privy_digest: claim.text), values) != 1

        note(values)
        true
      end

      def note(values)
        Ledger.note(@record, values)
      end
    end
  end
end
