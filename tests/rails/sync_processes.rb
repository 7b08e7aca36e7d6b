# frozen_string_literal: true

require "English"
require "open3"

# Starts processes of an application: see sync_process.rb.
module SyncProcesses
  PROCESS = File.expand_path("sync_process.rb", __dir__)
  FLAGS = $LOAD_PATH.grep(%r{/(build/ruby/lib|ruby/lib)\z}).map { |folder| "-I#{folder}" }

  # A file database with the tables.
  def with_database
    Dir.mktmpdir("privy-sync") do |folder|
      @database = File.join(folder, "test.sqlite3")
      ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: @database, timeout: 20_000)
      ActiveRecord::Base.connection.execute("PRAGMA journal_mode = WAL") # readers do not stop writers
      ActiveRecord::Schema.verbose = false
      ActiveRecord::Schema.define(&SyncModels::SCHEMA)
      yield folder
    ensure
      ActiveRecord::Base.remove_connection
      RailsApp.database(&SyncModels::SCHEMA)
    end
  end

  def environment
    { "PRIVY_BASE_URL" => Served.server.url, "PRIVY_API_TOKEN" => Served.server.sandbox.token,
      "SYNC_DATABASE" => @database }
  end

  def command(code)
    [environment, RbConfig.ruby, *FLAGS, PROCESS, @database, code]
  end

  # What a process prints.
  def run_process(code)
    output, status = Open3.capture2e(*command(code))
    assert_predicate status, :success?, output
    output
  end

  # Sends a signal to a process when the block is true.
  #
  # @return [String] what it printed
  def interrupt(code, signal)
    output = nil
    Open3.popen2e(*command(code)) do |_, out, process|
      reader = Thread.new { out.read }
      until_true { yield || !process.alive? }
      assert_predicate process, :alive?, "it ended before the signal: #{reader.value unless process.alive?}"
      Process.kill(signal, process.pid)
      output = reader.value
    end
    output
  end
end
