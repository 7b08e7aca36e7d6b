# frozen_string_literal: true

# The models of the tests of Privy::Syncable, as an application writes them.
module SyncModels
  # Active Record's railtie reads it.
  FILES = { "config/database.yml" => "test:\n  adapter: sqlite3\n  database: ':memory:'\n" }.freeze

  COLUMNS = lambda do |table|
    table.string :privy_digest
    table.datetime :privy_due_at
    table.datetime :privy_synced_at
    table.text :privy_error
  end

  SCHEMA = proc do
    create_table :orders, force: true do |table|
      table.string :type
      table.string :number
      table.string :email
      table.string :phone
      table.decimal :total, precision: 10, scale: 2
      table.string :status
      table.integer :lock_version, default: 0, null: false
      table.timestamps
      COLUMNS.call(table)
    end
    create_table :customers, force: true do |table|
      table.string :email
      table.string :name
      table.string :phone
      table.string :email_consent
      table.string :sms_consent
      COLUMNS.call(table)
    end
    create_table(:plain_orders, force: true) { |table| table.string :email }
  end
end
