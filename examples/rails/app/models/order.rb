# frozen_string_literal: true

# Reaches Privy when it is paid, and again when it changes after that.
class Order < ApplicationRecord
  include Privy::Syncable

  belongs_to :customer
  scope :paid, -> { where.not(paid_at: nil) }

  privy_sync :order, if: :paid?, debounce: 5.seconds do |order|
    { order_id: order.id, email: order.customer.email, total: order.total, currency: "USD", order_date: order.paid_at }
  end

  def paid?
    paid_at.present?
  end
end
