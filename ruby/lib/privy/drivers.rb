# frozen_string_literal: true

module Privy
  # Drives a group of calls.
  #
  # @private
  class Driver
    attr_reader :group

    def initialize(core, watched)
      @group = Core::Group.new(core, watched)
    end

    # Ends these calls, if they are under way, and the group.
    def leave(ids)
      ids.each { |id| @group.cancel(id) }
    ensure
      @group.close
    end
  end

  # Drives by waiting in the group: the thread waits, others run.
  #
  # @private
  class WaitingDriver < Driver
    def initialize(core)
      super(core, false)
    end

    # Moves all calls on, and waits that long at most.
    def wait(seconds)
      @group.wait(seconds)
    end

    # Moves all calls on, without waiting.
    def nudge
      wait(0)
    end
  end

  # Drives under a Fiber scheduler: the fiber is suspended until a socket is ready or time has passed.
  #
  # @private
  class SuspendingDriver < Driver
    # With several sockets one is waited for, and the others are looked at this often (seconds).
    GLANCE = 0.005

    def initialize(core)
      super(core, true)
    end

    # Moves all calls on, and waits that long at most.
    def wait(seconds)
      seconds = [seconds, @group.due].compact.min
      ready = seconds.positive? ? suspend(@group.sockets, seconds) : glance(@group.sockets)
      @group.act(-1, 0) if ready.empty?
      ready.each { |descriptor, events| @group.act(descriptor, events) }
    end

    # Moves all calls on, without waiting: what the first turn begins the second one sends.
    def nudge
      2.times { wait(0) }
    end

    private

    # Without a scheduler, such as inside Enumerator#next, the thread waits.
    def suspend(sockets, seconds)
      scheduler = Fiber.current_scheduler
      return glance(sockets, seconds) unless scheduler

      if sockets.empty?
        scheduler.kernel_sleep(seconds)
        return {}
      end
      descriptor, events = sockets.first
      seconds = [seconds, GLANCE].min if sockets.length > 1
      ready = scheduler.io_wait(io_of(descriptor), events, seconds)
      found = ready.is_a?(Integer) && ready.positive? ? { descriptor => ready } : {}
      sockets.length > 1 ? glance(sockets.except(descriptor)).merge(found) : found
    end

    # What is ready at once, or within that time.
    def glance(sockets, seconds = 0)
      return nothing(seconds) if sockets.empty?

      sockets = sockets.transform_keys { |descriptor| io_of(descriptor) }
      readers, writers = [IO::READABLE, IO::WRITABLE].map do |event|
        sockets.filter_map { |io, events| io if events.anybits?(event) }
      end
      readable, writable, = IO.select(readers, writers, nil, seconds)
      ready = Hash.new(0)
      readable&.each { |io| ready[io.fileno] |= IO::READABLE }
      writable&.each { |io| ready[io.fileno] |= IO::WRITABLE }
      ready
    end

    def nothing(seconds)
      sleep(seconds) if seconds.positive?
      {}
    end

    # The descriptor is libcurl's, which closes it.
    def io_of(descriptor)
      IO.for_fd(descriptor, autoclose: false)
    end
  end

  # Makes the drivers of a client. The core keeps the connections of groups that are closed for later ones.
  #
  # @private
  class Drivers
    def initialize(core)
      @core = core
    end

    # What suits the fiber that asks.
    def take
      (Fiber.current_scheduler ? SuspendingDriver : WaitingDriver).new(@core)
    end

    # Ends these calls, if they are under way, and the driver.
    def give(driver, ids)
      driver.leave(ids)
    end

    # Whether a list may ask for its next page when so many records of this one have been read.
    def prefetch?(walk, read)
      walk.prefetch?(@core, read)
    end

    # Yields a group in which to start the call 0; the call's value.
    def run
      driver = take
      yield driver.group
      driver.wait(60) until (outcome = driver.group.take)
      outcome.last.is_a?(Exception) ? raise(outcome.last) : outcome.last
    ensure
      give(driver, [0]) if driver
    end
  end
end
