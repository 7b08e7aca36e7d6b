# frozen_string_literal: true

require "English"
require "helper"
require "active_support"
require "active_support/core_ext/string/inflections"
require "fileutils"
require "open3"
require "tmpdir"

# The generator in an application that `rails new` has made.
class TestSyncGenerator < PrivyTest
  FLAGS = $LOAD_PATH.grep(%r{/(build/ruby/lib|ruby/lib)\z}).map { |folder| "-I#{folder}" }
  ENVIRONMENT = { "RUBYOPT" => FLAGS.join(" "), "RAILS_ENV" => "test", "DISABLE_SPRING" => "1" }.freeze
  # Without Bundler: the gems are Debian's, and this library is a folder.
  BOOT = "require 'logger'\nrequire 'pathname'\n"
  APPLICATION = <<~RUBY
    require_relative "boot"
    require "rails"
    require "active_job/railtie"
    require "active_record/railtie"
    require "action_controller/railtie"
    require "rails/test_unit/railtie"
    require "privy-marketing"

    class Application < Rails::Application
      config.load_defaults Rails::VERSION::STRING.to_f
      config.eager_load = false
      config.secret_key_base = "x" * 64
      config.active_job.queue_adapter = :test
    end
  RUBY

  def setup
    super
    @folder = Dir.mktmpdir("privy-generator")
    run_in(@folder, "-S", "rails", "new", "app", "--minimal", "--skip-bundle", "--skip-git", "--skip-javascript", "-q")
    @root = File.join(@folder, "app")
    write("config/boot.rb", BOOT)
    write("config/application.rb", APPLICATION)
    Dir[File.join(@root, "config/{initializers,environments}/*")].each { |path| File.delete(path) }
  end

  def teardown
    FileUtils.rm_rf(@folder)
    super
  end

  def test_an_order
    model("Order", "orders", number: :string, email: :string, total_price: :decimal)
    output = rails("generate", "privy:sync", "Order")
    assert_match(/rails db:migrate/, output)
    model = read("app/models/order.rb")
    ["include Privy::Syncable", "privy_sync :order, debounce: 5.seconds do |order|", "order_id: order.number,",
     "total: order.total_price,", "order_date: order.created_at"].each { |text| assert_includes model, text }
    assert_match(/class AddPrivyToOrders < ActiveRecord::Migration\[/, read(Dir[path("db/migrate/*privy*.rb")].first))
    rails("db:migrate")
    assert_match(/1 runs, \d+ assertions, 0 failures, 0 errors, 0 skips/,
                 rails("test", "test/models/order_privy_test.rb"))
  end

  def test_a_contact_with_missing_columns_and_a_second_run
    model("Shop::User", "shop_users", phone: :string, first_name: :string)
    output = rails("generate", "privy:sync", "Shop::User", "--kind", "contact")
    assert_match(/change\s+email in app/, output)
    model = read("app/models/shop/user.rb")
    ["email: user.email, # change this", "first_name: user.first_name,", "phone_number: user.phone\n"].each do |text|
      assert_includes model, text
    end
    refute_includes model, "consent"
    rails("db:migrate")
    assert_match(/identical\s+the columns of shop_users/, rails("generate", "privy:sync", "Shop::User", "--skip"))
    assert_equal 1, read("app/models/shop/user.rb").scan("Privy::Syncable").length
  end

  def test_a_spec
    model("Order", "orders", number: :string, email: :string, total: :decimal)
    rails("generate", "privy:sync", "Order", "--test-framework", "rspec")
    rails("db:migrate")
    write("spec/rails_helper.rb", <<~RUBY)
      require_relative "../config/environment"
      require "rspec/rails"
    RUBY
    assert_match(/1 example, 0 failures/, run_in(@root, "-S", "rspec", "spec/models/order_privy_spec.rb"))
  end

  def test_a_model_must_exist
    output = rails("generate", "privy:sync", "Order", fails: true)
    assert_match(%r{app/models/order.rb does not exist: generate the model first}, output)
    assert_empty Dir[path("db/migrate/*")]
  end

  private

  # A model and its table.
  def model(name, table, **columns)
    write("app/models/shop.rb", "module Shop\n  def self.table_name_prefix = \"shop_\"\nend\n") if name[/Shop::/]
    write("app/models/#{name.underscore}.rb", "class #{name} < ApplicationRecord\nend\n")
    write("db/migrate/20200101000000_create_#{table}.rb", <<~RUBY)
      class Create#{table.camelize} < ActiveRecord::Migration[6.1]
        def change
          create_table :#{table} do |t|
            #{columns.map { |column, type| "t.#{type} :#{column}" }.join("\n      ")}
            t.timestamps
          end
        end
      end
    RUBY
    rails("db:migrate")
  end

  def path(name)
    File.expand_path(name, @root)
  end

  def read(name)
    File.read(path(name))
  end

  def write(name, text)
    FileUtils.mkdir_p(File.dirname(path(name)))
    File.write(path(name), text)
  end

  def rails(*arguments, fails: false)
    run_in(@root, "bin/rails", *arguments, fails: fails)
  end

  def run_in(folder, *arguments, fails: false)
    output, status = Open3.capture2e(ENVIRONMENT, RbConfig.ruby, *arguments, chdir: folder)
    assert_equal !fails, status.success?, output unless fails
    output
  end
end
