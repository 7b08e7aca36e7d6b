# frozen_string_literal: true

require_relative "plain"
require_relative "request"

# One call on a kept connection: GET of one contact. Peers send privy's headers and read the body's text, no more.
module Call
  module_function

  def work_of(get)
    [get, -> { JSON.parse(get.call) }]
  end

  # From the method to the Contact; the answer is reported as the record's own fields.
  def privy(base_url, token, contact_id)
    require "privy"
    contacts = Privy::Client.new(base_url: base_url, token: token).contacts
    [-> { contacts.get(contact_id) }, -> { { "data" => Plain.contact(contacts.get(contact_id)) } }]
  end

  def net_http(path)
    require "net/http"
    asked = Request.new(path)
    uri = asked.uri
    connection = Net::HTTP.new(uri.host, uri.port, nil).start
    get = Net::HTTP::Get.new(uri.request_uri, asked.headers)
    work_of(-> { connection.request(get).body })
  end

  def typhoeus(path)
    require "typhoeus"
    asked = Request.new(path)
    work_of(-> { Typhoeus.get(asked.url, headers: asked.headers, proxy: "").body })
  end

  def excon(path)
    require "excon"
    asked = Request.new(path)
    connection = Excon.new(asked.origin, persistent: true, headers: asked.headers)
    work_of(-> { connection.get(path: asked.target).body })
  end

  # Over Typhoeus, which keeps the connection; its own adapter for Net::HTTP would not.
  def faraday(path)
    require "faraday"
    require "typhoeus"
    asked = Request.new(path)
    connection = Faraday.new(asked.origin, headers: asked.headers) { |made| made.adapter :typhoeus }
    work_of(-> { connection.get(asked.target).body })
  end
end
