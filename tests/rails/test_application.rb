# frozen_string_literal: true

require "rails_helper"

# The library in an application that loads it as Bundler does: after Rails, by the name of the gem.
class TestApplication < PrivyTest
  APPLICATION = RailsApp.boot do |config|
    config.eager_load = true
  end

  def test_the_application_boots_without_a_token
    assert_predicate APPLICATION, :initialized?
  end

  def test_a_client_logs_to_the_logger_of_rails
    lines = StringIO.new
    client = Privy::Sandbox.new.client(logger: ActiveSupport::Logger.new(lines))
    client.orders.upsert(**ORDER)
    assert_includes lines.string, "orders.upsert"
  end
end
