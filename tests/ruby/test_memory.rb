# frozen_string_literal: true

require_relative "helper"
require_relative "small_scheduler"
require "json"
require "tmpdir"

# Each allocation of the core fails once: the operation then succeeds or raises NoMemoryError, and nothing is lost.
class TestMemory < PrivyTest
  def failing(nth)
    Privy::Core.fail_allocation(nth)
    yield
    Privy::Core.allocation_failed?
  rescue NoMemoryError
    assert_predicate Privy::Core, :allocation_failed?
    true
  ensure
    Privy::Core.fail_allocation(0)
  end

  def sweep(at_least: 1, &block)
    nth = 1
    nth += 1 while failing(nth) { block.call(nth) }
    assert_operator nth, :>, at_least, "allocations met"
    assert_operator nth, :<, 5_000
  end

  # As assert_raises, which would take a NoMemoryError for a failure.
  def expecting(klass)
    yield
  rescue klass => e
    e
  else
    flunk "#{klass} expected, but nothing was raised"
  end

  def named(&)
    expecting(Privy::ValidationError, &).details.map { |fault| fault[:field] }.sort
  end

  def test_operations_in_process
    in_process do |client, sandbox|
      jane = client.contacts.create(email: JANE)
      sweep(at_least: 5) { |n| client.contacts.create(email: "c#{n}@example.com", tags: %w[a b], first_name: "é\n") }
      sweep(at_least: 5) { |n| client.contacts.upsert(email: JANE, first_name: "J#{n}") }
      sweep(at_least: 5) { |n| client.contacts.update(jane.id, custom_fields: { a: n, "b" => nil }) }
      sweep(at_least: 5) { client.contacts.get(jane.id).to_h }
      sweep(at_least: 5) { client.contacts.list(per_page: 3).to_a }
      sweep(at_least: 5) { |n| client.orders.upsert(**ORDER, order_id: n, line_items: [{ sku: "A", price: "1.50" }]) }
      sweep(at_least: 5) do |n|
        client.events.ingest("test", email: JANE, event_data: { n: [n] }, idempotency_key: "k#{n}")
      end
      sweep(at_least: 5) { client.request("GET", "/contacts", params: { page: 1 }, headers: { "X-A" => "b" }).json }
      assert_equal jane.id, client.contacts.list(email: JANE).first.id
      assert_operator sandbox.counts.requests, :>, 40
    end
  end

  def test_lists_and_events
    seen = []
    sandbox = Privy::Sandbox.new
    client = sandbox.client(on_event: seen.method(:push))
    ids = Array.new(7) { |n| client.contacts.create(email: "c#{n}@example.com").id }
    sweep(at_least: 20) { assert_equal ids, client.contacts.list(per_page: 2).map(&:id) }
    sweep(at_least: 20) { assert_equal ids, client.contacts.list(per_page: 2).pages.flat_map { |page| page.map(&:id) } }
    sweep(at_least: 5) { assert_equal 7, client.contacts.list(per_page: 2).total_count }
    SmallScheduler.run { sweep(at_least: 20) { assert_equal ids, client.contacts.list(per_page: 2).map(&:id) } }
    assert_includes seen.map(&:kind), :response
  end

  def test_operations_over_http
    stubbed do |client, _server|
      client.contacts.get(NOBODY)
      sweep(at_least: 3) { assert_equal JANE, client.contacts.get(NOBODY).email }
      sweep(at_least: 3) { client.contacts.create(email: JANE, first_name: "J", extra: { a: { b: [1] } }) }
      assert_equal JANE, client.contacts.get(NOBODY).email
    end
  end

  def test_a_bulk_run_survives_failed_allocations
    in_process do |client, sandbox|
      sweep(at_least: 5) do |n|
        rows = [{ **ORDER, order_id: (2 * n) + 1 }, { **ORDER, order_id: 2 * n, total: "x" }]
        results = client.orders.upsert_many(rows).sort_by(&:index)
        raise results.map(&:error).grep(NoMemoryError).first || NoMemoryError if results.first.error

        assert_equal [true, ["total"]], [results[0].ok?, results[1].error.details.map { |fault| fault[:field] }]
      end
      assert_operator sandbox.counts.orders, :>, 5
    end
    stubbed({ body: '{"data":{"order_id":1001}}' }) do |client, _server|
      sweep(at_least: 3) do
        result = client.orders.upsert_many([ORDER]).first
        raise result.error if result.error.is_a?(NoMemoryError)

        assert_equal 1001, result.value.order_id
      end
    end
  end

  # What stops the run is a lack of memory, and the journal says no more than what was sent.
  def test_an_import_survives_failed_allocations
    file = "email;phone_number;tags\na@example.com;(415) 555-0171;\"x, y\"\nnobody;;\n"
    sweep(at_least: 30) do
      core = Privy::Core::Import.new("contacts.upsert", nil, nil, "US", nil, nil, ->(*) { "+14155550171" }, nil, nil)
      core.survey(file)
      core.end_survey
      rows = core.feed(file) + core.finish
      assert_equal %i[ready refused], rows.map(&:first)
      assert_equal({ "email" => "a@example.com", "phone_number" => "+14155550171", "tags" => %w[x y] },
                   JSON.parse(rows.first[2]))
      assert_equal "privy_line,privy_field,privy_reason,email,phone_number,tags", core.rejects_header
    end
  end

  def test_a_journal_survives_failed_allocations
    Dir.mktmpdir do |folder|
      in_process do |client, sandbox|
        sweep(at_least: 20) do |n|
          report = client.orders.upsert_many([ORDER, { **ORDER, order_id: 2 }], journal: File.join(folder, n.to_s)).run
          failed = report.stopped || client_error(report)
          raise NoMemoryError if failed

          assert_predicate report, :ok?
        end
        assert_equal 2, sandbox.counts.orders
      end
    end
  end

  # A row whose request found no memory.
  def client_error(report)
    report.refused.find { |entry| entry.message.include?("memory") }
  end

  def test_a_plan_survives_failed_allocations
    in_process do |client, sandbox|
      client.contacts.create(email: JANE, tags: %w[a])
      sweep(at_least: 20) do |n|
        plan = client.contacts.plan([{ email: JANE, tags: ["t#{n}"] }, { email: "c#{n}@example.com" }, { email: "no" }])
        assert_equal [1, 1, 1], [plan.create.size, plan.update.first.changes.size, plan.refused.size]
        assert_includes plan.to_s, "3 rows"
        report = plan.apply
        raise NoMemoryError if report.stopped || client_error(report)

        assert_predicate report, :ok?
      end
      assert_operator sandbox.counts.contacts, :>, 2
    end
  end

  def test_suspended_calls_survive_failed_allocations
    stubbed do |client, _server|
      SmallScheduler.run do
        sweep(at_least: 3) { assert_equal JANE, client.contacts.get(NOBODY).email }
        assert_equal JANE, client.contacts.get(NOBODY).email
      end
    end
  end

  def test_errors_survive_failed_allocations
    in_process do |client, sandbox|
      client.contacts.create(email: JANE)
      sweep(at_least: 5) { expecting(Privy::ConflictError) { client.contacts.create(email: JANE) } }
      sweep(at_least: 3) do
        assert_equal %w[base currency], named { client.orders.upsert(**ORDER, email: Privy::OMIT, currency: "x") }
      end
      sweep(at_least: 3) do
        assert_equal %w[headers.Host path], named { client.request("GET", "x", headers: { "Host" => "a" }) }
      end
      sandbox.fail(status: 429, retry_after: 1, count: 0)
      sweep(at_least: 5) { expecting(Privy::RateLimitError) { client.contacts.get(NOBODY, max_retries: 0) } }
    end
  end

  def test_making_a_client_survives_failed_allocations
    sandbox = Privy::Sandbox.new
    token = "privy_#{'0' * 40}"
    sweep(at_least: 2) { sandbox.client }
    sweep(at_least: 2) { Privy::Client.new(token: token, base_url: "http://127.0.0.1:1/v1", token_url: "http://[::1]/t") }
    sweep { expecting(Privy::Error) { Privy::Client.new(token: token, base_url: "nowhere") } }
    sweep(at_least: 2) do
      client = sandbox.client(client_id: Privy::Sandbox::CLIENT_ID, client_secret: Privy::Sandbox::CLIENT_SECRET)
      client.contacts.list.to_a
    end
  end

  def test_records_survive_failed_allocations
    text = '{"id":"x","first_name":"\u00e9","total_amount":"95.00","new":{"\u00e9":"\n"}}'
    sweep(at_least: 2) do
      record = Privy::Contact.from_json(text)
      assert_equal "é", record.first_name
      assert_equal record, Marshal.load(Marshal.dump(record))
    end
    sweep { assert_equal BigDecimal("95"), Privy::Order.from_json(text).total_amount }
    sweep { Privy::Core.parse(%({"a":"#{'x' * 300}\\n"})) } # shorter texts are decoded on the stack
  end

  def test_sandboxes_survive_failed_allocations
    sweep { Privy::Sandbox.new }
    sandbox = Privy::Sandbox.new
    sweep { |n| sandbox.add_token("privy_#{n}", scopes: %w[contacts_read]) }
    sweep { |n| sandbox.add_client("c#{n}", "5ecret") }
    sweep { |n| sandbox.add_integration("i#{n}") }
    sweep { sandbox.set_sms_countries("+1", "+44") }
    sweep { sandbox.fail(status: 500, body: "x", skip: 1_000_000) }
    headers = { "Authorization" => "Bearer #{sandbox.token}" }
    sweep(at_least: 5) { sandbox.handle("POST", "/contacts", headers, '{"email":"jane@example.com"}') }
  end

  def test_views_of_a_sandbox_survive_failed_allocations
    sandbox = Privy::Sandbox.new
    client = sandbox.client
    client.events.ingest("seen", email: JANE, event_data: { a: 1 })
    client.orders.upsert(order_id: 1, email: JANE, total: 95, currency: "USD", order_date: "2026-05-12T10:00:00Z")
    sweep { assert_equal [200, 201], sandbox.requests.map(&:status) }
    sweep(at_least: 2) { assert_equal [JANE], sandbox.contacts.map(&:email) }
    sweep(at_least: 2) { assert_equal JANE, sandbox.orders[1].email }
    sweep(at_least: 2) { assert_equal JANE, sandbox.contacts[JANE].email }
    sweep(at_least: 2) { assert_equal ["seen"], sandbox.events.map(&:event_type) }
    sweep { sandbox.fail(status: 500, on: "orders.upsert", body: "x", skip: 1_000_000) }
  end
end
