# frozen_string_literal: true

require_relative "helper"

# What a program pays for require "privy" before it makes a call. bench/ measures the time.
class TestBoot < PrivyTest
  MOST_KIB = 1280
  OPTIONAL = %r{\Aprivy/(sandbox/|(rails|syncable|sync_job|testing|minitest|rspec|translations|jobs?|sidekiq)\b)}
  LATER = %r{\Aprivy/(bulk|page|contact_list|observer|call_event|response)}
  PATHS = $LOAD_PATH.flat_map { |path| ["-I", path] }.freeze

  # What the code prints, in a new process.
  def printed(code)
    IO.popen([RbConfig.ruby, *PATHS, "-e", code], &:read)
  end

  def test_it_needs_little_memory
    grown = Array.new(5) do
      Integer(printed(<<~'RUBY'))
        resident = -> { File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i }
        before = resident.call
        require "privy"
        print resident.call - before
      RUBY
    end
    assert_operator grown.min, :<=, MOST_KIB
  end

  def test_it_loads_no_optional_part_and_starts_no_thread
    names = printed(<<~RUBY).lines(chomp: true)
      before = $LOADED_FEATURES.dup
      require "privy"
      puts Thread.list.length, ($LOADED_FEATURES - before).map { |path| path[%r{(privy|bigdecimal).*}] || path }
    RUBY
    assert_equal "1", names.shift
    others = names.grep_v(/\Aprivy/)
    assert_empty others.grep_v(/\Abigdecimal/)
    assert_empty names.grep(OPTIONAL)
    assert_empty names.grep(LATER)
  end
end
