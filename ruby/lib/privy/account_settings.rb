# frozen_string_literal: true

module Privy
  # The settings of one account of {Privy.client}, from all places.
  #
  # @private
  class AccountSettings
    include Opaque

    # The settings that the environment may hold, and the ends of their names: PRIVY_API_TOKEN, PRIVY_EU_API_TOKEN.
    ENVIRONMENT = { token: "API_TOKEN", client_id: "CLIENT_ID", client_secret: "CLIENT_SECRET", scopes: "SCOPES",
                    base_url: "BASE_URL", token_url: "TOKEN_URL", allow_plain_http: "ALLOW_PLAIN_HTTP",
                    sandbox: "SANDBOX" }.freeze
    SWITCHES = %i[allow_plain_http sandbox].freeze
    FLAGS = { "1" => true, "true" => true, "0" => false, "false" => false }.freeze
    OAUTH = %i[client_id client_secret scopes].freeze
    KEYS = %i[token client_id client_secret].freeze
    # What makes a call possible.
    REACHED = [*KEYS, :sandbox].freeze
    # Settings that are options of copies of the client, and the names of those options.
    PRESETS = %i[web jobs].freeze
    OPTIONS = %i[timeout connect_timeout max_wait max_retries reserve].freeze

    # Settings of several accounts from one place.
    #
    # @!attribute place
    #   @return [String] as messages name it: "config/privy.yml"
    # @!attribute accounts
    #   @return [Hash{Symbol => Hash{Symbol => Object}}]
    # @!attribute known
    #   @return [Array<Symbol>] names that the place accepts
    Layer = Struct.new(:place, :accounts, :known) do
      include Opaque

      # @return [String] without settings, of which some are secret
      def inspect
        "#<#{self.class} #{place}>"
      end
      alias_method :to_s, :inspect
    end

    class << self
      # The accounts that have settings. The default account is one of them if it has credentials or a sandbox, if its
      # name is configured, or if there is no other.
      #
      # @param source [#layers & #defaults, nil]
      # @return [Array<Symbol>]
      def names(source)
        places = [*source&.layers&.map(&:accounts), Privy.configured, { default: environment("PRIVY_") }]
        others = [*places.flat_map(&:keys), *in_environment].map { |name| Accounts.resolve(name) }.uniq
        others -= [Accounts.default]
        others.empty? || default_named?(places) ? [Accounts.default, *others] : others
      end

      # Reads the settings of a place. They are those of one account, or those of several by their names.
      #
      # @param place [String]
      # @param given [Hash, nil]
      # @param also [Array<Symbol>] names that the place accepts next to those of settings
      # @return [Layer]
      # @raise [Error] they are not a Hash
      def layer(place, given, also: [])
        given ||= {}
        raise Error, "#{place}: must be settings by their names, not #{given.class}" unless given.is_a?(Hash)

        given = symbols(given.to_h)
        several = given.any? && given.all? { |name, value| account?(name, value) }
        accounts = several ? given.transform_values { |settings| settings || {} } : { default: given }
        Layer.new(place, accounts.transform_values(&:compact), Configuration.names + also)
      end

      # The settings of variables that begin with a prefix.
      #
      # @param prefix [String] "PRIVY_", "PRIVY_EU_"
      # @return [Hash{Symbol => Object}]
      def environment(prefix)
        ENVIRONMENT.filter_map do |setting, ending|
          text = ENV.fetch("#{prefix}#{ending}", "")
          [setting, SWITCHES.include?(setting) ? FLAGS.fetch(text, text) : text] unless text.empty?
        end.to_h
      end

      # What is wrong with the names of settings, for every account of a layer.
      #
      # @return [Array<String>]
      def faults(layer)
        layer.accounts.flat_map do |account, settings|
          place = "#{layer.place}, account #{account}: "
          names = settings.except(*Configuration.names).map { |name, value| place + unknown(name, value, layer.known) }
          names + settings.slice(*PRESETS).flat_map { |preset, given| preset_faults("#{place}#{preset}", given) }
        end
      end

      private

      def default_named?(places)
        Accounts.default != :default || places.any? { |place| place.fetch(:default, {}).keys.intersect?(REACHED) }
      end

      # An account without a line of its own has no value.
      def account?(name, value)
        value.is_a?(Hash) ? !PRESETS.include?(name) : value.nil? && !Configuration.names.include?(name)
      end

      def preset_faults(place, given)
        return ["#{place}: must be options by their names, not #{given.class}"] unless given.is_a?(Hash)

        (given.keys - OPTIONS).map { |name| "#{place}: #{unknown(name, nil, OPTIONS)}" }
      end

      def unknown(name, value, known)
        meant = DidYouMean::SpellChecker.new(dictionary: known).correct(name).first if defined?(DidYouMean)
        return "#{name} is not a setting: did you mean #{meant}?" if meant
        return "#{name} is not a setting" unless value.is_a?(Hash)

        "#{name} is not a setting; if it is an account, put the settings next to it below the name default"
      end

      def symbols(hash)
        hash.to_h { |key, value| [key.to_sym, value.is_a?(Hash) ? symbols(value) : value] }
      end

      def in_environment
        ends = Regexp.union(*ENVIRONMENT.values_at(*REACHED))
        ENV.keys.filter_map { |name| name[/\APRIVY_(\w+)_#{ends}\z/, 1]&.downcase&.to_sym }
      end
    end

    # @return [Symbol]
    attr_reader :name

    # @param name [Symbol] not :default if another account is the default
    # @param source [#layers & #defaults, nil]
    # @raise [Error] there is no such account, or the name of a setting is unknown
    def initialize(name, source)
      @name = name
      layers = source ? source.layers : []
      in_code = Layer.new("Privy.configure", Privy.configured, Configuration.names)
      refuse([*layers, in_code].flat_map { |layer| self.class.faults(layer) })
      refuse_unknown(source)
      places = [source ? source.defaults : {}, *layers.map { |layer| of(layer) }, environment, configured]
      @given = places.reduce { |weak, strong| over(weak, strong) }
    end

    # @return [String] only the names of the settings
    def inspect
      "#<#{self.class} #{name}: #{@given&.keys&.join(' ')}>"
    end
    alias to_s inspect

    # @return [Boolean, Sandbox, nil]
    # @raise [Error] the setting is invalid
    def sandbox
      given = @given[:sandbox]
      return given if [nil, true, false].include?(given) || given.is_a?(Sandbox)

      raise Error, "account #{name}: sandbox must be true, false or a Privy::Sandbox"
    end

    # @return [Boolean]
    def credentials?
      @given.keys.intersect?(KEYS)
    end

    # @return [String, nil] nil: the production API
    def base_url
      @given[:base_url] || Privy.settings[:base_url] || self.class.environment("PRIVY_")[:base_url]
    end

    # @return [Hash{Symbol => Hash}] options of {Privy.web} and {Privy.jobs}
    def presets
      @given.slice(*PRESETS)
    end

    # @param sandbox [Sandbox, nil]
    # @return [Client]
    # @raise [Error] a setting is missing or invalid
    def client(sandbox)
      given = @given.except(*Configuration::OF_ACCOUNTS)
      given = given.except(*Client::CREDENTIALS, *Client::PLACES).merge(sandbox: sandbox) if sandbox
      raise Error, no_credentials unless sandbox || default? || credentials? || Accounts.redirected?

      client = Client.new(**given, account: name)
      presets.each_value { |options| client.with_options(**options) }
      # In tests the sandbox of the test takes the place of the account's.
      sandbox ? client.__send__(:follow) : client
    rescue Error => e
      refuse(value_faults(e.message).map { |fault| "account #{name}: #{fault}" })
    end

    private

    # Every invalid value, after the first one has been found.
    def value_faults(found)
      plain = @given.except(*Configuration::OF_ACCOUNTS, *Client::CREDENTIALS)
      faults = invalid(plain) { |option| Client.new(token: Sandbox::TOKEN, allow_plain_http: true, **option) }
      presets.each do |preset, options|
        client = Sandbox.new.client
        faults += invalid(options) { |option| client.with_options(**option) }.map { |fault| "#{preset}: #{fault}" }
      end
      faults.any? { |fault| fault.end_with?(found) } ? faults : [*faults, found]
    end

    def invalid(options)
      options.filter_map do |name, value|
        yield({ name => value })
        nil
      rescue Error => e
        e.message
      end
    end

    # Without this the client would use the credentials of the default account.
    def no_credentials
      "no credentials: give token, or client_id and client_secret, or set PRIVY_#{name.to_s.upcase}_API_TOKEN"
    end

    def default?
      name == Accounts.default
    end

    def of(layer)
      mine = layer.accounts.fetch(name, {})
      default? ? over(layer.accounts.fetch(:default, {}), mine) : mine
    end

    def environment
      mine = self.class.environment("PRIVY_#{name.to_s.upcase}_")
      default? ? over(self.class.environment("PRIVY_"), mine) : mine
    end

    def configured
      default? ? over(Privy.settings, Privy.settings(name)) : Privy.settings(name)
    end

    # A token replaces an OAuth client, and the other way round: credentials of two places do not mix.
    def over(weak, strong)
      weak = weak.except(*OAUTH) if strong.key?(:token)
      weak = weak.except(:token) if strong.key?(:client_id) || strong.key?(:client_secret)
      weak.merge(strong)
    end

    def refuse(faults)
      raise Error, faults.uniq.join("; ") unless faults.empty?
    end

    def refuse_unknown(source)
      names = self.class.names(source)
      return if names.include?(name) || default?

      raise Error, "there is no account #{name}: the accounts are #{names.join(', ')}"
    end
  end
  private_constant :AccountSettings
end
