# frozen_string_literal: true

require_relative "helper"

# The cases that C, Python and Ruby share, through the public client over a real socket.
class TestVectors < PrivyTest
  # Enough to make the operation's request, for cases about responses.
  PARAMS = {
    "contacts.create" => { "email" => JANE }, "contacts.get" => { "id" => NOBODY }, "contacts.list" => {},
    "contacts.update" => { "id" => NOBODY, "first_name" => "J" }, "contacts.upsert" => { "email" => JANE },
    "contacts.delete" => { "id" => NOBODY }, "contacts.unsubscribe" => { "id" => NOBODY },
    "orders.upsert" => ORDER.transform_keys(&:to_s), "events.ingest" => { "event_type" => "test", "email" => JANE },
    "request" => { "method" => "GET", "path" => "/things" }
  }.freeze
  POSITIONAL = { "contacts.get" => "id", "contacts.update" => "id", "contacts.delete" => "id",
                 "contacts.unsubscribe" => "id", "events.ingest" => "event_type" }.freeze
  PAGE = '{"data":[],"pagination":{"page":1,"per_page":100,"total_count":0,"total_pages":0}}'
  GOOD = Hash.new('{"data":{}}').merge("contacts.list" => PAGE, "events.ingest" => '{"event_id":"e"}').freeze

  # What libcurl and the client add to every request.
  OWN_HEADERS = %w[host authorization user-agent content-length accept-encoding].freeze

  CASES = Dir[File.join(ROOT, "tests/vectors/*.json")].flat_map do |path|
    JSON.parse(File.read(path)).map { |kase| kase.merge("file" => File.basename(path, ".json")) }
  end.freeze

  class << self
    def server
      @server ||= StubServer.new.tap { |server| Minitest.after_run { server.stop } }
    end

    def client
      @client ||= Privy::Client.new(base_url: server.url, token: "privy_#{'0' * 40}", max_retries: 0)
    end
  end

  def setup
    @server = self.class.server
    @client = self.class.client
    @server.requests.clear
    @warned = Warning[:deprecated]
    Warning[:deprecated] = false
  end

  def teardown
    Warning[:deprecated] = @warned
  end

  CASES.each_with_index do |kase, index|
    define_method(format("test_%<file>s_%<index>04d: %<name>s", file: kase["file"], index: index,
                                                                name: kase["name"])) do
      kase.key?("response") ? check_response(kase) : check_request(kase)
    end
  end

  def test_there_are_enough
    assert_operator CASES.length, :>=, 250
    assert_equal CASES.length, CASES.map { |kase| [kase["file"], kase["name"]] }.uniq.length
  end

  private

  def check_request(kase)
    @server.answer_with(body: GOOD[kase["operation"]])
    if kase.key?("details")
      expected = kase["details"].map { |detail| detail_of(detail) }
      assert_equal expected, refused { call(kase) }.details
      assert_empty @server.requests
    else
      call(kase)
      assert_equal 1, @server.requests.length
      check_sent(kase, @server.requests.first)
    end
  end

  def check_sent(kase, sent)
    expected = kase["request"]
    assert_equal [expected["method"], "/v1#{expected['target']}", expected.fetch("body", "")],
                 [sent.method, sent.target, sent.body]
    headers = sent.headers.except(*OWN_HEADERS)
    headers.delete("content-type") if sent.body.empty? && !expected["headers"].key?("Content-Type")
    check_own_key(headers) if kase["operation"] == "events.ingest" && !expected["headers"].key?("Idempotency-Key")
    assert_equal expected["headers"].transform_keys(&:downcase), headers
  end

  # An event that was given no key gets one of its own.
  def check_own_key(headers)
    assert_match(/\A[0-9a-f]{32}\z/, headers.delete("idempotency-key").to_s)
  end

  def check_response(kase)
    response = kase["response"]
    @server.answer_with(status: response["status"], headers: response["headers"], body: response["body"])
    kase = kase.merge("params" => PARAMS.fetch(kase["operation"])) unless kase.key?("params")
    if kase.key?("error") then check_error(kase["error"], kase)
    elsif kase.key?("page") then check_page(kase["page"], call(kase))
    else
      check_record(kase["object"], call(kase))
    end
  end

  def check_error(expected, kase)
    error = refused(Privy.const_get(expected["class"].sub("PrivyError", "Error"))) { call(kase) }
    assert_equal expected["class"], error.class.name.delete_prefix("Privy::")
    expected.except("class").each do |name, value|
      value = value.map { |detail| detail_of(detail) } if name == "details"
      assert_equal [value], [error.public_send(name)], name
    end
  end

  def check_page(expected, page)
    check_record(expected["pagination"], page.pagination)
    assert_equal expected["records"].length, page.size
    expected["records"].zip(page) { |object, record| check_record(object, record) }
  end

  def check_record(expected, record)
    if expected.nil?
      assert_nil record
    else
      assert_equal expected.keys.sort, record.to_h.keys.map(&:to_s).sort
      expected.each { |name, value| check_value(value, record[name], name) }
    end
  end

  def check_value(expected, value, name)
    case value
    when Time then assert_equal expected, reported(value), name
    when BigDecimal then assert_equal BigDecimal(expected.to_s), value, name
    else assert_equal [plain(expected)], [plain(value)], name
    end
  end

  def reported(time)
    "#{time.strftime('%Y-%m-%dT%H:%M:%S.%9N').sub(/\.?0+\z/, '')}Z"
  end

  def plain(value)
    case value
    when Hash then value.transform_values { |member| plain(member) }
    when Array then value.map { |element| plain(element) }
    when Numeric then BigDecimal(value.to_s)
    else value
    end
  end

  # A detail of a case, whose code is a Symbol in Ruby.
  def detail_of(json)
    json.to_h { |name, value| [name.to_sym, name == "code" ? value.to_sym : value] }
  end

  def call(kase)
    params = kase["params"].transform_keys(&:to_sym)
    operation = kase["operation"]
    headers = { extra_headers: kase["extra_headers"] }
    return @client.request(params.delete(:method), params.delete(:path), **params) if operation == "request"
    # The resource would ask for a hundred contacts a page.
    return session_of(@client).call(operation, params, kase["extra"], headers) if operation == "contacts.list"

    resource, name = operation.split(".")
    first = POSITIONAL.key?(operation) ? [params.delete(POSITIONAL[operation].to_sym) { Privy::OMIT }] : []
    @client.public_send(resource).public_send(name, *first, **params, extra: kase["extra"], **headers)
  end
end
