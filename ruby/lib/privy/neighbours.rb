# frozen_string_literal: true

module Privy
  # Other gems with a file privy.rb: `require "privy"` loads the first one on the load path, and both may define the
  # module Privy.
  # @private
  module Neighbours
    GEM_NAME = "privy-marketing"
    FILE = "privy.rb"
    HERE = File.expand_path("..", __dir__)
    @reported = false

    class << self
      # Warns once in a process when another gem has a privy.rb on the load path, or has loaded one. For the main Ractor
      # only: no other one can read the load path.
      #
      # @return [void]
      def report
        return if @reported

        @reported = true
        folders = others
        warn(message(folders)) unless folders.empty?
      end

      private

      # The folders of the load path, and those of gems of which a file was loaded, that hold another gem's privy.rb. A
      # file of the application, such as test/support/privy.rb, is in neither.
      def others
        loaded = $LOADED_FEATURES.select { |path| path.end_with?("/#{FILE}") }.map { |path| File.dirname(path) }
        ($LOAD_PATH.map(&:to_s) | loaded.select { |folder| spec_of(folder) }).select { |folder| other?(folder) }
      end

      # A folder with this gem's file next to privy.rb is another copy of this library.
      def other?(folder)
        folder != HERE && File.file?(File.join(folder, FILE)) && !File.file?(File.join(folder, "#{GEM_NAME}.rb"))
      end

      def message(folders)
        names = folders.map { |folder| name_of(folder) }.uniq.join(", ")
        "privy: #{names} also has a file #{FILE}, so that `require \"privy\"` loads either it or #{GEM_NAME}, and " \
          "both define Privy. Remove one of the two gems from this program's Gemfile, or uninstall it."
      end

      def name_of(folder)
        spec = spec_of(folder)
        spec ? "the gem #{spec.name} #{spec.version}" : folder
      end

      def spec_of(folder)
        specs = defined?(Gem) ? Gem.loaded_specs.values : []
        specs.find { |one| one.full_require_paths.include?(folder) }
      end
    end
  end
  private_constant :Neighbours
end
