# frozen_string_literal: true

class Order < ActiveRecord::Base
  include Privy::Syncable

  class << self
    attr_accessor :seen
  end
  self.seen = []

  privy_sync :order, if: :paid?, attributes: { order_id: :number } do |o|
    { order_id: o.number, email: o.email, phone: o.phone, total: o.total, currency: "USD", order_date: o.created_at }
  end
  validates_privy on: :form

  def paid?
    status == "paid"
  end

  def privy_synced(result)
    Order.seen << [:synced, id, result.class]
  end

  def privy_failed(error)
    Order.seen << [:failed, id, error.class]
  end
end

class GiftOrder < Order
end

class Customer < ActiveRecord::Base
  include Privy::Syncable

  privy_sync :contact, debounce: 0 do |c|
    { email: c.email, phone_number: c.phone, first_name: c.name, email_consent: c.email_consent,
      sms_consent: c.sms_consent }
  end
end

class PlainOrder < ActiveRecord::Base
  include Privy::Syncable

  privy_sync(:order) { |o| { order_id: o.id, email: o.email } }
end

# For tests: empty tables, and a sandbox that Privy.client calls.
module SyncSandbox
  def setup
    super
    @sandbox = Privy::Sandbox.new
    Privy.client = @sandbox.client(max_retries: 0)
    [Order, Customer].each(&:delete_all)
    Order.seen = []
  end

  def teardown
    Privy.client = nil
    super
  end
end
