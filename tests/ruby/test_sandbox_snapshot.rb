# frozen_string_literal: true

require_relative "helper"

# Snapshots of a sandbox: what they hold, where they may be restored.
class TestSandboxSnapshot < PrivyTest
  ORDER = { total: "95.00", currency: "USD", order_date: "2026-05-12T10:00:00Z" }.freeze

  def setup
    @sandbox = Privy::Sandbox.new
    @sandbox.set_clock(Time.utc(2026, 5, 12, 10))
    @sandbox.seed("shop", contacts: 50)
    @client = @sandbox.client(max_retries: 0)
    @client.contacts.create(phone_number: "+14155550101", sms_consent: :subscribed)
    @client.orders.upsert(order_id: 1, email: JANE, **ORDER)
    @client.events.ingest("seen", email: JANE, idempotency_key: "k")
  end

  def test_restore_goes_back_any_number_of_times
    before = holdings(@sandbox)
    snapshot = @sandbox.snapshot
    ids = Array.new(3) do
      id = @client.contacts.create(email: "new@example.com").id
      @client.contacts.delete(@sandbox.contacts.first.id)
      @client.orders.upsert(order_id: 1, email: JANE, customer_id: "c", **ORDER)
      refute_equal before, holdings(@sandbox)
      assert_nil @sandbox.restore(snapshot)
      assert_equal before, holdings(@sandbox)
      id
    end
    assert_equal 1, ids.uniq.size
    assert @client.events.ingest("seen", email: JANE, idempotency_key: "k").idempotent_replay
  end

  def test_another_sandbox_may_restore_it
    before = holdings(@sandbox)
    snapshot = @sandbox.snapshot
    @sandbox.reset
    other = Privy::Sandbox.new
    other.restore(snapshot)
    GC.start
    assert_equal before, holdings(other)
  end

  def test_a_snapshot_is_opaque
    snapshot = @sandbox.snapshot
    assert_equal "#<Privy::Sandbox::Snapshot requests=3 contacts=52 orders=31 events=51 welcome_messages=1>",
                 snapshot.inspect
    assert_predicate snapshot, :frozen?
    error = assert_raises(TypeError) { Marshal.dump(snapshot) }
    assert_equal "a Privy::Sandbox::Snapshot cannot be marshalled: it exists in its process only", error.message
    assert_raises(TypeError) { Privy::Sandbox::Snapshot.new }
    [nil, @sandbox, ""].each { |other| assert_raises(TypeError) { @sandbox.restore(other) } }
    assert_equal 52, @sandbox.counts.contacts
  end

  private

  def holdings(sandbox)
    [sandbox.contacts.to_a, sandbox.orders.to_a, sandbox.events.to_a, sandbox.messages.to_a, sandbox.requests,
     sandbox.counts]
  end
end
