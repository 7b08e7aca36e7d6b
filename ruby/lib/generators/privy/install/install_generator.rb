# frozen_string_literal: true

require "rails/generators/base"

module Privy
  # Generators of Rails.
  module Generators
    # `rails generate privy:install`: writes config/privy.yml, config/initializers/privy.rb and a file for tests.
    class InstallGenerator < ::Rails::Generators::Base
      source_root File.expand_path("templates", __dir__)
      desc "Sets up privy: config/privy.yml, config/initializers/privy.rb, and a sandbox for each test"

      class_option :rspec, type: :boolean, desc: "Set up RSpec (default: if spec/ exists)"
      class_option :minitest, type: :boolean, desc: "Set up Minitest (default: if test/ exists)"
      class_option :sidekiq, type: :boolean, desc: "Set up Sidekiq (default: if it is loaded)"

      # @return [void]
      def create_settings
        template "privy.yml.tt", "config/privy.yml"
        template "initializer.rb.tt", "config/initializers/privy.rb"
      end

      # @return [void]
      def set_up_minitest
        set_up_tests("minitest", "test", "test_helper.rb", "require_relative", 'require "rails/test_help"')
      end

      # @return [void]
      def set_up_rspec
        set_up_tests("rspec", "spec", "rails_helper.rb", "require", 'require "rspec/rails"')
      end

      # @return [void]
      def show_what_is_next
        return if behavior == :revoke

        say "Set PRIVY_API_TOKEN, or privy: { token: ... } in `rails credentials:edit`. Then try `rails privy:ping`."
      end

      private

      def set_up_tests(framework, folder, helper, keyword, after)
        return unless wanted?(framework, folder)

        @framework = framework
        template "support.rb.tt", "#{folder}/support/privy.rb"
        require_support(File.join(folder, helper), "#{keyword} \"support/privy\"", after)
      end

      def wanted?(framework, folder)
        given = options[framework]
        given.nil? ? File.directory?(File.join(destination_root, folder)) : given
      end

      def require_support(helper, line, after)
        path = File.join(destination_root, helper)
        return if behavior == :invoke && File.exist?(path) && File.read(path).include?(line)

        if File.exist?(path)
          quotes = Regexp.new(Regexp.escape(after).gsub('"', %q(["'])) + /.*\n/.source)
          inject_into_file(helper, "#{line}\n", after: quotes)
        else
          say "Add this line to #{helper}: #{line}"
        end
      end

      def sidekiq?
        options[:sidekiq].nil? ? defined?(::Sidekiq) : options[:sidekiq]
      end
    end
  end
end
