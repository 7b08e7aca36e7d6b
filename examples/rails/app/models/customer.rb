# frozen_string_literal: true

# Privy keeps the consent that a customer gave: an unticked box sends none, it does not unsubscribe.
class Customer < ApplicationRecord
  include Privy::Syncable

  has_many :orders, dependent: :restrict_with_error
  validates :email, presence: true, uniqueness: true
  validates_privy

  privy_sync :contact do |customer|
    { email: customer.email, first_name: customer.first_name, last_name: customer.last_name,
      email_consent: (:subscribed if customer.newsletter?) }
  end
end
