# frozen_string_literal: true

module Privy
  # A client of the Privy API: settings, connections and token. Safe to share between threads. A Ractor makes a client
  # of its own: clients, sandboxes and records stay in the Ractor that made them.
  #
  #   client = Privy::Client.new(token: ENV.fetch("PRIVY_API_TOKEN"))
  #   jane = client.contacts.create(email: "jane@example.com", email_consent: :subscribed)
  #
  # Every call may raise {APIConnectionError}, {APITimeoutError}, {AuthenticationError}, {PermissionDeniedError},
  # {RateLimitError}, {ServerError} and {APIStatusError}; what else it may raise stands with the method. A call can be
  # stopped by Thread#raise, Timeout and Ctrl-C. Under a Fiber scheduler it suspends its fiber, not the thread.
  #
  # A call is tried again, up to +max_retries+ times, when the connection fails, no answer comes in time, or the server
  # answers 408, 429, 500, 502, 503 or 504: after a random pause that grows from attempt to attempt, or after what the
  # server's Retry-After asks for. Repeating is safe for every operation: an event carries one Idempotency-Key over all
  # attempts, and a create whose lost first attempt had succeeded returns its contact, if that holds what was sent. A
  # POST or PATCH of {#request} is repeated only where nothing was acted on, or with an Idempotency-Key. A write that
  # may have been acted on is repeated within 30 seconds or not at all; the error then says so. During an outage a
  # client soon stops repeating, so that it makes nothing worse.
  #
  # Calls keep inside the account's limits by what the last answers told of them ({#rate_limit}): when the minute's
  # requests are spent a call waits for the next minute, when the day's are it raises {RateLimitError} at once. All the
  # waiting of one call, for budget, Retry-After and pauses together, is at most +max_wait+; a call that would have to
  # wait longer raises at once, saying when it could go.
  class Client
    include Opaque

    CREDENTIALS = %i[token client_id client_secret scopes].freeze
    PLACES = %i[base_url token_url].freeze
    OPTIONS = %i[timeout connect_timeout max_wait max_retries].freeze
    private_constant :CREDENTIALS, :PLACES, :OPTIONS

    # @return [Contacts]
    attr_reader :contacts
    # @return [Orders]
    attr_reader :orders
    # @return [Events]
    attr_reader :events

    # What is left out comes from {Privy.configure}, then from the environment. Numbers may be text, such as "5" from
    # ENV or a YAML file, here and in the options of a call.
    #
    # @param token [String, nil] API token; else PRIVY_API_TOKEN
    # @param client_id [String, nil] OAuth client; else PRIVY_CLIENT_ID
    # @param client_secret [String, nil] OAuth secret; else PRIVY_CLIENT_SECRET
    # @param scopes [String, Array<String>, nil] OAuth scopes, separated by spaces; else PRIVY_SCOPES, else all
    # @param base_url [String, nil] else PRIVY_BASE_URL, else the real API
    # @param token_url [String, nil] else PRIVY_TOKEN_URL, else /oauth/token of the base URL's origin
    # @param ca_bundle [String, Pathname, nil] file of certificates that are trusted, for the API and for an https
    #   proxy; else SSL_CERT_FILE, else the system's
    # @param proxy [String, nil] URL of a proxy (http, https, socks5, socks5h); else https_proxy and no_proxy of the
    #   environment. Plain HTTP to loopback never takes one
    # @param timeout [Numeric, nil] seconds for one attempt, whole (30)
    # @param connect_timeout [Numeric, nil] seconds for the connection, TLS included (5)
    # @param max_wait [Numeric, nil] seconds that a call may spend waiting, for budget and between attempts (90: one
    #   whole window of the account's minute, and room)
    # @param max_retries [Integer, nil] further attempts after the first (3)
    # @param max_response [Integer, nil] bytes of body accepted (64 MiB)
    # @param reserve [Integer, nil] requests of each minute that are left to other users of the account (0)
    # @param allow_plain_http [Boolean, nil] lets base_url and token_url be plain HTTP to any host, such as a sandbox's
    #   container; with the sandbox's own token or OAuth client only. nil: true if PRIVY_ALLOW_PLAIN_HTTP is 1
    # @param on_event [#call, nil] called with each {CallEvent} of each call, on the thread (or fiber) that made the
    #   call, which waits for it. It may use the client; it gets no events of the calls that it makes itself. A
    #   StandardError that it raises is reported by warn, and the call goes on; any other exception, such as Interrupt,
    #   stops the call and is raised from it
    # @param logger [#debug & #info & #warn, nil] gets each event as one line at the event's level: retries and waits of
    #   a second and more at info, refusals by budget at warn, all else at debug
    # @param sandbox [Sandbox, nil] answer from there instead of the network
    # @raise [Error] a setting cannot be used; the message names it
    def initialize(token: nil, client_id: nil, client_secret: nil, scopes: nil, base_url: nil, token_url: nil,
                   ca_bundle: nil, proxy: nil, timeout: nil, connect_timeout: nil, max_wait: nil,
                   max_retries: nil, max_response: nil, reserve: nil, allow_plain_http: nil,
                   on_event: nil, logger: nil, sandbox: nil)
      Neighbours.report if Ractor.current == Ractor.main # no other Ractor can read the load path
      given = { token: token, client_id: client_id, client_secret: client_secret, scopes: scopes, base_url: base_url,
                token_url: token_url, ca_bundle: ca_bundle, proxy: proxy, timeout: timeout,
                connect_timeout: connect_timeout, max_wait: max_wait, max_retries: max_retries,
                max_response: max_response, reserve: reserve,
                allow_plain_http: allow_plain_http, on_event: on_event, logger: logger,
                sandbox: sandbox }.compact
      settings = defaults_for(given).merge(given)
      settings[:scopes] = settings[:scopes].join(" ") if settings[:scopes].is_a?(Array)
      settings[:ca_bundle] = settings[:ca_bundle].to_path if settings[:ca_bundle].respond_to?(:to_path)
      on_event, logger = settings.values_at(:on_event, :logger)
      observer = Observer.of(on_event, logger)
      core = Core::Client.new(settings.merge(user_agent: "ruby/#{RUBY_VERSION}", observer: observer))
      use(Session.new(core, {}, on_event, logger))
    end

    # Makes a client, gives it to the block and closes it afterwards.
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

    # Any endpoint, for what has no method here yet.
    #
    # @param method [String, Symbol] HTTP method, in capitals
    # @param path [String] below the base URL, e.g. "/contacts"; may carry a query
    # @param params [Hash, nil] query parameters
    # @param body [Object] what to send as JSON
    # @param headers [Hash, nil] further headers; Authorization and the like are refused
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds of waiting
    # @param max_retries [Integer, nil] further attempts
    # @return [Response]
    # @raise [ValidationError] method, path, a header or the body cannot be sent, or the server refused it
    # @raise [NotFoundError, ConflictError, PayloadTooLargeError]
    def request(method, path, params: nil, body: OMIT, headers: nil,
                timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      options = { timeout: timeout, connect_timeout: connect_timeout, max_wait: max_wait, max_retries: max_retries }
      @session.request(method, path, params, headers, body, options)
    end

    # A copy with other options. Connections, token and budget stay shared; closing one closes all.
    #
    # @param timeout [Numeric, nil] seconds for one attempt; nil keeps what is set, here and below
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds of waiting
    # @param max_retries [Integer, nil] further attempts
    # @param reserve [Integer, nil] requests of each minute that calls of the copy leave to others, be they calls of
    #   this client: so that jobs leave room for what a person waits for
    # @param on_event [#call, false, nil] as for {#initialize}; false: none
    # @param logger [#debug & #info & #warn, false, nil] likewise
    # @return [Client]
    # @raise [Error] an option cannot be used
    def with_options(timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil, reserve: nil,
                     on_event: nil, logger: nil)
      options = { timeout: timeout, connect_timeout: connect_timeout, max_wait: max_wait, max_retries: max_retries,
                  reserve: reserve }
      session = @session.with(options, on_event, logger)
      dup.tap { |copy| copy.send(:use, session) }
    end

    # What the last answers told of the account's limits; nothing is asked for it.
    #
    # @return [RateLimit]
    def rate_limit
      RateLimit.new(*@session.core.rate_limits.map { |told| RateLimit::Window.of(told) })
    end

    # @return [String]
    def base_url
      @session.core.base_url
    end

    # Closes the connections once no call is under way. Later calls raise {Error}.
    #
    # @return [void]
    def close
      @session.core.close
    end

    # @return [Boolean]
    def closed?
      @session.core.closed?
    end

    # @return [String] without any secret
    def inspect
      "#<#{self.class} base_url=#{base_url.inspect}>"
    end
    alias to_s inspect

    private

    def use(session)
      @session = session
      @contacts = Contacts.new(session)
      @orders = Orders.new(session)
      @events = Events.new(session)
    end

    # All credentials come from one source. A sandbox has its own.
    def defaults_for(given)
      defaults = Privy.configuration.to_h
      return defaults.except(*CREDENTIALS, *PLACES) if given.key?(:sandbox)

      (given.keys & CREDENTIALS).empty? ? defaults : defaults.except(*CREDENTIALS)
    end
  end
end
