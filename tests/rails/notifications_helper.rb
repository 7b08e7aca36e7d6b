# frozen_string_literal: true

require "helper"
require "active_support"
require "active_support/notifications"

# What the tests of notifications share.
module NotificationsHelper
  Seen = Struct.new(:name, :event, :thread, :fiber) do
    def payload = event.payload

    def kind = name.delete_suffix(".privy").to_sym
  end

  # The events of these names in the block, in the order of their ends.
  def seen(*names)
    events = Thread::Queue.new
    names = Privy::Rails::Notifications::NAMES.keys if names.empty?
    listeners = names.map do |name|
      ActiveSupport::Notifications.subscribe("#{name}.privy") do |event|
        events << Seen.new(event.name, event, Thread.current, Fiber.current)
      end
    end
    yield
    Array.new(events.length) { events.pop }
  ensure
    listeners&.each { |listener| ActiveSupport::Notifications.unsubscribe(listener) }
  end

  # The payloads of the calls in the block.
  def calls(&)
    seen(:call, &).map(&:payload)
  end

  def elapsed
    before = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    (Process.clock_gettime(Process::CLOCK_MONOTONIC) - before) * 1_000
  end
end
