# frozen_string_literal: true

require "open3"

# Applications in processes of their own: a process has one application.
module RailsPrograms
  LOAD_PATH = $LOAD_PATH.select { |path| path.to_s.include?("privy") || path.to_s.start_with?(ROOT) }
  INCLUDES = LOAD_PATH.flat_map { |path| ["-I", path] }.freeze

  # What a program prints, which boots an application with `RailsApp.boot(FILES)`.
  #
  # @param code [String]
  # @param files [Hash{String => String}] of the application
  # @param environment [Hash{String => String}]
  # @return [String]
  def program(code, files: {}, environment: {})
    Dir.mktmpdir do |folder|
      path = File.join(folder, "program.rb")
      File.write(path, <<~RUBY)
        require "rails_helper"
        FILES = #{files.inspect}
        #{code}
        $stdout.flush
        exit!(0)
      RUBY
      out, status = Open3.capture2e(environment, RbConfig.ruby, *INCLUDES, path)
      assert_predicate status, :success?, out
      out
    end
  end
end
