# frozen_string_literal: true

# Rows for the tests of bulk calls.
module Rows
  def order(number, **fields)
    { order_id: number, email: "c#{number}@example.com", total: "1.50", currency: "USD",
      order_date: Time.utc(2026, 5, 12) }.merge(fields)
  end

  def orders(count)
    Array.new(count) { |number| order(number + 1) }
  end

  # A server that returns each order with its own number.
  def echoing(stall: nil, headers: nil, **settings, &block)
    choose = lambda do |request|
      number = JSON.parse(request.body)["order_id"]
      { body: %({"data":{"order_id":#{number}}}), stall: stall.respond_to?(:call) ? stall.call(number) : stall,
        headers: headers }
    end
    stubbed(choose: choose, **settings, &block)
  end
end
