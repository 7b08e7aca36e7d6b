# frozen_string_literal: true

require_relative "helper"
require "rack"
require "rack/lint"
require "rack/mock"

# The Rack application, as users mount it.
class TestRack < PrivyTest
  def setup
    @sandbox = Privy::Sandbox.new
    @app = Privy::Sandbox::App.new(@sandbox)
    @authorization = { "HTTP_AUTHORIZATION" => "Bearer #{@sandbox.token}" }
  end

  def mock
    Rack::MockRequest.new(Rack::Lint.new(@app))
  end

  def test_it_is_a_rack_application
    made = mock.post("/v1/contacts", input: '{"email":"jane@example.com"}', "CONTENT_TYPE" => "application/json",
                                     **@authorization)
    assert_equal 201, made.status
    id = JSON.parse(made.body).dig("data", "id")
    found = mock.get("/v1/contacts?email=jane%40example.com", @authorization)
    assert_equal [[id], nil], [JSON.parse(found.body)["data"].map { _1["id"] }, found["X-RateLimit-Limit-Minute"]]
    assert_equal 401, mock.get("/v1/contacts").status
    assert_equal 200, mock.delete("/v1/contacts/#{id}", @authorization).status
  end

  def test_a_server_of_the_user_s_own_decides_about_hosts_and_methods
    other = { "HTTP_HOST" => "shop.example", "HTTP_ORIGIN" => "https://page.example", **@authorization }
    assert_equal 200, mock.get("/v1/contacts", other).status
    traced = mock.request("TRACE", "/v1/contacts", @authorization)
    assert_equal [404, "not_found"], [traced.status, JSON.parse(traced.body).dig("error", "code")]
  end

  def test_it_responds_as_the_sandbox_does
    direct = @sandbox.handle("GET", "/v1/nothing/%20here", "Authorization" => "Bearer #{@sandbox.token}")
    mounted = mock.get("/v1/nothing/%20here", @authorization)
    assert_equal [direct.status, JSON.parse(direct.body)["error"]["code"]],
                 [mounted.status, JSON.parse(mounted.body)["error"]["code"]]
  end

  def test_a_path_that_the_server_has_decoded
    status, = @app.call({ "REQUEST_METHOD" => "GET", "PATH_INFO" => "/v1/contacts/a b?é", **@authorization })
    assert_includes [404, 422], status
  end

  def test_mounted_below_a_path
    status, _headers, body = @app.call({ "REQUEST_METHOD" => "GET", "SCRIPT_NAME" => "/v1", "PATH_INFO" => "/contacts",
                                         "QUERY_STRING" => "per_page=3", **@authorization })
    assert_equal [200, 3], [status, JSON.parse(body.join).dig("pagination", "per_page")]
  end

  def test_headers_reach_the_sandbox
    @sandbox.add_integration("shop-1")
    order = { order_id: 1, email: JANE, total: 1, currency: "USD", order_date: "2026-05-12T10:00:00Z" }
    { "shop-1" => 201, "shop-9" => 422 }.each do |token, status|
      answer = mock.post("/v1/orders/placed", input: JSON.generate(order), "CONTENT_TYPE" => "application/json",
                                              "HTTP_X_PRIVY_INTEGRATION_TOKEN" => token, **@authorization)
      assert_equal status, answer.status, token
    end
  end

  def test_a_fault_with_delay_delays_the_response
    @sandbox.fail(delay: 0.2)
    assert_operator elapsed { mock.get("/v1/contacts", @authorization) }, :>=, 0.2
  end

  def test_cuts_without_hijack
    @sandbox.fail(drop: true)
    @sandbox.fail(truncate: true)
    parts = []
    2.times do
      _status, headers, body = @app.call({ "REQUEST_METHOD" => "GET", "PATH_INFO" => "/v1/contacts", **@authorization })
      assert_raises(Privy::Sandbox::App::Cut) { body.each { |part| parts << part } }
      assert_operator headers["content-length"].to_i, :>, parts.join.bytesize
    end
    assert_equal 1, parts.length
  end
end
