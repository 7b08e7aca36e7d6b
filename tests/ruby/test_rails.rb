# frozen_string_literal: true

require_relative "helper"
require "open3"

# Under ActiveSupport, ActionController and Oj, whichever is loaded first.
class TestRails < PrivyTest
  PROGRAM = File.join(__dir__, "rails_process.rb")

  def passes(order)
    command = [RbConfig.ruby, *$LOAD_PATH.map { |path| "-I#{path}" }, PROGRAM, order]
    out, status = Open3.capture2e(*command)
    assert_predicate status, :success?, out
    assert_match(/[1-9]\d* runs/, out)
  end

  def test_loaded_after_privy
    passes("after")
  end

  def test_loaded_before_privy
    passes("before")
  end

  def test_oj_without_rails
    passes("oj")
  end
end
