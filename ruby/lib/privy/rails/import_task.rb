# frozen_string_literal: true

module Privy
  module Rails
    # What the Rake task `rails privy:import` does.
    #
    # @private
    class ImportTask
      SETTINGS = { "MAP" => :map, "PRESET" => :preset, "COUNTRY" => :country, "CURRENCY" => :currency,
                   "TIMEZONE" => :timezone, "DELIMITER" => :delimiter, "REJECTS" => :rejects, "JOURNAL" => :journal,
                   "RESUME" => :resume, "ON_SPENT_DAY" => :on_spent_day, "UNTIL" => :until }.freeze
      # Faults that are shown.
      MOST = 20
      # Seconds between two lines of progress.
      PAUSE = 60
      private_constant :SETTINGS, :MOST, :PAUSE

      # @param output [#puts]
      # @param environment [Hash{String => String}, ENV]
      def initialize(output: $stdout, environment: ENV)
        @output = output
        @environment = environment
        @shown = now
      end

      # Imports the file FILE.
      #
      # @return [Boolean] whether all rows were accepted
      def run
        report = dry_run? ? import.dry_run(client) : import.run(client, on_progress: method(:progress))
        show(report)
        report.ok?
      rescue Error => e
        @output.puts "error: #{e.message}"
        false
      end

      private

      def import
        settings = SETTINGS.to_h { |name, keyword| [keyword, given(name)] }.compact
        @import ||= Import.new(given("KIND") || :orders, source: file, **settings)
      end

      def file
        path = given("FILE") or raise Error, "FILE: name the file to import, such as FILE=orders.csv"
        raise Error, "FILE: there is no file #{path}" unless File.file?(path)

        path
      end

      def client
        account = given("ACCOUNT")
        @client ||= account ? Privy.client(account) : Privy.client
      end

      def dry_run?
        !given("DRY_RUN").nil?
      end

      def given(name)
        value = @environment[name].to_s.strip
        value unless value.empty?
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end

      def progress(state)
        return if now - @shown < PAUSE

        @shown = now
        @output.puts "#{state.done} of #{Counted.of(state.total, 'row')}, #{state.failed} failed"
      end

      def show(report)
        @output.puts report.to_s
        @output.puts "columns that no field uses: #{report.unused.join(', ')}" if report.unused.any?
        report.faults.first(MOST).each { |fault| @output.puts "line #{fault.line}: #{described(fault)}" }
        @output.puts "and #{report.faults.length - MOST} more" if report.faults.length > MOST
        report.bulk&.refused&.first(MOST)&.each { |row| @output.puts "#{row.field}: #{row.message}" }
      end

      def described(fault)
        column = "column #{fault.column}, " unless fault.column.empty?
        "#{column}#{fault.field}: #{fault.message}"
      end
    end
  end
end
