# frozen_string_literal: true

require_relative "helper"
require "json"
require "pathname"
require "tmpdir"

# Sandboxes in files: nothing is lost, and what is wrong is said clearly.
class TestSandboxFiles < PrivyTest
  ORDER = { total: "95.00", currency: "USD", order_date: "2026-05-12T10:00:00Z" }.freeze

  def setup
    @folder = Dir.mktmpdir
    @path = File.join(@folder, "shop.jsonl")
    @sandbox = Privy::Sandbox.new
    @sandbox.set_clock(Time.utc(2026, 5, 12, 10))
    @sandbox.seed("shop", contacts: 50)
    @sandbox.add_integration("integration-secret")
    @client = @sandbox.client
    @client.contacts.delete(@client.contacts.create(email: "gone@example.com", first_name: "Zoë").id)
    @client.contacts.create(phone_number: "+14155550101", sms_consent: :subscribed)
    @client.orders.upsert(order_id: 1, email: JANE, integration_token: "integration-secret", **ORDER)
    @client.events.ingest("seen", email: JANE, idempotency_key: "k")
  end

  def teardown
    FileUtils.remove_entry(@folder)
  end

  def test_a_loaded_sandbox_continues_where_the_saved_one_was
    assert_nil @sandbox.save(Pathname(@path))
    loaded = Privy::Sandbox.load(@path)
    assert_equal holdings(@sandbox), holdings(loaded)
    assert_empty loaded.requests
    loaded.set_clock(Time.utc(2026, 5, 12, 10))
    [@sandbox, loaded].each do |sandbox|
      client = sandbox.client
      client.contacts.create(email: "GONE@example.com")
      client.contacts.create(email: "new@example.com")
      assert client.events.ingest("seen", email: JANE, idempotency_key: "k").idempotent_replay
    end
    assert_equal holdings(@sandbox), holdings(loaded)
    assert_instance_of Class.new(Privy::Sandbox).tap { |kind| @kind = kind }, @kind.load(@path)
  end

  def test_a_file_holds_readable_lines_and_no_secret
    @sandbox.save(@path)
    first, *records = File.readlines(@path, encoding: "UTF-8").map { |line| JSON.parse(line) }
    assert_equal records.size, first.values_at("contacts", "orders", "events", "messages").sum
    refute_includes File.read(@path), "secret"
    assert_equal ["shop.jsonl"], Dir.children(@folder)
  end

  def test_errors_say_what_is_wrong
    error = assert_raises(Errno::ENOENT) { Privy::Sandbox.load(@path) }
    assert_includes error.message, @path
    assert_raises(Errno::EISDIR) { Privy::Sandbox.load(@folder) }
    assert_raises(Errno::ENOENT) { @sandbox.save(File.join(@folder, "no", "shop.jsonl")) }
    @sandbox.save(@path)
    saved = File.binread(@path)
    { "" => "this is not a file of a sandbox",
      saved.sub('"privy_sandbox":1', '"privy_sandbox":2') => "the file has the format 2 of another version",
      saved[0, saved.size / 2] => "the file is truncated: it ends in line",
      saved.gsub('"jane@example.com"', '"jane"') => "email must be an e-mail address" }.each do |damaged, problem|
      File.binwrite(@path, damaged)
      error = assert_raises(Privy::Sandbox::FileError) { Privy::Sandbox.load(@path) }
      assert_match(/\A#{Regexp.escape(@path)}: .*#{problem}/, error.message)
    end
    assert_raises(TypeError) { @sandbox.save(nil) }
  end

  private

  def holdings(sandbox)
    [sandbox.contacts.to_a, sandbox.orders.to_a, sandbox.events.to_a, sandbox.messages.to_a]
  end
end
