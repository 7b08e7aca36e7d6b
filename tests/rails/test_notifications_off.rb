# frozen_string_literal: true

require "rails_helper"

# An application with config.privy.notifications = false.
class TestNotificationsOff < PrivyTest
  LINES = StringIO.new
  RailsApp.boot do |config|
    config.logger = ActiveSupport::Logger.new(LINES)
    config.privy.sandbox = true
    config.privy.notifications = false
  end

  # Then clients log by themselves.
  def test_calls_are_no_events
    events = []
    ActiveSupport::Notifications.subscribe(/\.privy\z/) { |event| events << event.name }
    LINES.truncate(LINES.rewind)
    Privy.client.contacts.list.to_a
    refute_predicate Privy::Rails::Notifications, :installed?
    assert_empty events
    assert_includes LINES.string, "privy contacts.list, call 1: started\n"
    refute_includes ActionController::Base.ancestors, Privy::Rails::ControllerRuntime
  end
end
