# frozen_string_literal: true

# Exports: all contacts of a list as a file.
module Privy
  # The result of {Contacts#export}: the file is complete.
  #
  # @!attribute [r] path
  #   @return [String] the file
  # @!attribute [r] contacts
  #   @return [Integer] contacts in it
  # @!attribute [r] requests
  #   @return [Integer] requests that this call has sent; those of an export that it continues are not counted
  # @!attribute [r] seconds
  #   @return [Float] seconds of this call
  # @!attribute [r] waited
  #   @return [Float] seconds in which it waited for the rate limit or for a retry
  # @!attribute [r] resumed
  #   @return [Boolean] whether it continued an export that was interrupted
  # @!attribute [r] began_at
  #   @return [Time] when the first contact was read, by the server's clock: the contacts are as of then or later
  ExportReport = Struct.new(:path, :contacts, :requests, :seconds, :waited, :resumed, :began_at, keyword_init: true) do
    include Serializable

    alias_method :resumed?, :resumed
  end

  # An export that runs: see {Contacts#export}.
  #
  # @private
  class ExportRun < Core::Export
    include Opaque

    # A wait ends after this time (seconds): a signal may arrive without ending it.
    WAIT = 0.05
    private_constant :WAIT

    # @param on_progress [#call, nil]
    def initialize(core, drivers, on_progress)
      super()
      raise TypeError, "on_progress must respond to call" unless on_progress.nil? || on_progress.respond_to?(:call)

      @core = core
      @drivers = drivers
      @on_progress = on_progress
    end

    # Reads and writes to the end.
    #
    # @param settings [Hash{Symbol => Object}] path, format, resume and on_spent_day, for the core
    # @return [ExportReport]
    # @raise [Error]
    def run(operation, filter, extra, settings, options)
      driver = @drivers.checkout
      core_begin(driver.group, operation, filter, extra, settings, options, options[:extra_headers]) do
        ParquetFile.check
      end
      drive(driver)
      contacts, requests, seconds, waited, resumed, began_at = core_counts
      ExportReport.new(path: settings[:path], contacts: contacts, requests: requests, seconds: seconds, waited: waited,
                       resumed: resumed, began_at: began_at).freeze
    ensure
      core_close
      @drivers.checkin(driver, []) if driver
    end

    private

    def drive(driver)
      until (step = core_step) == :end
        report_progress
        advance(step, driver)
      end
      report_progress
      error = core_error
      raise error if error
    end

    def advance(step, driver)
      case step
      when :wait then driver.wait(WAIT)
      when :columns
        core_columns("Contact") { |address| ParquetFile.write(address, core_output) }
        core_written
      else driver.give_way(1)
      end
    end

    def report_progress
      done, total, waiting_until, eta = core_progress if @on_progress
      return unless done

      waiting_until &&= Time.at(waiting_until).utc
      @on_progress.call(Progress.new(done: done, failed: 0, waiting_until: waiting_until, total: total, eta: eta,
                                     skipped: 0).freeze)
    end

    def secret
      "it holds a client"
    end
  end

  # Writes Parquet files with polars-df, or else with red-parquet.
  #
  # @private
  module ParquetFile
    # What polars-df reads: an object with +arrow_c_stream+.
    Columns = Struct.new(:arrow_c_stream)
    private_constant :Columns

    class << self
      # @return [Symbol] the library that writes
      # @raise [LoadError] none is installed
      def check
        return :polars if library?("polars", :Polars)
        return :arrow if library?("parquet", :Parquet)

        raise LoadError, "an export to Parquet needs the gem polars-df, or red-parquet: add one to the Gemfile, or " \
                         "export to .csv, .jsonl or .db"
      end

      # @param address [Integer] of the C struct of an Arrow stream
      # @return [void]
      def write(address, path)
        if check == :polars
          ::Polars::DataFrame.new(Columns.new(address)).write_parquet(path)
        else
          reader = ::Arrow::RecordBatchReader.import(address)
          reader.read_all.save(path, format: :parquet)
        end
      end

      private

      def library?(feature, name)
        Object.const_defined?(name) || require(feature)
        Object.const_defined?(name)
      rescue LoadError
        false
      end
    end
  end
  private_constant :ExportRun, :ParquetFile
end
