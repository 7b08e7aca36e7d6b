# frozen_string_literal: true

module Privy
  module Testing
    # Lets a sandbox's clock follow Time.now, which +travel_to+, +freeze_time+ and Timecop change. What waits and
    # {Sandbox#advance} have added stays added.
    #
    # @private
    class Clock
      # Time.now differs from the machine's clock by more than this many seconds only if a test has changed it.
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
        first = Time.now
        now = Time.now
        # Two equal times are a frozen clock; of a coarse one at most this call's time stands still.
        moved = first == now || (now.to_f - machine).abs > GAP
        @lock.synchronize { moved ? stop_at(now.to_f) : run } if moved || @stopped_at
      end

      private

      def machine
        MACHINE.call(Process::CLOCK_REALTIME)
      end

      def stop_at(now)
        added = added_since(@stopped_at || machine)
        @base = now
        @stopped_at = [now + added, 0].max # a sandbox has no time before 1970
        @sandbox.set_clock(@stopped_at)
      end

      def run
        added = added_since(@stopped_at)
        @stopped_at = nil
        @sandbox.set_clock(nil)
        @sandbox.advance(added)
      end

      # Seconds that the sandbox's clock is ahead; less than GAP comes from reading one clock after the other.
      def added_since(expected)
        base = @stopped_at ? @stopped_at - @base : 0
        added = base + @sandbox.now.to_f - expected
        added.abs < GAP ? 0 : added
      end
    end
  end
end
