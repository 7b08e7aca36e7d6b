# frozen_string_literal: true

module Privy
  module Testing
    # A client would connect to a real server in a test. The message names the operation, and says what to do. It is no
    # StandardError, so that code under test does not rescue it.
    class NetworkForbidden < Exception; end # rubocop:disable Lint/InheritException

    # Decides which connections tests may make. If WebMock forbids connections, its exceptions are allowed, such as
    # those of <tt>WebMock.disable_net_connect!(allow: "api.privy.com")</tt>, and no others.
    #
    # @private
    class Guard
      # @param operation [String, nil]
      # @param url [String] base URL of the client
      # @param allowed [Boolean] whether this is in {Testing.allow_network}
      # @return [void]
      # @raise [NetworkForbidden]
      def check(operation, url, allowed:)
        return if local?(url)

        webmock = WebMockAdapter.allows?(url)
        return if webmock.nil? ? allowed : webmock

        raise NetworkForbidden, message(operation || "a list or bulk run that began before", url, webmock)
      end

      # @param url [String] base URL of a client
      # @return [Boolean] whether the client uses it although a sandbox is active
      def local?(url)
        return false unless Testing.allow_localhost

        Core.local?(url[%r{\A\w+://(\[[^\]]*\]|[^/:]*)}, 1].to_s.delete("[]"))
      end

      private

      def message(operation, url, webmock)
        rule = "WebMock.disable_net_connect! forbids it" unless webmock.nil?
        rule ||= "no sandbox is active in this thread"
        "#{operation} would connect to #{url}, and #{rule}. Call it within a test (in before(:each) or setup, not in " \
          "before(:all)), where a sandbox responds; or allow real connections with " \
          "Privy::Testing.allow_network { ... }#{' and WebMock.disable_net_connect!(allow: ...)' unless webmock.nil?}"
      end
    end

    # WebMock enables and disables it with its adapters of HTTP libraries.
    #
    # @private
    class WebMockAdapter
      @enabled = true
      @registered = false

      class << self
        # Reports itself to WebMock, once it is loaded.
        #
        # @return [void]
        def register
          return if @registered || !defined?(::WebMock::HttpLibAdapterRegistry)

          @registered = true
          @enabled = webmock_enabled?
          ::WebMock::HttpLibAdapterRegistry.instance.register(:privy, self)
        end

        # @return [void]
        def enable!
          @enabled = true
        end

        # @return [void]
        def disable!
          @enabled = false
        end

        # @param url [String]
        # @return [Boolean, nil] nil if WebMock is not there, or forbids nothing
        def allows?(url)
          register
          return unless @registered && @enabled && !::WebMock.net_connect_allowed?

          ::WebMock.net_connect_allowed?(url) || false
        end

        private

        # WebMock may have been enabled or disabled before it was seen here: then it has replaced Net::HTTP, or not.
        def webmock_enabled?
          original = ::WebMock::HttpLibAdapters::NetHttpAdapter.const_get(:OriginalNetHTTP)
          !::Net::HTTP.equal?(original)
        rescue NameError
          true
        end
      end
    end
  end
end
