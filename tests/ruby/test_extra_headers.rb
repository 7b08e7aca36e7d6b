# frozen_string_literal: true

require_relative "helper"
require_relative "small_scheduler"

# Headers of a call: on every request of it, and refused before the first one.
class TestExtraHeaders < PrivyTest
  include BothWays

  HEADERS = { "X-Job" => "7" }.freeze

  def jobs(sandbox)
    sandbox.requests.map { |request| request.headers["x-job"] }
  end

  def test_every_request_of_a_call_has_the_headers
    each_way do |client, sandbox|
      client.contacts.create(email: "jane@example.com", extra_headers: { "X-Job": 6 })
      client.contacts.upsert(email: "jane@example.com", first_name: "Jane", extra_headers: HEADERS)
      client.contacts.list(per_page: 1, extra_headers: HEADERS).to_a
      assert_equal %w[6 7 7 7], jobs(sandbox)
    end
  end

  def test_every_row_of_a_bulk_run_has_the_headers
    each_way do |client, sandbox|
      rows = Array.new(3) { |number| { email: "#{number}@example.com" } }
      assert_predicate client.contacts.upsert_many(rows, extra_headers: HEADERS).run, :ok?
      assert_equal %w[7 7 7], jobs(sandbox)
    end
  end

  def test_a_bulk_run_refuses_headers_before_the_first_row
    each_way do |client, sandbox|
      error = assert_raises(Privy::ValidationError) do
        client.orders.upsert_many([{}], extra_headers: { "Host" => "x", "X-A" => "a\nb" })
      end
      assert_equal(%w[extra_headers.Host extra_headers.X-A], error.details.map { |detail| detail[:field] })
      assert_empty sandbox.requests
    end
  end

  def test_headers_that_are_no_hash_raise_type_error
    each_way do |client, _sandbox|
      assert_raises(TypeError) { client.contacts.create(email: "a@b.c", extra_headers: ["X-Job"]) }
      assert_raises(TypeError) { client.contacts.upsert_many([], extra_headers: ["X-Job"]) }
    end
  end
end
