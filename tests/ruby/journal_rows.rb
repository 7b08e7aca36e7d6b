# frozen_string_literal: true

# The rows of test_journal_kills.rb: keys that come twice, equal events, rows that the client refuses and rows that the
# server refuses. The same number gives the same rows.
module JournalRows
  METHODS = { "orders.upsert" => %i[orders upsert_many], "contacts.upsert" => %i[contacts upsert_many],
              "events.ingest" => %i[events ingest_many] }.freeze
  # The operation of the first request of a row.
  FIRST = { "orders.upsert" => "orders.upsert", "contacts.upsert" => "contacts.create",
            "events.ingest" => "events.ingest" }.freeze
  NOBODY = "cus_0000000000000000"

  module_function

  def make(operation, count)
    Array.new(count) { |number| __send__(operation.split(".").first, number) }
  end

  # Indexes of the rows that are refused, by the client or by the server.
  def refused(count)
    (0...count).select { |number| [7, 9].include?(number % 20) }
  end

  # Indexes of the rows that the client sends.
  def sent(count)
    (0...count).reject { |number| number % 20 == 7 }
  end

  # Of ten orders one is a later state of the one before.
  def orders(number)
    id = number % 10 == 5 ? number - 1 : number
    row = { order_id: id + 1, email: "c#{id}@example.com", total: "#{id}.50", currency: "USD",
            order_date: Time.utc(2026, 5, 12), financial_status: number == id ? "pending" : "paid" }
    case number % 20
    when 7 then row.merge(total: "much")
    when 9 then row.merge(integration_token: "00000000-0000-4000-8000-000000000000")
    else row
    end
  end

  def contacts(number)
    id = number % 10 == 5 ? number - 1 : number
    row = { email: "c#{id}@example.com", first_name: "N#{number}" }
    case number % 20
    when 7 then row.merge(email: "no address")
    when 9 then row.merge(phone_number: "+493012345#{format('%03d', number)}", sms_consent: :subscribed)
    else row
    end
  end

  # Of ten events one is equal to the one before.
  def events(number)
    id = number % 10 == 5 ? number - 1 : number
    row = { event_type: "Viewed", email: "c#{id % 3}@example.com", event_data: { n: id } }
    case number % 20
    when 7 then row.merge(event_type: "no type")
    when 9 then row.except(:email).merge(privy_id: NOBODY)
    else row
    end
  end
end
