# frozen_string_literal: true

module Privy
  # A row of a {Plan}.
  #
  # @!attribute [r] index
  #   @return [Integer] index of the row, from 0
  # @!attribute [r] state
  #   @return [Symbol] what would become of it: :create, :update, :unchanged or :blocked
  # @!attribute [r] key
  #   @return [String] its e-mail address, or else its phone number
  # @!attribute [r] contact_id
  #   @return [String, nil] the contact that it is about; nil if there is none yet
  # @!attribute [r] changes
  #   @return [Hash{String => Array(Object, Object)}] the old and the new value of each field that changes; the old one
  #     is nil if the contact has none. Of a blocked row what is not sent. Empty if nothing changes
  # @!attribute [r] reasons
  #   @return [Array<Hash{Symbol => Object}>] why the row is blocked, as +{ field:, message:, code: }+; else empty
  PlanRow = Struct.new(:index, :state, :key, :contact_id, :changes, :reasons, keyword_init: true) do
    include Serializable

    # @return [String] without values, which may be personal data
    def inspect
      "#<#{self.class} index=#{index} state=#{state.inspect} fields=#{changes.keys.inspect}>"
    end
    alias_method :to_s, :inspect

    # @private
    def pretty_print(printer)
      printer.text(inspect)
    end
  end

  # The rows of a {Plan} that have one state, in order. Each row is made when it is read.
  class PlanRows
    include Enumerable

    # @private
    # @yieldparam nth [Integer]
    # @yieldreturn [PlanRow]
    def initialize(size, &row)
      @size = size
      @row = row
    end

    # @return [Integer]
    attr_reader :size
    alias length size
    alias count size

    # @yieldparam row [PlanRow]
    # @return [self, Enumerator<PlanRow>]
    def each
      return enum_for(:each) { size } unless block_given?

      size.times { |nth| yield self[nth] }
      self
    end

    # @param nth [Integer] negative: from the end
    # @return [PlanRow, nil]
    def [](nth)
      nth += size if nth.negative?
      @row.call(nth) if nth.between?(0, size - 1)
    end

    # @return [PlanRow, nil]
    def last
      self[-1]
    end

    # @return [Boolean]
    def empty?
      size.zero?
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{Counted.of(size, 'row')}>"
    end
    alias to_s inspect

    # @private
    def pretty_print(printer)
      printer.text(inspect)
    end
  end

  # What {Contacts#plan} was given.
  #
  # @private
  class PlanSettings
    # @return [Array<Array(String, String)>] names of settings and of their modes
    attr_reader :modes
    # @return [Hash{Symbol => Object}] what the core reads
    attr_reader :values
    # @return [Hash{Symbol => Object}] options of each request; and those of the client
    attr_reader :options, :defaults
    # @return [Hash, nil]
    attr_reader :extra
    # @return [Symbol, nil]
    attr_reader :nulls
    # @return [Integer, nil]
    attr_reader :concurrency
    # @return [#call, nil]
    attr_reader :on_progress

    # @raise [TypeError, ArgumentError] a setting is invalid
    def initialize(extra:, options:, defaults:, nulls:, concurrency:, on_progress:, modes:, resubscribe:, snapshot:,
                   max_age:, on_spent_day:)
      BulkRows.check_nulls(nulls)
      raise TypeError, "on_progress must respond to call" unless on_progress.nil? || on_progress.respond_to?(:call)

      @extra = extra
      @options = options
      @defaults = defaults
      @nulls = nulls
      @concurrency = concurrency
      @on_progress = on_progress
      @modes = modes.map { |name, mode| [name.name, mode.to_s] }
      @values = { resubscribe: resubscribe ? true : false, snapshot: BulkSettings.path_of(:snapshot, snapshot),
                  max_age: seconds(max_age), on_spent_day: BulkSettings.choose(:on_spent_day, on_spent_day) }
    end

    private

    # An ActiveSupport::Duration is a number of seconds too.
    def seconds(max_age)
      return 0.0 if max_age.nil?
      raise TypeError, "max_age must be a number of seconds, not #{max_age.class}" unless max_age.is_a?(Numeric)

      max_age.to_f
    end
  end
  private_constant :PlanSettings
end
