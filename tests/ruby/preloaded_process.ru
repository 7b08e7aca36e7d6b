# frozen_string_literal: true

# An application that makes its client when it is loaded, in Puma's master process, and makes calls there.

require "privy"
require "json"
require_relative "many_server"

client = Privy::Client.new(ca_bundle: ENV.fetch("CA_BUNDLE"), max_retries: 0)
loaded_by = Process.pid

ask = lambda do |place|
  name = client.contacts.get(ManyServer.contact(place)).first_name
  name == "n#{place}" ? name : raise("another's answer: #{name}")
end

ask.call(0)
Thread.new { (1..).each { |place| ask.call(place) && sleep(0.01) } }

# Gets the contact that the path names, and returns the response and the process.
run(lambda do |env|
  reported = { first_name: ask.call(Integer(env["PATH_INFO"][1..])), process: Process.pid, loaded_by: loaded_by }
  [200, { "Content-Type" => "application/json" }, [JSON.generate(reported)]]
end)
