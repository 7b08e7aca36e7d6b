# frozen_string_literal: true

require "fileutils"
require "open3"
require "tmpdir"

# An application of `rails new`, with privy in its Gemfile, and a program for each of its commands.
class NewApp
  ASSETS = Rails::VERSION::MAJOR < 7 ? %w[sprockets webpack-install spring listen] : %w[asset-pipeline hotwire]
  OTHERS = %w[bundle git javascript bootsnap action-mailbox action-text active-storage action-cable system-test].freeze
  SKIPPED = (OTHERS + ASSETS).map { |name| "--skip-#{name}" }.freeze
  # Those of `rails new` differ between versions: some have no database in production, and respond to HTTPS only.
  FILES = {
    "config/database.yml" => %w[development test production].map do |name|
      "#{name}: { adapter: sqlite3, database: db/#{name}.sqlite3 }\n"
    end.join,
    "config/environments/production.rb" => <<~RUBY
      Rails.application.configure do
        config.eager_load = true
        config.log_level = :info
        config.logger = ActiveSupport::Logger.new($stdout)
      end
    RUBY
  }.freeze
  GEMFILE = <<~RUBY.freeze
    source "https://rubygems.org"
    gem "rails"
    gem "sqlite3"
    gem "puma"
    gem "privy-marketing", path: #{ROOT.dump}
  RUBY
  EXTENSION = $LOADED_FEATURES.find { |path| path.end_with?("privy/core.so") }.delete_suffix("/privy/core.so")
  # Bundler compiles no extension of a gem that it takes from a folder.
  ENVIRONMENT = ENV.to_h.select { |name, _| name.match?(/\A(RUBY|GEM|BUNDLE|PRIVY|RAILS)/) }.transform_values { nil }
                   .merge("RUBYLIB" => EXTENSION, "SECRET_KEY_BASE" => "x" * 64).freeze

  attr_reader :root

  # @param gems [Array<String>] more gems of the Gemfile
  def initialize(gems: [])
    @root = File.join(Dir.mktmpdir("privy-new"), "shop")
    Minitest.after_run { FileUtils.rm_rf(File.dirname(@root)) }
    run("rails", "new", @root, "--quiet", *SKIPPED, folder: File.dirname(@root))
    gemfile = GEMFILE + gems.map { |name| "gem \"#{name}\"\n" }.join
    FILES.merge("Gemfile" => gemfile).each { |path, text| write(path, text) }
    run(RbConfig.ruby, "-S", "bundle", "install", "--local", "--quiet")
  end

  def write(path, text)
    FileUtils.mkdir_p(File.dirname(File.join(root, path)))
    File.write(File.join(root, path), text)
  end

  def read(path)
    File.read(File.join(root, path))
  end

  # What `bin/rails` prints; raises when it fails.
  def rails(*arguments, **environment)
    run(RbConfig.ruby, "bin/rails", *arguments, environment: environment.transform_keys(&:to_s))
  end

  def run(*command, folder: root, environment: {})
    out, status = Open3.capture2e(ENVIRONMENT.merge(environment), "timeout", "300", *command, chdir: folder)
    raise "#{command.join(' ')}: #{out}" unless status.success?

    out
  end
end
