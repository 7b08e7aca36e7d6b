# frozen_string_literal: true

class OrdersController < ApplicationController
  def create
    order = Order.create!(params.require(:order).permit(:customer_id, :total))
    render json: { id: order.id }, status: :created
  end

  def pay
    Order.find(params[:id]).update!(paid_at: Time.current)
    head :no_content
  end
end
