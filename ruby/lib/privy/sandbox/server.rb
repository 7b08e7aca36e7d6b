# frozen_string_literal: true

require "socket"

module Privy
  class Sandbox
    # Serves a sandbox over HTTP, with a thread for each connection:
    #
    #   server = Privy::Sandbox::Server.new(sandbox, port: 0)
    #   server.start                                        # in a new thread
    #   client = Privy::Client.new(base_url: server.url, token: sandbox.token)
    #   server.stop
    #
    # It accepts requests whose Host is loopback, one of the +allowed_hosts+ or, if it listens on more than loopback, an
    # IP address; it rejects requests of web pages of other hosts. At most 256 connections stay open.
    class Server
      include Opaque

      CHUNK = 65_536
      # Seconds in which a client must receive a response.
      SEND_SECONDS = 30
      # Loopback addresses for a server that listens on all addresses.
      EVERYWHERE = { "" => "127.0.0.1", "0.0.0.0" => "127.0.0.1", "::" => "::1" }.freeze
      private_constant :CHUNK, :SEND_SECONDS, :EVERYWHERE

      # @return [Sandbox]
      attr_reader :sandbox
      # @return [String]
      attr_reader :host

      # Binds the port; {#run} or {#start} serves.
      #
      # @param sandbox [Sandbox]
      # @param host [String] the address to listen on
      # @param port [Integer] 0 picks a free one
      # @param allowed_hosts [Array<String>] host names that requests may have, in addition to loopback
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

      # Serves until {#stop} is called, from a signal handler or another thread.
      #
      # @return [void]
      def run
        accept until IO.select([@listener, @stopping]).first.include?(@stopping)
      ensure
        @listener.close
        @connections.close
      end

      # Serves in a new thread.
      #
      # @return [self]
      def start
        @thread ||= Thread.new { run }
        self
      end

      # Stops the server. When {#run} has not begun, it returns at once later.
      #
      # @return [void]
      def stop
        @stopper.write_nonblock(".", exception: false)
        @thread&.join unless @thread.equal?(Thread.current)
        @thread = nil
      end

      private

      # The clock for the time limits of requests and responses.
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
        nil # the client has closed the connection
      ensure
        @connections.remove(socket)
        socket.close
      end

      # Runs the connection's next step; false at its end.
      def step(socket, connection)
        kind, seconds, more = connection.next(now)
        case kind
        when :read then read(socket, connection, seconds, more)
        when :send then write(socket, seconds, more)
        end
      end

      # Feeds bytes that arrive until the deadline; false at the end of the stream.
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

      # The open connections, up to a maximum. A new one replaces the one that has been idle longest.
      class Connections
        attr_writer :most

        def initialize
          @most = Core::SandboxConnection::MOST
          @mutex = Mutex.new
          @open = {} # { socket => idle? }, ordered by when that changed
        end

        # False at the maximum when none is idle.
        def add(socket)
          @mutex.synchronize do
            free = @open.length < @most || close_idle
            @open[socket] = false if free
            free
          end
        end

        # Forgets a connection that is closed.
        def remove(socket)
          @mutex.synchronize { @open.delete(socket) }
        end

        # Stores whether the connection waits for a request; ignores one that {#add} has closed.
        def note(socket, idle)
          @mutex.synchronize do
            known = @open.key?(socket) && @open[socket] != idle
            @open.delete(socket) if known
            @open[socket] = idle if known
          end
        end

        # Closes all of them.
        def close
          @mutex.synchronize { @open.each_key { |socket| hang_up(socket) } }
        end

        private

        def close_idle
          socket, = @open.find { |_, idle| idle }
          return false unless socket

          @open.delete(socket)
          hang_up(socket)
          true
        end

        # Ends the read of the connection's thread, which then closes the socket.
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
