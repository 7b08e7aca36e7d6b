# frozen_string_literal: true

require "rails_helper"
require_relative "sync_models"

RailsApp.boot(SyncModels::FILES)
RailsApp.database do
  create_table(:orders) do |table|
    table.string :number
    table.string :email
    table.string :status
    table.decimal :total
    table.timestamps
  end
end

class ApplicationRecord < ActiveRecord::Base
  self.abstract_class = true
end

class ApplicationJob < ActiveJob::Base
end

class Order < ApplicationRecord
end

# The job of docs/rails.md that imports orders each night, works.
class TestImportDocs < PrivyTest
  include ActiveJob::TestHelper

  BLOCK = File.read(File.join(ROOT, "docs/rails.md"))[/^```ruby\n(class ImportOrdersJob.*?)^```$/m, 1]

  def setup
    super
    FileUtils.mkdir_p(Rails.root.join("storage"))
    Object.class_eval(BLOCK) unless defined?(ImportOrdersJob)
    @sandbox = Privy::Sandbox.new
    Privy.client = @sandbox.client
  end

  def teardown
    FileUtils.rm_f(Dir.glob(Rails.root.join("storage", "privy-orders.db*")))
    Order.delete_all
    super
  end

  def store(count)
    count.times do |number|
      Order.create!(number: number + 1, email: "c#{number}@example.com", status: "paid", total: 10)
    end
  end

  def test_each_night_sends_what_has_changed
    store(5)
    ImportOrdersJob.perform_now
    Order.last.update!(total: 20)
    Order.create!(number: 6, email: "no address", status: "paid", total: 10)
    2.times { ImportOrdersJob.perform_now }
    assert_equal [5, 6], [@sandbox.counts.orders, @sandbox.counts.requests]
    assert_equal 20, @sandbox.orders[5].total_amount
  end

  # A spent day: the job returns to the queue, and then sends the rest.
  def test_a_spent_day
    store(12)
    @sandbox.set_limits(per_day: 8)
    ImportOrdersJob.perform_later
    perform_enqueued_jobs(only: ImportOrdersJob, at: Time.now)
    assert_equal [8, 1], [@sandbox.counts.orders, enqueued_jobs.length]
    @sandbox.advance(86_400)
    Privy.client = @sandbox.client
    perform_enqueued_jobs(only: ImportOrdersJob)
    assert_equal [12, 12], [@sandbox.counts.orders, @sandbox.requests.count { |request| request.status < 300 }]
  end
end
