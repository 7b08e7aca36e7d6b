# frozen_string_literal: true

# See {Privy.configure}.
module Privy
  # Defaults for {Client.new}; its arguments take precedence. Settings that are missing in both come from the
  # environment (PRIVY_API_TOKEN, PRIVY_CLIENT_ID, PRIVY_CLIENT_SECRET, PRIVY_SCOPES, PRIVY_BASE_URL, PRIVY_TOKEN_URL,
  # PRIVY_ALLOW_PLAIN_HTTP).
  #
  # {Privy.configuration} is that of the process: Privy.configuration.token = "…" takes effect at once.
  # {Privy.configure} sets several settings at once, also those of one account of {Privy.client}.
  #
  # @!attribute [rw] token
  #   @return [String, nil] API token
  # @!attribute [rw] client_id
  #   @return [String, nil] OAuth client
  # @!attribute [rw] client_secret
  #   @return [String, nil] OAuth secret
  # @!attribute [rw] scopes
  #   @return [String, Array<String>, nil] OAuth scopes to request
  # @!attribute [rw] base_url
  #   @return [String, nil] e.g. a sandbox's address
  # @!attribute [rw] token_url
  #   @return [String, nil] URL of the OAuth token endpoint
  # @!attribute [rw] ca_bundle
  #   @return [String, nil] file of trusted certificates
  # @!attribute [rw] proxy
  #   @return [String, nil] URL of a proxy
  # @!attribute [rw] timeout
  #   @return [Numeric, nil] seconds for one attempt
  # @!attribute [rw] connect_timeout
  #   @return [Numeric, nil] seconds for the connection
  # @!attribute [rw] max_wait
  #   @return [Numeric, nil] seconds that a call may wait for rate limits and between attempts
  # @!attribute [rw] max_retries
  #   @return [Integer, nil] attempts after the first
  # @!attribute [rw] max_response
  #   @return [Integer, nil] maximum bytes of a response's body
  # @!attribute [rw] reserve
  #   @return [Integer, nil] requests of each minute to leave for other users of the account
  # @!attribute [rw] allow_plain_http
  #   @return [Boolean, nil] whether a sandbox's own token may be sent by plain HTTP to any host
  # @!attribute [rw] on_event
  #   @return [#call, nil] called with each {CallEvent} of each call
  # @!attribute [rw] logger
  #   @return [#debug & #info & #warn, nil] logs each event as one line, e.g. Rails.logger
  # @!attribute [rw] sandbox
  #   @return [Boolean, Sandbox, nil] {Privy.client} calls a sandbox in this process; {Client.new} ignores it
  # @!attribute [rw] web
  #   @return [Hash{Symbol => Object}, nil] options of {Privy.web}, as for {Client#with_options}
  # @!attribute [rw] jobs
  #   @return [Hash{Symbol => Object}, nil] options of {Privy.jobs}, as for {Client#with_options}
  class Configuration
    include Opaque

    SETTINGS = %i[token client_id client_secret scopes base_url token_url ca_bundle proxy timeout connect_timeout
                  max_wait max_retries max_response reserve allow_plain_http on_event logger sandbox web jobs].freeze
    # Settings of an account of {Privy.client} only.
    OF_ACCOUNTS = %i[sandbox web jobs].freeze
    # @private
    NOTHING = {}.freeze
    private_constant :SETTINGS

    # @private
    # @return [Array<Symbol>]
    def self.names
      SETTINGS
    end

    # @private
    # @param settings [Hash, nil] nil: the settings of the process
    def initialize(settings = {})
      @settings = settings
    end

    # The settings that are not nil.
    #
    # @return [Hash{Symbol => Object}]
    def to_h
      (@settings || Privy.settings).compact
    end

    # @return [String] only the names of the settings
    def inspect
      "#<#{self.class} #{to_h.keys.join(' ')}>"
    end
    alias to_s inspect

    private

    def read = to_h[__callee__]

    def write(value)
      return Privy.configure { |configuration| configuration.public_send(__callee__, value) } unless @settings

      @settings[__callee__.name.chomp("=").to_sym] = value
    end

    # Each setting is an alias of these two: a method made from a block would belong to one Ractor.
    SETTINGS.each do |name|
      alias_method name, :read
      alias_method :"#{name}=", :write
      public name, :"#{name}="
    end

    def secret
      "it holds a secret"
    end
  end

  @configuration = Ractor.make_shareable(Configuration.new(nil))
  @configured = {}.freeze

  class << self
    # @return [Configuration]
    attr_reader :configuration

    # The settings of each account. Every change makes another Hash.
    #
    # @private
    attr_reader :configured

    # @private
    # @param account [Symbol]
    # @return [Hash{Symbol => Object}] frozen
    def settings(account = :default)
      configured.fetch(account, Configuration::NOTHING)
    end

    # Sets defaults for clients that are made later. Existing clients do not change; {Privy.client} returns another one
    # afterwards. When the block raises, no setting changes.
    #
    #   Privy.configure { |config| config.timeout = 10 }
    #   Privy.configure(:eu) { |config| config.token = ENV.fetch("EU_TOKEN") } # for Privy.client(:eu) only
    #
    # @param account [Symbol, String] the account of {Privy.client} that the settings are for; :default: all clients
    # @yieldparam configuration [Configuration]
    # @return [void]
    def configure(account = :default)
      account = account.to_sym
      changed = Configuration.new(settings(account).dup)
      yield changed
      @configured = configured.merge(account => shared(changed.to_h)).freeze
      nil
    end

    private

    # Frozen copies, so that clients in other Ractors can read them. A value that cannot be copied, such as a logger,
    # keeps all settings in this Ractor.
    def shared(changed)
      copies = changed.transform_values do |value|
        [String, Array, Hash].include?(value.class) ? Ractor.make_shareable(value, copy: true) : value
      end.freeze
      copies.values.all? { |value| Ractor.shareable?(value) } ? Ractor.make_shareable(copies) : copies
    end
  end
end
