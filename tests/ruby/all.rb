# frozen_string_literal: true

# Runs every test: ruby -w -I FOLDER_OF_THE_EXTENSION tests/ruby/all.rb
Dir[File.join(__dir__, "test_*.rb")].each { |path| require path }
