# frozen_string_literal: true

require_relative "helper"
require "open3"
require "uri"

# `privy-sandbox`, as a process of its own.
class TestServer < PrivyTest
  COMMAND = [RbConfig.ruby, "-w", *$LOAD_PATH.map do |path|
                                    "-I#{path}"
                                  end, File.join(ROOT, "ruby/exe/privy-sandbox")].freeze

  def started(*flags)
    Open3.popen3(*COMMAND, *flags) do |_stdin, stdout, stderr, process|
      lines = Timeout.timeout(120) { [stdout.gets, stdout.gets] }
      yield lines, process
      stop(process)
      assert_equal "", stderr.read
      assert_nil stdout.gets
    ensure
      stop(process)
    end
  end

  def stop(process)
    Process.kill("KILL", process.pid) if process.alive?
  rescue Errno::ESRCH
    nil # it has ended meanwhile
  end

  def test_the_program_serves_until_sigterm
    started("--port", "0") do |lines, process|
      assert_match(%r{\Aprivy sandbox: http://127\.0\.0\.1:\d+/v1\n\z}, lines[0])
      assert_match(/\Atoken: privy_\h{40}\n\z/, lines[1])
      client = Privy::Client.new(base_url: lines[0].split.last, token: lines[1].split.last)
      assert_equal JANE, client.contacts.create(email: JANE).email
      assert_equal 1, client.contacts.list.count
      Process.kill("TERM", process.pid)
      assert_predicate Timeout.timeout(120) { process.value }, :success?
    end
  end

  def test_it_stops_at_control_c
    started("--host", "127.0.0.1", "--port", "0") do |_lines, process|
      Process.kill("INT", process.pid)
      assert_predicate Timeout.timeout(120) { process.value }, :success?
    end
  end

  def test_flags_set_limits_and_inject_faults
    flags = ["--port", "0", "--limits", "60/10000/5", "--seed", "shop:20", "--fail", "503:2@contacts.create",
             "--fail", "truncate"]
    started(*flags) do |lines, _process|
      client = Privy::Client.new(base_url: lines[0].split.last, token: lines[1].split.last, max_retries: 0)
      assert_raises(Privy::APIConnectionError) { client.contacts.list.total_count }
      2.times { assert_raises(Privy::ServerError) { client.contacts.create(email: JANE) } }
      assert_equal JANE, client.contacts.create(email: JANE).email
      assert_equal 21, client.contacts.list.total_count
      assert_equal 60, client.rate_limit.minute.limit
      assert_equal 10_000, client.rate_limit.day.limit
    end
  end

  def test_the_help_fits_80_columns
    out, status = Open3.capture2e(*COMMAND, "--help")
    assert_predicate status, :success?
    assert_operator out.lines.map { |line| line.chomp.length }.max, :<=, 80
    %w[--host --port --allow-host --limits --seed --fail].each { |flag| assert_includes out, "    #{flag} " }
  end

  def test_wrong_flags_end_the_program_with_a_message
    taken = TCPServer.new("127.0.0.1", 0)
    { ["--port", "many"] => /invalid argument/, ["--prt", "1"] => /invalid option/, ["extra"] => /Usage/,
      ["--limits", "60/x"] => /^privy-sandbox: --limits must be on, off or PER_MINUTE/,
      ["--seed", "shoe:5"] => /^privy-sandbox: --seed must be KIND.* there is no data set shoe/,
      ["--fail", "200"] => /^privy-sandbox: --fail must be STATUS/,
      ["--fail", "503@orders.upsrt"] => /^privy-sandbox: --fail must name one of the operations contacts.list, /,
      ["--port", taken.addr[1].to_s] => /in use/ }.each do |flags, message|
      out, status = Open3.capture2e(*COMMAND, *flags)
      assert_equal message == /in use/ ? 1 : 2, status.exitstatus
      assert_match message, out
      refute_match(/:\d+:in/, out)
    end
  ensure
    taken.close
  end

  def test_a_stop_before_the_start_is_not_lost
    server = Privy::Sandbox::Server.new(port: 0)
    server.stop
    assert_nil(Timeout.timeout(120) { server.run })
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

  GET = "GET /v1/contacts HTTP/1.1\r\n"
  POST = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\n"
  BEARER = "Authorization: Bearer #{Privy::Sandbox::TOKEN}\r\n".freeze
  REFUSED = {
    "#{POST}Transfer-Encoding: chunked\r\n\r\n" => [411, "length_required"],
    "#{POST}Content-Length: -5\r\n\r\n" => [400, "bad_request"],
    "#{POST}Content-Length: 99999999999\r\n\r\n" => [413, "payload_too_large"],
    "#{POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}" => [400, "bad_request"],
    "GET / HTTP/1.1\nHost: localhost\n\n" => [400, "bad_request"],
    "what is this\r\n\r\n" => [400, "bad_request"],
    "#{GET}\r\n" => [400, "bad_request"],
    "#{GET}Host: localhost\r\n#{"X: y\r\n" * 9999}\r\n" => [431, "headers_too_large"],
    "#{GET}Host: localhost\r\n\r\n" => [401, "unauthorized"],
    "TRACE /v1/events HTTP/1.1\r\nHost: localhost\r\n#{BEARER}\r\n" => [404, "not_found"],
    "BREW /v1/contacts HTTP/1.1\r\nHost: localhost\r\n#{BEARER}\r\n" => [404, "not_found"],
    "BREW /v1/contacts HTTP/1.1\r\nHost: localhost\r\n\r\n" => [401, "unauthorized"],
    "#{GET}Host: rebound.example\r\n#{BEARER}\r\n" => [421, "misdirected_request"],
    "#{GET}Host: localhost\r\nOrigin: https://page.example\r\n#{BEARER}\r\n" => [403, "foreign_origin"]
  }.freeze

  # A server of a sandbox of its own, and how to connect to it.
  def serving(**settings)
    server = Privy::Sandbox::Server.new(port: 0, **settings)
    yield server, -> { TCPSocket.new("127.0.0.1", server.port) }
  ensure
    server.stop
  end

  def exchange(socket, text)
    socket.write(text)
    socket.close_write
    socket.read
  ensure
    socket.close
  end

  # Status and error code of a response in the API's envelope.
  def refusal(answer)
    head, body = answer.split("\r\n\r\n", 2)
    assert_includes head, "Content-Type: application/json"
    [head.split[1].to_i, JSON.parse(body).dig("error", "code")]
  end

  def test_what_is_refused_is_refused_as_the_api_does
    serving do |server, connect|
      server.start
      REFUSED.each { |text, expected| assert_equal expected, refusal(exchange(connect.call, text)), text[0, 200] }
    end
  end

  def test_other_host_names_are_allowed_by_name
    serving(allowed_hosts: %w[privy shop.test]) do |server, connect|
      server.start
      ["privy:8089", "Shop.Test"].each do |name|
        assert_match(/\AHTTP.1.1 200 /, exchange(connect.call, "#{GET}Host: #{name}\r\n#{BEARER}\r\n"))
      end
      assert_equal 421, refusal(exchange(connect.call, "#{GET}Host: other\r\n\r\n")).first
    end
  end

  def test_a_container_is_reached_by_plain_http
    serving(host: "0.0.0.0") do |server, _connect|
      server.start
      assert_equal "http://127.0.0.1:#{server.port}/v1", server.url
      url = "http://0.0.0.0:#{server.port}/v1" # not loopback by its name, and reached on every machine
      token = server.sandbox.token
      { { token: token } => /must be https/,
        { token: "privy_#{'0' * 40}", allow_plain_http: true } => /the sandbox's own token/ }.each do |settings, words|
        assert_match words, refused(Privy::Error) { Privy::Client.new(base_url: url, **settings) }.message
      end
      client = Privy::Client.new(base_url: url, token: token, allow_plain_http: true)
      assert_equal JANE, client.contacts.create(email: JANE).email
    end
  end

  # A server that keeps four connections at most.
  def narrow
    serving do |server, connect|
      connections = server.instance_variable_get(:@connections)
      connections.most = 4
      server.start
      sockets = Array.new(4) { connect.call }
      yield connect, sockets, connections.instance_variable_get(:@open)
      sockets.each(&:close)
    end
  end

  def wait_until
    Timeout.timeout(60) { sleep(0.01) until yield }
  end

  def test_threads_are_bounded_and_the_longest_idle_connection_makes_room
    assert_equal 256, Privy::Core::SandboxConnection::MOST
    request = "#{GET}Host: localhost\r\n#{BEARER}\r\n"
    ask = ->(socket) { socket.write(request) && socket.readpartial(65_536)[0, 13] }
    narrow do |connect, idle, open|
      wait_until { open.values == [true] * 4 }
      idle.each do |socket|
        assert_equal "HTTP/1.1 200 ", ask.call(socket)
        wait_until { open.values.last && open.keys.last.remote_address.ip_port == socket.local_address.ip_port }
      end
      one_more = connect.call
      assert_equal "HTTP/1.1 200 ", ask.call(one_more)
      assert_nil idle.first.read(1)
      assert_equal ["HTTP/1.1 200 "] * 3, idle.drop(1).map(&ask)
      one_more.close
    end
  end

  def test_half_open_connections_do_not_pile_up
    narrow do |connect, half, open|
      wait_until { open.values == [true] * 4 } # new ones count as busy for a moment
      half.each { |socket| socket.write("#{GET}Host: localhost\r\nX: ") }
      wait_until { open.values == [false] * 4 }
      assert_equal [503, "service_unavailable"], refusal(connect.call.read)
      half.first.close
      wait_until { open.length < 4 }
      assert_equal 401, refusal(exchange(connect.call, "#{GET}Host: localhost\r\n\r\n")).first
    end
  end

  def test_a_request_that_trickles_in_is_given_up
    serving do |server, connect|
      # Its clock runs a hundred times faster.
      def server.now = super * 100
      server.start
      socket = connect.call
      socket.write(GET)
      300.times do
        break if socket.wait_readable(0.01)

        socket.write("X: y\r\n")
      end
      assert_equal [408, "request_timeout"], refusal(socket.readpartial(65_536))
      assert_equal 0, server.sandbox.counts.requests
      socket.close
    end
  end

  def test_it_warns_when_other_machines_can_reach_it
    Open3.popen3(*COMMAND, "--host", "0.0.0.0", "--port", "0", "--allow-host", "privy") do |_in, out, err, process|
      url = Timeout.timeout(30) { out.gets }.split.last
      assert_match(%r{\Ahttp://127\.0\.0\.1:\d+/v1\z}, url)
      { "privy" => 401, "other" => 421 }.each do |name, status|
        socket = TCPSocket.new("127.0.0.1", URI(url).port)
        assert_equal status, refusal(exchange(socket, "#{GET}Host: #{name}\r\n\r\n")).first
      end
      Process.kill("TERM", process.pid)
      assert_match(/listens on "0\.0\.0\.0": every machine that reaches this one can use it/, err.read)
    end
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
