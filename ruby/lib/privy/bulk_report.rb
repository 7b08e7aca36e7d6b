# frozen_string_literal: true

module Privy
  # How far a bulk run has come: rows whose result is there, those of them that failed, the Time until which all calls
  # wait for budget or a retry (nil when they do not), the rows in all (nil when the source does not say), and the
  # seconds left, estimated by the pace so far and the account's budget at as many requests a row as rows have taken so
  # far (nil when unknown: without total, before any result, or when the rest takes more than the day's budget).
  Progress = Struct.new(:done, :failed, :waiting_until, :total, :eta, keyword_init: true) do
    include Serializable
  end

  # One fault of a row that failed: the row's place from 0, what identifies it (its order_id, e-mail address, phone
  # number or idempotency key, nil without one), the field such as "line_items[0].price" or "base", what is wrong, and
  # the field's value in the row.
  RefusedRow = Struct.new(:index, :key, :field, :message, :value, keyword_init: true) do
    include Serializable

    # @return [String] without key and value, which may be a person's
    def inspect
      "#<#{self.class} index=#{index} field=#{field.inspect} message=#{message.inspect}>"
    end
    alias_method :to_s, :inspect

    # @private
    def pretty_print(printer)
      printer.text(inspect)
    end
  end

  # What became of the rows of a bulk run. Each row is, once: succeeded, failed, unsent or in doubt.
  #
  # @!attribute [r] total
  #   @return [Integer] rows of the run: of the source, or taken from one that does not say how many it has
  # @!attribute [r] succeeded
  #   @return [Integer]
  # @!attribute [r] created
  #   @return [Integer] rows that created their order or contact
  # @!attribute [r] updated
  #   @return [Integer] rows that updated it
  # @!attribute [r] failed
  #   @return [Integer] rows whose call failed
  # @!attribute [r] refused
  #   @return [Array<RefusedRow>] why they failed: one entry for each fault of each row
  # @!attribute [r] unsent
  #   @return [Array<Array(Integer, Object)>] index and row of those that no request was sent for
  # @!attribute [r] in_doubt
  #   @return [Array<Array(Integer, Object, String)>] index, row and idempotency key (nil without one) of those that a
  #     request was sent for and whose result was not read
  # @!attribute [r] requests
  #   @return [Integer] requests sent
  # @!attribute [r] seconds
  #   @return [Float] from the run's first step
  # @!attribute [r] waited
  #   @return [Float] seconds of them in which all calls waited for the account's budget or a retry
  # @!attribute [r] stopped
  #   @return [Exception, nil] what ended the run before its last row: {RateLimitError} when the budget is spent, or
  #     what the source raised
  BulkReport = Struct.new(:total, :succeeded, :created, :updated, :failed, :refused, :unsent, :in_doubt, :requests,
                          :seconds, :waited, :stopped, keyword_init: true) do
    include Serializable

    # @return [Boolean] whether every row succeeded
    def ok?
      succeeded == total
    end

    # @return [String] counts only
    def to_s
      parts = ["#{succeeded} of #{total} rows succeeded (#{created} created, #{updated} updated)"]
      counts = { "failed" => failed, "unsent" => unsent.length, "in doubt" => in_doubt.length }
      counts.each { |name, count| parts << "#{count} #{name}" if count.positive? }
      parts << format("%<requests>d requests in %<seconds>.1f s", requests: requests, seconds: seconds)
      parts << "stopped: #{stopped.message}" if stopped
      parts.join("; ")
    end

    # @return [String] without rows, which may hold anything
    def inspect
      "#<#{self.class} #{self}>"
    end

    # @private
    def pretty_print(printer)
      printer.text(inspect)
    end
  end
end
