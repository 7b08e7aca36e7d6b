# frozen_string_literal: true

module Privy
  class Sandbox
    # A Rack application that serves a sandbox; it does not require the rack gem. For a test suite:
    #
    #   run Privy::Sandbox::App.new(sandbox)
    #
    # A dropped or truncated response requires a server with +rack.hijack+, such as Puma, or WEBrick; with other servers
    # the body raises {Cut}, and most of them then close the connection.
    class App
      # Raised to break off a response in a server without rack.hijack.
      class Cut < IOError; end

      # A body that is shorter than its Content-Length.
      class Broken
        def initialize(part)
          @part = part
        end

        # @yieldparam part [String]
        def each
          yield @part unless @part.empty?
          raise Cut, "the sandbox breaks this response off"
        end
      end

      # @return [Sandbox]
      attr_reader :sandbox

      # @param sandbox [Sandbox]
      def initialize(sandbox = Sandbox.new)
        @sandbox = sandbox
      end

      # @param env [Hash] Rack's environment
      # @return [Array(Integer, Hash, #each)]
      def call(env)
        input = env["rack.input"]
        body = input ? input.read.to_s : ""
        response = sandbox.handle(env.fetch("REQUEST_METHOD"), target(env), headers(env), body)
        sleep(response.delay) if response.delay.positive?
        return cut(env, response) if response.cut

        [response.status, response.headers.transform_keys(&:downcase), [response.body]]
      end

      private

      # Some servers decode the path: bytes that a request target must not contain are encoded again.
      def target(env)
        path = env["PATH_INFO"].to_s.b.gsub(/[^!-~]|[?#]/n) { |byte| format("%%%02X", byte.ord) }
        query = env["QUERY_STRING"].to_s
        query.empty? ? path : "#{path}?#{query}"
      end

      def headers(env)
        given = env.select { |name, _| name.start_with?("HTTP_") }.transform_keys { |name| name.delete_prefix("HTTP_") }
        given["CONTENT_TYPE"] = env["CONTENT_TYPE"] if env["CONTENT_TYPE"]
        given.transform_keys { |name| name.split("_").map(&:capitalize).join("-") }
      end

      def cut(env, response)
        part = response.cut == :drop ? "" : response.body.byteslice(0, response.body.bytesize / 2)
        head = response.headers.transform_keys(&:downcase).merge("content-length" => response.body.bytesize.to_s)
        socket = socket_of(env)
        return [response.status, head, Broken.new(part)] unless socket

        unless response.cut == :drop
          lines = head.map { |name, value| "#{name}: #{value}\r\n" }
          socket.write("HTTP/1.1 #{response.status} \r\n#{lines.join}\r\n#{part}")
        end
        hang_up(socket)
        [response.status, {}, []]
      end

      # The connection's socket, if the server has a way to it. The rack.hijack of WEBrick's handler only raises.
      def socket_of(env)
        Thread.current[:WEBrickSocket] || env["rack.hijack"]&.call
      end

      # Closes the connection. WEBrick, which still writes to the socket, finds it closed by the other side.
      def hang_up(socket)
        socket.equal?(Thread.current[:WEBrickSocket]) ? socket.shutdown : socket.close
      end
    end
  end
end
