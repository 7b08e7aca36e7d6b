# frozen_string_literal: true

module Privy
  # Drives a group of calls by waiting in it: the thread waits, others run.
  #
  # @private
  class WaitingDriver
    attr_reader :group

    def initialize(core)
      @group = Core::Group.new(core, false)
    end

    # Moves all calls on, and waits that long at most.
    def wait(seconds)
      @group.wait(seconds)
    end
  end

  # Drives a group of calls under a Fiber scheduler: the fiber is suspended until a socket is ready or time has passed.
  #
  # @private
  class SuspendingDriver
    # With several sockets one is waited for, and the others are looked at this often (seconds).
    GLANCE = 0.005

    attr_reader :group

    def initialize(core)
      @group = Core::Group.new(core, true)
    end

    # Moves all calls on, and waits that long at most.
    def wait(seconds)
      seconds = [seconds, @group.due].compact.min
      ready = seconds.positive? ? suspend(@group.sockets, seconds) : {}
      @group.act(-1, 0) if ready.empty?
      ready.each { |descriptor, events| @group.act(descriptor, events) }
    end

    private

    def suspend(sockets, seconds)
      scheduler = Fiber.current_scheduler
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

    # What is ready at once.
    def glance(sockets)
      sockets = sockets.transform_keys { |descriptor| io_of(descriptor) }
      readers, writers = [IO::READABLE, IO::WRITABLE].map do |event|
        sockets.filter_map { |io, events| io if events.anybits?(event) }
      end
      readable, writable, = IO.select(readers, writers, nil, 0)
      ready = Hash.new(0)
      readable&.each { |io| ready[io.fileno] |= IO::READABLE }
      writable&.each { |io| ready[io.fileno] |= IO::WRITABLE }
      ready
    end

    # The descriptor is libcurl's, which closes it.
    def io_of(descriptor)
      IO.for_fd(descriptor, autoclose: false)
    end
  end

  # Single calls of a client under a Fiber scheduler. Each takes a driver for itself and leaves it, with its connection,
  # to later ones.
  #
  # @private
  class SuspendedCalls
    # Drivers kept for later calls.
    MOST = 64

    def initialize(core)
      @core = core
      forget
    end

    # Yields the group in which to start one call; the call's value.
    def run
      driver = take
      idle = true
      yield driver.group
      idle = false
      driver.wait(60) until (outcome = driver.group.take)
      idle = true
      outcome.last.is_a?(Exception) ? raise(outcome.last) : outcome.last
    ensure
      idle ? give(driver) : driver&.group&.close
    end

    # Closes the connections that no call uses.
    def close
      forget unless @process == Process.pid
      while (driver = @idle.pop)
        driver.group.close
      end
    end

    private

    def forget
      @idle = []
      @process = Process.pid
    end

    def take
      forget unless @process == Process.pid
      @idle.pop || SuspendingDriver.new(@core)
    end

    def give(driver)
      if @core.closed? || @idle.length >= MOST
        driver.group.close
      else
        @idle.push(driver)
      end
    end
  end
end
