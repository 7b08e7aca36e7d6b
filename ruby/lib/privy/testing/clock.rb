# frozen_string_literal: true

module Privy
  module Testing
    # Lets a sandbox's clock follow Time.now, which +travel_to+, +freeze_time+ and Timecop change. What waits and
    # {Sandbox#advance} have added stays added.
    #
    # @private
    class Clock
      # Times that are less than this many seconds apart are equal, apart from their rounding.
      GAP = 0.001
      # Timecop may replace the method later.
      MACHINE = Process.method(:clock_gettime)
      private_constant :GAP, :MACHINE

      # @param sandbox [Sandbox]
      def initialize(sandbox)
        @sandbox = sandbox
        @stopped_at = nil
        @lock = Mutex.new
      end

      # Sets the sandbox's clock, if the test has changed the time since the last call or has changed it back.
      #
      # @return [void]
      def follow
        first = now = nil
        ahead = ahead_of_machine do
          first = Time.now
          now = Time.now
        end
        # Two equal times are a frozen clock; of a coarse one at most this call's time stands still.
        moved = first == now || ahead != 0
        @lock.synchronize { moved ? stop_at(now.to_f) : run } if moved || @stopped_at
      end

      private

      def machine
        MACHINE.call(Process::CLOCK_REALTIME)
      end

      # Seconds that the time of the block is ahead of the machine's clock. That clock is read before and after it: a
      # busy machine may take long between the two.
      def ahead_of_machine
        before = machine
        time = yield.to_f
        difference(time, time.clamp(before, [before, machine].max))
      end

      def difference(time, other)
        (time - other).abs < GAP ? 0 : time - other
      end

      def stop_at(now)
        added = added_to_clock
        @base = now
        @stopped_at = [now + added, 0].max # a sandbox has no time before 1970
        @sandbox.set_clock(@stopped_at)
      end

      def run
        added = added_to_clock
        @stopped_at = nil
        @sandbox.set_clock(nil)
        @sandbox.advance(added)
      end

      # Seconds that waits and {Sandbox#advance} have added.
      def added_to_clock
        return ahead_of_machine { @sandbox.now } unless @stopped_at

        @stopped_at - @base + difference(@sandbox.now.to_f, @stopped_at)
      end
    end
  end
end
