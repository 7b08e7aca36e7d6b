# frozen_string_literal: true

module Privy
  # The version of the gem and of the core in it.
  VERSION = "0.1.0"
end
