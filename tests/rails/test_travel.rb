# frozen_string_literal: true

require "helper"
require_relative "suites"

# The sandbox's clock, and with it the pacing of clients, follows the time that tests set.
class TestTravel < PrivyTest
  def passes(text, count)
    output, success = Suites.run(text)
    assert success, output
    assert_match(/^#{count} runs, .* 0 failures, 0 errors/, output)
  end

  def test_time_helpers_of_rails
    passes(Suites::RAILS + <<~'RUBY', 7)
      class ATest < ActiveSupport::TestCase
        THEN = Time.utc(2030, 1, 2, 3, 4, 5)
        def near(expected, actual) = assert_in_delta(expected.to_f, actual.to_f, 30)

        test "travel_to" do
          travel_to(THEN) do
            assert_equal THEN, place(1).created_at
            assert_equal [THEN], privy_sandbox.requests.map(&:at)
            assert_equal THEN, privy_sandbox.now
          end
          near Time.now, place(2).created_at
          near Time.now, privy_sandbox.now
        end

        test "travel_to without a block, until travel_back" do
          travel_to THEN
          place(1)
          travel_to THEN + 3600
          assert_equal THEN + 3600, place(1).updated_at
          travel_back
          near Time.now, place(2).created_at
        end

        test "a test begins at the machine's time" do
          near Time.now, place(1).created_at
        end

        test "travel" do
          travel(2.days) { near Time.now, place(1).created_at }
          travel(-1.day) { near Time.now, place(2).created_at }
        end

        test "pages of a list, and bulk runs" do
          3.times { |number| Privy.client.contacts.create(email: "#{number}@example.com") }
          listed = Privy.client.contacts.list(per_page: 1, prefetch: false).each
          listed.next
          travel_to THEN
          2.times { listed.next }
          assert Privy.client.contacts.upsert_many([{ email: "0@example.com", first_name: "Jane" }]).run.ok?
          assert_equal [THEN] * 3, privy_sandbox.requests.last(3).map(&:at)
        end

        test "freeze_time" do
          freeze_time do
            first = place(1).created_at
            sleep 0.02
            assert_equal first, place(2).created_at
            assert_equal Time.now, first
          end
        end

        test "pacing and waits" do
          privy_sandbox.set_limits(per_minute: 2, per_day: 100)
          fast = Privy.client.with_options(max_wait: 0)
          travel_to THEN
          2.times { |number| place(number + 1, client: fast) }
          error = assert_raises(Privy::RateLimitError) { place(3, client: fast) }
          assert_in_delta (THEN + 60).to_f, error.retry_at.to_f, 1
          assert_in_delta (THEN + 60).to_f, Privy.client.rate_limit.minute.resets_at.to_f, 1
          assert_privy_requests 2
          travel 61.seconds
          place(3, client: fast)
          place(4, client: fast)
          place(5)
          assert_operator privy_sandbox.now, :>=, Time.now + 59
          assert_equal [201] * 5, privy_sandbox.requests.map(&:status)
        end
      end
    RUBY
  end

  # A busy machine may read one clock long after the other.
  def test_a_slow_machine_moves_no_clock
    passes(Suites::PLAIN + <<~'RUBY', 2)
      require "minitest/mock"
      class ATest < Minitest::Test
        REAL = Time.method(:now)

        def slowly
          sleep(0.02)
          yield
        ensure
          sleep(0.02)
        end

        def setup
          slow = self
          privy_sandbox.define_singleton_method(:now) { slow.slowly { super() } }
          @clock = Privy::Testing::Clock.new(privy_sandbox)
        end

        def test_a_frozen_time_is_the_sandbox_s
          now = Time.now
          Time.stub(:now, now) { @clock.follow }
          assert_in_delta now.to_f, privy_sandbox.now.to_f, 0.001
        end

        def test_time_that_runs_on_does_so_in_the_sandbox
          Time.stub(:now, -> { slowly { REAL.call } }) { @clock.follow }
          first = privy_sandbox.now
          assert_operator privy_sandbox.now, :>, first
        end
      end
    RUBY
  end

  # Timecop and others replace Time.now, too, and may let it run on.
  def test_any_other_replacement_of_time_now
    passes(Suites::PLAIN + <<~'RUBY', 2)
      module Shift
        class << self
          attr_accessor :seconds
        end
        def now(**) = super + (Shift.seconds || 0)
      end
      Time.singleton_class.prepend(Shift)
      class ATest < Minitest::Test
        def teardown = Shift.seconds = nil

        def test_it_runs_on
          Shift.seconds = 86_400
          first = place(1).created_at
          assert_in_delta Time.now.to_f, first.to_f, 30
          sleep 0.02
          assert_operator place(1).updated_at, :>, first
          Shift.seconds = nil
          assert_in_delta Time.now.to_f, place(1).updated_at.to_f, 30
        end

        def test_what_waits_have_added_stays
          privy_sandbox.advance(100)
          Shift.seconds = 1000
          assert_in_delta Time.now.to_f + 100, place(1).created_at.to_f, 30
          privy_rate_limited(for: 60)
          place(2)
          Shift.seconds = nil
          assert_in_delta Time.now.to_f + 165, place(3).created_at.to_f, 30
        end
      end
    RUBY
  end

  def test_a_clock_that_the_test_stops_stays
    passes(Suites::PLAIN + <<~RUBY, 1)
      class ATest < Minitest::Test
        def test_it
          privy_sandbox.set_clock(Time.utc(2030, 1, 2))
          2.times { assert_equal Time.utc(2030, 1, 2), place(1).created_at }
        end
      end
    RUBY
  end
end
