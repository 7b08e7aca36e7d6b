# frozen_string_literal: true

# See {Privy.client}.
module Privy
  # The clients of {Privy.client}: one for each account, created by the first call. Each Ractor has its own.
  #
  # @private
  class Accounts
    # Options of {Client#with_options} for {Privy.web} and {Privy.jobs}; the settings +web+ and +jobs+ of an account
    # replace single ones.
    PRESETS = { web: { timeout: 5, max_wait: 0, max_retries: 1 }.freeze, jobs: { reserve: 10 }.freeze }.freeze

    # The client of an account and its copies.
    class Held
      # @return [Client]
      attr_reader :client

      # @param client [Client]
      # @param presets [Hash{Symbol => Hash}]
      # @param redirected [Boolean] it was made while a sandbox was active, and belongs to it
      def initialize(client, presets = {}, redirected: false)
        @client = client
        @redirected = redirected
        @options = PRESETS.to_h { |name, options| [name, options.merge(presets.fetch(name, {}))] }
        @copies = {}
      end

      # @return [Boolean]
      def usable?
        !@redirected || Accounts.redirected?
      end

      # Threads may create a copy twice: copies share everything that counts.
      #
      # @param name [Symbol] :web or :jobs
      # @return [Client]
      def preset(name)
        @copies[name] ||= client.with_options(**@options.fetch(name))
      end
    end

    class << self
      # Where the settings of accounts come from, next to {Privy.configure} and the environment: see
      # {Rails::Settings}. For the main Ractor.
      #
      # @return [#layers & #defaults & #report_sandbox, nil]
      attr_accessor :source

      # The account that :default means.
      #
      # @return [Symbol]
      attr_accessor :default

      # @return [Accounts] of this Ractor
      def current
        Ractor.current[:privy_accounts] ||= new
      end

      # @param name [Symbol, String]
      # @return [Symbol]
      def resolve(name)
        raise Error, "account: must be a Symbol or a String, not #{name.class}" unless name.respond_to?(:to_sym)

        name = name.to_sym
        name == :default ? default : name
      end

      # Whether an active sandbox receives the calls of this thread: see {Sandbox#activate}.
      #
      # @return [Boolean]
      def redirected?
        Core.routing? && !Activation.current&.sandbox.nil?
      end
    end
    self.default = :default

    def initialize
      @made = {}.compare_by_identity # for each state of Privy.configure, of which one is needed
      @assigned = {}
      @sandboxes = {}
    end

    # @param name [Symbol, String]
    # @return [Held]
    def [](name)
      name = Accounts.resolve(name)
      held = find(name)
      return held if held&.usable?

      forget(name) if held
      make(name, Privy.configured)
    end

    # Replaces the client of an account; nil: the next call creates one.
    def []=(name, client)
      name = Accounts.resolve(name)
      client ? @assigned[name] = Held.new(client) : forget(name)
    end

    # What {Privy.client=} has set, for tests, which set it back.
    #
    # @return [Hash{Symbol => Held}]
    def assigned
      @assigned.dup
    end

    # @param assigned [Hash{Symbol => Held}]
    # @return [void]
    def restore(assigned)
      @assigned.replace(assigned)
    end

    # The sandbox of an account with the setting +sandbox+; nil: it has none.
    def sandbox(name)
      sandbox_of(settings_of(name))
    end

    # @return [Array<Symbol>]
    def names
      AccountSettings.names(source)
    end

    # @return [Client, nil] nil: no call has asked for it yet
    def made(name)
      find(Accounts.resolve(name))&.client
    end

    # @return [AccountSettings]
    def settings_of(name)
      AccountSettings.new(Accounts.resolve(name), source)
    end

    private

    def find(name)
      @assigned[name] || @made[Privy.configured]&.fetch(name, nil)
    end

    def source
      Accounts.source if Ractor.current == Ractor.main
    end

    def forget(name)
      @assigned.delete(name)
      @made.values.each { |held| held.delete(name) } # rubocop:disable Style/HashEachMethods -- other threads add keys
    end

    def make(name, version)
      settings = settings_of(name)
      @made.keys.each { |old| @made.delete(old) unless old.equal?(Privy.configured) } # rubocop:disable Style/HashEachMethods
      kept(kept(@made, version) { {} }, name) do
        Held.new(settings.client(sandbox_of(settings)), settings.presets, redirected: Accounts.redirected?)
      end
    end

    def sandbox_of(settings)
      given = settings.sandbox
      return given || nil unless given == true

      kept(@sandboxes, settings.name) do
        source&.report_sandbox(settings.name)
        Sandbox.new
      end
    end

    # Stores a value unless another thread was faster, and returns what is stored. One call of a C function looks and
    # writes, so that no thread runs in between; a Mutex would be another thing that a fork may copy in use.
    def kept(hash, key)
      hash[key] || begin
        mine = yield
        hash.merge!(key => mine) { |_, first, _| first }
        hash[key] || mine
      end
    end
  end
  private_constant :Accounts

  Ractor.current[:privy_accounts] = Accounts.new

  class << self
    # The client of an account, for the complete process: created by the first call, shared by threads, usable after a
    # fork. Its settings are, the stronger ones first:
    #
    # 1. {Privy.configure}, for the account,
    # 2. the environment: PRIVY_API_TOKEN and so on; of an account eu PRIVY_EU_API_TOKEN and so on,
    # 3. in Rails: +config.privy+, then config/privy.yml, then +credentials.privy+.
    #
    # What is missing there comes from {Privy.configure} and the environment, as for {Client.new}, but no account uses
    # the credentials of another one. After a later {Privy.configure} the next call creates another client. Each
    # Ractor has its own.
    #
    # @param account [Symbol, String] name of the account
    # @return [Client]
    # @raise [Error] there is no such account, or a setting is unknown, missing or invalid; the message lists all faults
    def client(account = :default)
      Accounts.current[account].client
    end

    # Replaces the client of the default account; nil: the next call of {Privy.client} creates one.
    #
    # @param client [Client, nil]
    def client=(client)
      Accounts.current[:default] = client
    end

    # {Privy.client} for requests that a person waits for: a call takes 5 seconds at most for an attempt, repeats it
    # once and never waits for the rate limit. The setting +web+ of the account changes these options.
    #
    # @param account [Symbol, String]
    # @return [Client] shares connections, token and rate limits with {Privy.client}
    # @raise [Error] as for {Privy.client}
    def web(account = :default)
      Accounts.current[account].preset(:web)
    end

    # {Privy.client} for background jobs: leaves 10 requests of each minute to all other calls. The setting +jobs+ of
    # the account changes these options.
    #
    # @param account [Symbol, String]
    # @return [Client] shares connections, token and rate limits with {Privy.client}
    # @raise [Error] as for {Privy.client}
    def jobs(account = :default)
      Accounts.current[account].preset(:jobs)
    end

    # The sandbox that {Privy.client} calls, if the account has the setting +sandbox+: one for the process.
    #
    # @param account [Symbol, String]
    # @return [Sandbox, nil]
    # @raise [Error] as for {Privy.client}
    def sandbox(account = :default)
      Accounts.current.sandbox(account)
    end

    # The names of all accounts that have settings, and of the default one.
    #
    # @return [Array<Symbol>]
    def accounts
      Accounts.current.names
    end
  end
end
