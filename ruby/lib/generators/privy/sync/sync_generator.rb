# frozen_string_literal: true

require "rails/generators/active_record"
require_relative "mapping"

module Privy
  # Generators of Rails.
  module Generators
    # +rails generate privy:sync Order+: syncs a model with {Syncable}.
    class SyncGenerator < ActiveRecord::Generators::Base
      source_root File.expand_path("templates", __dir__)
      desc "Syncs a model with Privy: a migration, privy_sync in the model, and a test."
      class_option :kind, type: :string, enum: %w[order contact],
                          desc: "What a record is in Privy. Default: order if the name contains Order, else contact"
      class_option :test_framework, type: :string, desc: "test_unit or rspec. Default: that of the application"

      # @return [void]
      def check_model
        return if File.exist?(File.join(destination_root, model_path))

        raise Thor::Error, "#{model_path} does not exist: generate the model first"
      end

      # @return [void]
      def create_migration_file
        if model_class && (Syncable::Ledger::COLUMNS - model_class.column_names).empty?
          return say_status(:identical, "the columns of #{table_name}", :blue)
        end

        migration_template("migration.rb.tt", File.join(db_migrate_path, "add_privy_to_#{table_name}.rb"))
      end

      # @return [void]
      def add_to_model
        return say_status(:identical, model_path, :blue) if read(model_path).include?("Privy::Syncable")

        inject_into_class(model_path, class_name, snippet)
      end

      # @return [void]
      def create_test
        if rspec?
          template("spec.rb.tt", "spec/models/#{file_path}_privy_spec.rb")
        else
          template("test.rb.tt", "test/models/#{file_path}_privy_test.rb")
        end
      end

      # @return [void]
      def show_next_steps
        mapping.missing.each { |field| say_status(:change, "#{field} in #{model_path}", :yellow) }
        say_status(:next, "rails db:migrate", :green)
        say_status(:next, "#{class_name}.privy_backfill(initial_sync: true) sends the records that exist", :green)
      end

      private

      def model_path
        "app/models/#{file_path}.rb"
      end

      def read(path)
        File.read(File.join(destination_root, path))
      end

      def kind
        options[:kind] || (class_name.include?("Order") ? "order" : "contact")
      end

      def variable
        file_name
      end

      def mapping
        @mapping ||= Mapping.new(kind, variable, model_class&.column_names)
      end

      # The class, if it can be loaded and has a table.
      def model_class
        return @model_class if defined?(@model_class)

        found = class_name.safe_constantize
        @model_class = (found if found.respond_to?(:table_exists?) && found.table_exists?)
      rescue ::ActiveRecord::ActiveRecordError
        @model_class = nil # there is no database yet
      end

      def table_name
        model_class ? model_class.table_name : super
      end

      def migration_version
        "[#{::ActiveRecord::Migration.current_version}]"
      end

      def rspec?
        (options[:test_framework] || ::Rails::Generators.options[:rails][:test_framework]).to_s == "rspec"
      end

      def snippet
        ["  include Privy::Syncable", "",
         "  # Each commit sends the record in a job, unless nothing has changed for Privy. if: :paid? chooses records.",
         "  privy_sync :#{kind}, debounce: 5.seconds do |#{variable}|", "    {",
         *mapping.lines.map { |line| "      #{line}" }, "    }", "  end", "", ""].join("\n")
      end
    end
  end
end
