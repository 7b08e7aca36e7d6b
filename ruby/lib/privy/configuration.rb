# frozen_string_literal: true

# See {Privy.configure}.
module Privy
  # Defaults for {Client.new}: what is given there wins. What is set neither here nor there comes from the environment
  # (PRIVY_API_TOKEN, PRIVY_CLIENT_ID, PRIVY_CLIENT_SECRET, PRIVY_SCOPES, PRIVY_BASE_URL, PRIVY_TOKEN_URL).
  class Configuration
    # @return [String, nil] API token
    attr_accessor :token
    # @return [String, nil] OAuth client
    attr_accessor :client_id
    # @return [String, nil] OAuth secret
    attr_accessor :client_secret
    # @return [String, Array<String>, nil] OAuth scopes to ask for
    attr_accessor :scopes
    # @return [String, nil] e.g. a sandbox's address
    attr_accessor :base_url
    # @return [String, nil] where OAuth tokens come from
    attr_accessor :token_url
    # @return [String, nil] file of trusted certificates
    attr_accessor :ca_bundle
    # @return [String, nil] URL of a proxy
    attr_accessor :proxy
    # @return [Numeric, nil] seconds for one attempt
    attr_accessor :timeout
    # @return [Numeric, nil] seconds for the connection
    attr_accessor :connect_timeout
    # @return [Numeric, nil] seconds a call may spend waiting between its attempts
    attr_accessor :max_wait
    # @return [Integer, nil] further attempts after the first
    attr_accessor :max_retries
    # @return [Integer, nil] requests of each minute that are left to other users of the account
    attr_accessor :reserve
    # @return [#call, nil] called with an {Event} for each step of each call
    attr_accessor :on_event
    # @return [#debug, nil] told of each step at level debug, e.g. Rails.logger
    attr_accessor :logger

    # The settings that have been made.
    #
    # @return [Hash{Symbol => Object}]
    def to_h
      instance_variables.to_h { |name| [name.to_s.delete_prefix("@").to_sym, instance_variable_get(name)] }.compact
    end

    # @return [String] names of the settings only
    def inspect
      "#<#{self.class} #{to_h.keys.join(' ')}>"
    end
    alias to_s inspect
  end

  @configuration = Ractor.make_shareable(Configuration.new)

  class << self
    # @return [Configuration]
    attr_reader :configuration

    # Sets defaults for clients made from now on; no client is made, and none that exists is touched.
    #
    #   Privy.configure { |config| config.timeout = 10 }
    #
    # @yieldparam configuration [Configuration]
    # @return [void]
    def configure
      changed = configuration.dup
      yield changed
      @configuration = shared(changed)
      nil
    end

    private

    # A frozen copy, which clients made in other Ractors may read too; what cannot be copied stays with this one.
    def shared(changed)
      plain = changed.to_h.values.all? { |value| [String, Array].include?(value.class) || Ractor.shareable?(value) }
      plain ? Ractor.make_shareable(changed, copy: true) : changed
    end
  end
end
