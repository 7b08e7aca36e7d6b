# frozen_string_literal: true

# See {Privy.configure}.
module Privy
  # Defaults for {Client.new}: what is given there wins. What is set neither here nor there comes from the environment
  # (PRIVY_API_TOKEN, PRIVY_CLIENT_ID, PRIVY_CLIENT_SECRET, PRIVY_SCOPES, PRIVY_BASE_URL, PRIVY_TOKEN_URL,
  # PRIVY_ALLOW_PLAIN_HTTP).
  #
  # {Privy.configuration} is the one of the process: Privy.configuration.token = "…" takes effect at once, and
  # {Privy.configure} sets several at once.
  #
  # @!attribute [rw] token
  #   @return [String, nil] API token
  # @!attribute [rw] client_id
  #   @return [String, nil] OAuth client
  # @!attribute [rw] client_secret
  #   @return [String, nil] OAuth secret
  # @!attribute [rw] scopes
  #   @return [String, Array<String>, nil] OAuth scopes to ask for
  # @!attribute [rw] base_url
  #   @return [String, nil] e.g. a sandbox's address
  # @!attribute [rw] token_url
  #   @return [String, nil] where OAuth tokens come from
  # @!attribute [rw] ca_bundle
  #   @return [String, nil] file of trusted certificates
  # @!attribute [rw] proxy
  #   @return [String, nil] URL of a proxy
  # @!attribute [rw] timeout
  #   @return [Numeric, nil] seconds for one attempt
  # @!attribute [rw] connect_timeout
  #   @return [Numeric, nil] seconds for the connection
  # @!attribute [rw] max_wait
  #   @return [Numeric, nil] seconds a call may spend waiting between its attempts
  # @!attribute [rw] max_retries
  #   @return [Integer, nil] further attempts after the first
  # @!attribute [rw] max_response
  #   @return [Integer, nil] bytes of body accepted
  # @!attribute [rw] reserve
  #   @return [Integer, nil] requests of each minute that are left to other users of the account
  # @!attribute [rw] allow_plain_http
  #   @return [Boolean, nil] whether a sandbox's own token may travel by plain HTTP to any host
  # @!attribute [rw] on_event
  #   @return [#call, nil] called with each {CallEvent} of each call
  # @!attribute [rw] logger
  #   @return [#debug & #info & #warn, nil] gets each event as one line, e.g. Rails.logger
  class Configuration
    include Opaque

    SETTINGS = %i[token client_id client_secret scopes base_url token_url ca_bundle proxy timeout connect_timeout
                  max_wait max_retries max_response reserve allow_plain_http on_event logger].freeze
    private_constant :SETTINGS

    # @private
    # @param settings [Hash, nil] nil: those of the process
    def initialize(settings = {})
      @settings = settings
    end

    # The settings that have been made.
    #
    # @return [Hash{Symbol => Object}]
    def to_h
      (@settings || Privy.settings).compact
    end

    # @return [String] names of the settings only
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
  @settings = {}.freeze

  class << self
    # @return [Configuration]
    attr_reader :configuration

    # @private
    attr_reader :settings

    # Sets defaults for clients made from now on; no client is made, and none that exists is touched. When the block
    # raises nothing is set.
    #
    #   Privy.configure { |config| config.timeout = 10 }
    #
    # @yieldparam configuration [Configuration]
    # @return [void]
    def configure
      changed = Configuration.new(settings.dup)
      yield changed
      @settings = shared(changed.to_h)
      nil
    end

    private

    # Frozen copies, which clients made in other Ractors may read too. What cannot be copied, such as a logger, keeps
    # all settings with this Ractor.
    def shared(changed)
      copies = changed.transform_values do |value|
        [String, Array].include?(value.class) ? Ractor.make_shareable(value, copy: true) : value
      end.freeze
      copies.values.all? { |value| Ractor.shareable?(value) } ? Ractor.make_shareable(copies) : copies
    end
  end
end
