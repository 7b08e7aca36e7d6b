# frozen_string_literal: true

require "helper"
require "tempfile"
require_relative "suites"

# Suites whose tests run at the same time, in processes or in threads, and share a client. Each test sees its own
# requests only.
class TestTestingParallel < PrivyTest
  # A test that would see the requests of another test at the same time. The first two wait for each other.
  BODY = <<~'RUBY'
    def meet
      File.write("#{RAN}.here", "#{Process.pid} #{Thread.current.object_id}\n", mode: "a")
      ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 60
      sleep 0.001 while File.readlines("#{RAN}.here").uniq.length < 2 && Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends
    end
    def check(number)
      meet
      20.times { |index| place(number * 100 + index + 1) }
      Thread.new { place(number * 100 + 99) }.join
      inner = Privy::Sandbox.new
      inner.activate { place(5) }
      sent = CLIENTS.map { |client| client.contacts.list.total_count }
      privy_rate_limited(for: 50) { place(number * 100 + 98) }
      assert_equal [1] * CLIENTS.length, sent
      assert_privy_requests 23 + CLIENTS.length
      assert_equal 1, inner.counts.requests
      assert_equal 22, privy_sandbox.orders.size
      assert_privy_order number * 100 + 99
      File.write(RAN, "#{number} #{Process.pid} #{Thread.current.object_id}\n", mode: "a")
    end
  RUBY

  # @return [Array<Array>] for each test: its number, the process and the thread
  def passes(text, count)
    Tempfile.create do |file|
      output, success = Suites.run("RAN = #{file.path.inspect}\n#{text}")
      assert success, output
      assert_match(/ 0 failures, 0 errors/, output)
      ran = file.readlines.map(&:split)
      assert_equal Array.new(count) { |number| number }, ran.map { |number,| Integer(number) }.sort, output
      ran
    ensure
      FileUtils.rm_f("#{file.path}.here")
    end
  end

  def rails
    "ENV['PRIVY_API_TOKEN'] = 'any'\n#{Suites::RAILS}CLIENTS = [Privy.client, Privy.web].freeze\n#{BODY}"
  end

  def test_processes_of_rails
    ran = passes(rails + <<~RUBY, 12)
      class ATest < ActiveSupport::TestCase
        parallelize(#{threshold}workers: 2)
        12.times { |number| test("number \#{number}") { check(number) } }
      end
    RUBY
    assert_operator ran.map { |_, process,| process }.uniq.length, :>, 1
  end

  def test_threads_of_rails
    ran = passes(rails + <<~RUBY, 12)
      class ATest < ActiveSupport::TestCase
        parallelize(#{threshold}workers: 4, with: :threads)
        12.times { |number| test("number \#{number}") { check(number) } }
      end
    RUBY
    assert_equal 1, ran.map { |_, process,| process }.uniq.length
    assert_operator ran.map(&:last).uniq.length, :>, 1
  end

  def test_threads_of_minitest
    ran = passes("ENV['N'] = ENV['MT_CPU'] = '4'\n#{Suites::PLAIN}CLIENTS = [CLIENT].freeze\n#{BODY}" +
                 <<~RUBY, 12)
                   class ATest < Minitest::Test
                     parallelize_me!
                     12.times { |number| define_method("test_\#{number}") { check(number) } }
                   end
                 RUBY
    assert_operator ran.map(&:last).uniq.length, :>, 1
  end

  # What is documented of threads that are older than the tests.
  def test_a_pool_that_is_older_than_the_tests
    output, success = Suites.run(Suites::PLAIN + <<~RUBY)
      CALLS = Queue.new
      RESULTS = Queue.new
      Thread.new do
        loop do
          number = CALLS.pop
          RESULTS << (place(number) rescue $!)
        end
      end
      class ATest < Minitest::Test
        3.times do |index|
          define_method("test_\#{index}") do
            CALLS << index + 1
            RESULTS.pop
            assert_privy_requests 1
            assert_privy_order index + 1
          end
        end
      end
    RUBY
    assert success, output
  end

  private

  # Since 7.0 Rails runs few tests in one process.
  def threshold
    "threshold: 0, " if Gem::Version.new(rails_version) >= Gem::Version.new("7")
  end

  def rails_version
    Gem.loaded_specs["rails"]&.version&.to_s || Gem::Specification.find_by_name("railties").version.to_s
  end
end
