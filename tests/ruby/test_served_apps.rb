# frozen_string_literal: true

require_relative "helper"
require "puma"
require "puma/server"
require "rack"
require "webrick"

# The sandbox in real servers: its own, Puma, and WEBrick by the handler of Rack.
class TestServedApps < PrivyTest
  # @return [String] the base URL, yielded
  def self.own(sandbox, &)
    sandbox.serve(&)
  end

  # Puma 5 takes an object for its events, Puma 6 and 7 take one for its log too.
  def self.puma(sandbox)
    app = Privy::Sandbox::App.new(sandbox)
    server = Puma::Server.new(app, *(Puma::Events.strings if Puma::Events.respond_to?(:strings)))
    port = server.add_tcp_listener("127.0.0.1", 0).addr[1]
    server.run
    yield "http://127.0.0.1:#{port}/v1"
  ensure
    server&.stop(true)
  end

  # The handler left Rack for the gem rackup.
  def self.webrick(sandbox)
    require(Rack.release < "3" ? "rack/handler/webrick" : "rackup/handler/webrick")
    handler = Rack.release < "3" ? Rack::Handler::WEBrick : Rackup::Handler::WEBrick
    log = WEBrick::Log.new(File::NULL)
    server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: 0, Logger: log, AccessLog: [])
    server.mount("/", handler, Privy::Sandbox::App.new(sandbox))
    thread = Thread.new { server.start }
    until_running(server)
    yield "http://127.0.0.1:#{server.listeners.first.addr[1]}/v1"
  ensure
    server&.shutdown
    thread&.join
  end

  def self.until_running(server)
    Timeout.timeout(60) { sleep 0.005 until server.status == :Running }
  end

  SERVERS = %i[own puma webrick].freeze

  def each_server
    SERVERS.each do |name|
      sandbox = Privy::Sandbox.new
      self.class.public_send(name, sandbox) do |url|
        yield Privy::Client.new(base_url: url, token: sandbox.token), sandbox, name
      end
    end
  end

  def test_calls
    each_server do |client, sandbox, name|
      jane = client.contacts.create(email: JANE, first_name: "Jané", tags: %w[a b])
      assert_equal [jane], client.contacts.list(email: JANE).to_a, name
      assert_predicate client.orders.upsert(**ORDER), :created?
      assert_predicate client.orders.upsert(**ORDER), :updated?
      large = client.events.ingest("large", email: JANE, event_data: { text: "x" * 200_000 })
      assert_equal "accepted", large.status
      assert_equal jane.id, client.contacts.delete(jane.id).id
      assert_equal [1, 1, 6], [sandbox.counts.orders, sandbox.counts.events, sandbox.counts.requests], name
    end
  end

  def test_refusals
    each_server do |client, sandbox, name|
      client.contacts.create(email: JANE)
      refused(Privy::ConflictError) { client.contacts.create(email: JANE) }
      refused(Privy::NotFoundError) { client.contacts.get(NOBODY) }
      sandbox.fail(status: 429, retry_after: 7)
      error = refused(Privy::RateLimitError) { client.contacts.list(max_retries: 0).size }
      assert_in_delta 7.0, error.retry_after, 0.001, name
      sandbox.fail(status: 503, retry_after: 0)
      assert_equal 1, client.contacts.list.size
    end
  end

  def test_a_dropped_response
    each_server do |client, sandbox, name|
      client.contacts.list.size # keeps the connection, on which the fault occurs
      sandbox.fail(drop: true)
      error = refused(Privy::APIConnectionError) { client.contacts.create(email: JANE, max_retries: 0) }
      assert_equal [nil, true, 1], [error.status, error.may_have_succeeded?, sandbox.counts.contacts], name
      assert_equal 1, client.contacts.list.size
    end
  end

  def test_a_truncated_response
    each_server do |client, sandbox, name|
      sandbox.fail(truncate: true)
      error = refused(Privy::APIConnectionError) { client.contacts.create(email: JANE, max_retries: 0) }
      assert_equal [true, 1], [error.may_have_succeeded?, sandbox.counts.contacts], name
      sandbox.fail(truncate: true)
      assert_equal 1, client.contacts.list.size # by a retry
      assert_equal 3, sandbox.counts.requests
    end
  end

  def test_what_reaches_the_wire_of_a_fault
    each_server do |client, sandbox, name|
      port = URI(client.base_url).port
      request = "GET /v1/contacts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer #{sandbox.token}\r\n\r\n"
      found = %i[drop truncate].map do |fault|
        sandbox.fail(fault => true)
        socket = TCPSocket.new("127.0.0.1", port)
        socket.write(request)
        socket.read.tap { socket.close }
      end
      head, body = found.last.split("\r\n\r\n", 2)
      assert_equal "", found.first, name
      assert_match(%r{\AHTTP/1.1 200 }, head)
      assert_equal head[/content-length: (\d+)/i, 1].to_i / 2, body.bytesize, name
    end
  end

  def test_many_threads
    each_server do |client, sandbox, name|
      Array.new(4) do |thread|
        Thread.new { 10.times { |n| client.contacts.create(email: "c#{thread}-#{n}@example.com") } }
      end.each(&:join)
      assert_equal 40, sandbox.counts.contacts, name
    end
  end
end

# `Sandbox#serve`.
class TestServe < PrivyTest
  def setup
    @sandbox = Privy::Sandbox.new
  end

  def client(url)
    Privy::Client.new(base_url: url, token: @sandbox.token, max_retries: 0)
  end

  def test_with_a_block_it_serves_until_the_block_ends
    found = @sandbox.serve do |url|
      assert_match(%r{\Ahttp://127\.0\.0\.1:\d+/v1\z}, url)
      client(url).contacts.create(email: JANE)
      url
    end
    assert_equal 1, @sandbox.counts.contacts
    refused(Privy::APIConnectionError) { client(found).contacts.list.size }
  end

  def test_an_exception_stops_it
    url = nil
    assert_raises(IOError) do
      @sandbox.serve do |given|
        url = given
        raise IOError, "mine"
      end
    end
    refused(Privy::APIConnectionError) { client(url).contacts.list.size }
  end

  def test_without_a_block_it_returns_the_server
    server = @sandbox.serve
    assert_equal [@sandbox, "127.0.0.1"], [server.sandbox, server.host]
    assert_equal 0, client(server.url).contacts.list.size
    taken = assert_raises(Errno::EADDRINUSE) { Privy::Sandbox.new.serve(port: server.port) }
    assert_kind_of SystemCallError, taken
    server.stop
    server.stop
    refused(Privy::APIConnectionError) { client(server.url).contacts.list.size }
  end

  def test_two_sandboxes_at_once
    other = Privy::Sandbox.new
    @sandbox.serve do |first|
      other.serve do |second|
        client(first).contacts.create(email: JANE)
        assert_equal [1, 0], [client(first), client(second)].map { |one| one.contacts.list.size }
      end
    end
  end

  def test_another_process
    program = 'require "privy"; puts Privy::Client.new.contacts.list.sole.email'
    @sandbox.client.contacts.create(email: JANE)
    @sandbox.serve do |url|
      settings = { "PRIVY_BASE_URL" => url, "PRIVY_API_TOKEN" => @sandbox.token }
      folders = $LOAD_PATH.map { |folder| "-I#{folder}" }
      out = IO.popen([settings, RbConfig.ruby, *folders, "-e", program], &:read)
      assert_equal "#{JANE}\n", out
    end
  end
end
