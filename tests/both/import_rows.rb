# frozen_string_literal: true

# Imports the files on standard input, one JSON object a line, and prints the rows of each as a line of JSON.
require "json"
require "privy"

places = Privy::Import.const_get(:Places, false)

$stdin.each_line do |line|
  kase = JSON.parse(line)
  file = kase["file"].unpack1("m")
  core = Privy::Core::Import.new(kase["operation"], kase["map"], kase["preset"], "US", "USD", "Europe/Berlin", nil,
                                 places.method(:offset).to_proc, nil)
  core.survey(file)
  core.end_survey
  rows = core.feed(file) + core.finish
  puts JSON.generate([rows, core.preset, core.encoding, core.delimiter, core.unused, core.surveyed,
                      core.rejects_header])
rescue Privy::ValidationError => e
  puts JSON.generate([e.message, e.details])
end
