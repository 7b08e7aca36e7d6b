# frozen_string_literal: true

require_relative "helper"

class TestClient < PrivyTest
  TOKEN = "privy_#{'1' * 40}".freeze

  def with_environment(**variables)
    before = variables.to_h { |name, _| [name.to_s, ENV.fetch(name.to_s, nil)] }
    variables.each { |name, value| ENV[name.to_s] = value }
    yield
  ensure
    before.each { |name, value| ENV[name] = value }
  end

  def with_configuration
    yield
  ensure
    Privy.configuration.to_h.each_key { |name| Privy.configuration.public_send(:"#{name}=", nil) }
  end

  def token_of(request)
    request.headers["authorization"].delete_prefix("Bearer ")
  end

  def test_settings_from_the_environment
    stubbed do |_client, server|
      with_environment(PRIVY_API_TOKEN: TOKEN, PRIVY_BASE_URL: server.url) { Privy::Client.new.contacts.get(NOBODY) }
      assert_equal TOKEN, token_of(server.requests.last)
    end
  end

  def test_settings_that_cannot_be_used
    { {} => /token/i, { token: TOKEN, base_url: "ftp://example.com" } => /base_url/,
      { token: TOKEN, base_url: "http://example.com/v1" } => /base_url/, { token: "two words" } => /token/,
      { token: TOKEN, base_url: "http://example.com/v1", allow_plain_http: true } => /sandbox's own token/,
      { token: TOKEN, allow_plain_http: 1 } => /allow_plain_http must be true or false/,
      { client_id: "only" } => /client_secret/, { token: TOKEN, timeout: -1 } => /timeout/,
      { token: TOKEN, max_retries: -1 } => /max_retries/, { token: TOKEN, reserve: -1 } => /reserve/,
      { token: TOKEN, proxy: "example.com:3128" } => /proxy/ }.each do |settings, message|
      assert_match message, refused(Privy::Error) { Privy::Client.new(**settings) }.message
    end
    assert_raises(ArgumentError) { Privy::Client.new(tokn: TOKEN) }
  end

  def test_files_and_urls_are_looked_at_when_the_client_is_made
    { { ca_bundle: "/no/such/bundle.pem" } => "ca_bundle does not exist",
      { ca_bundle: __dir__ } => "ca_bundle is not a file",
      { ca_bundle: __FILE__ } => "ca_bundle holds no certificate in PEM form",
      { base_url: "https://api.example:99999" } => "base_url cannot be used: ",
      { token_url: "https://[::zz]" } => "token_url cannot be used: ",
      { token: "t" * 5000 } => "token must be at most 4096 bytes",
      { token: "a\0b" } => "token must not hold a NUL character",
      { proxy: "http://p\0q" } => "proxy must not hold a NUL character" }.each do |settings, message|
      error = refused(Privy::Error) { Privy::Client.new(token: TOKEN, **settings) }
      assert_equal [Privy::Error, message], [error.class, error.message[0, message.length]]
    end
    with_environment(SSL_CERT_FILE: "/no/such/bundle.pem") do
      error = refused(Privy::Error) { Privy::Client.new(token: TOKEN) }
      assert_equal "ca_bundle (from SSL_CERT_FILE) does not exist", error.message
      stubbed { |client, _server| assert_equal JANE, client.contacts.get(NOBODY).email }
      in_process { |client, _sandbox| assert_equal JANE, client.contacts.create(email: JANE).email }
    end
  end

  # Also one without a host, where the password is parsed as the host.
  def test_no_message_quotes_a_proxy
    ["http://user:s3cret", "http://user:s3cret@", "http://user:s3cret/@host:3128", "http://user:s3cret@x@host",
     "http://user:s3cret@host:99999", "user:s3cret@host"].each do |proxy|
      error = refused(Privy::Error) { Privy::Client.new(token: TOKEN, proxy: proxy) }
      assert_match(/\Aproxy /, error.message)
      refute_match(/s3cret|user:/, error.full_message)
    end
    ["user:s3cret", "http://user:s3cret", "ftp://user:s3cret@host", "http://user:s3cret@host:99999"].each do |proxy|
      with_environment(https_proxy: proxy) do
        client = Privy::Client.new(token: TOKEN, base_url: "https://api.invalid/v1", max_retries: 0)
        error = refused(Privy::APIConnectionError) { client.contacts.list.first }
        refute_match(/s3cret|user:/, error.full_message)
      end
    end
  end

  # The proxy learns where to, and nothing else.
  def test_https_goes_through_a_proxy
    proxy = TCPServer.new("127.0.0.1", 0)
    asked = Thread.new do
      connection = proxy.accept
      connection.gets("\r\n\r\n").tap { connection.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") }
    ensure
      connection&.close
    end
    client = Privy::Client.new(token: TOKEN, base_url: "https://api.invalid/v1", max_retries: 0,
                               proxy: "http://127.0.0.1:#{proxy.addr[1]}")
    refused(Privy::APIConnectionError) { client.contacts.list.first }
    assert_match(/\ACONNECT api\.invalid:443 /, asked.value)
    refute_includes asked.value, TOKEN
  ensure
    proxy&.close
  end

  def test_no_secret_in_the_message_of_a_bad_setting
    refute_includes refused(Privy::Error) { Privy::Client.new(token: "5ecret words") }.message, "5ecret"
  end

  def test_configure_sets_defaults_only
    stubbed({ stall: 60 }) do |_client, server|
      with_configuration do
        older = Privy::Client.new(token: TOKEN, base_url: server.url, timeout: 0.3)
        Privy.configure do |config|
          config.token = TOKEN
          config.base_url = server.url
          config.timeout = 0.2
          config.max_retries = 0
        end
        took = elapsed { refused(Privy::APITimeoutError) { Privy::Client.new.contacts.get(NOBODY) } }
        assert_operator took, :<, PROMPT
        assert_equal server.url, older.base_url
        refute_includes Privy.configuration.inspect, TOKEN
        server.answer_with(status: 200)
        given = Privy::Client.new(token: TOKEN.tr("1", "2"), timeout: 10)
        given.contacts.get(NOBODY)
        assert_equal TOKEN.tr("1", "2"), token_of(server.requests.last)
        assert_empty Privy::Sandbox.new.client.contacts.list.to_a
      end
    end
  end

  def test_the_configuration_is_set_at_once
    with_configuration do
      kept = Privy.configuration
      kept.token = TOKEN
      Privy.configuration.timeout = 5
      assert_equal [TOKEN, 5], [kept.token, Privy.configuration.timeout]
      assert_equal({ token: TOKEN, timeout: 5 }, kept.to_h)
      assert_raises(NoMethodError) { Privy.configuration.tokn = "x" }
      kept.token = nil
      assert_nil Privy.configuration.token
    end
  end

  def test_a_block_that_raises_sets_nothing
    with_configuration do
      assert_raises(IOError) do
        Privy.configure do |config|
          config.timeout = 1
          raise IOError
        end
      end
      assert_nil Privy.configuration.timeout
    end
  end

  def test_given_credentials_keep_the_configured_ones_out
    with_configuration do
      Privy.configure { |config| config.client_id = "other" }
      stubbed do |_client, server|
        Privy::Client.new(token: TOKEN, base_url: server.url).contacts.get(NOBODY)
        assert_equal TOKEN, token_of(server.requests.last)
      end
    end
  end

  def test_oauth_fetches_one_token_and_reports_wrong_credentials
    sandbox = Privy::Sandbox.new
    sandbox.add_client("shop", "5ecret", scopes: %w[contacts_read contacts_write])
    client = sandbox.client(client_id: "shop", client_secret: "5ecret", scopes: %w[contacts_read contacts_write])
    assert client.contacts.create(email: JANE).id
    assert_equal 1, client.contacts.list.count
    assert_equal 3, sandbox.counts.requests
    wrong = sandbox.client(client_id: "shop", client_secret: "wr0ng")
    error = refused(Privy::AuthenticationError) { wrong.contacts.list.first }
    assert_equal "invalid_client", error.code
    refute_includes error.full_message, "wr0ng"
  end

  def test_oauth_over_http
    served do |_client, sandbox|
      client = Privy::Client.new(base_url: Served.server.url, client_id: Privy::Sandbox::CLIENT_ID,
                                 client_secret: Privy::Sandbox::CLIENT_SECRET)
      assert client.contacts.create(email: JANE).id
      assert_equal 2, sandbox.counts.requests
    end
  end

  def test_with_options_changes_the_options_of_a_copy_only
    stubbed({ stall: 2 }) do |client, server|
      hasty = client.with_options(timeout: 0.2, max_retries: 0)
      assert_operator(elapsed { refused(Privy::APITimeoutError) { hasty.contacts.get(NOBODY) } }, :<, PROMPT)
      server.answer_with(stall: 0.5)
      assert hasty.contacts.get(NOBODY, timeout: 10)
      assert hasty.with_options(timeout: 10).contacts.get(NOBODY)
      assert client.contacts.get(NOBODY)
      assert_equal client.base_url, hasty.base_url
      assert_raises(Privy::Error) { client.with_options(max_wait: -1) }
      assert_raises(ArgumentError) { client.with_options(token: TOKEN) }
    end
  end

  def test_copies_share_connections_and_close
    stubbed do |client, server|
      copy = client.with_options(timeout: 9)
      [client, copy, client.dup].each { |one| one.contacts.get(NOBODY) }
      assert_equal 1, server.connections
      client.close
      client.close
      assert_predicate copy, :closed?
      assert_match(/closed/, refused(Privy::Error) { copy.contacts.get(NOBODY) }.message)
    end
  end

  def test_close_waits_for_calls_in_flight
    stubbed({ stall: 0.3 }) do |client, server|
      call = Thread.new { client.contacts.get(NOBODY) }
      Thread.pass until server.requests.any?
      client.close
      assert_equal JANE, call.value.email
      refused(Privy::Error) { client.contacts.get(NOBODY) }
    end
  end

  def test_open_closes_the_client_after_the_block
    kept = nil
    sandbox = Privy::Sandbox.new
    assert_equal 7, Privy::Client.open(sandbox: sandbox, token: sandbox.token) { |client| (kept = client) && 7 }
    assert_predicate kept, :closed?
    assert_raises(RuntimeError) do
      Privy::Client.open(sandbox: sandbox, token: sandbox.token) do |c|
        (kept = c) && raise
      end
    end
    assert_predicate kept, :closed?
  end

  def test_clients_are_not_marshalled
    client = Privy::Sandbox.new.client
    assert_match(/cannot be marshalled/, assert_raises(TypeError) { Marshal.dump(client) }.message)
    assert_raises(TypeError) { Marshal.dump(Privy::Sandbox.new) }
    assert_raises(TypeError) { Marshal.dump(session_of(client).core) }
  end

  def test_inspect_shows_the_base_url_only
    client = Privy::Client.new(token: TOKEN, base_url: "http://127.0.0.1:1/v1")
    assert_equal '#<Privy::Client base_url="http://127.0.0.1:1/v1">', client.inspect
    assert_equal '#<Privy::Contacts of #<Privy::Client base_url="http://127.0.0.1:1/v1">>', client.contacts.inspect
  end

  def test_two_clients_never_touch
    first = Privy::Sandbox.new
    second = Privy::Sandbox.new
    first.client.contacts.create(email: JANE)
    assert_equal [1, 0], [first.counts.contacts, second.client.contacts.list.count]
  end

  def test_core_clients_check_what_they_are_given
    core = Privy::Core::Client
    assert_raises(TypeError) { core.new(sandbox: Object.new, token: TOKEN) }
    assert_raises(RuntimeError) { core.allocate.call("contacts.get", {}, nil, nil) }
    made = core.new(token: TOKEN, base_url: "http://127.0.0.1:1/v1")
    assert_raises(RuntimeError) { made.send(:initialize, {}) }
    assert_raises(ArgumentError) { made.call("contacts.fly", {}, nil, nil) }
    assert_raises(TypeError) { made.call("contacts.get", nil, nil, nil) }
  end
end
