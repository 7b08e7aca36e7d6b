# frozen_string_literal: true

require "json"
require_relative "import/places"
require_relative "import/rows"
require_relative "import/sources"

module Privy
  # Imports a file, or other rows, into Privy: orders, contacts or events. The core makes values sendable by a map or a
  # preset of a shop's export, and refuses what is not certain with a reason; see docs/import.md of the gem.
  #
  #   import = Privy::Import.new(:orders, source: "orders.csv", preset: :auto, timezone: "Europe/Berlin",
  #                              rejects: "rejects.csv", journal: "orders.journal")
  #   puts import.dry_run(client)   # every fault of every row, before a request is sent
  #   puts import.run(client)
  #
  # The source is read several times: a first time to find what one line cannot decide, then to check all rows, to send
  # them, and to write the rejects.
  class Import
    # The operation of each kind.
    OPERATIONS = { orders: "orders.upsert", contacts: "contacts.upsert", events: "events.ingest" }.freeze
    METHODS = { orders: :upsert_many, contacts: :upsert_many, events: :ingest_many }.freeze
    private_constant :OPERATIONS, :METHODS

    # The presets of shops' exports.
    #
    # @return [Array<Array(String, String, String)>] name, operation, what it is
    def self.presets
      Core.import_presets
    end

    # @param kind [Symbol, String] :orders, :contacts or :events
    # @param source [String, Pathname, IO, Enumerable, #find_each] the path of a delimited file, or of a file of JSON
    #   objects, one a line (.jsonl, .ndjson); an IO that can be rewound; Hashes or objects with fields; a relation of
    #   Active Record. Rows that are no file, and lines of JSON, need a map only if their fields are not those of the
    #   API
    # @param map [Hash, String, Pathname, nil] which column becomes which field: a Hash, or the path of a TOML, JSON or
    #   YAML file. Without map and preset the columns have the names of fields
    # @param preset [Symbol, String, nil] the name of a preset, or :auto: found by the header
    # @param country [String, nil] of phone numbers without +: two letters
    # @param currency [String, nil] of rows without one
    # @param timezone [String, nil] of times without an offset: "UTC", "+02:00" or, with the gem tzinfo, a name
    # @param delimiter [String, nil] one character; nil: found in the first line
    # @param rejects [String, Pathname, nil] the path of a file for the lines of rows that are not accepted, with line,
    #   field and reason in front. It can be imported again
    # @param check_first [Boolean] sends nothing if a row has a fault
    # @param options [Hash] of {#run}: keywords of upsert_many, such as journal, resume, on_spent_day, until,
    #   on_progress and concurrency
    # @raise [ArgumentError] the kind is unknown
    # @raise [TypeError] the source cannot be read
    # @raise [ValidationError] the map is invalid; the details have all faults
    # @raise [Error] the map cannot be read
    def initialize(kind, source:, map: nil, preset: nil, country: nil, currency: nil, timezone: nil, delimiter: nil,
                   rejects: nil, check_first: false, **options)
      @kind = kind.to_sym
      @operation = OPERATIONS.fetch(@kind) do
        raise ArgumentError, "kind must be :orders, :contacts or :events, not #{kind.inspect}"
      end
      @source = Sources.of(source, plain: map.nil? && preset.nil?)
      @settings = [@operation, Sources.map_text(map), preset&.to_s, country, currency, timezone, Places.phone,
                   Places.method(:offset).to_proc, delimiter]
      @rejects = rejects && File.path(rejects)
      @check_first = check_first
      @options = options
      importer
    end

    # @return [Symbol]
    attr_reader :kind

    # The rows. Each call reads the source again.
    #
    # @yieldparam row [Row]
    # @return [Enumerator<Row>, self]
    # @raise [ValidationError] the map does not fit the columns
    def each_row(&block)
      return to_enum(:each_row) unless block

      @source.each_row(self, &block)
      self
    end

    # Checks all rows and sends nothing.
    #
    # @param client [Client, nil] with a client the report estimates the time that the run takes
    # @return [Report]
    # @raise [ValidationError] the map does not fit the columns
    def dry_run(client = nil)
      report = checked
      write_rejects(report, Refusals.new(operation)) if @rejects
      report.tap { |done| done.duration = client&.__send__(:duration, done.requests) }.freeze
    end

    # Sends the rows that have no fault. Contacts that exist are updated, but not subscribed: they may have unsubscribed
    # since the file was written.
    #
    # @param client [Client]
    # @param options [Hash] keywords of upsert_many, over those of {#initialize}
    # @return [Report] its bulk is the report of the bulk run
    # @raise [ValidationError] the map does not fit the columns
    # @raise [JournalError] the journal cannot be used
    def run(client, **options)
      report = checked
      settings = @options.merge(options)
      send_rows(client, report, settings) unless @check_first && report.faults.any?
      write_rejects(report, Refusals.new(operation, report.bulk, settings[:journal])) if @rejects
      report.freeze
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{kind} from #{@source}>"
    end
    alias to_s inspect

    # A new import of the core; remembers it for what it found.
    #
    # @private
    def importer
      @importer = Core::Import.new(*@settings)
    end

    # @private
    attr_reader :operation

    private

    def checked
      report = Report.new(kind: kind, rows: 0, ready: 0, refused: 0, skipped: 0, faults: [], conversions: Hash.new(0),
                          rejected: 0)
      each_row do |row|
        report.rows += 1
        report[row.state] += 1
        report.faults.concat(row.faults)
        row.changes.each { |change| report.conversions[change.rule] += 1 }
      end
      report.conversions = report.conversions.to_h.freeze
      report.requests = report.ready
      found(report)
    end

    def found(report)
      report.preset = @importer.preset
      report.encoding = @importer.encoding
      report.delimiter = @importer.delimiter
      report.unused = @importer.unused.freeze
      report.faults.freeze
      report
    end

    def send_rows(client, report, options)
      rows = Enumerator.new(report.ready) do |list|
        each_row { |row| list << row.fields if row.ready? }
      end
      report.bulk = client.public_send(kind).public_send(METHODS.fetch(kind), rows, **options).keep_consents.run
    end

    # The file is complete or not there: it gets its name at the end.
    def write_rejects(report, refused)
      part = "#{@rejects}.part"
      File.open(part, File::WRONLY | File::CREAT | File::TRUNC, 0o600) do |file|
        header = nil
        each_reject(refused) do |row, faults|
          header ||= @source.write_header(file, @importer)
          report.rejected += row.lines.length
          file.write(row.rejects(faults))
        end
      end
      File.rename(part, @rejects)
      report.rejects = @rejects
    end

    def each_reject(refused)
      index = -1
      each_row do |row|
        faults = row.ready? ? refused.of(index += 1, row) : row.faults
        yield row, faults unless faults.nil? || faults.empty?
      end
    end
  end
end
