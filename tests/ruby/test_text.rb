# frozen_string_literal: true

require_relative "helper"
require "csv"

# Masks, names, numbers and responses: the core's rules, seen through the client.
class TestText < PrivyTest
  MASKS = JSON.parse(File.read(File.join(ROOT, "tests/vectors/texts/masks.json")))

  def contact(**fields)
    Privy::Contact.from_json(JSON.generate(fields))
  end

  # ---- masks ----

  def test_inspect_masks_texts_as_the_shared_table_says
    MASKS.each do |mask|
      assert_equal mask["masked"], Privy::Core.mask(mask["text"])
      shown = contact(first_name: mask["text"], tags: [mask["text"]], custom_fields: { mask["text"] => 1 }).inspect
      assert_includes shown, "first_name=#{mask['masked'].inspect} "
      assert_includes shown, "tags=[#{mask['masked'].inspect}]"
      assert_includes shown, "custom_fields={#{mask['masked']}: …}"
    end
  end

  def test_what_holds_no_text_is_shown_as_it_is
    shown = Privy::Order.from_json('{"order_id":"4155550171","total_amount":"4155550171.50"}').inspect
    assert_includes shown, 'order_id="4155550171"'
    assert_includes shown, "total_amount=4155550171.5"
    assert_includes contact(id: "cus_4155550171").inspect, 'id="cus_4155550171"'
  end

  # ---- headers and bodies ----

  def test_headers_of_one_name_are_joined_and_secret_ones_left_out
    raw = "HTTP/1.1 500 No\r\nX-A: 1\r\nSet-Cookie: s=1\r\nx-a: 2\r\nProxy-Authorization: x\r\nX-A: 3\r\n" \
          "Content-Length: 2\r\n\r\n{}"
    stubbed({ raw: raw }, { raw: raw.sub("500 No", "200 OK") }) do |client, _server|
      headers = refused(Privy::ServerError) { client.contacts.get(NOBODY, max_retries: 0) }.headers
      assert_equal({ "x-a" => "1, 2, 3", "content-length" => "2" }, headers)
      assert_equal headers, client.request("GET", "/x").headers
    end
  end

  def test_the_body_of_an_error_ends_between_characters
    stubbed({ status: 500, body: "x#{'€' * 1000}" }) do |client, _server|
      body = refused(Privy::ServerError) { client.contacts.get(NOBODY, max_retries: 0) }.body
      assert_equal "x#{'€' * 682}", body
    end
  end

  def test_a_raw_body_is_as_it_came
    stubbed({ body: "\xFF\x00\xC3\xA9".b }, { body: "é" }) do |client, _server|
      assert_equal ["\xFF\x00\xC3\xA9".b, Encoding::BINARY], client.request("GET", "/x").body.then { [_1, _1.encoding] }
      assert_equal ["é", Encoding::UTF_8], client.request("GET", "/x").body.then { [_1, _1.encoding] }
    end
  end

  def test_words_of_the_server_stay_in_their_line
    words = "gone\r\n2026-05-12 INFO all well\e[2J for jane@example.com"
    body = JSON.generate(error: { code: "x\ny", message: words, details: [{ field: "a\nb", message: "no\e" }] })
    stubbed({ status: 422, body: body }) do |client, _server|
      error = refused { client.contacts.get(NOBODY) }
      assert_equal '422 x\ny: gone\r\n2026-05-12 INFO all well\u001b[2J for j***@example.com; "a\nb" no\u001b',
                   error.message
      assert_equal [{ field: "a\nb", message: "no\e", code: :rejected }], error.details
      assert_equal 'x\ny', error.code
    end
  end

  # ---- requests ----

  def test_a_nul_is_refused_like_anything_else
    stubbed do |client, server|
      assert_equal ["path"], fields { client.request("GET", "/a\0b") }
      assert_equal ["method"], fields { client.request("GET\0", "/a") }
      assert_equal ["headers.X-A"], fields { client.request("GET", "/a", headers: { "X-A" => "a\0" }) }
      assert_empty server.requests
    end
  end

  def test_names_are_shown_and_suggested
    assert_equal [{ field: '"\ufefforder_id"', message: "is not a parameter of orders.upsert: did you mean order_id?",
                    code: :unknown_field },
                  { field: "order_id", message: "is required", code: :required }],
                 Privy::Sandbox.new.client.orders.validate(**ORDER.except(:order_id), "\uFEFForder_id": 1)
    in_process do |client, sandbox|
      results = client.orders.upsert_many([ORDER.merge("sub\ntotal" => 1, "x\e" => 2)]).to_a
      assert_equal "invalid request: \"sub\\ntotal\" is not a parameter of orders.upsert: did you mean " \
                   "subtotal?; \"x\\u001b\" is not a parameter of orders.upsert; use extra to send it",
                   results.first.error.message
      assert_equal 0, sandbox.counts.requests
    end
  end

  def test_a_row_with_a_cell_too_many
    row = CSV.parse("email,first_name\njane@example.com,Jane,more\n", headers: true).first
    in_process do |client, _sandbox|
      error = client.contacts.upsert_many([row, { email: JANE, 5 => 1 }]).to_a.map(&:error)
      assert_equal [[{ field: "base", code: :invalid_name,
                       message: "a value has no name: the row has more cells than its header" }],
                    [{ field: "5", message: "must have a string as its name", code: :invalid_name }]],
                   error.map(&:details)
    end
  end

  def test_ids_of_any_length
    stubbed do |client, server|
      ["cus_1", "cus_#{'a-B_9' * 12}"].each do |id|
        client.contacts.update(id, first_name: "J")
        assert_equal "/v1/contacts/#{id}", server.requests.last.target
        client.events.ingest("seen", privy_id: id)
        assert_equal id, JSON.parse(server.requests.last.body)["privy_id"]
      end
      ["cus_", "cus_#{'x' * 65}", "cus_a/b", "cus_é"].each do |id|
        assert_equal ["id"], fields {
                               client.contacts.get(id)
                             }
      end
    end
  end

  # The sandbox knows no such contact, and says so as Privy would.
  def test_the_sandbox_takes_ids_of_any_length
    in_process do |client, _sandbox|
      ["cus_1", "cus_#{'x' * 64}"].each { |id| refused(Privy::NotFoundError) { client.contacts.get(id) } }
    end
  end

  def test_orders_have_ids_that_are_not_zero
    in_process do |client, sandbox|
      assert_equal ["order_id"], fields { client.orders.upsert(**ORDER, order_id: "0") }
      body = { **ORDER, order_id: "00", total: "95.00", order_date: "2026-05-12T10:00:00Z" }
      error = refused { client.request("POST", "/orders/placed", body: body) }
      assert_equal [422, ["order_id"]], [error.status, error.details.map { |fault| fault[:field] }]
      assert_equal 0, sandbox.counts.orders
    end
  end

  def test_integers_above_the_largest
    stubbed do |client, _server|
      fault = faults { client.orders.upsert(**ORDER, total_items: 2**63) }
      assert_equal [["total_items", "must be at most 9223372036854775807"]], fault
    end
  end

  # ---- responses ----

  def test_a_promised_record_that_does_not_come
    calls = [->(client) { client.contacts.get(NOBODY) }, ->(client) { client.contacts.create(email: JANE) },
             ->(client) { client.contacts.update(NOBODY, first_name: "J") }, ->(client) { client.contacts.list.first },
             ->(client) { client.orders.upsert(**ORDER) }, ->(client) { client.events.ingest("x", email: JANE) }]
    stubbed({ status: 204 }) do |client, _server|
      calls.each do |call|
        error = refused(Privy::APIStatusError) { call[client] }
        assert_equal 204, error.status
        assert_match(/is empty \(HTTP 204\)/, error.message)
      end
      assert_nil client.contacts.delete(NOBODY)
    end
  end

  def test_json_of_a_raw_response
    stubbed({ body: "null" }, { body: "" }, { status: 204 }, { body: "[1" }, { body: "\xFF" }) do |client, _server|
      assert_nil client.request("GET", "/x").json
      messages = Array.new(4) { refused(Privy::APIStatusError) { client.request("GET", "/x").json }.message }
      assert_equal ["the response is empty (HTTP 200)", "the response is empty (HTTP 204)",
                    "the response is not JSON: unexpected end of text at byte 2",
                    "the response is not JSON: expected a value at byte 0"], messages
    end
  end

  def test_numbers_of_responses
    order = Privy::Order.from_json('{"order_id":1e3,"total_items":5.0,"total_amount":"9\u0035.00","x":5.0}')
    assert_equal [1000, 5, BigDecimal("95.00"), BigDecimal("5.0")],
                 [order.order_id, order.total_items, order.total_amount, order[:x]]
    assert_equal [Integer, Integer, BigDecimal], [order.order_id, order.total_items, order.total_amount].map(&:class)
    assert_equal Time.utc(2026, 5, 12, 8),
                 Privy::Order.from_json('{"placed_at":"2026-05-12T10:00:00\u002b02:00"}').placed_at
    assert_equal "1e9999999", Privy::Order.from_json('{"total_amount":1e9999999}').total_amount
  end

  # ---- settings ----

  TEXTS = { token: 5, client_id: true, client_secret: [], base_url: 5, token_url: {}, proxy: 5 }.freeze
  SECONDS = "a number of seconds: more than 0, at most 1,000,000"
  NUMBERS = { timeout: [SECONDS, [0, -1, "0", "5 s", true, [], Float::NAN]],
              connect_timeout: [SECONDS, [0, "x", false, Float::INFINITY]],
              max_wait: ["a number of seconds from 0 to 1,000,000", [-1, -0.5, "-1", true, 2e6, "soon"]],
              max_retries: ["a whole number from 0 to 100", [-1, 1.5, "1.5", true, 101, 10**400]],
              max_response: ["a whole number of bytes, 1 or more", [0, -1, "1 MB", true]],
              reserve: ["a whole number of requests a minute, 0 or more", [-1, "few", false]] }.freeze

  def test_settings_that_are_not_text
    { **TEXTS, token: "privy_\0", allow_plain_http: 1 }.each do |name, value|
      error = refused(Privy::Error) { Privy::Client.new(token: "privy_#{'0' * 40}", **{ name => value }) }
      words = { token: "must not hold a NUL character", allow_plain_http: "must be true or false" }
      assert_equal "#{name} #{words.fetch(name, 'must be text')}", error.message
    end
  end

  def test_numbers_that_cannot_be
    client = Privy::Sandbox.new.client
    NUMBERS.each do |name, (words, values)|
      values.each do |value|
        message = "#{name} must be #{words}"
        assert_equal message, refused(Privy::Error) { Privy::Sandbox.new.client(**{ name => value }) }.message
        next if %i[max_response reserve].include?(name)

        assert_equal message, refused(Privy::Error) { client.contacts.delete(NOBODY, **{ name => value }) }.message
        assert_equal message, refused(Privy::Error) { client.with_options(**{ name => value }) }.message
      end
    end
  end

  def test_numbers_may_be_text
    sandbox = Privy::Sandbox.new
    client = sandbox.client(timeout: "5", connect_timeout: " 2.5 ", max_wait: "0", max_retries: "1",
                            max_response: "1000000", reserve: "2")
    assert_equal JANE, client.contacts.create(email: JANE, timeout: "0.5", max_retries: "0").email
    sandbox.fail(status: 503, count: 2)
    error = refused(Privy::ServerError) { client.with_options(max_wait: "60").contacts.list.first }
    assert_equal 2, error.attempts
  end

  # As 5.seconds of ActiveSupport, which says that it is a Numeric.
  def test_numbers_of_other_classes
    duration = Class.new do
      def is_a?(klass) = klass == Numeric || super
      def to_f = 0.25
    end
    assert_equal JANE, Privy::Sandbox.new.client(timeout: duration.new, max_wait: 5r, max_retries: BigDecimal("2"))
                                     .contacts.create(email: JANE).email
  end

  # ---- validate ----

  def test_validate_costs_nothing
    in_process do |client, sandbox|
      assert_empty client.contacts.validate(email: JANE)
      assert_equal [{ field: "base", message: "at least one of email, phone_number is required",
                      code: :identifier_required }],
                   client.contacts.validate
      assert_equal %w[emial email_consent base],
                   client.contacts.validate(emial: JANE, email_consent: "x").map { |fault| fault[:field] }
      assert_empty client.contacts.validate(:update, id: NOBODY, sms_consent: :unsubscribed)
      assert_equal [{ field: "base", message: "at least one field to update is required", code: :nothing_to_update }],
                   client.contacts.validate(:update, id: NOBODY)
      assert_empty client.contacts.validate(:update, id: NOBODY, extra: { loyalty: 1 })
      assert_equal ["per_page"], client.contacts.validate("list", per_page: 0).map { |fault| fault[:field] }
      assert_equal ["reason"], client.contacts.validate(:unsubscribe, id: NOBODY, reason: 5).map { |fault|
                                 fault[:field]
                               }
      %i[get delete].each { |name| assert_equal ["id"], client.contacts.validate(name).map { |fault| fault[:field] } }
      assert_empty client.orders.validate(**ORDER)
      assert_equal ["order_id", "line_items[0].price"],
                   client.orders.validate(**ORDER, order_id: 0, line_items: [{ price: "x" }]).map { |fault|
                     fault[:field]
                   }
      assert_empty client.events.validate(event_type: "seen", email: JANE)
      assert_equal ["event_type"], client.events.validate(email: JANE).map { |fault| fault[:field] }
      assert_raises(ArgumentError) { client.contacts.validate(:merge) }
      assert_equal 0, sandbox.counts.requests
    end
  end

  def test_validate_tells_what_a_call_would_raise_with
    in_process do |client, _sandbox|
      wrong = { email: "a b@c", phone_number: "5", tags: [1], custom_fields: { a: [] }, sms_consent: :pending }
      sorted = ->(details) { details.sort_by { |fault| fault[:field] } }
      assert_equal sorted[refused do
                            client.contacts.upsert(**wrong)
                          end.details], sorted[client.contacts.validate(**wrong)]
      details = refused { client.contacts.create(**wrong) }.details
      assert_equal sorted[details], sorted[client.contacts.validate(:create, **wrong)]
    end
  end
end
