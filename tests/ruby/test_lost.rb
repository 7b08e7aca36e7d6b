# frozen_string_literal: true

require_relative "helper"

# Attempts that were lost: which are repeated, until when, and what a conflict with our own work comes to.
class TestLost < PrivyTest
  OPEN = "the request may have been acted on"
  OTHER = "other@example.com"
  EVENT = { event_type: "x", email: OTHER }.freeze

  def sandbox
    @sandbox ||= Privy::Sandbox.new
  end

  def oauth
    sandbox.client(client_id: "sandbox-client", client_secret: "sandbox-secret")
  end

  # ---- requests of one's own ----

  def test_a_raw_write_is_sent_once
    %w[POST PATCH].each do |method|
      stubbed({ raw: "" }, max_retries: 3) do |client, server|
        error = refused(Privy::APIConnectionError) { client.request(method, "/events", body: { a: 1 }) }
        assert_includes error.message, OPEN
        assert_equal [1, 1], [error.attempts, server.requests.length]
      end
    end
  end

  def test_a_raw_write_has_one_effect
    sandbox.fail(drop: true)
    refused(Privy::APIConnectionError) { sandbox.client.request(:POST, "/events", body: EVENT) }
    assert_equal 1, sandbox.counts.events
  end

  def test_a_raw_write_with_a_key_is_repeated
    sandbox.fail(drop: true)
    answer = sandbox.client.request(:POST, "/events", body: EVENT, headers: { "Idempotency-Key" => "k1" })
    assert_equal [true, 1], [JSON.parse(answer.body)["idempotent_replay"], sandbox.counts.events]
  end

  def test_a_raw_write_is_repeated_where_nothing_was_acted_on
    later = { "Retry-After" => "0" }
    [[429, {}, 2], [503, later, 2], [503, {}, 1], [500, {}, 1], [408, {}, 1]].each do |status, headers, requests|
      stubbed({ status: status, headers: headers }, {}, max_retries: 3) do |client, server|
        call = -> { client.request(:POST, "/things", body: {}) }
        requests == 2 ? call.call : assert_includes(refused(Privy::APIStatusError, &call).message, OPEN)
        assert_equal requests, server.requests.length
      end
    end
  end

  # ---- tokens are no attempts ----

  def test_a_failed_token_request_does_not_make_a_missing_contact_deleted
    client = oauth
    sandbox.fail(status: 503)
    refused(Privy::NotFoundError) { client.contacts.delete(NOBODY) }
  end

  def test_a_failed_token_request_does_not_make_a_contact_ours
    sandbox.client.contacts.create(email: OTHER)
    client = oauth
    sandbox.fail(drop: true)
    refute_includes refused(Privy::ConflictError) { client.contacts.create(email: OTHER) }.message, OPEN
  end

  # ---- creates ----

  def test_a_lost_create_gives_its_contact
    sandbox.fail(drop: true)
    contact = sandbox.client.contacts.create(email: OTHER, first_name: "Zoë", tags: %w[b a],
                                             custom_fields: { "n" => 1.5, "s" => "x" }, email_consent: "subscribed")
    assert_equal [OTHER, "Zoë", 1], [contact.email, contact.first_name, sandbox.counts.contacts]
  end

  def test_a_restored_contact_is_ours
    client = sandbox.client
    sandbox.set_clock(1_800_000_000)
    client.contacts.delete(client.contacts.create(email: OTHER).id)
    sandbox.advance(3_600)
    sandbox.fail(drop: true)
    assert_equal "B", client.contacts.create(email: OTHER, first_name: "B").first_name
  end

  def test_a_contact_of_another_client_is_a_conflict
    sandbox.fail(status: 503)
    other = sandbox.client
    made = nil
    listen = ->(event) { made = other.contacts.create(email: OTHER, first_name: "A") if event.kind == :retry }
    error = refused(Privy::ConflictError) do
      sandbox.client(on_event: listen).contacts.create(email: OTHER, first_name: "B")
    end
    assert_equal made.id, error.contact_id
    refute_includes error.message, OPEN
  end

  def test_a_conflict_names_the_contact_whatever_becomes_of_the_look
    [{ status: 403 }, { status: 404 }, { status: 500 }, { drop: true }].each do |fault|
      sandbox.reset
      sandbox.fail(drop: true)
      sandbox.fail(skip: 1, count: 0, **fault)
      error = refused(Privy::ConflictError) { sandbox.client(max_retries: 1).contacts.create(email: OTHER) }
      sandbox.clear_faults
      assert_includes error.message, OPEN
      assert_equal [sandbox.client.contacts.list(email: OTHER).first.id, 409, "conflict"],
                   [error.contact_id, error.status, error.code]
    end
  end

  def test_a_token_that_may_not_read
    sandbox.add_token("privy_writer", scopes: ["contacts_write"])
    sandbox.fail(drop: true)
    error = refused(Privy::ConflictError) { sandbox.client(token: "privy_writer").contacts.create(email: OTHER) }
    assert_match(/\Acus_/, error.contact_id)
  end

  # ---- not later than half a minute ----

  def test_a_consent_is_not_written_late
    client = sandbox.client(max_wait: 3_600)
    jane = client.contacts.create(email: OTHER)
    sandbox.fail(status: 500, retry_after: 31)
    error = refused(Privy::ServerError) { client.contacts.update(jane.id, email_consent: "subscribed") }
    assert_includes error.message, OPEN
    assert_equal 1, error.attempts
  end

  def test_a_bulk_run_does_not_write_late_either
    sandbox.fail(status: 500, retry_after: 31)
    rows = [{ email: OTHER, email_consent: "subscribed" }]
    errors = sandbox.client.contacts.upsert_many(rows).map(&:error)
    assert_equal [Privy::ServerError, 1], [errors[0].class, sandbox.counts.requests]
    assert_includes errors[0].message, OPEN
  end
end
