# frozen_string_literal: true

require_relative "plain"

# One call on a kept connection, with ActiveSupport::Notifications: without it, installed without a subscriber, with one
# subscriber, and with the instrumenter of ActiveSupport around the call and the same subscriber.
module Notifications
  NAME = "call.privy"

  module_function

  def none(base_url, token, contact_id)
    contacts = contacts_of(base_url, token)
    case_of(contact_id) { |id| contacts.get(id) }
  end

  def installed(base_url, token, contact_id)
    none(base_url, token, contact_id).tap { Privy::Rails::Notifications.install }
  end

  def subscriber(base_url, token, contact_id)
    subscribe
    installed(base_url, token, contact_id)
  end

  def by_hand(base_url, token, contact_id)
    subscribe
    contacts = contacts_of(base_url, token)
    case_of(contact_id) do |id|
      ActiveSupport::Notifications.instrument(NAME, operation: "contacts.get") { contacts.get(id) }
    end
  end

  def contacts_of(base_url, token)
    require "active_support"
    require "active_support/notifications"
    require "privy"
    Privy::Client.new(base_url: base_url, token: token).contacts
  end

  def subscribe
    require "active_support"
    require "active_support/notifications"
    @total = 0.0
    ActiveSupport::Notifications.subscribe(NAME) { |event| @total += event.duration }
  end

  def case_of(id)
    [-> { yield id }, -> { { "data" => Plain.contact(yield(id)) } }]
  end
end
