# frozen_string_literal: true

require_relative "helper"

# A run that keeps consents subscribes nobody who has unsubscribed.
class TestKeepConsents < PrivyTest
  ROWS = [
    { email: "left@example.com", email_consent: "subscribed", first_name: "Lee" },
    { email: "new@example.com", email_consent: "subscribed" }
  ].freeze

  def setup
    @client = Privy::Sandbox.new.client
    @client.contacts.create(email: "left@example.com", email_consent: :unsubscribed)
  end

  def consents
    @client.contacts.list.to_h { |contact| [contact.email, contact.email_consent] }
  end

  def test_only_new_contacts_are_subscribed
    report = @client.contacts.upsert_many(ROWS).keep_consents.run
    assert_equal [1, 1, 0], [report.created, report.updated, report.failed]
    assert_equal({ "left@example.com" => "unsubscribed", "new@example.com" => "subscribed" }, consents)
    assert_equal "Lee", @client.contacts.list(email: "left@example.com").first.first_name
  end

  def test_without_it_a_row_subscribes
    @client.contacts.upsert_many(ROWS).run
    assert_equal %w[subscribed subscribed], consents.values.sort
  end
end
