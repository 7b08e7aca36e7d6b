# frozen_string_literal: true

require_relative "helper"
require "open3"

# The soak, short: that it runs, and that it notices what it is there to notice.
class TestSoak < PrivyTest
  PROGRAM = File.join(ROOT, "tests/soak/soak.rb")
  SHORT = %w[--asked 10 --calls 600 --every 200].freeze

  def soak(*arguments)
    folders = $LOAD_PATH.flat_map { |folder| ["-I", folder] }
    Timeout.timeout(600) { Open3.capture2e(RbConfig.ruby, "-w", *folders, PROGRAM, *SHORT, *arguments) }
  end

  def test_a_short_soak_holds
    reported, status = soak
    assert_predicate status, :success?, reported
    rows = reported.lines.map(&:split)
    assert_includes rows, %w[stall 30]
    assert_includes rows, %w[half_close 90]
    samples = rows.select { |row| row.length == 3 && row.first.match?(/\A\d+\z/) }
    assert_equal(%w[0 200 400 600], samples.map(&:first))
    assert_equal 3, reported.scan("holds ").length
  end

  def test_responses_to_other_requests_are_noticed
    reported, status = soak("--mix-up", "50")
    assert_equal 1, status.exitstatus
    assert_includes reported, "BROKEN wrong answers"
    assert_includes reported, "the answer to another question"
  end
end
