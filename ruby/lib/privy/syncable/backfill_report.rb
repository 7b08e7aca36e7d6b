# frozen_string_literal: true

module Privy
  module Syncable
    # One reason why Privy refuses a record.
    #
    # @!attribute [r] id
    #   @return [Object] value of the primary key
    # @!attribute [r] field
    #   @return [String] e.g. "line_items[0].price"; "base" when no single field is wrong
    # @!attribute [r] message
    #   @return [String]
    # @!attribute [r] code
    #   @return [Symbol] which rule the field breaks, as in {Error#details}
    # @!attribute [r] count
    #   @return [Integer, nil] the limit of that rule, if it has one
    RefusedRecord = Struct.new(:id, :field, :message, :code,
                               :count, # rubocop:disable Lint/StructNewOverride -- the name that I18n knows
                               keyword_init: true) do
      include Serializable
    end

    # The result of {ClassMethods#privy_backfill}. It changes while the backfill runs.
    #
    # @!attribute [r] model
    #   @return [String] name of the class
    # @!attribute [r] sent
    #   @return [Integer] records that Privy has accepted
    # @!attribute [r] created
    #   @return [Integer] of those, created ones
    # @!attribute [r] updated
    #   @return [Integer] of those, updated ones
    # @!attribute [r] unchanged
    #   @return [Integer] records that Privy had already: they cost no request
    # @!attribute [r] skipped
    #   @return [Integer] records that are not to be sent
    # @!attribute [r] failed
    #   @return [Integer] records that failed for another reason than a refusal: the next run sends them
    # @!attribute [r] refused
    #   @return [Array<RefusedRecord>] one entry for each error detail of each record that Privy refuses
    # @!attribute [r] requests
    #   @return [Integer] requests sent by bulk runs that have ended
    # @!attribute [r] last_id
    #   @return [Object, nil] primary key of the last record that was read
    # @!attribute [r] resume_after
    #   @return [Object, nil] all records up to this primary key are finished: pass it as +after+. nil: from the start
    # @!attribute [r] stopped
    #   @return [Exception, nil] why the run ended early: {RateLimitError}, {AuthenticationError} or
    #     {PermissionDeniedError}; another exception is raised as well
    # @!attribute [r] options
    #   @return [Hash{Symbol => Boolean}] +initial_sync+ and +consents+, if they were given
    BackfillReport = Struct.new(:model, :options, :sent, :created, :updated, :unchanged, :skipped, :failed, :refused,
                                :requests, :last_id, :resume_after, :stopped, keyword_init: true) do
      include Serializable

      # @return [Boolean] whether all records were read and none failed. Refused ones do not count
      def complete?
        stopped.nil? && failed.zero?
      end

      # @return [Integer] records that Privy refuses
      def refused_count
        refused.map(&:id).uniq.length
      end

      # @return [String] the call that continues, of the model: call it of the same relation
      def resume
        arguments = { **options, after: resume_after }.compact.map { |name, value| "#{name}: #{value.inspect}" }
        "#{model}.privy_backfill(#{arguments.join(', ')})".delete_suffix("()")
      end

      # @return [String] counts and primary keys only
      def to_s
        parts = ["#{sent} #{model} sent (#{created} created, #{updated} updated)", "#{unchanged} unchanged",
                 "#{skipped} skipped", "#{refused_count} refused", "#{failed} failed", Counted.of(requests, "request")]
        # The message of another exception may hold personal data.
        parts << "stopped: #{stopped.is_a?(Error) ? stopped.message : stopped.class}" if stopped
        parts << "continue with #{resume}" unless complete?
        parts.join("; ")
      end

      # @return [String]
      def inspect
        "#<#{self.class} #{self}>"
      end
    end
  end
end
