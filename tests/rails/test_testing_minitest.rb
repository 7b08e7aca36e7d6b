# frozen_string_literal: true

require "helper"
require_relative "suites"

# require "privy/minitest" in suites of users: each is a process of its own.
class TestTestingMinitest < PrivyTest
  # Runs a suite whose tests all pass.
  def passes(text, count)
    output, success = Suites.run(text)
    assert success, output
    assert_match(/^#{count} (runs|tests), .* 0 failures, 0 errors/, output)
    output
  end

  # Runs a suite whose tests fail, and returns the output.
  def fails(text)
    output, success = Suites.run(text)
    refute success, output
    output
  end

  def test_each_test_has_a_fresh_sandbox
    passes(Suites::PLAIN + <<~RUBY, 5)
      class ATest < Minitest::Test
        def setup
          assert_no_privy_requests
          place(7)
        end

        5.times do |number|
          define_method("test_\#{number}") do
            place(number + 1)
            assert_privy_requests(2)
            assert_privy_order number + 1, total: 95, total_amount: "95.00", email: "jane@example.com", currency: "USD"
            assert_equal 2, privy_sandbox.orders.size
            assert_equal [201, 201], privy_sandbox.requests.map(&:status)
          end
        end
      end
    RUBY
  end

  def test_assertions
    passes(Suites::PLAIN + <<~'RUBY', 4)
      class ATest < Minitest::Test
        def test_orders
          CLIENT.orders.upsert(order_id: 1001, total: "95.00", currency: "USD", order_date: "2026-05-12T10:00:00Z",
                               email: "jane@example.com", line_items: [{ sku: "a", quantity: 2, price: 3 }])
          order = assert_privy_order 1001, total: 95, order_date: Time.utc(2026, 5, 12, 10), currency: /\AUSD\z/,
                                           line_items: [{ "sku" => "a", quantity: 2, price: 3 }], financial_status: nil
          assert_kind_of Privy::Order, order
          assert_privy_order "1001", total: 90..100, placed_at: "2026-05-12T10:00:00Z", email: String
          refute_privy_order 1002
        end

        def test_contacts
          CLIENT.contacts.create(email: "jane@example.com", tags: %w[vip], email_consent: :subscribed,
                                 custom_fields: { size: 39 })
          assert_privy_contact "JANE@example.com", tags: ["vip"], email_consent: :subscribed, custom_fields: { size: 39 }
          assert_privy_contact privy_sandbox.contacts.first.id, created_at: Time, email: ->(email) { email.include?("@") }
          refute_privy_contact "john@example.com"
        end

        def test_events
          CLIENT.events.ingest("signed_up", email: "jane@example.com", event_data: { plan: "free" })
          CLIENT.events.ingest("signed_up", email: "jane@example.com", event_data: { plan: "pro" })
          assert_equal({ "plan" => "pro" }, assert_privy_event("signed_up", data: { plan: "pro" }).event_data)
          assert_privy_event :signed_up, event_data: { plan: "free" }, email: "jane@example.com"
          refute_privy_event "left"
        end

        def test_requests
          assert_equal ["orders.upsert"], assert_privy_requests(1) { place(1) }.map(&:operation)
          assert_no_privy_requests { 1 + 1 }
          oauth = Privy::Client.new(client_id: "shop", client_secret: "secret")
          assert_privy_requests(1) { place(2, client: oauth) }
          assert_equal 3, privy_sandbox.counts.requests
          rows = Array.new(2000) { |index| { email: "#{index}@example.com" } }
          assert_privy_requests(2000) { CLIENT.contacts.upsert_many(rows).run }
          privy_sandbox.keep_requests(10)
          assert_match(/the sandbox keeps 10/, assert_raises(Privy::Error) { assert_privy_requests(2002) }.message)
        end
      end
    RUBY
  end

  def test_messages_show_what_differs
    output = fails(Suites::PLAIN + <<~'RUBY')
      class ATest < Minitest::Test
        i_suck_and_my_tests_are_order_dependent!
        def test_a = place(1001) && assert_privy_order(1001, total: 96, email: "john@example.com", unknown: 1)
        def test_b = place(1001) && assert_privy_order(1002)
        def test_c = assert_privy_order(1002)
        def test_d = place(1001) && refute_privy_order(1001)
        def test_e = assert_privy_contact("jane@example.com")
        def test_f = place(1001) && assert_privy_contact("jane@example.com", tags: %w[vip])
        def test_g = assert_privy_event("signed_up")
        def test_h
          %w[free basic].each { |plan| CLIENT.events.ingest("signed_up", email: "a@example.com", event_data: { plan: plan }) }
          assert_privy_event("signed_up", data: { plan: "pro" })
        end
        def test_i = assert_no_privy_requests { place(1001) }
        def test_j = assert_privy_requests(2) { place(1001) }
        def test_k = CLIENT.events.ingest("left", email: "a@example.com") && assert_privy_event("signed_up")
        def test_l = place(1001) && assert_privy_order(1001, subtotl: nil)
        def test_m
          CLIENT.events.ingest("left", email: "a@example.com", event_data: { text: "x" * 100, all: [{ a: 1, b: 2 }, 3] })
          assert_privy_event("left", data: { text: "x" * 100, "all" => [{ a: 1, b: 7 }, 3, 4] })
        end
      end
    RUBY
    assert_match(/^13 runs, .* 13 failures, 0 errors/, output)
    [
      "order 1001 differs:\n  subtotl: expected nil, but no field has this name\n",
      "event of type \"left\" differs:\n  event_data.all: expected ",
      "order 1001 differs:\n  total: expected 96, stored 95\n  email: expected \"john@example.com\", stored " \
      "\"jane@example.com\"\n  unknown: expected 1, stored nothing\n",
      "the sandbox stores no order 1002; it stores orders 1001",
      "the sandbox stores no order 1002; it stores no orders",
      "the sandbox stores order 1001", "the sandbox stores no contact \"jane@example.com\"; it stores no contacts",
      "contact \"jane@example.com\" differs:\n  tags: expected [\"vip\"], stored []",
      "the sandbox stores no event of type \"signed_up\"; it stores no events",
      "none of the 2 events of type \"signed_up\" is as expected; the nearest differs:\n  event_data: expected ",
      "expected 0 requests, sent 1:\n  orders.upsert: 201", "expected 2 requests, sent 1:\n  orders.upsert: 201",
      "the sandbox stores no event of type \"signed_up\"; it stores events of type left"
    ].each { |message| assert_includes output, message }
  end

  def test_faults_take_no_time
    passes(Suites::PLAIN + <<~'RUBY', 3)
      class ATest < Minitest::Test
        def statuses = privy_sandbox.requests.map(&:status)

        def test_down
          began = privy_sandbox.now
          privy_down(times: 2)
          place(1)
          assert_equal [503, 503, 201], statuses
          assert_operator privy_sandbox.now, :>, began
          assert_equal 5, privy_down(on: "orders.upsert") {
            assert_raises(Privy::ServerError) { place(2) }
            privy_client.contacts.list.first
            5
          }
          place(2)
        end

        def test_rate_limited
          began = privy_sandbox.now
          privy_rate_limited(for: 42)
          place(1)
          assert_equal [429, 201], statuses
          assert_operator privy_sandbox.now - began, :>=, 42
          error = privy_rate_limited(for: 42) { assert_raises(Privy::RateLimitError) { place(1, client: CLIENT.with_options(max_wait: 0)) } }
          assert_in_delta 42, error.retry_after, 0.5
        end

        def test_slow
          began = privy_sandbox.now
          privy_slow(for: 7, times: 1)
          place(1)
          assert_in_delta 7, privy_sandbox.now - began, 6
          privy_slow { assert_raises(Privy::APITimeoutError) { place(1, client: CLIENT.with_options(max_retries: 0)) } }
          place(1)
        end
      end
    RUBY
  end

  def test_the_network_is_forbidden_outside_of_tests
    output = fails(Suites::PLAIN + <<~'RUBY')
      begin
        place(1)
      rescue Exception => error
        puts "AT LOAD #{error.class}: #{error.message}"
      end
      class ATest < Minitest::Test
        self.use_privy_sandbox = false
        def rescued
          yield
        rescue
          flunk "code under test rescues it"
        end
        def test_call = rescued { place(1) }
        def test_list = rescued { CLIENT.contacts.list.first }
        def test_bulk = rescued { CLIENT.events.ingest_many([{ event_type: "a", email: "a@example.com" }]).run }
        def test_request = rescued { CLIENT.request("GET", "/contacts") }
        def test_sandbox = assert_raises(Privy::Error) { privy_sandbox }
        def test_own = assert_equal(0, Privy::Sandbox.new.client.contacts.list.total_count)
      end
      class BTest < ATest
        self.use_privy_sandbox = true
        def test_call = assert(place(1))
        def test_list = assert_nil(CLIENT.contacts.list.first)
        def test_bulk = assert(CLIENT.events.ingest_many([{ event_type: "a", email: "a@example.com" }]).run.ok?)
        def test_request = assert_equal(200, CLIENT.request("GET", "/contacts").status)
        def test_sandbox = assert(privy_sandbox)
      end
    RUBY
    assert_match(/^12 runs, .* 0 failures, 4 errors/, output)
    assert_match(%r{AT LOAD Privy::Testing::NetworkForbidden: orders.upsert would connect to https://api.privy.com/v1,},
                 output)
    %w[contacts.list events.ingest request orders.upsert].each do |operation|
      assert_match(/Privy::Testing::NetworkForbidden: #{operation} would connect/, output)
    end
    assert_includes output, "Privy::Testing.allow_network"
  end

  def test_real_connections_may_be_allowed
    served do |_, sandbox|
      passes(Suites::PLAIN + <<~RUBY, 4)
        URL = #{Served.server.url.inspect}
        class ATest < Minitest::Test
          def outside = Privy::Client.new(base_url: URL, token: #{sandbox.token.inspect}, max_retries: 0)

          def test_a_block
            client = Privy::Testing.allow_network { outside.tap { |one| one.contacts.create(email: "a@example.com") } }
            assert_no_privy_requests
            place(1, client: client)
            assert_privy_requests 1
            Privy::Testing.allow_network { assert_equal 1, client.contacts.list.total_count }
            listed = Privy::Testing.allow_network { client.contacts.list.each.tap(&:peek) }
            run = Privy::Testing.allow_network { client.contacts.upsert_many([{ email: "a@example.com" }]) }
            assert_match(/a sandbox is active/, assert_raises(Privy::Error) { run.run }.message)
            listed.next
          end

          def test_a_client_of_the_test_has_no_connection
            client = outside
            error = assert_raises(Privy::Error) { Privy::Testing.allow_network { client.contacts.list.first } }
            assert_match(/no longer active/, error.message)
          end

          def test_threads_of_the_block
            Privy::Testing.allow_network { Thread.new { outside.contacts.list.first }.join }
            assert_no_privy_requests
          end

          def test_loopback
            before = outside
            Privy::Testing.allow_localhost = true
            client = outside
            assert_operator client.contacts.list.total_count, :>=, 0
            before.contacts.create(email: "b@example.com")
            place(1)
            assert_equal %w[contacts.create orders.upsert], privy_sandbox.requests.map(&:operation)
          ensure
            Privy::Testing.allow_localhost = false
          end
        end
      RUBY
      assert_operator sandbox.counts.requests, :>=, 4
    end
  end

  def test_other_processes_use_the_sandbox_that_the_test_serves
    passes(Suites::PLAIN + <<~'RUBY', 1)
      class ATest < Minitest::Test
        PROGRAM = 'require "privy"; Privy::Client.new.contacts.create(email: "jane@example.com")'
        def test_a_program
          privy_sandbox.serve do |url|
            variables = { "PRIVY_BASE_URL" => url, "PRIVY_API_TOKEN" => privy_sandbox.token }
            assert system(variables, RbConfig.ruby, *$LOAD_PATH.map { |path| "-I#{path}" }, "-e", PROGRAM)
          end
          assert_privy_contact "jane@example.com"
          place(1)
          assert_privy_requests 2
        end
      end
    RUBY
  end

  def test_factories
    passes(Suites::PLAIN + <<~'RUBY', 3)
      class ATest < Minitest::Test
        def test_contacts
          contact = Privy::Testing.contact(email_consent: :subscribed, phone_number: "+447700900123", sms_consent: :pending,
                                           id: "cus_1", created_at: Time.utc(2026, 1, 2))
          assert_equal ["subscribed", "pending", "cus_1", Time.utc(2026, 1, 2)],
                       [contact.email_consent, contact.sms_consent, contact.id, contact.created_at]
          assert_equal "compliance_suppressed", Privy::Testing.contact(email_consent: :compliance_suppressed).email_consent
          refute_equal Privy::Testing.contact.email, Privy::Testing.contact.email
          assert_raises(Privy::ValidationError) { Privy::Testing.contact(email: "nobody") }
          assert_raises(ArgumentError) { Privy::Testing.contact(emial: "a@example.com") }
          assert_no_privy_requests
        end

        def test_orders
          order = Privy::Testing.order(order_id: 5, total: "12.50", financial_status: "paid", source: "shopify")
          assert_equal [5, BigDecimal("12.5"), "paid", "shopify", true],
                       [order.order_id, order.total_amount, order.financial_status, order.source, order.created]
          refute Privy::Testing.order(created: false).created
        end

        def test_errors
          limit = Privy::Testing.error(:rate_limit, retry_after: 42)
          assert_equal [Privy::RateLimitError, 42.0, true], [limit.class, limit.retry_after, limit.retryable?]
          invalid = Privy::Testing.error(:validation, details: [{ field: "email", message: "is taken" }])
          assert_equal [["email", "is taken"]], invalid.details.map { |one| one.values_at(:field, :message) }
          assert_match(/\Acus_/, Privy::Testing.error(:conflict).contact_id)
          kinds = { unauthorized: Privy::AuthenticationError, forbidden: Privy::PermissionDeniedError,
                    not_found: Privy::NotFoundError, server: Privy::ServerError, 500 => Privy::ServerError,
                    too_large: Privy::PayloadTooLargeError, timeout: Privy::APITimeoutError,
                    connection: Privy::APIConnectionError, 418 => Privy::APIStatusError }
          kinds.each { |kind, type| assert_instance_of type, Privy::Testing.error(kind) }
          assert_match(/there is no error :teapot: use/, assert_raises(ArgumentError) { Privy::Testing.error(:teapot) }.message)
        end
      end
    RUBY
  end

  def test_minitest_spec
    passes(Suites::PLAIN + <<~RUBY, 3)
      describe "placing" do
        before { place(1) }

        it "sends the order" do
          assert_privy_order 1
        end

        describe "again" do
          2.times { |number| it("is alone \#{number}") { assert_privy_requests 1 } }
        end
      end
    RUBY
  end

  def test_rails
    passes(Suites::RAILS + <<~'RUBY', 6)
      class PlaceJob < ActiveJob::Base
        def perform(number) = place(number)
      end
      BEFORE = Privy::Client.new(token: "any")
      class ATest < ActiveSupport::TestCase
        setup { place(7) }

        3.times do |number|
          test("a client of the process has a fresh sandbox #{number}") do
            assert_privy_requests 1
            place(8)
            place(9, client: Privy.web)
            place(10, client: BEFORE)
            assert_privy_requests 4
            assert_equal [7, 8, 9, 10], privy_sandbox.orders.map(&:order_id)
          end
        end

        test "jobs" do
          assert_privy_requests(1) { PlaceJob.perform_later(11) }
          assert_privy_order 11
        end
      end

      class BTest < ActionDispatch::IntegrationTest
        APP = ->(env) { [200, {}, [place(env["PATH_INFO"][1..].to_i).order_id.to_s]] }
        def app = APP
        2.times do |number|
          test("an application #{number}") do
            get "/12"
            assert_equal "12", response.body
            assert_privy_requests 1
          end
        end
      end
    RUBY
  end

  def test_clients_that_tests_assign_end_with_them
    passes(Suites::PLAIN + <<~RUBY, 4)
      Privy.client = CLIENT
      class ATest < Minitest::Test
        4.times do |number|
          define_method("test_\#{number}") do
            assert_same CLIENT, Privy.client
            Privy.client = Privy::Sandbox.new.client
            Privy.client.contacts.create(email: "jane@example.com")
            assert_no_privy_requests
          end
        end
      end
    RUBY
  end

  def test_a_pause_of_jobs_ends_with_its_test
    passes(Suites::RAILS + <<~'RUBY', 3)
      class PlaceJob < ActiveJob::Base
        include Privy::Job
        def perform(number) = place(number)
      end
      class ATest < ActiveSupport::TestCase
        include ActiveJob::TestHelper

        def queue_adapter_for_test = ActiveJob::QueueAdapters::TestAdapter.new

        def run_job(number)
          queue_adapter.enqueued_jobs.clear
          PlaceJob.perform_later(number)
          perform_enqueued_jobs
        end

        3.times do |number|
          test("pauses #{number}") do
            assert_privy_requests(1) { run_job(1) }
            privy_sandbox.fail(status: 401)
            assert_privy_requests(1) { run_job(2) }
            assert_no_privy_requests { run_job(3) }
          end
        end
      end
    RUBY
  end

  def test_the_sandbox_of_an_account_is_replaced
    passes(<<~RUBY, 2)
      ENV["PRIVY_SANDBOX"] = "1"
      require "minitest/autorun"
      require "privy/minitest"
      Privy.client.contacts.create(email: "before@example.com")
      class ATest < Minitest::Test
        2.times do |number|
          define_method("test_\#{number}") do
            assert_equal 0, Privy.client.contacts.list.total_count
            assert_privy_requests 1
          end
        end
      end
      Minitest.after_run { exit!(1) unless Privy.client.contacts.list.total_count == 1 }
    RUBY
  end
end
