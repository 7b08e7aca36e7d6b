# frozen_string_literal: true

require "rspec/core"
require_relative "testing"
require_relative "testing/matchers"

RSpec.configure do |config|
  config.include Privy::Testing::Helpers
  config.include Privy::Testing::Matchers
  # +privy: false+ turns the sandbox off.
  config.around do |example|
    example.metadata[:privy] == false ? example.run : Privy::Testing.with_sandbox { example.run }
  end
end
