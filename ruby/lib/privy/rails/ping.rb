# frozen_string_literal: true

module Privy
  module Rails
    # What the credentials of an account may do. The core names a request for each scope. Those that write are
    # incomplete, so that the server refuses them and stores nothing: 400 or 422 with the scope, 403 without it.
    #
    # @private
    class Ping
      OPTIONS = { timeout: 10, max_wait: 0, max_retries: 1 }.freeze

      # @return [Hash{String => Error, nil}] the scopes that were tried, each with why it is refused
      attr_reader :scopes
      # @return [Error, nil] why no more scopes were tried
      attr_reader :error

      # @param client [Client]
      def initialize(client)
        @client = client.with_options(**OPTIONS)
        @scopes = {}
      end

      # @return [self]
      def run
        Core.probes.each { |scope, method, path, has_body| @scopes[scope] = refusal(method, path, has_body) }
        self
      rescue Error => e
        @error = e
        self
      end

      # Whether the credentials are accepted.
      #
      # @return [Boolean]
      def ok?
        error.nil? && scopes.value?(nil)
      end

      # @return [Array<String>]
      def granted
        scopes.select { |_, refusal| refusal.nil? }.keys
      end

      # Why scopes are refused, with the names of the scopes.
      #
      # @return [Hash{String => Array<String>}]
      def refused
        scopes.compact.group_by { |_, refusal| refusal.message }.transform_values { |pairs| pairs.map(&:first) }
      end

      private

      # @return [PermissionDeniedError, nil]
      def refusal(method, path, has_body)
        has_body ? @client.request(method, path, body: {}) : @client.request(method, path)
        nil
      rescue PermissionDeniedError => e
        e
      rescue ValidationError
        nil
      end
    end
  end
end
