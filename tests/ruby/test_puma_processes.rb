# frozen_string_literal: true

require_relative "helper"
require_relative "many_server"
require "net/http"

# Puma in cluster mode, run by the test: `asked` are the contacts by the process that responded.
class PumaCluster
  ARGUMENTS = ["-C", File.join(__dir__, "puma_process.rb"), File.join(__dir__, "preloaded_process.ru")].freeze
  PROGRAM = ["-r", "puma/cli", "-e", "Puma::CLI.new(ARGV).run", "--"].freeze
  COMMAND = [RbConfig.ruby, *$LOAD_PATH.flat_map { |folder| ["-I", folder] }, *PROGRAM, *ARGUMENTS].freeze
  PROMPT = 300

  attr_reader :process, :asked

  def initialize(many)
    settings = { "PRIVY_BASE_URL" => many.https, "PRIVY_API_TOKEN" => ManyServer::TOKEN, "CA_BUNDLE" => many.ca }
    @output, theirs = IO.pipe
    @process = spawn(settings, *COMMAND, out: theirs, err: theirs)
    theirs.close
    @reported = []
    @ended = false
    @port = Timeout.timeout(PROMPT) { listening }
    @reading = Thread.new { @reported.concat(@output.readlines) }
    @asked = Hash.new { |asked, process| asked[process] = [] }
    @lock = Mutex.new
  end

  # Sends requests, eight at a time, until enough processes have responded; returns those.
  def ask_until(first)
    found = []
    Timeout.timeout(PROMPT) do
      first.step(by: 40) do |place|
        return found if yield found

        found |= ask_all(place...(place + 40))
      end
    end
  end

  def stop
    Process.kill("TERM", @process)
    status = Timeout.timeout(PROMPT) { Process.wait2(@process).last }
    @ended = true
    @reading.join
    raise @reported.join unless status.success?
  end

  # For a test that has failed.
  def kill
    Process.kill("KILL", @process) unless @ended
  end

  private

  def ask_all(places)
    places.each_slice(5).map { |some| Thread.new { some.map { |place| ask(place) } } }.flat_map(&:value)
  end

  def listening
    until (port = @reported.last.to_s[%r{Listening on http://127\.0\.0\.1:(\d+)}, 1])
      @reported << (@output.gets or raise(@reported.join))
    end
    port
  end

  def ask(place)
    uri = URI("http://127.0.0.1:#{@port}/#{place}")
    reported = JSON.parse(Net::HTTP.start(uri.host, uri.port, nil, read_timeout: PROMPT) do |http|
                            http.get(uri.path).body
                          end)
    raise "another's answer" unless reported["first_name"] == "n#{place}" && reported["loaded_by"] == @process

    @lock.synchronize { @asked[reported["process"]] << place }
    reported["process"]
  end
end

# The client is made, and used, before the workers are.
class TestPumaProcesses < PrivyTest
  # Places from here on are the workers'.
  ASKED = 1_000_000

  def test_workers_of_a_preloaded_application
    ManyServer.serving do |many|
      puma = PumaCluster.new(many)
      meet_workers(puma, many)
      puma.stop
      hold_connections(many.asked, puma.asked)
    ensure
      puma&.kill
    end
  end

  private

  def meet_workers(puma, many)
    before = puma.ask_until(ASKED) { |found| found.length >= 2 }
    replace(before.first)
    after = puma.ask_until(2 * ASKED) { |found| (found - before).any? }
    refute_includes before | after, puma.process
    so_far = many.asked.first.length
    Timeout.timeout(PumaCluster::PROMPT) { sleep(0.02) until many.asked.first.length > so_far }
  end

  # Ends a worker; the master makes another.
  def replace(worker)
    Process.kill("TERM", worker)
    Timeout.timeout(PumaCluster::PROMPT) { sleep(0.02) until gone?(worker) }
  end

  def gone?(process)
    Process.kill(0, process)
    false
  rescue Errno::ESRCH
    true
  end

  # Whatever a worker wrote on the master's connection would have ended it: the master went on with it.
  def hold_connections(connections, asked)
    master, *workers = connections
    assert_equal (0...master.length).to_a, master
    assert_equal asked.values.flatten.sort, workers.flatten.sort
    owners = workers.map { |places| asked.count { |_, own| own.intersect?(places) } }
    assert_equal [1], owners.uniq
  end
end
