# frozen_string_literal: true

require "json"
require "open3"

# The server of many calls (tests/soak/server.py), as the Ruby programs and tests see it.
class ManyServer
  PROGRAM = File.expand_path("../soak/server.py", __dir__)
  TOKEN = "privy_#{'7' * 40}".freeze
  PYTHON = ENV.fetch("PYTHON") { File.expand_path("../../build/venv/bin/python", __dir__) }

  # Base URLs, the file to trust, and the number of each way to respond, by name.
  attr_reader :http, :https, :ca, :ways

  def self.serving(*arguments)
    server = new(*arguments)
    yield server
  ensure
    server&.stop
  end

  # The id of a contact whose response has this form.
  def self.contact(place, way = 0) = format("cus_%<way>04d%<place>012d", way: way, place: place)

  def initialize(*arguments)
    @stdin, @stdout, @process = Open3.popen2(PYTHON, PROGRAM, *arguments)
    reported = JSON.parse(@stdout.gets)
    @http, @https, @ca, @ways = reported.values_at("http", "https", "ca", "ways")
  end

  # The places that were asked for over TLS, by connection, in the order in which those were made.
  def asked
    @stdin.puts
    JSON.parse(@stdout.gets)
  end

  def stop
    @stdin.close
    @process.join(120)
  end
end
