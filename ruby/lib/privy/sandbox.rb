# frozen_string_literal: true

module Privy
  # An in-memory Privy with the rules of the API, for demos and tests. Threads may share it.
  #
  #   sandbox = Privy::Sandbox.new
  #   client = sandbox.client            # no network, no token
  #   sandbox.fail(status: 503)          # the next request fails
  #
  # {Sandbox#serve}, {Sandbox::App} and {Sandbox::Server} serve it over HTTP.
  #
  # @!method revoke_token(token)
  #   Revokes a token: requests with it get 401.
  #   @param token [String]
  #   @return [Boolean] false when the sandbox does not know the token
  # @!method clear_faults
  #   Removes the faults that {#fail} has queued.
  #   @return [void]
  # @!method snapshot
  #   What the sandbox holds now, for {#restore}: all that {#reset} removes, and the numbers that ids come from. Tokens,
  #   integrations, limits, SMS countries, faults and the clock do not belong to it.
  #   @return [Snapshot]
  # @!method restore(snapshot)
  #   Makes the sandbox hold what it, or another sandbox of the process, held at the snapshot. A snapshot may be
  #   restored any number of times. The windows of the limits begin again.
  #   @param snapshot [Snapshot]
  #   @return [void]
  #   @raise [TypeError] the argument is not a snapshot
  # @!method save(path)
  #   Saves what the sandbox holds in a file, for {Sandbox.load}: what belongs to a snapshot, but not {#requests}. The
  #   file has lines of JSON that people can read, and holds no secret. It replaces an existing file at once.
  #   @param path [String, Pathname]
  #   @return [void]
  #   @raise [SystemCallError] the file cannot be written
  # @!method reset
  #   Removes all records, counts and {#requests}; keeps tokens, integrations, limits and clock.
  #   @return [void]
  class Sandbox
    include Opaque

    STORED = %i[Request Event Message Contacts Orders Events Messages].freeze
    private_constant :STORED

    # Loads what the sandbox's own methods need: see {Privy.eager_load!}.
    #
    # @private
    def self.eager_load!
      STORED.each { |name| const_get(name) }
    end

    # A response of {#handle}: HTTP status, headers, body, seconds to wait before sending it, and how to break it off
    # (nil, :drop or :truncate).
    Response = Struct.new(:status, :headers, :body, :delay, :cut, keyword_init: true) do
      include Serializable
    end

    # Counts since the sandbox was made or reset.
    Counts = Struct.new(:requests, :contacts, :orders, :events, :welcome_messages) do
      include Serializable
    end

    # What a sandbox held at one moment: {Sandbox#snapshot} returns it, and {Sandbox#restore} accepts it. It does not
    # change, and exists in its process only.
    class Snapshot
      include Opaque

      # @return [String]
      def inspect
        "#<#{self.class} #{Counts.new(*core_counts).to_h.map { |name, count| "#{name}=#{count}" }.join(' ')}>"
      end
      alias to_s inspect

      private

      def secret
        "it exists in its process only"
      end
    end

    # A file does not hold what {Sandbox#save} writes: the message says what is wrong, and in which line.
    class FileError < ArgumentError
    end

    # A new sandbox that holds what {#save} has saved; ids continue as in the saved one.
    #
    # @param path [String, Pathname]
    # @return [Sandbox]
    # @raise [SystemCallError] the file cannot be read
    # @raise [FileError] it is not a file of {#save}, is truncated, or breaks a rule of the API
    def self.load(path)
      sandbox = new
      problem = sandbox.__send__(:core_load, path)
      raise FileError, "#{path}: #{problem}" if problem

      sandbox
    end

    # @return [String] a token that every new sandbox accepts for all scopes
    def token
      TOKEN
    end

    # A client of this sandbox, in process.
    #
    # @param settings [Hash] as for {Client#initialize}
    # @return [Client]
    def client(**settings)
      Client.new(sandbox: self, **settings)
    end

    # Makes the sandbox receive the calls of all clients in this process that have no sandbox of their own: those that
    # exist, those that are made later, their resources and their copies by {Client#with_options}. No such call reaches
    # the network. Clients that are made meanwhile need no token, and accept any. Of several active sandboxes the one
    # that was activated last counts; lists and bulk runs of before raise {Error}.
    #
    #   sandbox.activate { Privy::Client.new.contacts.create(email: "jane@example.com") }
    #
    # @param scope [Symbol, nil] +:process+: for all threads. +:thread+: for this thread and those that it starts
    #   meanwhile; a thread that belongs to no activation uses the only one there is, and raises {Error} if there are
    #   several. nil: as the activation that this thread is in, else +:process+
    # @yieldparam sandbox [Sandbox] self; the activation ends with the block
    # @return [Object] what the block returns; without a block: the sandbox, until {#deactivate}
    # @raise [ArgumentError] there is no such scope
    # @raise [Error] this is not the main Ractor
    def activate(scope: nil)
      Activation.start(self, scope: scope)
      return self unless block_given?

      begin
        yield self
      ensure
        deactivate
      end
    end

    # Ends the last activation of this sandbox. Clients made meanwhile raise {Error} until a sandbox is active again.
    #
    # @return [void]
    # @raise [Error] the sandbox is not active
    def deactivate
      Activation.stop(self)
    end

    # Sets whether calls move the sandbox's clock in place of waiting for rate limits, retries and the delays of
    # {#fail}: tests of them take no time. +max_wait+ and timeouts hold by that clock.
    #
    # @param skips [Boolean]
    # @return [void]
    def skip_waits(skips = true) # rubocop:disable Style/OptionalBooleanParameter
      core_set_skipping(skips)
    end

    # Serves the sandbox over HTTP to other processes, on a thread of its own.
    #
    #   sandbox.serve do |url|
    #     system({ "PRIVY_BASE_URL" => url, "PRIVY_API_TOKEN" => sandbox.token }, "bin/sync")
    #   end
    #
    # It needs no other gem. {App} is for a server of your own, such as Puma.
    #
    # @param port [Integer] 0 picks a free one
    # @param host [String] the address to listen on
    # @param allowed_hosts [Array<String>] host names that requests may have, in addition to loopback
    # @yieldparam url [String] the base URL for clients
    # @return [Object, Server] what the block returns, after which the server has stopped; without a block the server,
    #   which has +url+ and +stop+
    # @raise [SystemCallError, SocketError] the address cannot be used
    def serve(port: 0, host: "127.0.0.1", allowed_hosts: [])
      server = Server.new(self, host: host, port: port, allowed_hosts: allowed_hosts).start
      return server unless block_given?

      begin
        yield server.url
      ensure
        server.stop
      end
    end

    # Handles one request.
    #
    # @param method [String] e.g. "POST"
    # @param target [String] path and query, with or without the /v1 of the base URL
    # @param headers [Hash{String => String}]
    # @param body [String]
    # @return [Response]
    # @raise [ArgumentError] a header is invalid
    def handle(method, target, headers = {}, body = "")
      status, block, text, delay, cut = core_handle(method, target, header_block(headers), body)
      pairs = block.split("\r\n").to_h { |line| line.split(": ", 2) }
      Response.new(status: status, headers: pairs, body: text, delay: delay, cut: cut)
    end

    # @param token [String]
    # @param scopes [String, Array<String>, nil] nil for all
    # @return [void]
    def add_token(token, scopes: nil)
      core_add_token(token, words(scopes))
    end

    # Adds an OAuth client.
    #
    # @param client_id [String]
    # @param client_secret [String]
    # @param scopes [String, Array<String>, nil] scopes that its tokens may have, nil for all
    # @return [void]
    def add_client(client_id, client_secret, scopes: nil)
      core_add_client(client_id, client_secret, words(scopes))
    end

    # Adds a Custom Integration.
    #
    # @param token [String]
    # @param active [Boolean]
    # @return [void]
    def add_integration(token, active: true)
      core_add_integration(token, active)
    end

    # Sets a consent that no request can set: compliance suppression, or pending SMS consent.
    #
    # @param contact_id [String]
    # @param field [Symbol, String] :email_consent or :sms_consent
    # @param value [Symbol, String]
    # @return [void]
    # @raise [KeyError] the contact does not exist
    # @raise [ArgumentError] the field or value does not exist
    def set_consent(contact_id, field, value)
      case core_set_consent(contact_id, field.to_s, value.to_s)
      when :unknown_contact then raise KeyError, "no contact #{contact_id}"
      when :unknown_value then raise ArgumentError, "#{field} cannot be #{value}"
      end
    end

    # @param prefixes [String, Array<String>] E.164 prefixes of countries that take SMS, e.g. "+1 +44"; "+" for all
    # @return [void]
    def set_sms_countries(*prefixes)
      core_set_countries(prefixes.flatten.join(" "))
    end

    # Sets the rate limits in requests; 0 turns a limit off, and both are off in a new sandbox. Responses have the
    # X-RateLimit headers of the limits that are on; {Client#rate_limit} knows only those.
    #
    # @param per_minute [Integer]
    # @param per_day [Integer]
    # @param window [Integer] length of a minute, in seconds from 1 to 60; a short one makes tests of limits fast
    # @return [void]
    # @raise [ArgumentError] a limit is negative, or the window is not in that range
    # @raise [TypeError] an argument is not an Integer
    def set_limits(per_minute: 0, per_day: 0, window: 60)
      require_integers(per_minute: per_minute, per_day: per_day, window: window)
      raise ArgumentError, "per_minute and per_day must not be negative" if per_minute.negative? || per_day.negative?

      core_set_limits(per_minute.clamp(0, 0xffff_ffff), per_day.clamp(0, 0xffff_ffff), window.clamp(0, 61))
    end

    # Stops the sandbox's clock: only {#advance} moves it.
    #
    # @param time [Time, Numeric, nil] a time, or seconds since 1970; nil: the machine's clock
    # @return [void]
    # @raise [TypeError] the argument is something else, such as text
    def set_clock(time)
      return core_set_clock(-1) if time.nil?

      time = time.to_time if time.respond_to?(:to_time) && !time.is_a?(String) # a DateTime has no to_f
      known = time.is_a?(Numeric) || time.is_a?(Time)
      raise TypeError, "time must be a Time or a number of seconds, not #{time.class}" unless known

      core_set_clock(time.to_f)
    end

    # @param seconds [Numeric]
    # @return [void]
    def advance(seconds)
      core_advance(seconds)
    end

    # @return [Time] the sandbox's clock, in UTC
    def now
      Time.at(core_seconds).utc
    end

    # Queues a fault for the next +count+ requests, after +skip+ requests without it. Queued faults apply in order.
    #
    # @param status [Integer, nil] respond with this status, and do not act
    # @param body [String, nil] with status: the body, nil for that of the API
    # @param retry_after [Numeric, nil] with status: seconds in the Retry-After header
    # @param delay [Numeric] seconds before the response
    # @param drop [Boolean] act, then close the connection without a response
    # @param truncate [Boolean] act, then send the headers and only half of the body
    # @param skip [Integer] requests before the fault
    # @param count [Integer] requests with the fault; 0: all further requests
    # @param on [String, nil] an operation, such as "orders.upsert": only its requests count and get the fault. The
    #   first request of "contacts.upsert" is a "contacts.create". nil: all requests, those for tokens included
    # @return [void]
    # @raise [ArgumentError] there is no such operation, the arguments exclude each other, or no fault is given
    def fail(status: nil, body: nil, retry_after: nil, delay: 0, drop: false, truncate: false, skip: 0, count: 1,
             on: nil)
      cut = cut_of(drop, truncate)
      check_effect(cut || delay.positive?, body || retry_after) unless status
      known = core_add_fault(status || 0, body, retry_after || -1, delay, cut, skip, count, on && String(on))
      raise ArgumentError, "there is no operation #{on}" unless known
    end

    # @return [Counts] requests handled, contacts and orders stored, events accepted, welcome messages sent
    def counts
      Counts.new(*core_counts)
    end

    # The newest requests, oldest first, with what became of them: at most 1,000, in at most 16 MiB. {#keep_requests}
    # changes the number.
    #
    # @return [Array<Request>] frozen
    def requests
      core_history.map { |values| Request.new(*values) }.freeze
    end

    # Sets how many requests {#requests} keeps.
    #
    # @param most [Integer] 0: none
    # @return [void]
    # @raise [ArgumentError] the number is negative
    def keep_requests(most)
      raise ArgumentError, "most must not be negative" if most.negative?

      core_keep_history(most)
    end

    # The contacts that are stored: +sandbox.contacts["jane@example.com"]+.
    #
    # @return [Contacts]
    def contacts
      Contacts.new(self)
    end

    # The orders that are stored: +sandbox.orders[1001]+.
    #
    # @return [Orders]
    def orders
      Orders.new(self)
    end

    # The events that were accepted, oldest first: as an Array, and +sandbox.events[event_id]+.
    #
    # @return [Events]
    def events
      Events.new(self)
    end

    # The welcome messages that were sent by SMS, oldest first. One is sent when a contact's SMS consent becomes
    # "subscribed", unless send_welcome_sms is false. As an Array, and +sandbox.messages["+14155550101"]+.
    #
    # @return [Messages]
    def messages
      Messages.new(self)
    end

    # Adds generated data: +sandbox.seed("shop", contacts: 200)+.
    #
    # "shop" has contacts of several languages with all consents, three orders for five contacts, and one event for each
    # contact. They are spread over the last days before the clock, more and more of them, with seasons, weekdays and
    # hours. E-mail addresses are of example.com, .net and .org; phone numbers belong to nobody. The same stored data,
    # clock and arguments give the same data on every machine. No welcome message is sent, and {#requests} stays as it
    # is.
    #
    # @param kind [String, Symbol] the data set: "shop"
    # @param contacts [Integer] 0 to 1,000,000
    # @param days [Integer] 1 to 3650
    # @param seed [Integer] another number gives other data
    # @return [void]
    # @raise [ArgumentError] there is no such data set, or a number is out of range
    # @raise [TypeError] a number is not an Integer
    def seed(kind, contacts: 5000, days: 365, seed: 7)
      require_integers(contacts: contacts, days: days, seed: seed)
      core_seed(kind.to_s, contacts, days, seed & 0xffff_ffff_ffff_ffff)
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{counts.to_h.map { |name, count| "#{name}=#{count}" }.join(' ')}>"
    end
    alias to_s inspect

    private

    def cut_of(drop, truncate)
      raise ArgumentError, "drop and truncate exclude each other" if drop && truncate

      (:drop if drop) || (:truncate if truncate)
    end

    # Refuses a fault without a status that would have no effect.
    def check_effect(effect, response)
      raise ArgumentError, "body and retry_after need status" if response
      raise ArgumentError, "a fault needs status, delay, drop or truncate" unless effect
    end

    def require_integers(**given)
      given.each { |name, value| raise TypeError, "#{name} must be an Integer" unless value.is_a?(Integer) }
    end

    def words(scopes)
      scopes && Array(scopes).join(" ")
    end

    def header_block(headers)
      headers.map do |name, value|
        line = "#{name}: #{value}"
        raise ArgumentError, "#{name.inspect} is not a valid header" if line.match?(/[\r\n\0]/n)

        "#{line}\r\n".b
      end.join
    end

    STORED.each { |name| autoload name, File.expand_path("sandbox/stored", __dir__) }
    autoload :App, File.expand_path("sandbox/app", __dir__)
    autoload :Server, File.expand_path("sandbox/server", __dir__)
  end
end
