# frozen_string_literal: true

# Client of the Privy API: contacts and their consents, orders, events. Start at {Privy::Client}.
module Privy
end

begin
  require "bigdecimal"
rescue LoadError
  # Part of every Ruby, but from 3.4 on Bundler hides it from an application whose Gemfile does not name it.
  raise LoadError, "privy needs bigdecimal, which comes with Ruby: add gem \"bigdecimal\" to the Gemfile"
end
require_relative "privy/version"
require_relative "privy/errors"
require "privy/core"
require_relative "privy/record"
require_relative "privy/page"
require_relative "privy/response"
require_relative "privy/configuration"
require_relative "privy/event"
require_relative "privy/page_walk"
require_relative "privy/contact_list"
require_relative "privy/rate_limit"
require_relative "privy/drivers"
require_relative "privy/bulk"
require_relative "privy/bulk_run"
require_relative "privy/resources"
require_relative "privy/client"
require_relative "privy/sandbox"
