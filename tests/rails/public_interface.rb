# frozen_string_literal: true

require "rails_helper"
require "sidekiq"
require "privy/minitest"
require_relative "../../ruby/lib/privy/testing/matchers"

# Every module and class of the gem that a program can name, with the parts that need another gem loaded.
module PublicInterface
  # @return [Array<Module>]
  def self.modules(parent = Privy, found = [])
    parent.constants(false).each do |name|
      value = parent.const_get(name)
      next unless value.is_a?(Module) && value.name == "#{parent.name}::#{name}" && !found.include?(value)

      found << value
      modules(value, found)
    end
    found
  end

  2.times { modules } # a part may declare others
end
