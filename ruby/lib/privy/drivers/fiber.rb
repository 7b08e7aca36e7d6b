# frozen_string_literal: true

module Privy
  # Drives under a Fiber scheduler: suspends the fiber until a socket is ready or time has passed.
  #
  # @private
  class FiberDriver < Driver
    # A scheduler waits for one socket at a time. With several sockets the others are polled this often (seconds).
    POLL_INTERVAL = 0.005
    # Other fibers run after so many rows that are skipped, which takes milliseconds.
    SKIPS = 200
    private_constant :POLL_INTERVAL, :SKIPS

    # @param core [Core::Client]
    def initialize(core)
      super(core, true)
      @skips = 0
    end

    # Advances all calls; returns when a socket was ready, or after that time.
    #
    # @param seconds [Numeric]
    # @return [void]
    def wait(seconds)
      seconds = [seconds, @group.timeout].compact.min
      ready = seconds.positive? ? suspend(@group.sockets, seconds) : poll_sockets(@group.sockets)
      @group.socket_action(-1, 0) if ready.empty?
      ready.each { |descriptor, events| @group.socket_action(descriptor, events) }
    end

    # Advances all calls without waiting: the first turn starts a request, the second one sends it.
    #
    # @return [void]
    def poll
      2.times { wait(0) }
    end

    # Called between pieces of work without requests, such as for each row that is skipped. There is nothing to wait
    # for, and other fibers would not run.
    #
    # @param turns [Integer] other fibers run at one of so many calls
    # @return [void]
    def give_way(turns = SKIPS)
      Fiber.current_scheduler&.kernel_sleep(0) if ((@skips += 1) % turns).zero?
    end

    private

    # Without a scheduler, such as inside Enumerator#next, it blocks the thread.
    def suspend(sockets, seconds)
      scheduler = Fiber.current_scheduler
      return poll_sockets(sockets, seconds) unless scheduler

      if sockets.empty?
        scheduler.kernel_sleep(seconds)
        return {}
      end
      descriptor, events = sockets.first
      seconds = [seconds, POLL_INTERVAL].min if sockets.length > 1
      ready = scheduler.io_wait(io_of(descriptor), events, seconds)
      found = ready.is_a?(Integer) && ready.positive? ? { descriptor => ready } : {}
      sockets.length > 1 ? poll_sockets(sockets.except(descriptor)).merge(found) : found
    end

    # The sockets that are ready at once, or within that time.
    def poll_sockets(sockets, seconds = 0)
      return no_sockets(seconds) if sockets.empty?

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

    def no_sockets(seconds)
      sleep(seconds) if seconds.positive?
      {}
    end

    # libcurl owns the descriptor and closes it.
    def io_of(descriptor)
      IO.for_fd(descriptor, autoclose: false)
    end
  end
  private_constant :FiberDriver
end
