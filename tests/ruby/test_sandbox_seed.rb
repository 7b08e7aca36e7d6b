# frozen_string_literal: true

require_relative "helper"

# Generated data: it obeys every rule of the API, and is the same each time.
class TestSandboxSeed < PrivyTest
  AT = Time.utc(2026, 5, 12, 10)

  def shop(**arguments)
    sandbox = Privy::Sandbox.new
    sandbox.set_clock(AT)
    sandbox.seed("shop", **arguments)
    sandbox
  end

  def test_every_contact_can_be_read_and_written_again
    sandbox = shop(contacts: 200)
    client = sandbox.client(max_retries: 0)
    listed = client.contacts.list(per_page: 100).to_a
    assert_equal sandbox.contacts.to_a, listed
    listed.each do |contact|
      given = contact.to_h.slice(:email, :phone_number, :first_name, :last_name, :tags, :custom_fields).compact
      if contact.email_consent == "compliance_suppressed"
        assert_raises(Privy::ValidationError) { client.contacts.upsert(**given) }
      else
        written = client.contacts.upsert(email_consent: contact.email_consent, **given)
        assert_equal contact.to_h.except(:updated_at), written.to_h.except(:updated_at)
      end
    end
    assert_equal [200, 120, 200, 0], sandbox.counts.to_h.values_at(:contacts, :orders, :events, :welcome_messages)
  end

  def test_the_same_arguments_give_the_same_data
    first, same, other = [7, 7 - (2**64), 8].map do |seed|
      sandbox = shop(contacts: 60, days: 30, seed: seed)
      [sandbox.contacts.to_a, sandbox.orders.to_a, sandbox.events]
    end
    assert_equal first, same
    refute_equal first, other
    assert_equal "Lucía", first[0].find { |contact| contact.email == "lucia.lopez@example.com" }.first_name
    assert first[0].all? { |contact| contact.created_at.between?(AT - (30 * 86_400), AT) }
  end

  def test_data_is_added_without_requests
    sandbox = shop(contacts: 10)
    sandbox.seed(:shop, contacts: 10)
    assert_equal [20, 0, []], [sandbox.counts.contacts, sandbox.counts.requests, sandbox.messages]
  end

  def test_arguments_are_checked
    sandbox = Privy::Sandbox.new
    error = assert_raises(ArgumentError) { sandbox.seed("shops") }
    assert_equal "there is no data set shops: the data sets are shop", error.message
    error = assert_raises(ArgumentError) { sandbox.seed("shop", contacts: -1, days: 0) }
    assert_equal "contacts must be 0 to 1000000; days must be 1 to 3650", error.message
    assert_raises(ArgumentError) { sandbox.seed("shop", 100) }
    assert_raises(TypeError) { sandbox.seed("shop", contacts: 1.5) }
    assert_equal 0, sandbox.counts.contacts
  end
end
