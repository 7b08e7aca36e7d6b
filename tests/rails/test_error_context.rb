# frozen_string_literal: true

require "helper"
require "sentry-ruby"

# What error trackers get of an error.
class TestErrorContext < PrivyTest
  # Not before Minitest runs: Sentry closes its client when the program ends, which is when Minitest begins.
  def setup
    super
    return if Sentry.initialized?

    Sentry.init do |config|
      config.dsn = "http://12345:67890@sentry.localdomain/sentry/42"
      config.transport.transport_class = Sentry::DummyTransport
      config.background_worker_threads = 0
      config.logger = Logger.new(File::NULL)
      config.breadcrumbs_logger = [:sentry_logger]
      config.send_default_pii = true
    end
  end

  # The event that Sentry would send of the block's error.
  def event_of(&)
    error = assert_raises(Privy::Error, &)
    Sentry.capture_exception(error)
    Sentry.get_current_client.transport.events.last.to_hash
  end

  def message_of(event)
    event[:exception][:values].last[:value]
  end

  def test_sentry_gets_the_context
    in_process do |client, _sandbox|
      client.contacts.create(email: JANE)
      event = event_of { client.contacts.create(email: JANE) }
      context = event[:extra].fetch(:privy)
      assert_equal({ status: 409, code: "conflict", http_method: "POST", path: "/contacts", retryable: false,
                     may_have_succeeded: false, attempts: 1, waited: 0.0 }, context.except(:request_id))
      assert_match(/\Areq_/, context[:request_id])
      assert_equal "Privy::ConflictError", event[:exception][:values].last[:type]
    end
  end

  def test_the_names_of_invalid_parameters
    error = refused { Privy::Sandbox.new.client.contacts.create(email: "no address", custom_fields: { JANE => {} }) }
    assert_equal ["email", "c***@example.com"], error.sentry_context[:privy][:invalid]
    assert_equal error.sentry_context, error.to_honeybadger_context
  end

  def test_the_next_attempt_of_a_rate_limit
    in_process do |client, sandbox|
      sandbox.set_limits(per_minute: 1)
      2.times { client.with_options(max_wait: 0).contacts.list.to_a }
    rescue Privy::RateLimitError => e
      context = e.sentry_context[:privy]
      assert_equal [true, 0], context.values_at(:retryable, :attempts)
      assert_operator context[:retry_after], :>, 0
    else
      flunk "the rate limit is not reached"
    end
  end

  # Not in the source, whose lines Sentry sends.
  SECRET = "q#{Random.rand(10**12)}".freeze
  WHO = "#{SECRET}@example.com".freeze
  DIGITS = Random.rand(4_155_550_000...4_155_560_000).to_s.freeze
  TEL = "+1#{DIGITS}".freeze

  def some_errors(client, sandbox)
    key = "#{WHO} #{TEL}"
    [-> { client.contacts.create(email: WHO) },
     -> { client.contacts.create(email: "#{WHO}@", phone_number: "#{TEL}0000000000") },
     -> { client.request("GET", "/people/#{WHO}") },
     -> { client.orders.upsert(**ORDER, email: "#{WHO} ") },
     lambda {
       sandbox.fail(status: 422, body: { error: { code: WHO, message: "#{WHO} #{TEL}" } }.to_json)
       client.events.ingest("seen", email: WHO, idempotency_key: key)
     },
     lambda {
       sandbox.fail(drop: true)
       client.with_options(max_retries: 0).events.ingest("seen", email: WHO, idempotency_key: key)
     }]
  end

  def test_no_event_holds_an_address_or_a_token
    in_process do |client, sandbox|
      client.contacts.create(email: WHO, phone_number: TEL)
      some_errors(client, sandbox).each do |call|
        event = event_of(&call)
        refute_empty event[:extra].fetch(:privy)
        text = event.to_s
        refute_match(/#{SECRET}|#{DIGITS}/, text)
        refute_includes text, sandbox.token
      end
    end
  end

  # Trackers group errors by class and message, without the numbers in it.
  def test_errors_of_one_cause_have_one_message
    in_process do |client, sandbox|
      causes = [
        ->(number) { client.contacts.create(email: "p#{number} example.com") },
        ->(number) { client.contacts.get(format("cus_%016d", number)) },
        lambda { |_|
          sandbox.fail(status: 503)
          client.with_options(max_retries: 0).contacts.list.to_a
        }
      ]
      causes.each do |cause|
        messages = Array.new(3) { |number| message_of(event_of { cause.call(number) }) }
        assert_equal 1, messages.map { |message| message.gsub(/\d/, "0") }.uniq.length
      end
    end
  end

  def test_what_rails_reports
    error = refused { Privy::Sandbox.new.client.contacts.create(email: "no address") }
    context = Privy::Rails.const_get(:ErrorContext, false)
    given = { order: 7 }
    assert_equal given.merge(error.sentry_context),
                 context.call(error, context: given, handled: true, severity: :warning, source: "application")
    assert_same given, context.call(IOError.new, context: given, handled: true, severity: :error, source: "x")
  end
end
