# frozen_string_literal: true

# ruby memory.rb BASE_URL TOKEN: lists all contacts, prints how many there were and the most memory it took, in KiB.
require "privy"

client = Privy::Client.new(base_url: ARGV[0], token: ARGV[1])
count = client.contacts.list.count(&:id)
puts "#{count} #{File.read('/proc/self/status')[/VmHWM:\s+(\d+)/, 1]}"
