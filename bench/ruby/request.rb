# frozen_string_literal: true

require "json"
require "uri"

# The request that all clients of a theme send, as the harness wrote it down from privy's own.
class Request
  # What every client adds by itself.
  OWN = %w[host content-length connection].freeze

  attr_reader :url, :headers, :body

  def initialize(path)
    reported = JSON.parse(File.read(path, encoding: "UTF-8"))
    @url = reported["url"]
    @headers = reported["headers"].reject { |name, _| OWN.include?(name.downcase) }.to_h
    @body = reported["body"]
  end

  def uri
    URI(url)
  end

  def origin
    url[%r{\Ahttp://[^/]+}]
  end

  def target
    url.delete_prefix(origin)
  end
end
