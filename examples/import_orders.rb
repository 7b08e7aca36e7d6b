# frozen_string_literal: true

# Imports a shop's invoice lines: ruby examples/import_orders.rb FILE.csv...
#
# Columns: InvoiceNo, StockCode, Description, Quantity, InvoiceDate (UTC), UnitPrice, CustomerID. All rows of one
# InvoiceNo are one order. Invalid orders (a cancellation such as C536379, an order without customer) are not sent;
# they are listed at the end. With PRIVY_API_TOKEN set it imports into that account, otherwise into a sandbox inside
# this process.

require "bigdecimal"
require "csv"
require "privy"
require "time"

def read_orders(paths)
  rows = paths.flat_map { |path| CSV.read(path, headers: true, encoding: "bom|utf-8").each.to_a }
  rows.group_by { |row| row["InvoiceNo"] }
end

def line_item(row)
  {
    sku: row["StockCode"],
    name: row["Description"].to_s,
    quantity: Integer(row["Quantity"], 10),
    price: BigDecimal(row["UnitPrice"])
  }
end

def order_fields(number, rows)
  items = rows.map { |row| line_item(row) }
  fields = {
    order_id: number,
    total: items.sum(BigDecimal(0)) { |item| item[:quantity] * item[:price] },
    currency: "GBP",
    order_date: Time.iso8601("#{rows.first['InvoiceDate'].sub(' ', 'T')}Z"),
    line_items: items,
    initial_sync: true
  }
  customer = rows.first["CustomerID"].to_s.delete_suffix(".0")
  fields.update(email: "customer-#{customer}@example.com", customer_id: customer) unless customer.empty?
  fields
end

def import_order(client, fields)
  order = client.orders.upsert(**fields)
  sent, stored = [fields[:total], order.total_amount].map { |amount| amount.round(2).to_s("F") }
  abort "order #{order.order_id}: sent a total of #{sent}, stored is #{stored}" unless sent == stored
  order.created ? "created" : "updated"
end

abort "usage: import_orders.rb FILE.csv..." if ARGV.empty?

client = ENV.key?("PRIVY_API_TOKEN") ? Privy::Client.new : Privy::Sandbox.new.client
outcome = Hash.new(0)
refusals = []
read_orders(ARGV).each do |number, rows|
  outcome[import_order(client, order_fields(number, rows))] += 1
rescue Privy::ValidationError => e
  details = e.details.map { |detail| "#{detail[:field]}: #{detail[:message]}" }.join("; ")
  refusals << "  #{number}: #{details.empty? ? e.message : details}"
end
outcome["refused"] = refusals.length

counts = %w[created updated refused].map { |word| [outcome[word], word] }.reject { |count, _| count.zero? }
puts "#{outcome.values.sum} orders: #{counts.map { |count, word| "#{count} #{word}" }.join(', ')}"
puts refusals
