# frozen_string_literal: true

require "test_helper"
require "privy/minitest"

# No request leaves this process: each test has a sandbox of its own.
class ShopTest < ActionDispatch::IntegrationTest
  include ActiveJob::TestHelper

  JANE = { email: "jane@example.com", first_name: "Jane", newsletter: true }.freeze

  def sign_up(**customer)
    perform_enqueued_jobs { post signups_path, params: { customer: JANE.merge(customer) } }
    response.parsed_body["id"]
  end

  test "a sign-up becomes a contact and an event" do
    sign_up
    assert_response :created
    assert_privy_contact "jane@example.com", first_name: "Jane", email_consent: "subscribed"
    assert_privy_event "signed_up", email: "jane@example.com", data: { source: "shop" }
  end

  test "an unticked box sends no consent" do
    sign_up(newsletter: false)
    assert_privy_contact "jane@example.com", email_consent: "never_subscribed"
  end

  test "an address that Privy refuses is an error of the form, and costs no request" do
    assert_no_privy_requests { sign_up(email: "jane at example.com") }
    assert_response :unprocessable_entity
    assert_includes response.parsed_body["errors"], "email"
  end

  test "an order reaches Privy when it is paid" do
    post orders_path, params: { order: { customer_id: sign_up, total: "95.00" } }
    id = response.parsed_body["id"]
    assert_no_privy_requests { perform_enqueued_jobs }
    perform_enqueued_jobs { post pay_order_path(id) }
    assert_privy_order id, total: 95, email: "jane@example.com"
  end

  test "an outage loses nothing and sends nothing twice" do
    privy_down(times: 3) { sign_up }
    assert_response :created
    assert_privy_contact "jane@example.com"
    assert_equal 1, privy_sandbox.events.length
  end

  test "a page shows what Privy knows" do
    get signup_path(sign_up)
    assert_equal({ "known" => true, "email_consent" => "subscribed" }, response.parsed_body)
  end
end
