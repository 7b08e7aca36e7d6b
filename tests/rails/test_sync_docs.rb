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
    SyncModels::COLUMNS.call(table)
  end
  create_table(:subscribers) do |table|
    table.string :email
    table.string :phone
    SyncModels::COLUMNS.call(table)
  end
end

class ApplicationRecord < ActiveRecord::Base
  self.abstract_class = true
end

class ApplicationJob < ActiveJob::Base
end

# What docs/rails-sync.md shows, works.
class TestSyncDocs < PrivyTest
  include ActiveJob::TestHelper

  BLOCKS = File.read(File.join(ROOT, "docs/rails-sync.md")).scan(/^```ruby\n(.*?)^```$/m).flatten

  def test_the_blocks
    sandbox = Privy::Sandbox.new
    Privy.client = sandbox.client
    model, form, backfill, job = BLOCKS
    assert_operator model.lines.grep(/\S/).grep_v(/^(class|end|  include)/).length, :<, 10
    run_block(model)
    perform_enqueued_jobs { create(1001) }
    assert_equal 1, sandbox.counts.orders

    run_block(form)
    error = TOPLEVEL_BINDING.local_variable_get(:subscriber).errors.details[:phone].first[:error]
    assert_kind_of Symbol, error

    Privy::Syncable.disable { create(1002) }
    assert_output(/1 Order sent/) { run_block(backfill) }

    Privy::Syncable.disable { 3.times { |number| create(1003 + number) } }
    run_block(job)
    sandbox.set_limits(per_minute: 60, per_day: 2)
    BackfillJob.perform_now
    assert_enqueued_with(job: BackfillJob, args: [Order.order(:id).to_a[-2].id])
  ensure
    Privy.client = nil
  end

  private

  def create(number)
    Order.create!(number: number.to_s, email: JANE, total: 95, status: "paid")
  end

  def run_block(code)
    TOPLEVEL_BINDING.eval(code)
  end
end
