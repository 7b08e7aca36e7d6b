# frozen_string_literal: true

require "stringio"
begin
  require "webrick"
rescue LoadError
  raise LoadError, "Privy::Sandbox::Server needs the gem webrick: add it to the Gemfile, or gem install webrick"
end

module Privy
  class Sandbox
    # Serves a sandbox over HTTP, on WEBrick:
    #
    #   server = Privy::Sandbox::Server.new(sandbox, port: 0)
    #   server.start                                        # in a thread of its own
    #   client = Privy::Client.new(base_url: server.url, token: sandbox.token)
    #   server.stop
    class Server
      include Opaque

      # An answer that the application has already sent, or cut, over the bare connection.
      class Response < WEBrick::HTTPResponse
        # @return [Boolean, nil]
        attr_accessor :hijacked

        # @private
        def send_response(socket)
          super unless hijacked
        end
      end

      # WEBrick with a Rack application in the place of its servlets.
      class Engine < WEBrick::HTTPServer
        # @private
        attr_accessor :app

        # @private
        def create_response(config)
          Response.new(config)
        end

        # @private
        def run(socket)
          # Head and body go out as two writes: without this the second waits for the first's acknowledgement.
          socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
          Thread.current[:privy_sandbox_socket] = socket
          super
        end

        # @private
        def service(request, response)
          request.continue
          status, headers, body = app.call(environment(request, response))
          return if response.hijacked

          response.status = status
          headers.each { |name, value| response[name] = value }
          response.body = +""
          body.each { |part| response.body << part }
        end

        private

        def environment(request, response)
          path, query = request.unparsed_uri.split("?", 2)
          env = { "REQUEST_METHOD" => request.request_method, "SCRIPT_NAME" => "", "PATH_INFO" => path,
                  "QUERY_STRING" => query.to_s, "rack.input" => StringIO.new(request.body.to_s),
                  "rack.hijack?" => true, "rack.hijack" => hijack(request, response) }
          request.each { |name, value| env["HTTP_#{name.upcase.tr('-', '_')}"] = value }
          env["CONTENT_TYPE"] = env.delete("HTTP_CONTENT_TYPE") if env.key?("HTTP_CONTENT_TYPE")
          env
        end

        def hijack(request, response)
          socket = Thread.current[:privy_sandbox_socket]
          lambda do
            response.hijacked = true
            response.keep_alive = false
            request.instance_variable_set(:@keep_alive, false)
            socket
          end
        end
      end

      # @return [Sandbox]
      attr_reader :sandbox
      # @return [String]
      attr_reader :host

      # Binds the port at once; {#run} or {#start} answers.
      #
      # @param sandbox [Sandbox]
      # @param host [String]
      # @param port [Integer] 0 picks a free one
      def initialize(sandbox = Sandbox.new, host: "127.0.0.1", port: 8089)
        @sandbox = sandbox
        @host = host
        @engine = Engine.new(BindAddress: host, Port: port, AccessLog: [], Logger: WEBrick::Log.new(nil, 0),
                             DoNotReverseLookup: true,
                             StartCallback: -> { @engine.stop if @stopped })
        @engine.app = App.new(sandbox)
      end

      # @return [Integer]
      def port
        @engine.listeners.first.addr[1]
      end

      # @return [String] the base URL for clients
      def url
        "http://#{host.include?(':') ? "[#{host}]" : host}:#{@port ||= port}/v1"
      end

      # Answers until {#stop} is called, from a signal handler or another thread.
      #
      # @return [void]
      def run
        @engine.start
      end

      # Answers in a thread of its own.
      #
      # @return [self]
      def start
        @thread ||= Thread.new { run }
        self
      end

      # Also before {#run} has begun, which then ends at once.
      #
      # @return [void]
      def stop
        @stopped = true
        @engine.shutdown
        @thread&.join unless @thread.equal?(Thread.current)
        @thread = nil
      end
    end
  end
end
