# frozen_string_literal: true

# Classes that drive groups of calls.
module Privy
  # Drives a group of calls.
  #
  # @private
  class Driver
    # @return [Core::Group]
    attr_reader :group

    # @param core [Core::Client]
    # @param watched [Boolean] whether the group reports its sockets, for a caller that watches them
    def initialize(core, watched)
      @group = Core::Group.new(core, watched)
    end

    # Cancels these calls, if they are in flight, and closes the group.
    #
    # @param ids [Array<Integer>]
    # @return [void]
    def close(ids)
      ids.each { |id| @group.cancel(id) }
    ensure
      @group.close
    end
  end

  # Drives by waiting in the group: it blocks the thread, without the GVL.
  #
  # @private
  class WaitingDriver < Driver
    # @param core [Core::Client]
    def initialize(core)
      super(core, false)
    end

    # Advances all calls; returns when one has ended, or after that time.
    #
    # @param seconds [Numeric]
    # @return [void]
    def wait(seconds)
      @group.wait(seconds)
    end

    # Advances all calls without waiting.
    #
    # @return [void]
    def poll
      @group.poll
    end

    # Called between pieces of work without requests. Threads take turns by themselves.
    #
    # @return [void]
    def give_way(_turns = nil); end
  end
  private_constant :Driver, :WaitingDriver
end
