# frozen_string_literal: true

module Privy
  # A client of the Privy API. Threads may share it. Each Ractor makes its own: clients, sandboxes and records stay in
  # the Ractor that made them. Before Ruby 3.4 the main Ractor calls {Privy.eager_load!} first.
  #
  #   client = Privy::Client.new(token: ENV.fetch("PRIVY_API_TOKEN"))
  #   jane = client.contacts.create(email: "jane@example.com", email_consent: :subscribed)
  #
  # Every call may raise {APIConnectionError}, {APITimeoutError}, {AuthenticationError}, {PermissionDeniedError},
  # {RateLimitError}, {ServerError} and {APIStatusError}; each method documents its other errors. Thread#raise, Timeout
  # and Ctrl-C stop a call. Under a Fiber scheduler a call suspends its fiber, not the thread.
  #
  # Retries: a call is repeated up to +max_retries+ times when the connection fails, the response does not arrive in
  # time, or the server returns 408, 429, 500, 502, 503 or 504. Before that it waits for a random time that grows with
  # each attempt, or as long as Retry-After says. Every operation is safe to repeat: an event has one Idempotency-Key
  # for all attempts; a create whose lost first attempt succeeded returns its contact, if that holds what was sent. A
  # POST or PATCH of {#request} is repeated only if the server did not act on it, or with an Idempotency-Key. A write
  # that the server may have acted on is repeated within 30 seconds or not at all; the error reports that. During an
  # outage a client soon stops repeating, to avoid more load.
  #
  # Rate limits: calls stay within the account's limits, as the last responses reported them ({#rate_limit}). When the
  # minute's requests are used up a call waits for the next minute; when the day's are used up it raises
  # {RateLimitError} at once. +max_wait+ bounds all waiting of a call (rate limits, Retry-After, backoff). A call that
  # would have to wait longer raises at once, with the time when it can be made.
  class Client
    include Opaque

    # @private
    CREDENTIALS = %i[token client_id client_secret scopes].freeze
    # @private
    PLACES = %i[base_url token_url].freeze
    OPTIONS = %i[timeout connect_timeout max_wait max_retries].freeze
    private_constant :OPTIONS

    # @return [Contacts]
    attr_reader :contacts
    # @return [Orders]
    attr_reader :orders
    # @return [Events]
    attr_reader :events

    # Missing settings come from {Privy.configure}, then from the environment. Numbers may be text, such as "5" from ENV
    # or a YAML file; so may those of a call's options.
    #
    # @param token [String, nil] API token; default: PRIVY_API_TOKEN
    # @param client_id [String, nil] OAuth client; default: PRIVY_CLIENT_ID
    # @param client_secret [String, nil] OAuth secret; default: PRIVY_CLIENT_SECRET
    # @param scopes [String, Array<String>, nil] OAuth scopes, a String with spaces or a list; default:
    #   PRIVY_SCOPES, else all
    # @param base_url [String, nil] default: PRIVY_BASE_URL, else the production API
    # @param token_url [String, nil] default: PRIVY_TOKEN_URL, else /oauth/token at the base URL's origin
    # @param ca_bundle [String, Pathname, nil] file of trusted certificates, for the API and an https proxy;
    #   default: SSL_CERT_FILE, else the system's
    # @param proxy [String, nil] URL of a proxy (http, https, socks5, socks5h); default: https_proxy and no_proxy
    #   of the environment. Plain HTTP to loopback never uses a proxy
    # @param timeout [Numeric, nil] seconds for one complete attempt (30)
    # @param connect_timeout [Numeric, nil] seconds for the connection, TLS included (5)
    # @param max_wait [Numeric, nil] seconds that a call may wait for rate limits and between attempts (90: a
    #   minute's window and some more)
    # @param max_retries [Integer, nil] attempts after the first (3)
    # @param max_response [Integer, nil] maximum bytes of a response's body (64 MiB)
    # @param reserve [Integer, nil] requests of each minute to leave for other users of the account (0)
    # @param allow_plain_http [Boolean, nil] allows plain HTTP to any host, such as a sandbox's container; only with the
    #   sandbox's own token or OAuth client. nil: true if PRIVY_ALLOW_PLAIN_HTTP is 1
    # @param on_event [#call, nil] called with each {CallEvent} of each call, on the thread or fiber that made the call.
    #   It may use the client; calls that it makes report no events. A StandardError that it raises is reported by warn,
    #   and the call continues; any other exception, such as Interrupt, stops the call and is raised from it
    # @param logger [#debug & #info & #warn, nil] logs each event as one line at the event's level: retries and waits of
    #   a second or more at info, refusals by rate limit at warn, all others at debug
    # @param sandbox [Sandbox, nil] sends requests to this sandbox instead of the network. Without it, a sandbox that is
    #   active ({Sandbox#activate}) receives them, with any credentials or none
    # @param account [Symbol, String, nil] name of the account in notifications: see {Rails::Notifications}
    # @raise [Error] a setting is invalid; the message names it
    def initialize(token: nil, client_id: nil, client_secret: nil, scopes: nil, base_url: nil, token_url: nil,
                   ca_bundle: nil, proxy: nil, timeout: nil, connect_timeout: nil, max_wait: nil,
                   max_retries: nil, max_response: nil, reserve: nil, allow_plain_http: nil,
                   on_event: nil, logger: nil, sandbox: nil, account: nil)
      Ractor.current == Ractor.main ? Neighbours.report : Privy.check_loaded
      given = { token: token, client_id: client_id, client_secret: client_secret, scopes: scopes, base_url: base_url,
                token_url: token_url, ca_bundle: ca_bundle, proxy: proxy, timeout: timeout,
                connect_timeout: connect_timeout, max_wait: max_wait, max_retries: max_retries,
                max_response: max_response, reserve: reserve,
                allow_plain_http: allow_plain_http, on_event: on_event, logger: logger,
                sandbox: sandbox, account: account }.compact
      settings = defaults_for(given).merge(given)
      settings[:scopes] = settings[:scopes].join(" ") if settings[:scopes].is_a?(Array)
      settings[:ca_bundle] = settings[:ca_bundle].to_path if settings[:ca_bundle].respond_to?(:to_path)
      on_event, logger = settings.values_at(:on_event, :logger)
      observer = Session.observer(on_event, logger)
      settings = Activation.settings(settings) if Core.routing?
      settings = settings.merge(user_agent: "ruby/#{RUBY_VERSION}", observer: observer, follows: !given.key?(:sandbox))
      core = Core::Client.new(settings)
      use(Session.new(core, {}, on_event, logger))
    end

    # Makes a client, yields it and closes it.
    #
    # @param settings [Hash] as for {#initialize}
    # @yieldparam client [Client]
    # @return [Object] what the block returns
    def self.open(**settings)
      client = new(**settings)
      begin
        yield client
      ensure
        client.close
      end
    end

    # Calls any endpoint, for operations that have no method yet.
    #
    # @param method [String, Symbol] HTTP method: "GET" or :get
    # @param path [String] below the base URL, e.g. "/contacts"; may have a query
    # @param params [Hash, nil] query parameters
    # @param body [Object] sent as JSON
    # @param headers [Hash, nil] more headers; Authorization and others that the client sets are invalid
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that the call may wait
    # @param max_retries [Integer, nil] attempts after the first
    # @return [Response]
    # @raise [ValidationError] method, path, a header or the body is invalid
    # @raise [NotFoundError, ConflictError, PayloadTooLargeError]
    def request(method, path, params: nil, body: OMIT, headers: nil,
                timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      options = { timeout: timeout, connect_timeout: connect_timeout, max_wait: max_wait, max_retries: max_retries }
      method = method.upcase if method.is_a?(Symbol)
      @session.request(method, path, params, headers, body, options)
    end

    # A copy with other options. It shares connections, token and rate limits; closing one closes all.
    #
    # @param timeout [Numeric, nil] seconds for one attempt; nil keeps the present value, here and below
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that the call may wait
    # @param max_retries [Integer, nil] attempts after the first
    # @param reserve [Integer, nil] requests of each minute that calls of the copy leave for all other calls, those of
    #   this client included: for background jobs
    # @param on_event [#call, false, nil] as for {#initialize}; false removes it
    # @param logger [#debug & #info & #warn, false, nil] likewise
    # @return [Client]
    # @raise [Error] an option is invalid
    def with_options(timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil, reserve: nil,
                     on_event: nil, logger: nil)
      options = { timeout: timeout, connect_timeout: connect_timeout, max_wait: max_wait, max_retries: max_retries,
                  reserve: reserve }
      session = @session.with(options, on_event, logger)
      dup.tap { |copy| copy.send(:use, session) }
    end

    # The account's rate limits, as the last responses reported them. Sends no request.
    #
    # @return [RateLimit]
    def rate_limit
      Privy.load_parts
      RateLimit.new(*@session.core.rate_limits.map { |values| RateLimit::Window.of(values) })
    end

    # @return [String]
    def base_url
      @session.core.base_url
    end

    # Closes the connections when no call is in flight. Later calls raise {Error}.
    #
    # @return [void]
    def close
      @session.close
    end

    # @return [Boolean]
    def closed?
      @session.core.closed?
    end

    # @return [String] without any secret
    def inspect
      "#<#{self.class} #{'sandbox ' if @session.core.sandbox?}base_url=#{base_url.inspect}>"
    end
    alias to_s inspect

    private

    # Seconds that so many further requests take, by the account's rate limits. For imports.
    def duration(requests)
      @session.core.duration(requests)
    end

    # For SharedSlots.
    def take_slot(from, numbers)
      @session.take_slot(from, numbers)
    end

    # Lets the active sandbox receive the calls in place of the client's own one.
    def follow
      @session.follow
      self
    end

    def use(session)
      @session = session
      @contacts = Contacts.new(session)
      @orders = Orders.new(session)
      @events = Events.new(session)
    end

    # All credentials come from one source. A sandbox has its own.
    def defaults_for(given)
      defaults = Privy.configuration.to_h.except(*Configuration::OF_ACCOUNTS)
      return defaults.except(*CREDENTIALS, *PLACES) if given.key?(:sandbox)

      (given.keys & CREDENTIALS).empty? ? defaults : defaults.except(*CREDENTIALS)
    end
  end
end
