# frozen_string_literal: true

module Privy
  # The journal of bulk runs, to be read, also while a run of another process writes it.
  #
  #   Privy::Journal.open("orders.db") do |journal|
  #     puts journal.report
  #     journal.refused.each { |entry| puts "#{entry.row}: #{entry.field} #{entry.message}" }
  #     journal.rejects_csv("rejects.csv")
  #   end
  #
  # Reading never changes the file; only {#decide} does. Entries are read from the file when they are used, so that a
  # journal of any size takes little memory. Several threads may use one journal.
  #
  # The file holds personal data: the keys of all rows, and the fields of those that did not succeed. It holds no token.
  class Journal < Core::Journal
    include Opaque

    # One error detail of a row that was refused, as a journal holds it.
    #
    # @!attribute [r] row
    #   @return [Integer] position of the row in the source of the run that sent or checked it last, from 0
    # @!attribute [r] key
    #   @return [String, nil] what identifies the row, e.g. "order_id=1001" or "email=jane@example.com"; of an event
    #     without a key "content=" and a hash; nil for an invalid row without a key
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
    # @!attribute [r] status
    #   @return [Integer, nil] HTTP status of the response, nil when the row was found invalid before sending
    # @!attribute [r] request
    #   @return [Hash{String => Object}, nil] the fields of the row: what was sent, or was to be sent; nil when they
    #     have no form in JSON
    RefusedEntry = Struct.new(:row, :key, :field, :message, :value, :code, :count, # rubocop:disable Lint/StructNewOverride
                              :status, :request) do
      include Serializable

      # @return [String] without key, value and request, which may be personal data
      def inspect
        "#<#{self.class} row=#{row} field=#{field.inspect} message=#{message.inspect}>"
      end
      alias_method :to_s, :inspect

      # @private
      def pretty_print(printer)
        printer.text(inspect)
      end
    end

    # A row whose request was sent and whose outcome is not known, as a journal holds it.
    #
    # @!attribute [r] row
    #   @return [Integer] position of the row in the source of the run that sent it last, from 0
    # @!attribute [r] key
    #   @return [String] what identifies the row, as in {RefusedEntry}
    # @!attribute [r] idempotency_key
    #   @return [String, nil] idempotency key of its request, with which it is sent again; nil without one
    # @!attribute [r] first_sent
    #   @return [Time] when it was sent for the first time, by the server's clock, in UTC
    # @!attribute [r] too_old
    #   @return [Boolean] whether it is an event that was sent for the first time more than a day ago, by the clock of
    #     this machine. No run sends it again before {Journal#decide} allows it: the server may have forgotten its
    #     idempotency key
    # @!attribute [r] decided
    #   @return [Boolean] whether {Journal#decide} has allowed to send it again; the next run does
    # @!attribute [r] request
    #   @return [Hash{String => Object}, nil] the fields of the row, as they were sent
    InDoubtEntry = Struct.new(:row, :key, :idempotency_key, :first_sent, :too_old, :decided, :request) do
      include Serializable

      alias_method :too_old?, :too_old
      alias_method :decided?, :decided

      # @return [String] without keys and request, which may be personal data
      def inspect
        "#<#{self.class} row=#{row} first_sent=#{first_sent.inspect} too_old=#{too_old} decided=#{decided}>"
      end
      alias_method :to_s, :inspect

      # @private
      def pretty_print(printer)
        printer.text(inspect)
      end
    end

    # What all runs of a journal have reached. It is the same with and without kills, apart from runs, killed, requests,
    # seconds and waited.
    #
    # @!attribute [r] total
    #   @return [Integer] rows that a run has taken from its source
    # @!attribute [r] succeeded
    #   @return [Integer]
    # @!attribute [r] created
    #   @return [Integer] rows that created their order or contact
    # @!attribute [r] updated
    #   @return [Integer] rows that updated it
    # @!attribute [r] failed
    #   @return [Integer] rows that are invalid or that the server refused; they are sent again when they have changed
    # @!attribute [r] unsent
    #   @return [Integer] rows that the next run sends: not sent yet, or without effect
    # @!attribute [r] in_doubt
    #   @return [Integer] rows whose request was sent and whose outcome is not known: the next run sends them again, or
    #     asks
    # @!attribute [r] finished
    #   @return [Boolean] whether the last run has read its source to the end and no row is unsent or in doubt
    # @!attribute [r] stopped
    #   @return [String, nil] why the last run ended early; nil when it did not, or has not ended
    # @!attribute [r] runs
    #   @return [Integer] runs of this journal since it began, or since the last +resume: :restart+
    # @!attribute [r] killed
    #   @return [Integer] runs that did not end: they were killed, or are in progress
    # @!attribute [r] requests
    #   @return [Integer] requests of all runs; a run that was killed may have sent up to +concurrency+ more
    # @!attribute [r] seconds
    #   @return [Float] seconds of all runs together
    # @!attribute [r] waited
    #   @return [Float] seconds in which all calls of a run waited for the rate limit or a retry
    # @!attribute [r] sandbox
    #   @return [Boolean] whether a sandbox handled the calls
    Report = Struct.new(:total, :succeeded, :created, :updated, :failed, :unsent, :in_doubt, :finished, :stopped, :runs,
                        :killed, :requests, :seconds, :waited, :sandbox, keyword_init: true) do
      include Serializable

      # @return [Boolean] whether the journal is finished and every row succeeded
      def ok?
        finished && succeeded == total
      end

      alias_method :finished?, :finished
      alias_method :sandbox?, :sandbox

      # @return [String] counts only
      def to_s
        parts = ["#{succeeded} of #{Counted.of(total, 'row')} succeeded (#{created} created, #{updated} updated)"]
        counts = { "failed" => failed, "unsent" => unsent, "in doubt" => in_doubt }
        counts.each { |name, count| parts << "#{count} #{name}" if count.positive? }
        parts << format("%<requests>s in %<seconds>.1f s, in %<runs>s",
                        requests: Counted.of(requests, "request"), seconds: seconds, runs: runs_text)
        parts << "stopped: #{Core.mask(stopped)}" if stopped
        parts << "not finished" unless finished
        parts << "in a sandbox" if sandbox
        parts.join("; ")
      end

      # @return [String] counts only
      def inspect
        "#<#{self.class} #{self}>"
      end

      # @private
      def pretty_print(printer)
        printer.text(inspect)
      end

      private

      def runs_text
        text = Counted.of(runs, "run")
        killed.positive? ? "#{text} (#{killed} killed)" : text
      end
    end

    # Entries of a journal, read from the file one by one, each time they are used.
    class Entries
      include Enumerable

      # @private
      def initialize(kind, size, each)
        @kind = kind
        @size = size
        @each = each
      end

      # @yieldparam entry [RefusedEntry, InDoubtEntry]
      # @return [self, Enumerator]
      # @raise [JournalError] the journal cannot be read
      def each
        return enum_for(:each) { size } unless block_given?

        @each.call { |values| yield @kind.new(*values) }
        self
      end

      # @return [Integer]
      def size
        @size.call
      end
      alias length size

      # @return [Boolean]
      def empty?
        size.zero?
      end

      # @return [String] without entries, which hold personal data
      def inspect
        "#<#{self.class} #{size} entries>"
      end
      alias to_s inspect
    end

    # Opens a journal for the time of a block.
    #
    # @param path [String, Pathname]
    # @yieldparam journal [Journal]
    # @return [Object] what the block returns; without a block the journal
    # @raise [JournalError] as {#initialize}
    def self.open(path)
      journal = new(path)
      return journal unless block_given?

      begin
        yield journal
      ensure
        journal.close
      end
    end

    # @return [String] the path that was given
    attr_reader :path

    # @param path [String, Pathname] the file that +upsert_many(rows, journal: path)+ or +ingest_many+ writes
    # @raise [JournalError] its +code+ is the reason: "journal_missing", "not_a_journal", "journal_newer",
    #   "journal_damaged", "journal_unusable". Each method can raise it too; after a fork with the code
    #   "journal_forked". After {#close} each method raises IOError
    def initialize(path)
      super()
      @path = path.to_s
      core_open(@path)
    end

    # @return [String] operation of its rows, e.g. "orders.upsert"
    def operation
      core_summary[:operation]
    end

    # @return [String] base URL of the server, or "sandbox"; other servers cannot use the journal
    def server
      core_summary[:server]
    end

    # @return [Boolean] whether it belongs to an account. It does when the client of a run had a client id; then other
    #   accounts cannot use the journal
    def account_known?
      core_summary[:account_known]
    end

    # @return [Time] when its first run began, in UTC
    def began
      core_summary[:began]
    end

    # Number of rows in each state: +:pending+, +:sent+, +:done+, +:created+, +:updated+, +:refused+, +:invalid+,
    # +:superseded+. A row is superseded when it has an outcome, but an earlier row of its key was sent again: then the
    # next run sends it again, too.
    #
    # @return [Hash{Symbol => Integer}]
    def counts
      core_summary[:counts]
    end

    # @return [Integer] number of rows
    def size
      core_summary[:total]
    end
    alias length size

    # @return [Boolean] whether the last run has read its source to the end and no row is unsent or in doubt
    def finished?
      core_summary[:finished]
    end

    # @return [Report] over all runs
    def report
      summary = core_summary
      names = Report.members - %i[created updated sandbox]
      Report.new(**summary.slice(*names), created: summary[:counts][:created], updated: summary[:counts][:updated],
                                          sandbox: summary[:server] == "sandbox").freeze
    end

    # Why rows were refused: one entry for each error detail of each row, in the order in which the rows came to the
    # journal.
    #
    # @return [Entries<RefusedEntry>]
    def refused
      Entries.new(RefusedEntry, -> { core_summary[:details] }, ->(&block) { core_each(true, &block) })
    end

    # Rows whose request was sent and whose outcome is not known. While a run is in progress, its calls in flight are
    # among them.
    #
    # @return [Entries<InDoubtEntry>]
    def in_doubt
      Entries.new(InDoubtEntry, -> { core_summary[:in_doubt] }, ->(&block) { core_each(false, &block) })
    end

    # Writes the rows that were refused as CSV, to be corrected and imported again. A line for each row: +privy_field+
    # and +privy_reason+, which separate several error details by "; ", then the fields of the row, lists and objects as
    # JSON. UTF-8, with a line of names. An import does not use the first two columns. Only the owner can read the file,
    # which holds personal data; it appears when it is complete. Cells are written as they were given, also those that a
    # spreadsheet reads as formulas (+=+...): import them as text there.
    #
    # @param path [String, Pathname]
    # @return [Integer] number of rows
    # @raise [SystemCallError] the file cannot be written
    def rejects_csv(path)
      core_write_rejects(path.to_s, true)
    end

    # The same as lines of JSON: an object for each row, with +privy_field+, +privy_reason+ and its fields. An import
    # reads lists and objects from it as they are.
    #
    # @param path [String, Pathname]
    # @return [Integer] number of rows
    # @raise [SystemCallError] the file cannot be written
    def rejects_jsonl(path)
      core_write_rejects(path.to_s, false)
    end

    # Decides about a row in doubt that no run decides about: an event that was sent more than a day ago
    # ({InDoubtEntry#too_old}), or a contact that may have unsubscribed since. The next run obeys. It may not be in
    # progress: this writes the file.
    #
    # @param row [InDoubtEntry, String, Integer] an entry of {#in_doubt}, its key, or its position in the source. A key
    #   decides about all rows in doubt that have it
    # @param decision [Symbol] +:send+: the next run sends the row again, with the idempotency key of its first request.
    #   An event is recorded twice if the server has forgotten the key; a contact gets the consent of the row. +:skip+:
    #   the row counts as done and is not sent again
    # @return [Integer] number of rows
    # @raise [JournalError] its +code+ is "journal_locked" while a run is in progress, "journal_not_in_doubt" when there
    #   is no such row in doubt, "journal_ambiguous" when two rows in doubt have had this position
    # @raise [ArgumentError] an argument is invalid
    def decide(row, decision)
      sends = { send: true, skip: false }.fetch(decision) do
        raise ArgumentError, "decision must be :send or :skip, not #{decision.inspect}"
      end
      case row
      when InDoubtEntry then core_decide(row.key, row.row, sends)
      when String then core_decide(row, -1, sends)
      else core_decide(nil, position(row), sends)
      end
    end

    # Closes the file, as soon as no iteration uses it.
    #
    # @return [void]
    def close
      core_close
    end

    # @return [Boolean]
    def closed?
      core_closed?
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{path}>"
    end
    alias to_s inspect

    private

    def position(row)
      return row if row.is_a?(Integer) && row >= 0

      raise ArgumentError, "row must be an entry of in_doubt, a key or a position from 0 on, not #{row.inspect}"
    end

    def secret
      "it holds an open file"
    end
  end
end
