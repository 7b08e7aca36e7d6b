# frozen_string_literal: true

require "minitest"
require_relative "testing"
require_relative "testing/assertions"

module Privy
  module Testing # rubocop:disable Style/Documentation -- testing.rb has it
    # Gives each test of Minitest, and so of Rails, a fresh sandbox. +self.use_privy_sandbox = false+ in a class turns
    # it off for its tests.
    module Lifecycle
      # @private
      def self.included(base)
        base.extend(ClassMethods)
      end

      # Methods of test classes.
      module ClassMethods
        attr_writer :use_privy_sandbox

        # @return [Boolean] whether tests of this class, and of those that inherit from it, have a sandbox
        def use_privy_sandbox
          return @use_privy_sandbox if defined?(@use_privy_sandbox)

          superclass.respond_to?(:use_privy_sandbox) ? superclass.use_privy_sandbox : true
        end
      end

      # @private
      def before_setup
        @privy_run = Testing.start if self.class.use_privy_sandbox
        super
      end

      # @private
      def after_teardown
        super
      ensure
        Testing.stop(@privy_run) if @privy_run
        @privy_run = nil
      end
    end

    [Assertions, Lifecycle].each { |part| ::Minitest::Test.include(part) }
  end
end
