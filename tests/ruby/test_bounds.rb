# frozen_string_literal: true

require_relative "helper"

# Lengths: what is longer than a request may be is refused before anything is sent, by its name.
class TestBounds < PrivyTest
  BODY = 64 * (2**20)
  HEAD = 32 * (2**10)
  TOO_LONG = "is too long: a body is at most #{BODY} bytes".freeze

  def test_values_that_no_body_holds
    in_process do |client, sandbox|
      text = "x" * (BODY + 1)
      assert_equal [["first_name", TOO_LONG]], faults { client.contacts.create(email: JANE, first_name: text) }
      assert_equal [["body.a[0]", TOO_LONG]], faults { client.request("POST", "/x", body: { a: [text] }) }
      assert_equal 0, sandbox.counts.requests
    end
  end

  def test_bodies_that_grow_too_large
    in_process do |client, _sandbox|
      fields = Array.new(65) { |number| [number.to_s, "x" * (2**20)] }.to_h
      ((field, message),) = faults { client.contacts.create(email: JANE, custom_fields: fields) }
      assert_equal "base", field
      assert_match(/\Athe body is 6\d+ bytes; at most #{BODY} are accepted\z/, message)
    end
  end

  def test_names_that_are_too_long
    in_process do |client, _sandbox|
      assert_equal [["body.#{'x' * 32}", "has a name that is too long"]],
                   (faults { client.request("POST", "/x", body: { ("x" * 100_000) => 1 }) })
    end
  end

  def test_heads_that_are_too_large
    in_process do |client, _sandbox|
      [{ params: { q: "x" * HEAD } }, { headers: { "X-H" => "x" * HEAD } }].each do |more|
        ((field, message),) = faults { client.request("GET", "/x", **more) }
        assert_equal "base", field
        assert_match(/ bytes; at most #{HEAD} are accepted\z/, message)
      end
      refused(Privy::NotFoundError) { client.request("GET", "/x", params: { q: "x" * (HEAD - 100) }) }
    end
  end
end
