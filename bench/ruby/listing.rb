# frozen_string_literal: true

require_relative "request"

# All contacts of a list, with work of the user's own for each: 5 ms of CPU a page, reported by the thread's own clock.
module Listing
  WORK = 5e-3 / 100 # seconds of CPU a contact

  module_function

  # Keeps this thread's CPU busy, whatever other threads do meanwhile.
  def use(id)
    till = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) + WORK
    nil while Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) < till
    id ? 1 : 0
  end

  def privy(base_url, token)
    require "privy"
    client = Privy::Client.new(base_url: base_url, token: token)
    every = -> { client.contacts.list.sum { |contact| use(contact.id) } }
    [every, every]
  end

  # The plain loop of the peers' parts: Net::HTTP, Oj; the next page is asked for when this one is used up.
  def sequential(path)
    require "net/http"
    require "oj"
    asked = Request.new(path)
    uri = asked.uri
    connection = Net::HTTP.new(uri.host, uri.port, nil).start
    every = lambda do
      number = 0
      last = 1
      count = 0
      while number < last
        number += 1
        get = Net::HTTP::Get.new("#{uri.path}?page=#{number}&per_page=100", asked.headers)
        page = Oj.load(connection.request(get).body, mode: :strict)
        last = page["pagination"]["total_pages"]
        count += page["data"].sum { |contact| use(contact["id"]) }
      end
      count
    end
    [every, every]
  end
end
