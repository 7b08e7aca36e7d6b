# frozen_string_literal: true

require_relative "drivers/waiting"
require_relative "drivers/fiber"

module Privy
  # Makes the drivers of a client. The core keeps the connections of closed groups for later ones.
  #
  # @private
  class Drivers
    # Seconds of one wait of a single call; a wait ends earlier when the call does.
    WAIT = 60
    private_constant :WAIT

    # @param core [Core::Client]
    def initialize(core)
      @core = core
    end

    # @return [FiberDriver, WaitingDriver] a FiberDriver under a Fiber scheduler
    def checkout
      (Fiber.current_scheduler ? FiberDriver : WaitingDriver).new(@core)
    end

    # Cancels these calls, if they are in flight, and closes the driver.
    #
    # @param driver [Driver]
    # @param ids [Array<Integer>]
    # @return [void]
    def checkin(driver, ids)
      driver.close(ids)
    end

    # @param pager [Core::Pager]
    # @param read [Integer]
    # @return [Boolean] whether a list may request its next page after +read+ records of this one
    def prefetch?(pager, read)
      pager.prefetch?(@core, read)
    end

    # Waits for one call.
    #
    # @yieldparam group [Core::Group] where the block starts the call with id 0
    # @return [Object] the call's result
    # @raise [Exception] the call's error
    def run
      driver = checkout
      yield driver.group
      driver.wait(WAIT) until (completion = driver.group.next_completed)
      completion.last.is_a?(Exception) ? raise(completion.last) : completion.last
    ensure
      checkin(driver, [0]) if driver
    end
  end
  private_constant :Drivers
end
