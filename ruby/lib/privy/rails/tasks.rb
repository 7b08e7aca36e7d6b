# frozen_string_literal: true

module Privy
  module Rails
    # What the Rake tasks do: `rails privy:ping`, `privy:budget` and `privy:sandbox`.
    #
    # @private
    class Tasks
      # @param output [#puts]
      # @param environment [Hash{String => String}, ENV] ACCOUNT: only this account
      def initialize(output: $stdout, environment: ENV)
        @output = output
        @environment = environment
      end

      # Reports what the credentials of each account may do.
      #
      # @return [Boolean] whether all of them are accepted
      def ping
        each_account { |client| report(client, Ping.new(client).run) }
      end

      # Reports what is left of the rate limits. One request finds it out; it may fail for lack of a scope.
      #
      # @return [Boolean] whether it is known
      def budget
        each_account do |client|
          failure = ask(client)
          line("budget", budget_of(client))
          line("error", failure.message) if failure
          failure.nil?
        end
      end

      # Serves a sandbox until SIGINT or SIGTERM. PORT: the port (8089), 0 picks a free one; HOST: the address to listen
      # on; LIMITS and SEED: as --limits and --seed of privy-sandbox.
      #
      # @return [void]
      # @raise [Error] a value is invalid
      def sandbox
        server = Sandbox::Server.new(filled, host: host, port: port)
        %w[INT TERM].each { |signal| trap(signal) { server.stop } }
        @output.puts "privy: a sandbox at #{server.url}; let applications use it with",
                     "PRIVY_BASE_URL=#{server.url} PRIVY_API_TOKEN=#{server.sandbox.token} PRIVY_SANDBOX=0"
        @output.puts "Every machine that reaches this one can use it." unless Core.local?(host)
        @output.flush
        server.run
      end

      private

      def host
        @environment.fetch("HOST", "127.0.0.1")
      end

      def filled
        Sandbox.new.tap do |sandbox|
          { "LIMITS" => :core_read_limits, "SEED" => :core_read_seed }.each do |name, reader|
            sandbox.__send__(reader, @environment[name]) if @environment[name]
          end
        end
      end

      def port
        Integer(@environment.fetch("PORT", "8089"), 10)
      rescue ArgumentError
        raise Error, "PORT: must be a number, not #{@environment['PORT'].inspect}"
      end

      def each_account(&)
        names = @environment["ACCOUNT"].to_s.split(",")
        names = Privy.accounts if names.empty?
        names.map { |name| visit(name, &) }.all?
      end

      def visit(name)
        client = Privy.client(name)
        @output.puts "account #{name}, #{Privy.sandbox(name) ? 'a sandbox in memory' : client.base_url}"
        yield client
      rescue Error => e
        @output.puts "account #{name}"
        line("error", e.message)
        false
      end

      def report(client, ping)
        failure = ping.error
        line("token", token_of(failure)) if failure.nil? || failure.status
        line("scopes", ping.granted.join(", ")) if ping.granted.any?
        ping.refused.each { |message, scopes| line("refused", "#{scopes.join(', ')}: #{message}") }
        line("error", failure.message) if failure
        line("budget", budget_of(client))
        ping.ok?
      end

      def token_of(failure)
        failure.is_a?(AuthenticationError) ? "not accepted" : "accepted"
      end

      def ask(client)
        client.with_options(**Ping::OPTIONS).request("GET", "/contacts?per_page=1")
        nil
      rescue Error => e
        e unless client.rate_limit.minute.known?
      end

      def budget_of(client)
        limits = client.rate_limit.to_h.select { |_, window| window.known? }
        return "no limit is known" if limits.empty?

        limits.map { |name, window| "#{window.remaining}/#{window.limit} of the #{name}" }.join(", ")
      end

      def line(title, text)
        @output.puts "  #{title.ljust(8)} #{text}"
      end
    end
  end
end
