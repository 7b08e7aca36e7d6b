# frozen_string_literal: true

module Privy
  # The progress of a bulk run.
  #
  # @!attribute [r] done
  #   @return [Integer] rows that have a result
  # @!attribute [r] failed
  #   @return [Integer] rows whose call failed
  # @!attribute [r] waiting_until
  #   @return [Time, nil] until when all calls wait for the rate limit or a retry; nil when a call does not wait
  # @!attribute [r] total
  #   @return [Integer, nil] number of rows, nil when it is unknown: the source has no size, and no total was given
  # @!attribute [r] eta
  #   @return [Float, nil] estimated seconds until the end, from the pace so far, the requests per row and the account's
  #     rate limit; nil without total, before the first result, or when the rest exceeds the day's limit
  # @!attribute [r] skipped
  #   @return [Integer] rows that an earlier run with the same journal has finished
  Progress = Struct.new(:done, :failed, :waiting_until, :total, :eta, :skipped, keyword_init: true) do
    include Serializable
  end

  # One validation error, or another error, of a row that failed.
  #
  # @!attribute [r] index
  #   @return [Integer] index of the row, from 0
  # @!attribute [r] key
  #   @return [Object, nil] the row's order_id, e-mail address, phone number or idempotency key
  # @!attribute [r] field
  #   @return [String] e.g. "line_items[0].price"; "base" when no single field is wrong
  # @!attribute [r] message
  #   @return [String]
  # @!attribute [r] value
  #   @return [Object, nil] the field's value in the row
  # @!attribute [r] code
  #   @return [Symbol] which rule the field breaks, as in {Error#details}
  # @!attribute [r] count
  #   @return [Integer, nil] the limit of that rule, if it has one
  RefusedRow = Struct.new(:index, :key, :field, :message, :value, :code,
                          :count, keyword_init: true) do # rubocop:disable Lint/StructNewOverride
    include Serializable

    # @return [String] without key and value, which may be personal data
    def inspect
      "#<#{self.class} index=#{index} field=#{field.inspect} message=#{message.inspect}>"
    end
    alias_method :to_s, :inspect

    # @private
    def pretty_print(printer)
      printer.text(inspect)
    end
  end

  # The result of a bulk run. Each row is exactly one of: succeeded, failed, unsent, in doubt or skipped.
  #
  # @!attribute [r] total
  #   @return [Integer] rows of the source; as long as the source has more rows: those that were announced, else those
  #     that were taken
  # @!attribute [r] succeeded
  #   @return [Integer]
  # @!attribute [r] created
  #   @return [Integer] rows that created their order or contact
  # @!attribute [r] updated
  #   @return [Integer] rows that updated it
  # @!attribute [r] failed
  #   @return [Integer] rows whose call failed
  # @!attribute [r] refused
  #   @return [Array<RefusedRow>] one entry for each error detail of each row that failed
  # @!attribute [r] unsent
  #   @return [Array<Array(Integer, Object)>] index and row of rows that are still to be sent: no request was sent for
  #     them, or the server has refused it for what ended the run, the rate limit or the token
  # @!attribute [r] in_doubt
  #   @return [Array<Array(Integer, Object, String)>] index, row and idempotency key (nil without one) of rows that
  #     a request was sent for and whose result was not read
  # @!attribute [r] requests
  #   @return [Integer] requests sent
  # @!attribute [r] seconds
  #   @return [Float] seconds since the run's first step
  # @!attribute [r] waited
  #   @return [Float] seconds in which all calls waited for the rate limit or a retry
  # @!attribute [r] stopped
  #   @return [Exception, nil] why the run ended early: {RateLimitError}, {AuthenticationError},
  #     {PermissionDeniedError}, or the exception of the source
  # @!attribute [r] sandbox
  #   @return [Boolean] whether a sandbox handled the calls
  # @!attribute [r] skipped
  #   @return [Integer] rows that an earlier run with the same journal has finished: Privy has accepted or refused them
  # @!attribute [r] skipped_refused
  #   @return [Integer] those of them that Privy has refused. They are sent again when they change
  BulkReport = Struct.new(:total, :succeeded, :created, :updated, :failed, :refused, :unsent, :in_doubt, :requests,
                          :seconds, :waited, :stopped, :sandbox, :skipped, :skipped_refused, keyword_init: true) do
    include Serializable

    # @return [Boolean] whether every row succeeded, in this run or in an earlier one
    def ok?
      succeeded + skipped.to_i - skipped_refused.to_i == total
    end

    # @return [Boolean] whether the run came to its end and every row has a result, also an error, or is skipped
    def complete?
      stopped.nil? && succeeded + failed + skipped.to_i == total
    end

    # @return [Boolean] whether the run ended early: see {#stopped}
    def stopped?
      !stopped.nil?
    end

    alias_method :sandbox?, :sandbox

    # @return [String] counts only
    def to_s
      parts = ["#{succeeded} of #{Counted.of(total, 'row')} succeeded (#{created} created, #{updated} updated)"]
      counts = { "failed" => failed, "unsent" => unsent.length, "in doubt" => in_doubt.length }
      counts.each { |name, count| parts << "#{count} #{name}" if count.positive? }
      parts << skipped_text if skipped.to_i.positive?
      parts << requests_text
      parts << "stopped: #{stopped.message}" if stopped
      parts << "in a sandbox" if sandbox
      parts.join("; ")
    end

    # @return [String] without rows, which may hold personal data
    def inspect
      "#<#{self.class} #{self}>"
    end

    # @private
    def pretty_print(printer)
      printer.text(inspect)
    end

    private

    def requests_text
      format("%<requests>s in %<seconds>.1f s", requests: Counted.of(requests, "request"), seconds: seconds)
    end

    def skipped_text
      "#{skipped} skipped#{" (#{skipped_refused} of them refused)" if skipped_refused.to_i.positive?}"
    end
  end
end
