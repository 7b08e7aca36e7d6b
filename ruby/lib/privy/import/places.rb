# frozen_string_literal: true

module Privy
  class Import
    # What the core asks about places: time zones by tzinfo, phone numbers by phonelib, if they are installed.
    #
    # @private
    module Places
      EXACT = 0
      REPEATED = 1
      SKIPPED = 2
      private_constant :EXACT, :REPEATED, :SKIPPED

      class << self
        # The offset of a zone at a local time, and whether clocks show that time once, twice or never.
        #
        # @param name [String]
        # @param local [Integer] seconds since 1970 by the clocks of the zone
        # @return [Array(Integer, Integer), nil] nil: there is no such zone
        def offset(name, local)
          zone = zone(name) or return
          periods = zone.periods_for_local(Time.at(local).utc)
          return [0, SKIPPED] if periods.empty?

          # Of two the earlier one, which is further east.
          [periods.map(&:utc_total_offset).max, periods.length > 1 ? REPEATED : EXACT]
        end

        # @return [Proc, nil] from a text and a country to E.164 or nil; nil: phonelib is not installed
        def phone
          return unless optional("phonelib")

          lambda do |text, country|
            number = Phonelib.parse(text, country)
            number.e164 if number.possible?
          end
        end

        private

        def zone(name)
          return unless optional("tzinfo")

          TZInfo::Timezone.get(name)
        rescue TZInfo::InvalidTimezoneIdentifier
          nil
        end

        def optional(gem)
          require gem
          true
        rescue LoadError
          false
        end
      end
    end
    private_constant :Places
  end
end
