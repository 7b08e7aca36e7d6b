# frozen_string_literal: true

class CreateShop < ActiveRecord::Migration[6.1]
  def change
    create_table :customers do |t|
      t.string :email, null: false, index: { unique: true }
      t.string :first_name
      t.string :last_name
      t.boolean :newsletter, null: false, default: false
      privy_columns t
      t.timestamps
    end
    create_table :orders do |t|
      t.references :customer, null: false, foreign_key: true
      t.decimal :total, precision: 10, scale: 2, null: false
      t.datetime :paid_at
      privy_columns t
      t.timestamps
    end
  end

  private

  # What `rails generate privy:sync Order` adds to a table that exists.
  def privy_columns(table)
    table.string :privy_digest
    table.datetime :privy_due_at
    table.datetime :privy_synced_at
    table.text :privy_error
  end
end
