# frozen_string_literal: true

require_relative "request"

# A thousand calls, 64 at once: POST of an event. The peer's bodies are ready text, privy builds and checks its own.
module Many
  AT_ONCE = 64

  module_function

  def read_events(path)
    JSON.parse(File.read(path, encoding: "UTF-8"))
  end

  def receipt(record)
    { "event_id" => record.event_id, "status" => record.status }
  end

  def privy(base_url, token, path)
    require "privy"
    client = Privy::Client.new(base_url: base_url, token: token)
    events = read_events(path).map { |event| event.transform_keys(&:to_sym) }
    every = -> { client.events.ingest_many(events, concurrency: AT_ONCE) { |result| receipt(result.value) } }
    one = events.first
    [every, -> { receipt(client.events.ingest(one[:event_type], **one.except(:event_type))) }]
  end

  def typhoeus(path, events_path)
    require "typhoeus"
    asked = Request.new(path)
    bodies = read_events(events_path).map { |event| JSON.generate(event) }
    post = lambda do |body|
      Typhoeus::Request.new(asked.url, method: :post, body: body, headers: asked.headers, proxy: "")
    end
    every = lambda do
      hydra = Typhoeus::Hydra.new(max_concurrency: AT_ONCE)
      bodies.each do |body|
        request = post.call(body)
        request.on_complete { |response| JSON.parse(response.body) }
        hydra.queue(request)
      end
      hydra.run
    end
    [every, -> { JSON.parse(post.call(bodies.first).run.body) }]
  end
end
