# frozen_string_literal: true

# A Fiber scheduler of a screen or two: fibers wait for sockets, for time and for each other, and no thread does.
class SmallScheduler
  Wait = Struct.new(:fiber, :io, :events, :until, :blocker, keyword_init: true)

  attr_reader :io_waits

  def initialize
    @main = Fiber.current
    @waits = []
    @ready = []
    @timers = []
    @lock = Thread::Mutex.new
    @bell, @ring = IO.pipe
    @io_waits = 0
  end

  # Runs the block in a thread of its own under this scheduler, with all fibers that it schedules; the block's value.
  def self.run
    Thread.new do
      scheduler = new
      Fiber.set_scheduler(scheduler)
      value = nil
      Fiber.schedule { value = yield scheduler }
      Fiber.set_scheduler(nil)
      value
    end.value
  end

  # Fibers are transferred to, not resumed: one that an Enumerator has resumed suspends to the scheduler too.
  def fiber(&)
    fiber = Fiber.new(blocking: false, &)
    @lock.synchronize { @ready << Fiber.current } unless Fiber.current.equal?(@main)
    fiber.transfer
    fiber
  end

  def io_wait(socket, events, timeout = nil)
    @io_waits += 1
    suspend(io: socket, events: events, until: timeout && (now + timeout)) || false
  end

  def kernel_sleep(duration = nil)
    suspend(until: duration && (now + duration))
    true
  end

  def block(blocker, timeout = nil)
    suspend(blocker: blocker, until: timeout && (now + timeout)) == :unblocked
  end

  # Any thread may call this.
  def unblock(_blocker, fiber)
    @lock.synchronize { @ready << fiber }
    @ring.write_nonblock(".")
  end

  def timeout_after(duration, klass, message)
    timer = [now + duration, Fiber.current, klass, message]
    @timers << timer
    yield
  ensure
    @timers.delete(timer)
  end

  def close
    turn until @waits.empty? && @ready.empty?
    [@bell, @ring].each(&:close)
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def suspend(**settings)
    wait = Wait.new(fiber: Fiber.current, **settings)
    @waits << wait
    @main.transfer
  ensure
    @waits.delete(wait)
  end

  def turn
    readable, writable, = IO.select([@bell, *ios(IO::READABLE)], ios(IO::WRITABLE), nil, patience)
    @bell.read_nonblock(100) if readable&.include?(@bell)
    wake_unblocked
    wake_for_sockets(readable || [], writable || [])
    wake_for_time
  end

  def ios(event)
    @waits.filter_map { |wait| wait.io if wait.events&.anybits?(event) }
  end

  def patience
    return 0 unless @ready.empty?

    first = (@waits.map(&:until) + @timers.map(&:first)).compact.min
    first && [first - now, 0].max
  end

  def wake_unblocked
    @lock.synchronize { @ready.slice!(0..) }.each { |fiber| fiber.transfer(:unblocked) if fiber.alive? }
  end

  def wake_for_sockets(readable, writable)
    @waits.select(&:io).each do |wait|
      ready = (readable.include?(wait.io) ? IO::READABLE : 0) | (writable.include?(wait.io) ? IO::WRITABLE : 0)
      wait.fiber.transfer(ready & wait.events) if ready.anybits?(wait.events) && @waits.include?(wait)
    end
  end

  def wake_for_time
    time = now
    @timers.select { |at,| at <= time }.each do |timer|
      @timers.delete(timer)
      timer[1].raise(timer[2], timer[3])
    end
    @waits.select { |wait| wait.until && wait.until <= time }.each do |wait|
      wait.fiber.transfer(nil) if @waits.include?(wait)
    end
  end
end
