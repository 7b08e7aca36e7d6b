# frozen_string_literal: true

module Privy
  class Sandbox
    # A Rack application that answers from a sandbox; it does not need the rack gem. Mount it in your own test suite:
    #
    #   run Privy::Sandbox::App.new(sandbox)
    #
    # A dropped or truncated answer needs the server to know +rack.hijack+; elsewhere the body raises {Cut}, which makes
    # most servers close the connection.
    class App
      # Raised to a server that cannot break an answer off in any other way.
      class Cut < IOError; end

      # A body that is told as longer than it is.
      class Broken
        def initialize(part)
          @part = part
        end

        # @yieldparam part [String]
        def each
          yield @part unless @part.empty?
          raise Cut, "the sandbox breaks this answer off"
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
        answer = sandbox.handle(env.fetch("REQUEST_METHOD"), target(env), headers(env), body)
        sleep(answer.delay) if answer.delay.positive?
        return cut(env, answer) if answer.cut

        [answer.status, answer.headers.transform_keys(&:downcase), [answer.body]]
      end

      private

      # Servers differ in whether the path is still encoded: what no target may hold is encoded again.
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

      def cut(env, answer)
        part = answer.cut == :drop ? "" : answer.body.byteslice(0, answer.body.bytesize / 2)
        head = answer.headers.transform_keys(&:downcase).merge("content-length" => answer.body.bytesize.to_s)
        return [answer.status, head, Broken.new(part)] unless env["rack.hijack"]

        hijack(env["rack.hijack"].call, answer, head, part)
        [answer.status, {}, []]
      end

      def hijack(socket, answer, head, part)
        unless answer.cut == :drop
          lines = head.map { |name, value| "#{name}: #{value}\r\n" }
          socket.write("HTTP/1.1 #{answer.status} \r\n#{lines.join}\r\n#{part}")
        end
        socket.close
      end
    end
  end
end
