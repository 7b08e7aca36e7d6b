# frozen_string_literal: true

# A tour of privy.
#
# With PRIVY_API_TOKEN set (and PRIVY_BASE_URL, for another server than Privy's) it calls that server, otherwise a
# sandbox inside this process.

require "bigdecimal"
require "privy"

client = ENV.key?("PRIVY_API_TOKEN") ? Privy::Client.new : Privy::Sandbox.new.client

jane = client.contacts.create(email: "jane@example.com", tags: ["vip"], email_consent: :subscribed)
puts "created #{jane.id} #{jane.email_consent}"

jane = client.contacts.update(jane.id, first_name: "Jane", phone_number: "+14155550171")
puts "updated #{jane.inspect}" # addresses and numbers are masked when inspected

raise "another Jane" unless client.contacts.get(jane.id) == jane

jane = client.contacts.upsert(email: "jane@example.com", custom_fields: { shoe_size: 39 })
puts "upserted: still the same contact, now with #{jane.custom_fields}"

contacts = client.contacts.list(email_consent: :subscribed)
puts "subscribed: #{contacts.total_count} #{contacts.map(&:first_name)}"

[BigDecimal("95.00"), BigDecimal("89.90")].each do |total|
  order = client.orders.upsert(order_id: 1001, email: "jane@example.com", total: total, currency: "USD",
                               order_date: Time.now,
                               line_items: [{ sku: "A-1", quantity: 1, price: total }])
  puts "order #{order.order_id} #{order.created ? 'created' : 'updated'} #{order.total_amount.to_s('F')}"
end

event = client.events.ingest("purchase_completed", email: "jane@example.com", event_data: { order_id: "1001" })
puts "event #{event.status}"

response = client.request("GET", "/contacts", params: { email: "jane@example.com" })
puts "raw request: #{response.status} #{response.json['pagination']}"

begin
  client.contacts.create(email: "nobody", sms_consent: :subscribed)
rescue Privy::ValidationError => e # raised before anything is sent, with all validation errors
  e.details.each { |detail| puts "refused: #{detail[:field]} #{detail[:message]}" }
end

jane = client.contacts.unsubscribe(jane.id, reason: "asked by mail") # deprecated by Privy: the library warns
puts "unsubscribed: #{jane.email_consent}"
client.contacts.delete(jane.id)
puts "deleted #{jane.id}"
