# frozen_string_literal: true

require "bigdecimal"
require "json"
require "time"

# An order: from a program's objects to the body of a request. Amounts are decimals, the date is a Time.
module Encode
  AMOUNTS = %i[total subtotal amount price].freeze

  module_function

  def objects(value, name = nil)
    case value
    when Hash then value.to_h { |key, member| [key, objects(member, key)] }
    when Array then value.map { |element| objects(element) }
    when String then object(value, name)
    else value
    end
  end

  def object(text, name)
    return BigDecimal(text) if AMOUNTS.include?(name)

    name == :order_date ? Time.iso8601(text) : text
  end

  def work_of(path, &encode)
    order = objects(JSON.parse(File.read(path, encoding: "UTF-8"), symbolize_names: true))
    [-> { encode.call(order) }, -> { plain(JSON.parse(encode.call(order))) }]
  end

  # A body as plain JSON, its date as one instant is reported.
  def plain(body)
    body.merge("order_date" => Time.iso8601(body["order_date"]).getutc.strftime("%Y-%m-%dT%H:%M:%S.%6N"))
  end

  # What a client is to its resources, but that it gives the body instead of sending it.
  class Halfway
    def call(operation, params, extra, _options)
      Privy::Probe.body(operation, params, extra)
    end
  end

  def privy(path)
    require "privy"
    orders = Privy::Orders.new(Halfway.new)
    work_of(path) { |order| orders.upsert(**order) }
  end

  def oj(path)
    require "oj"
    options = { mode: :custom, bigdecimal_as_decimal: true, time_format: :xmlschema, second_precision: 3 }
    work_of(path) { |order| Oj.dump(order, options) }
  end
end
