# frozen_string_literal: true

require "io/wait"
require "socket"

# A small HTTP server on a real socket: records requests, and sends the responses of the test.
class StubServer
  Request = Struct.new(:method, :target, :headers, :body, :connection, :at, keyword_init: true)

  # A response: status, headers, body; or raw bytes; after `stall` seconds.
  Answer = Struct.new(:status, :headers, :body, :raw, :stall, keyword_init: true)

  CONTACT = '{"data":{"id":"cus_0123456789abcdef","email":"jane@example.com"}}'

  attr_reader :requests, :connections, :closed

  # Answers are given in turn, the last one again and again; a block may make them from the request instead.
  def initialize(*answers, &choose)
    @choose = choose
    @answers = answers.map { |answer| Answer.new(**answer) }
    @answers << Answer.new if @answers.empty?
    @requests = []
    @connections = @closed = 0
    @sockets = []
    @listener = TCPServer.new("127.0.0.1", 0)
    @threads = [Thread.new { accept }]
  end

  def url
    "http://127.0.0.1:#{@listener.addr[1]}/v1"
  end

  def answer_with(**answer)
    @answers = [Answer.new(**answer)]
  end

  def stop
    @threads.each(&:kill)
    @threads.each(&:join)
    @sockets.each { |socket| socket.close unless socket.closed? }
    @listener.close
  end

  private

  def accept
    loop do
      socket = @listener.accept
      @connections += 1
      @sockets << socket
      @threads << Thread.new { serve(socket) }
    end
  end

  def serve(socket)
    while (request = read(socket))
      request.connection = socket.object_id
      request.at = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      @requests << request
      break if write(socket, answer_to(request), request.method) == :close
    end
  rescue SystemCallError, IOError
    nil
  ensure
    socket.close unless socket.closed?
    @closed += 1
  end

  def answer_to(request)
    return Answer.new(**@choose.call(request)) if @choose

    @answers.length > 1 ? @answers.shift : @answers.first
  end

  def read(socket)
    line = socket.gets("\r\n") or return
    method, target, = line.split
    headers = {}
    while (line = socket.gets("\r\n")) && line != "\r\n"
      name, value = line.chomp.split(/: ?/, 2)
      headers[name.downcase] = value.to_s
    end
    length = headers["content-length"].to_i
    body = length.zero? ? "" : socket.read(length).force_encoding("UTF-8")
    Request.new(method: method, target: target, headers: headers, body: body)
  end

  def write(socket, answer, method)
    return :close if answer.stall && socket.wait_readable(answer.stall)

    return socket.write(answer.raw) && :close if answer.raw

    socket.write(text_of(answer, method))
  end

  def text_of(answer, method)
    body = answer.body || CONTACT
    lines = { "Content-Length" => body.bytesize }.merge(answer.headers || {}).map { |pair| "#{pair.join(': ')}\r\n" }
    status = answer.status || 200
    bodyless = method == "HEAD" || [204, 304].include?(status)
    lines.shift if bodyless
    "HTTP/1.1 #{status} Status\r\n#{lines.join}\r\n#{body unless bodyless}"
  end
end
