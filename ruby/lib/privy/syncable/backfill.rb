# frozen_string_literal: true

require "English"
require_relative "backfill_report"
require_relative "backfill_row"

module Privy
  module Syncable
    # See {ClassMethods#privy_backfill}. Each batch of records is one bulk run over an Array: an Enumerator would read
    # the database in a fiber of its own, without the application's current attributes.
    #
    # @private
    class Backfill
      # @raise [Error] the model calls no privy_sync, or the table lacks columns
      def initialize(relation, initial_sync:, after:, consents:, reserve:, concurrency:, batch_size:, on_progress:)
        @relation = relation
        @model = relation.klass
        @declaration = @model.privy_declaration or raise Error, "#{@model} must call privy_sync"
        Ledger.check(@model)
        @initial_sync = initial_sync
        @consents = consents
        @reserve = reserve
        @concurrency = concurrency
        @batches = { batch_size: batch_size }.compact
        @on_progress = on_progress
        @open = {}
        options = { initial_sync: initial_sync || nil, consents: consents }.compact
        @report = BackfillReport.new(model: @model.name, options: options, sent: 0, created: 0, updated: 0,
                                     unchanged: 0, skipped: 0, failed: 0, refused: [], requests: 0, last_id: after,
                                     resume_after: after)
      end

      # @return [BackfillReport]
      def run
        ended = false
        records.find_in_batches(**@batches) do |batch|
          send_rows(rows_of(batch))
          break if @report.stopped
        end
        ended = true
        @report
      ensure
        interrupted unless ended
      end

      private

      # A signal or an exception: the caller does not get the report.
      def interrupted
        @report.stopped = $ERROR_INFO
        warn("privy: #{@report}")
      end

      def records
        after = @report.last_id
        after.nil? ? @relation : @relation.where(@model.arel_table[@model.primary_key].gt(after))
      end

      def client
        client = Privy.jobs(@declaration.account)
        @reserve ? client.with_options(reserve: @reserve) : client
      end

      # The rows of the records that Privy does not have.
      def rows_of(batch)
        rows = batch.filter_map { |record| row_of(record) }
        note_place
        rows
      end

      def row_of(record)
        before = @report.last_id
        @report.last_id = record.id
        payload = record.privy_declaration.payload(record)
        state = Ledger.new(record).state
        return count(:skipped) unless payload
        return count(:unchanged) if payload.content == state.content

        check_consents(payload, state)
        @open[record.id] = BackfillRow.new(single, record.id, before) { |prepared| params_of(prepared) }
      end

      # The relation for one record: with its conditions and preloads.
      def single
        @single ||= @relation.unscope(:order, :limit, :offset)
      end

      # Counts a record that needs no row.
      #
      # @return [nil]
      def count(name)
        @report[name] += 1
        nil
      end

      def check_consents(payload, state)
        return unless @consents.nil? && payload.new_consents?(state.consent)

        raise Error, "privy_sync of #{@model} returns consents: pass consents: false to leave them out, or " \
                     "consents: true to send those that were not sent before, which may subscribe a person again who " \
                     "has unsubscribed in Privy"
      end

      def params_of(prepared)
        payload = prepared.payload
        params = @consents ? payload.params_after(prepared.old.consent) : payload.without_consents
        return params unless @initial_sync
        return params.merge(initial_sync: true) if @declaration.resource == :orders

        params.key?(:sms_consent) ? params.merge(send_welcome_sms: false) : params
      end

      def send_rows(rows)
        return if rows.empty?

        bulk = client.public_send(@declaration.resource).upsert_many(rows, nulls: :send, concurrency: @concurrency)
        report = bulk.run { |result| settle(result) }
        @report.stopped = report.stopped
      ensure
        bulk&.close
        add(bulk.report) if bulk
        rows.each { |row| row.close if @open.key?(row.id) }
      end

      def add(bulk_report)
        %i[created updated requests].each { |name| @report[name] += bulk_report[name] }
      end

      def settle(result)
        row = result.row
        case (error = result.error)
        when nil then sent(row, result.value)
        when BackfillRow::Nothing then finish(row, :unchanged)
        when ValidationError then refuse(row, error)
        when Privy::Error then fail_row(row, error)
        else raise error
        end
        note_place
        @on_progress&.call(@report)
      end

      def sent(row, value)
        finish(row, :sent)
        row.accepted(value)
      end

      def refuse(row, error)
        finish(row, nil)
        details = error.details.empty? ? [{ field: "base", message: error.message, code: :call_failed }] : error.details
        details.each do |detail|
          @report.refused << RefusedRecord.new(id: row.id, **detail.slice(:field, :message, :code, :count))
        end
        row.failed(error)
      end

      # The row stays open: the next run begins before it.
      def fail_row(row, error)
        count(:failed)
        row.failed(error)
      end

      def finish(row, name)
        count(name) if name
        @open.delete(row.id)
      end

      def note_place
        _, first = @open.first
        @report.resume_after = first ? first.before : @report.last_id
      end
    end
  end
end
