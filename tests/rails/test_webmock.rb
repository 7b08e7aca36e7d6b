# frozen_string_literal: true

require "helper"
require_relative "suites"

# WebMock forbids and allows the connections of these clients as those of other libraries.
class TestWebmock < PrivyTest
  def passes(text, count)
    served do |_, sandbox|
      head = "URL = #{Served.server.url.inspect}\nTOKEN = #{sandbox.token.inspect}\n"
      output, success = Suites.run(head + text)
      assert success, output
      assert_match(/^#{count} runs, .* 0 failures, 0 errors/, output)
      yield sandbox if block_given?
    end
  end

  TESTS = <<~'RUBY'
    class ATest < Minitest::Test
      self.use_privy_sandbox = false
      def outside = Privy::Client.new(base_url: URL, token: TOKEN, max_retries: 0)
      def live = Privy::Client.new(token: "any", max_retries: 0)
      def call = outside.contacts.list.total_count
      def forbidden(words, &block) = assert_match(words, assert_raises(Privy::Testing::NetworkForbidden, &block).message)
      def teardown = WebMock.disable_net_connect!

      def test_it_forbids_where_connections_are_allowed
        WebMock.disable_net_connect!
        forbidden(/WebMock.disable_net_connect! forbids it/) { Privy::Testing.allow_network { call } }
        forbidden(/contacts.list would connect to http/) { call }
      end

      def test_it_allows_localhost
        WebMock.disable_net_connect!(allow_localhost: true)
        assert_equal 0, call
        forbidden(/api.privy.com/) { live.contacts.list.first }
      end

      def test_it_allows_hosts
        WebMock.disable_net_connect!(allow: URI(URL).then { |uri| "#{uri.host}:#{uri.port}" })
        assert_equal 0, call
        forbidden(/api.privy.com/) { live.contacts.list.first }
        WebMock.disable_net_connect!(allow: "example.com")
        forbidden(/127.0.0.1/) { call }
      end

      def test_without_its_rule_that_of_privy_counts
        WebMock.allow_net_connect!
        forbidden(/no sandbox is active/) { call }
        assert_equal 0, Privy::Testing.allow_network { call }
      end

      def test_when_it_is_disabled_that_of_privy_counts
        WebMock.disable_net_connect!
        WebMock.disable!
        forbidden(/no sandbox is active/) { call }
        assert_equal 0, Privy::Testing.allow_network { call }
      ensure
        WebMock.enable!
      end
    end

    class BTest < Minitest::Test
      def test_a_sandbox_needs_no_connection
        WebMock.disable_net_connect!
        Privy::Client.new(token: "any").contacts.create(email: "jane@example.com")
        assert_privy_contact "jane@example.com"
      end
    end
  RUBY

  def test_webmock_before_privy
    passes("require 'minitest/autorun'\nrequire 'webmock/minitest'\nrequire 'privy/minitest'\n#{TESTS}", 6) do |sandbox|
      assert_equal 4, sandbox.counts.requests
    end
  end

  def test_webmock_after_privy
    passes("require 'minitest/autorun'\nrequire 'privy/minitest'\nrequire 'webmock/minitest'\n#{TESTS}", 6)
  end
end
