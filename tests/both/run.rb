# frozen_string_literal: true

# Gives the cases on standard input to the Ruby client, and prints what comes of each: one line of JSON a case.
require "bigdecimal/util"
require "date"
require "json"
require "privy"

# What a case asks for, and what came of it, in forms that both languages have.
class Runner
  PLACE = %i[page per_page total_count total_pages].freeze

  def initialize(url)
    @client = Privy::Client.new(token: "t", base_url: url, max_retries: 0)
  end

  def outcome(number, kase)
    case kase["kind"]
    when "answer" then answered(number, kase["operation"])
    when "call" then called(kase)
    when "raw" then asked(kase)
    when "setting" then settled(kase)
    else Privy::Core.mask(kase["text"])
    end
  rescue Privy::Error => e
    failure(e)
  end

  private

  SCALARS = { "s" => :itself, "b" => :itself, "y" => :to_sym, "i" => :to_i, "d" => :to_d, "f" => :to_f }.freeze

  # The value of a tag.
  def given(value)
    tag, inner = value.first
    case tag
    when "n" then nil
    when "t" then Time.at(0, inner, :usec).utc
    when "day" then Date.iso8601(inner)
    when "l" then inner.map { |one| given(one) }
    when "o" then inner.to_h { |key, one| [given(key), given(one)] }
    else inner.public_send(SCALARS.fetch(tag))
    end
  end

  # The decimal as 0.digits times a power of ten.
  def digits(value)
    sign, text, _, point = value.split
    text = text.sub(/0+\z/, "")
    text.empty? ? "0" : "#{'-' if sign.negative?}#{text}e#{point}"
  end

  def shown(value)
    case value
    when Integer then { i: value.to_s }
    when BigDecimal then { d: digits(value) }
    when Time then { t: (value.to_r * 1_000_000).floor }
    when Hash then { o: value.map { |key, one| [key, shown(one)] }.sort_by(&:first) }
    when Array then value.map { |one| shown(one) }
    else value
    end
  end

  def record(value)
    return if value.nil?
    return page(value) if value.is_a?(Privy::Page)

    known = value.class::MEMBERS.select { |name| value.key?(name) }.to_h { |name| [name, shown(value[name])] }
    { class: short(value), known: known, extra: shown(value.extra), json: value.to_json }
  end

  def page(value)
    place = PLACE.map { |name| shown(value.pagination && value.pagination[name]) }
    { page: place, records: value.map { |one| record(one) } }
  end

  def short(value)
    value.class.name.delete_prefix("Privy::").sub(/\AError\z/, "PrivyError")
  end

  def failure(error)
    { error: short(error), message: error.message, details: error.details, status: error.status, code: error.code,
      path: error.path, request_id: error.request_id, attempts: error.attempts, body: error.body,
      headers: error.headers, contact_id: (error.contact_id if error.respond_to?(:contact_id)) }
  end

  def reply(response)
    body = begin
      shown(response.json)
    rescue Privy::APIStatusError => e
      failure(e)
    end
    { status: response.status, headers: response.headers, json: body, request_id: response.request_id }
  end

  def answered(number, operation)
    case operation
    when "raw" then reply(@client.request("GET", "/raw/#{number}"))
    when "contacts.get" then record(@client.contacts.get("cus_#{number}"))
    when "contacts.list" then record(@client.contacts.list(page: number).pages.first)
    when "events.ingest" then record(@client.events.ingest("case_#{number}", email: "a@b.c"))
    else
      record(@client.orders.upsert(order_id: 1, email: "a@b.c", total: 1, currency: "USD",
                                   order_date: Time.utc(2026, 5, 12), customer_id: "case_#{number}"))
    end
  end

  def called(kase)
    fields = kase["fields"].to_h { |key, value| [given(key), given(value)] }
    extra = kase["extra"] && given(kase["extra"])
    faults = Privy::Core.validate(kase["operation"], fields, extra)
    session = @client.instance_variable_get(:@session)
    { faults: faults, result: record(session.call(kase["operation"], fields, extra, {})) }
  end

  def asked(kase)
    parts = { params: given(kase["params"]), headers: given(kase["headers"]) }
    parts[:body] = given(kase["body"]) if kase["body"]
    reply(@client.request(given(kase["method"]), given(kase["path"]), **parts))
  end

  def settled(kase)
    Privy::Client.new(**{ token: "t" }, **{ kase["name"].to_sym => given(kase["value"]) }).close
    "taken"
  end
end

# Members by name, as the other runner writes them.
def sorted(value)
  case value
  when Hash then value.sort_by { |key, _| key.to_s }.to_h.transform_values { |one| sorted(one) }
  when Array then value.map { |one| sorted(one) }
  else value
  end
end

runner = Runner.new(ARGV.fetch(0))
$stdin.set_encoding(Encoding::UTF_8)
$stdout.sync = true
$stdin.each_line.with_index { |line, number| puts JSON.generate(sorted(runner.outcome(number, JSON.parse(line)))) }
