# frozen_string_literal: true

# ruby start.rb LIBRARY: requires it, prints nanoseconds of wall and CPU and the KiB of memory that this added.
def resident
  File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i
end

def now(clock)
  Process.clock_gettime(clock, :nanosecond)
end

memory = resident
wall = now(Process::CLOCK_MONOTONIC)
cpu = now(Process::CLOCK_PROCESS_CPUTIME_ID)
require ARGV[0]
cpu = now(Process::CLOCK_PROCESS_CPUTIME_ID) - cpu
wall = now(Process::CLOCK_MONOTONIC) - wall
puts "#{wall} #{cpu} #{resident - memory}"
