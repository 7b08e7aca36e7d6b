# frozen_string_literal: true

require_relative "helper"
require "open3"

# `privy-sandbox`, as a process of its own.
class TestServer < PrivyTest
  COMMAND = [RbConfig.ruby, "-w", *$LOAD_PATH.map do |path|
                                    "-I#{path}"
                                  end, File.join(ROOT, "ruby/exe/privy-sandbox")].freeze

  def started(*flags)
    Open3.popen3(*COMMAND, *flags) do |_stdin, stdout, stderr, process|
      lines = Timeout.timeout(30) { [stdout.gets, stdout.gets] }
      yield lines, process
      Process.kill("KILL", process.pid) if process.alive?
      assert_equal "", stderr.read
      assert_nil stdout.gets
    ensure
      Process.kill("KILL", process.pid) if process.alive?
    end
  end

  def test_it_serves
    started("--port", "0") do |lines, process|
      assert_match(%r{\Aprivy sandbox: http://127\.0\.0\.1:\d+/v1\n\z}, lines[0])
      assert_match(/\Atoken: privy_\h{40}\n\z/, lines[1])
      client = Privy::Client.new(base_url: lines[0].split.last, token: lines[1].split.last)
      assert_equal JANE, client.contacts.create(email: JANE).email
      assert_equal 1, client.contacts.list.count
      Process.kill("TERM", process.pid)
      assert_predicate Timeout.timeout(30) { process.value }, :success?
    end
  end

  def test_it_stops_at_control_c
    started("--host", "127.0.0.1", "--port", "0") do |_lines, process|
      Process.kill("INT", process.pid)
      assert_predicate Timeout.timeout(30) { process.value }, :success?
    end
  end

  def test_wrong_flags
    taken = TCPServer.new("127.0.0.1", 0)
    { ["--port", "many"] => /invalid argument/, ["--prt", "1"] => /invalid option/, ["extra"] => /Usage/,
      ["--port", taken.addr[1].to_s] => /in use/ }.each do |flags, message|
      out, status = Open3.capture2e(*COMMAND, *flags)
      refute_predicate status, :success?
      assert_match message, out
      refute_match(/\.rb:\d+:in/, out)
    end
  ensure
    taken.close
  end

  def test_a_stop_before_the_start_is_not_lost
    server = Privy::Sandbox::Server.new(port: 0)
    server.stop
    assert_nil(Timeout.timeout(5) { server.run })
  end

  def test_a_server_of_your_own
    server = Privy::Sandbox::Server.new(port: 0).start
    client = Privy::Client.new(base_url: server.url, token: server.sandbox.token)
    assert_equal JANE, client.contacts.create(email: JANE).email
    large = client.events.ingest("large", email: JANE, event_data: { text: "x" * 200_000 })
    assert_equal "accepted", large.status
    server.stop
    refused(Privy::APIConnectionError) { client.contacts.get(NOBODY, max_retries: 0) }
  end

  def test_connections_are_kept
    served do |client, _sandbox|
      socket = TCPSocket.new("127.0.0.1", Served.server.port)
      2.times do
        socket.write("GET /v1/contacts HTTP/1.1\r\nHost: localhost\r\n" \
                     "Authorization: Bearer #{Privy::Sandbox::TOKEN}\r\n\r\n")
        lines = []
        lines << socket.gets until lines.last == "\r\n"
        assert_equal "HTTP/1.1 200", lines.first[0, 12]
        length = lines.grep(/\Acontent-length:/i).first[/\d+/].to_i
        assert JSON.parse(socket.read(length)).key?("data")
      end
      socket.close
      assert_empty client.contacts.list.to_a
    end
  end
end
