# frozen_string_literal: true

module Privy
  # An in-memory Privy with the rules of the real one, for demos and your own tests. Safe to share between threads.
  #
  #   sandbox = Privy::Sandbox.new
  #   client = sandbox.client            # no network, no token
  #   sandbox.fail(status: 503)          # the next request meets it
  #
  # {Sandbox::App} and {Sandbox::Server} serve it over HTTP.
  #
  # @!method revoke_token(token)
  #   The token answers 401 from now on.
  #   @param token [String]
  #   @return [Boolean] false when the sandbox does not know it
  # @!method clear_faults
  #   Forgets the faults that {#fail} has queued.
  #   @return [void]
  # @!method reset
  #   Forgets contacts, orders, events and counts; keeps tokens, integrations, limits and clock.
  #   @return [void]
  class Sandbox
    include Opaque

    # An answer of {#handle}: HTTP status, headers, body, seconds to wait before sending it, and how it is to be broken
    # on its way (nil, :drop or :truncate).
    Answer = Struct.new(:status, :headers, :body, :delay, :cut, keyword_init: true) do
      include Serializable
    end

    # What has happened so far.
    Counts = Struct.new(:requests, :contacts, :orders, :events, :welcome_messages) do
      include Serializable
    end

    # @return [String] the token that every new sandbox accepts for every scope
    def token
      TOKEN
    end

    # A client that this sandbox answers, in process.
    #
    # @param settings [Hash] as for {Client#initialize}
    # @return [Client]
    def client(**settings)
      Client.new(sandbox: self, **settings)
    end

    # Answers one request as Privy would.
    #
    # @param method [String] e.g. "POST"
    # @param target [String] path and query, with or without the /v1 of the base URL
    # @param headers [Hash{String => String}]
    # @param body [String]
    # @return [Answer]
    # @raise [ArgumentError] a header that is none
    def handle(method, target, headers = {}, body = "")
      status, block, text, delay, cut = core_answer(method, target, header_block(headers), body)
      pairs = block.split("\r\n").to_h { |line| line.split(": ", 2) }
      Answer.new(status: status, headers: pairs, body: text, delay: delay, cut: cut)
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
    # @param scopes [String, Array<String>, nil] what its tokens may ask for, nil for all
    # @return [void]
    def add_client(client_id, client_secret, scopes: nil)
      core_add_client(client_id, client_secret, words(scopes))
    end

    # Adds a Custom Integration, known by its token.
    #
    # @param token [String]
    # @param active [Boolean]
    # @return [void]
    def add_integration(token, active: true)
      core_add_integration(token, active)
    end

    # What no request can do: puts a contact under compliance suppression, or its SMS consent into pending.
    #
    # @param contact_id [String]
    # @param field [Symbol, String] :email_consent or :sms_consent
    # @param value [Symbol, String]
    # @return [void]
    # @raise [KeyError] there is no such contact
    # @raise [ArgumentError] there is no such field or value
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

    # Requests allowed; 0 turns a limit off, and both are off in a new sandbox. Answers carry the X-RateLimit headers of
    # the limits that are on, and {Client#rate_limit} knows those only.
    #
    # @param per_minute [Integer]
    # @param per_day [Integer]
    # @return [void]
    def set_limits(per_minute: 0, per_day: 0)
      core_set_limits(per_minute, per_day)
    end

    # Stops the sandbox's clock; from then on only {#advance} moves it.
    #
    # @param time [Time, Numeric, nil] an instant, or seconds since 1970; nil: back to the machine's clock
    # @return [void]
    def set_clock(time)
      core_set_clock(time.nil? ? -1 : time.to_f)
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

    # Queues a fault: the next +count+ requests meet it, after +skip+ that do not. Faults are met in their order.
    #
    # @param status [Integer, nil] answer this instead of acting
    # @param body [String, nil] with status: the body, nil for the API's own
    # @param retry_after [Numeric, nil] with status: seconds, sent as Retry-After
    # @param delay [Numeric] seconds before the answer
    # @param drop [Boolean] act, then close the connection without an answer
    # @param truncate [Boolean] act, then send the headers and half of the body only
    # @param skip [Integer]
    # @param count [Integer] 0: every request from then on
    # @return [void]
    def fail(status: nil, body: nil, retry_after: nil, delay: 0, drop: false, truncate: false, skip: 0, count: 1)
      raise ArgumentError, "drop and truncate exclude each other" if drop && truncate

      cut = (:drop if drop) || (:truncate if truncate)
      core_add_fault(status || 0, body, retry_after || -1, delay, cut, skip, count)
    end

    # @return [Counts] requests answered, contacts and orders held, events accepted, welcome messages sent
    def counts
      Counts.new(*core_tally)
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{counts.to_h.map { |name, count| "#{name}=#{count}" }.join(' ')}>"
    end
    alias to_s inspect

    private

    def words(scopes)
      scopes && Array(scopes).join(" ")
    end

    def header_block(headers)
      headers.map do |name, value|
        line = "#{name}: #{value}"
        raise ArgumentError, "#{name.inspect} is no header" if line.match?(/[\r\n\0]/n)

        "#{line}\r\n".b
      end.join
    end

    autoload :App, File.expand_path("sandbox/app", __dir__)
    autoload :Server, File.expand_path("sandbox/server", __dir__)
  end
end
