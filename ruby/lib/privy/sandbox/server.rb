# frozen_string_literal: true

require "socket"

module Privy
  class Sandbox
    # Serves a sandbox over HTTP, a thread a connection:
    #
    #   server = Privy::Sandbox::Server.new(sandbox, port: 0)
    #   server.start                                        # in a thread of its own
    #   client = Privy::Client.new(base_url: server.url, token: sandbox.token)
    #   server.stop
    #
    # It takes requests whose Host is loopback, one of the +allowed_hosts+, or, if it listens on more than loopback, an
    # address; and none that a web page of another host makes. At most 256 connections stay open.
    class Server
      include Opaque

      CHUNK = 65_536
      # Seconds in which a client must take an answer.
      SEND_SECONDS = 30
      # What a server that listens on every address of the machine is called from the machine itself.
      EVERYWHERE = { "" => "127.0.0.1", "0.0.0.0" => "127.0.0.1", "::" => "::1" }.freeze
      private_constant :CHUNK, :SEND_SECONDS, :EVERYWHERE

      # @return [Sandbox]
      attr_reader :sandbox
      # @return [String]
      attr_reader :host

      # Binds the port at once; {#run} or {#start} answers.
      #
      # @param sandbox [Sandbox]
      # @param host [String] the address to listen on
      # @param port [Integer] 0 picks a free one
      # @param allowed_hosts [Array<String>] host names besides loopback that requests may name
      def initialize(sandbox = Sandbox.new, host: "127.0.0.1", port: 8089, allowed_hosts: [])
        @sandbox = sandbox
        @host = host
        @allowed_hosts = Array(allowed_hosts).join(" ")
        @listener = TCPServer.new(host, port)
        @port = @listener.addr[1]
        @stopping, @stopper = IO.pipe
        @connections = Connections.new
      end

      # @return [Integer]
      attr_reader :port

      # @return [String] the base URL for clients
      def url
        name = EVERYWHERE.fetch(host, host)
        "http://#{name.include?(':') ? "[#{name}]" : name}:#{port}/v1"
      end

      # Answers until {#stop} is called, from a signal handler or another thread.
      #
      # @return [void]
      def run
        accept until IO.select([@listener, @stopping]).first.include?(@stopping)
      ensure
        @listener.close
        @connections.close
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
        @stopper.write_nonblock(".", exception: false)
        @thread&.join unless @thread.equal?(Thread.current)
        @thread = nil
      end

      private

      # The clock that bounds how long requests may take to arrive.
      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end

      def accept
        socket = @listener.accept_nonblock(exception: false)
        return if socket == :wait_readable
        return refuse(socket) unless @connections.add(socket)

        begin_serving(socket)
      rescue SystemCallError
        sleep(0.05) # the client has left, or the process has no descriptors left
      end

      def begin_serving(socket)
        Thread.new { serve(socket) }.report_on_exception = false
      rescue ThreadError
        @connections.remove(socket)
        refuse(socket)
      end

      def refuse(socket)
        socket.write_nonblock(Core::SandboxConnection::BUSY, exception: false)
      ensure
        socket.close
      end

      def serve(socket)
        socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
        connection = Core::SandboxConnection.new(sandbox, host, @allowed_hosts)
        nil while step(socket, connection)
      rescue IOError, SystemCallError
        nil # a connection that breaks is the client's business
      ensure
        @connections.remove(socket)
        socket.close
      end

      # Does what the connection asks for; false at its end.
      def step(socket, connection)
        kind, seconds, more = connection.next(now)
        case kind
        when :read then read(socket, connection, seconds, more)
        when :send then write(socket, seconds, more)
        end
      end

      # Feeds what comes until then; false when nothing will come any more.
      def read(socket, connection, deadline, idle)
        @connections.note(socket, idle)
        return true unless socket.wait_readable([deadline - now, 0].max)

        @connections.note(socket, false)
        bytes = socket.read_nonblock(CHUNK, exception: false)
        connection.feed(bytes) if bytes.is_a?(String)
        !bytes.nil?
      end

      def write(socket, delay, bytes)
        sleep(delay) if delay.positive?
        deadline = now + SEND_SECONDS
        until bytes.empty?
          sent = socket.write_nonblock(bytes, exception: false)
          bytes = bytes.byteslice(sent..) if sent.is_a?(Integer)
          return false if sent == :wait_writable && !socket.wait_writable([deadline - now, 0].max)
        end
        true
      end

      # The open connections, so many at most. The one that has been idle longest makes room for a new one.
      class Connections
        attr_writer :most

        def initialize
          @most = Core::SandboxConnection::MOST
          @mutex = Mutex.new
          @open = {} # whether it is idle; those that became so last stand last
        end

        # False when there are too many, and none of them is idle.
        def add(socket)
          @mutex.synchronize do
            room = @open.length < @most || make_room
            @open[socket] = false if room
            room
          end
        end

        def remove(socket)
          @mutex.synchronize { @open.delete(socket) }
        end

        # Whether the connection waits for a request. One that was closed to make room is not counted again.
        def note(socket, idle)
          @mutex.synchronize do
            known = @open.key?(socket) && @open[socket] != idle
            @open.delete(socket) if known
            @open[socket] = idle if known
          end
        end

        def close
          @mutex.synchronize { @open.each_key { |socket| hang_up(socket) } }
        end

        private

        def make_room
          socket, = @open.find { |_, idle| idle }
          return false unless socket

          @open.delete(socket)
          hang_up(socket)
          true
        end

        # Ends the reading of the connection's thread, which then closes it.
        def hang_up(socket)
          socket.shutdown(Socket::SHUT_RDWR)
        rescue IOError, SystemCallError
          nil
        end
      end
      private_constant :Connections
    end
  end
end
