# frozen_string_literal: true

module Privy
  module Rails
    # The line of the console at its start: "privy: live, budget unknown until the first call".
    #
    # @private
    module Console
      class << self
        # Sends no request, and makes no client.
        #
        # @param output [#puts]
        # @return [void]
        def greet(output: $stdout)
          output.puts("privy: #{accounts}")
        rescue Error => e
          output.puts("privy: #{e.message}")
        end

        # @return [String]
        def accounts
          names = Privy.accounts
          return state(names.first) if names.one?

          names.map { |name| "#{name}: #{state(name)}" }.join("; ")
        end

        # Where calls of an account go, and what is left of its minute: "live, 41/60".
        #
        # @param name [Symbol]
        # @return [String]
        def state(name)
          settings = Accounts.current.settings_of(name)
          return "sandbox" if settings.sandbox
          return "no credentials" unless settings.credentials?

          "#{settings.base_url || 'live'}, #{budget(Accounts.current.made(name))}"
        end

        private

        def budget(client)
          minute = client&.rate_limit&.minute
          minute&.known? ? "#{minute.remaining}/#{minute.limit}" : "budget unknown until the first call"
        end
      end
    end
  end
end
