# frozen_string_literal: true

# An object of each class that holds data, with its JSON.
module Things
  CONTACT = '{"id":"cus_0123456789abcdef","email":"jane@example.com","first_name":"</script>",' \
            '"email_consent":"subscribed","tags":["vip"],"custom_fields":{' \
            '"size":39,"ratio":0.25,"long":0.1234567890123456789,' \
            '"deep":[{"x":null}]},"created_at":"2026-05-12T10:00:00.5Z","later":{"y":true}}'
  ORDER = '{"order_id":"0012","total_amount":"95.00","created":true}'
  PLACE = '{"page":1,"per_page":25,"total_count":1,"total_pages":1}'
  TOKEN = "privy_#{'5a' * 20}".freeze
  LATE = Time.utc(2026, 5, 12, 10, 0, 0.25r)

  module_function

  def contact
    Privy::Contact.from_json(CONTACT)
  end

  def order
    Privy::Order.from_json(ORDER)
  end

  def page
    Privy::Page.new([contact], Privy::Pagination.from_json(PLACE))
  end

  def error
    Privy::ConflictError.new("a contact exists", status: 409, code: "conflict", path: "/contacts", attempts: 1,
                                                 contact_id: "cus_1", headers: { "x-request-id" => "r" }, body: "{}")
  end

  def all
    [contact, order, Privy::EventReceipt.from_json('{"event_id":"e"}'), page,
     Privy::Result.new(0, { order_id: 12 }, value: order), Privy::Response.new(200, { "a" => "b" }, "{}"),
     Privy::RateLimit.new(Privy::RateLimit::Window.new(60, 59, LATE), Privy::RateLimit::Window.new),
     Privy::CallEvent.new(kind: :request, call: 1, path: "/contacts", attempt: 1)]
  end

  def structs
    [Privy::RateLimit::Window.new(60, 59, LATE), Privy::Progress.new(done: 1, failed: 0, waiting_until: LATE, total: 2),
     Privy::Sandbox::Counts.new(1, 2, 3, 4, 5)]
  end

  # What must not show: it holds a token.
  def opaque
    client = Privy::Client.new(token: TOKEN, client_id: nil)
    Privy.configuration.token = TOKEN
    [client, client.contacts, Privy.configuration, Privy::Sandbox.new]
  end

  def plain
    JSON.parse(CONTACT).merge("custom_fields" => { "size" => 39, "ratio" => 0.25, "long" => "0.1234567890123456789",
                                                   "deep" => [{ "x" => nil }] })
  end
end
