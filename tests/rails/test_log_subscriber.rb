# frozen_string_literal: true

require "rails_helper"

# The lines of calls in the log of a Rails application.
class TestLogSubscriber < PrivyTest
  LINES = StringIO.new
  APPLICATION = RailsApp.boot do |config|
    config.logger = ActiveSupport::Logger.new(LINES)
    config.colorize_logging = false
    config.privy.sandbox = true
  end
  SUBSCRIBER = Privy::Rails::LogSubscriber

  def setup
    Privy.client = nil # forgets the rate limits of another test
    Privy.sandbox.reset
    Privy.sandbox.clear_faults
    Privy.sandbox.set_limits
    Rails.logger.level = :debug
    LINES.truncate(LINES.rewind)
  end

  # The lines of the block, without the times in them.
  def lines
    LINES.truncate(LINES.rewind)
    yield
    LINES.string.lines(chomp: true).map { |line| line.gsub(/\d+\.\d+(?=ms|s\b)/, "T") }
  end

  def refuse(klass = Privy::Error, &)
    assert_raises(klass, &)
  end

  def test_a_call
    Privy.sandbox.set_limits(per_minute: 60)
    assert_equal ["  Privy contacts.create 201 (Tms | attempts: 1 | waited: Ts | left: 59 | sandbox)"],
                 lines { Privy.client.contacts.create(email: JANE, email_consent: :subscribed) }
  end

  def test_calls_that_fail
    assert_equal ["  Privy contacts.get 404 NotFoundError (Tms | attempts: 1 | waited: Ts | sandbox)"],
                 lines { refuse { Privy.client.contacts.get(NOBODY) } }
    assert_equal ["  Privy contacts.create ValidationError: invalid: email, tags " \
                  "(Tms | attempts: 0 | waited: Ts | sandbox)"],
                 lines { refuse { Privy.client.contacts.create(email: "no address", tags: 5) } }
    Privy.sandbox.set_limits(per_day: 1)
    client = Privy.sandbox.client
    client.contacts.list.to_a
    found = lines { refuse(Privy::RateLimitError) { client.contacts.list.to_a } }
    assert_equal 1, found.length
    assert_match(/\A  Privy contacts.list RateLimitError: daily rate limit reached; retry in \d+ s \(Tms/, found.first)
  end

  def test_the_steps_of_a_call
    Privy.sandbox.fail(status: 503, count: 1)
    assert_equal ["  Privy contacts.list retry in Ts after 503 ServerError",
                  "  Privy contacts.list 200 (Tms | attempts: 2 | waited: Ts | sandbox)"],
                 lines { Privy.client.contacts.list.to_a }
  end

  def test_a_bulk_run
    rows = [{ email: JANE }, { email: "no address" }]
    found = lines { Privy.client.contacts.upsert_many(rows).run }
    assert_equal ["201 (Tms | attempts: 1 | waited: Ts | row: 0 | sandbox)",
                  "ValidationError: invalid: email (Tms | attempts: 0 | waited: Ts | row: 1 | sandbox)",
                  "bulk run: 2 of 2 rows, 1 failed (Tms | requests: 1 | waited: Ts)"],
                 found.sort.map { |line| line.delete_prefix("  Privy contacts.upsert ") }
  end

  def test_the_account
    client = Privy.sandbox.client(account: :eu)
    assert_equal ["  Privy[eu] contacts.list 200 (Tms | attempts: 1 | waited: Ts | sandbox)"],
                 lines { client.contacts.list.to_a }
    named = Privy::Sandbox.new.client(account: :default)
    assert_match(/\A  Privy contacts.list/, lines { named.contacts.list.to_a }.first)
  end

  def test_levels
    counts = %i[debug info warn error].map do |level|
      Rails.logger.level = level
      lines do
        Privy.client.contacts.list.to_a
        Privy.client.contacts.upsert_many([]).run
        refuse { Privy.client.contacts.get(NOBODY) }
      end.length
    end
    assert_equal [3, 2, 1, 0], counts
  end

  def test_a_level_of_its_own
    SUBSCRIBER.level = Logger::WARN
    assert_equal(1, lines do
      Privy.client.contacts.list.to_a
      refuse { Privy.client.contacts.get(NOBODY) }
    end.length)
  ensure
    SUBSCRIBER.level = Logger::DEBUG
  end

  def test_a_logger_of_its_own
    own = StringIO.new
    SUBSCRIBER.output = ActiveSupport::Logger.new(own)
    assert_empty(lines { Privy.client.contacts.list.to_a })
    assert_includes own.string, "Privy contacts.list 200"
  ensure
    SUBSCRIBER.output = nil
  end

  def test_colours
    ActiveSupport::LogSubscriber.colorize_logging = true
    found = lines do
      Privy.client.contacts.list.to_a
      refuse { Privy.client.contacts.get(NOBODY) }
    end
    assert_equal ["  \e[1m\e[36mPrivy contacts.list\e[0m 200", "  \e[1m\e[31mPrivy contacts.get\e[0m 404"],
                 found.map { |line| line[/\A.*?\d{3}\b/] }
  ensure
    ActiveSupport::LogSubscriber.colorize_logging = false
  end

  def test_attached_twice_it_logs_once
    SUBSCRIBER.attach
    assert_equal 1, lines { Privy.client.contacts.list.to_a }.length
  end

  def test_no_line_holds_an_address
    found = lines do
      Privy.client.contacts.create(email: JANE, phone_number: PHONE)
      refuse { Privy.client.contacts.create(email: JANE) }
      refuse { Privy.client.request("GET", "/people/#{JANE}") }
      Privy.client.events.ingest("seen", email: JANE, idempotency_key: JANE)
    end
    assert_equal 4, found.length
    refute_match(/jane|4155550171/, found.join)
  end
end
