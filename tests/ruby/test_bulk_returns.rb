# frozen_string_literal: true

require_relative "helper"
require_relative "rows"

# Exceptions from elsewhere that arrive just as a method returns: Ruby raises them there, in place of what it returns.
class TestBulkReturns < PrivyTest
  include Rows

  class Stop < StandardError; end

  # Raises once, as the method of this class returns.
  def raising_at_return(klass, name, error, &)
    armed = true
    trace = TracePoint.new(:c_return) do |point|
      next unless armed && point.method_id == name && point.self.is_a?(klass)

      armed = false
      raise error
    end
    trace.enable(target_thread: Thread.current, &)
  ensure
    refute armed, "nothing was raised"
  end

  def test_the_result_that_next_was_returning
    run = Privy::Sandbox.new.client.orders.upsert_many(orders(3), concurrency: 1)
    assert_nil run.last_result
    raising_at_return(Privy::Bulk, :next, Stop) { assert_raises(Stop) { run.next } }
    assert_equal 0, run.last_result.index
    assert_equal [1, 2], run.map(&:index)
    assert_equal [2, 3], [run.last_result.index, run.report.succeeded]
  end

  def test_a_row_that_the_source_was_returning
    [Timeout::Error, Interrupt].each do |error|
      sandbox = Privy::Sandbox.new
      source = orders(3).lazy.map(&:itself)
      run = sandbox.client.orders.upsert_many(source, concurrency: 1)
      raising_at_return(Enumerator, :next, error) { assert_raises(error) { run.next } }
      assert_equal [[0, 1], [1, 2], [2, 3]], run.map { |result| [result.index, result.row[:order_id]] }
      assert_equal 3, sandbox.counts.orders
    end
  end

  def test_sources_that_yield_several_values_or_none
    source = Object.new
    def source.each
      yield 1, 2
      yield [3]
      yield nil
      yield
    end
    run = Privy::Sandbox.new.client.orders.upsert_many(source)
    assert_equal [[1, 2], [3], nil, nil], run.sort_by(&:index).map(&:row)
  end
end
