# frozen_string_literal: true

# A worker of the measurements: `ruby worker.rb THEME CASE ARGUMENT...`, then lines on its input.
#
# A theme is a file in this folder with a module of that name, a case a method of the module that gives [work, answer]:
# what to time, and what reports the result as plain JSON.

require "json"

def now(clock)
  Process.clock_gettime(clock, :nanosecond)
end

theme, name, *arguments = ARGV
require_relative theme
work, answer = Object.const_get(theme.capitalize).public_send(name, *arguments)
$stdout.sync = true
$stdin.each_line do |line|
  command, times = line.split
  next puts(JSON.generate(answer.call)) if command == "answer"

  repeat = Integer(times)
  GC.start
  wall = now(Process::CLOCK_MONOTONIC)
  cpu = now(Process::CLOCK_PROCESS_CPUTIME_ID)
  repeat.times { work.call }
  cpu = now(Process::CLOCK_PROCESS_CPUTIME_ID) - cpu
  wall = now(Process::CLOCK_MONOTONIC) - wall
  puts "#{wall} #{cpu}"
end
