# frozen_string_literal: true

class SignupsController < ApplicationController
  def create
    customer = Customer.new(params.require(:customer).permit(:email, :first_name, :last_name, :newsletter))
    return render json: { errors: customer.errors }, status: :unprocessable_entity unless customer.save

    Privy::IngestEventJob.perform_later("signed_up", email: customer.email, event_data: { source: "shop" })
    render json: { id: customer.id }, status: :created
  end

  # What Privy knows now: a request that a person waits for.
  def show
    contact = Privy.web.contacts.list(email: Customer.find(params[:id]).email).first
    render json: { known: !contact.nil?, email_consent: contact&.email_consent }
  end
end
