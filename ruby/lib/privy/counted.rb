# frozen_string_literal: true

module Privy
  # Numbers of things in texts for people.
  #
  # @private
  module Counted
    # @return [String] a number and its noun, which gets its plural, such as "1 row" or "2 rows"
    def self.of(number, noun)
      "#{number} #{noun}#{'s' unless number == 1}"
    end
  end
end
