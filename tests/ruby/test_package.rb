# frozen_string_literal: true

require_relative "helper"
require "digest"
require "fileutils"
require "open3"
require "rubygems/package"
require "shellwords"
require "tmpdir"

# The gem, built and installed as users get it, and used away from the source tree.
class TestPackage < PrivyTest
  BUILT = begin
    folder = Dir.mktmpdir("privy-gem")
    Minitest.after_run { FileUtils.rm_rf(folder) }
    folder
  end
  PACKAGE = File.join(BUILT, "privy-marketing-#{Privy::VERSION}.gem")
  HOME = File.join(BUILT, "home")
  CLEAN = ENV.to_h.select { |name, _| name.match?(/\A(RUBY|GEM|BUNDLE|PRIVY)/) }.transform_values { nil }.freeze

  def run_in(folder, *command, **environment)
    settings = CLEAN.merge(environment.transform_keys(&:to_s))
    out, status = Open3.capture2e(settings, *command, chdir: folder, unsetenv_others: false)
    assert_predicate status, :success?, out
    out
  end

  def package
    return PACKAGE if File.exist?(PACKAGE)

    out = run_in(ROOT, RbConfig.ruby, "-S", "gem", "build", "privy.gemspec", "--output", PACKAGE)
    assert_empty(out.lines.grep(/WARNING/).grep_v(/homepage|for help/))
    PACKAGE
  end

  def home
    return HOME if File.directory?(HOME)

    run_in(BUILT, RbConfig.ruby, "-S", "gem", "install", "--local", "--no-document", package,
           GEM_HOME: HOME)
    HOME
  end

  def installed(*command)
    run_in(BUILT, *command, GEM_HOME: home, GEM_PATH: HOME)
  end

  # The gems of this machine, and ours.
  def shared
    { GEM_HOME: home, GEM_PATH: [HOME, *Gem.path].join(File::PATH_SEPARATOR) }
  end

  def test_it_holds_every_file_it_needs
    files = Gem::Package.new(package).spec.files
    Dir.chdir(ROOT) do
      needed = Dir["{csrc,sig,rbi}/**/*", "ruby/{lib,ext,exe}/**/*"].select { |path| File.file?(path) }
      assert_empty needed - files
    end
    assert_empty %w[.rb .rake .tt .yml .rbs .rbi .c .h .def] - files.map { |path| File.extname(path) }
    assert_includes files, "LICENSE"
    assert_empty files.grep(/\.(o|so|bundle)\z|Makefile|tests/)
  end

  def test_the_same_sources_give_the_same_gem
    built = [1, 2].map do |number|
      tree = File.join(BUILT, "tree-#{number}")
      copy_of_the_source(tree) { |path| File.utime(number, number, path) }
      run_in(tree, RbConfig.ruby, "-S", "gem", "build", "privy.gemspec", "--output", "#{tree}.gem",
             SOURCE_DATE_EPOCH: "1700000000")
      File.binread("#{tree}.gem")
    end
    assert_equal(*built.map { |bytes| Digest::SHA256.hexdigest(bytes) })
  end

  def copy_of_the_source(target)
    spec = Gem::Specification.load(File.join(ROOT, "privy.gemspec"))
    [*spec.files, "privy.gemspec"].each do |name|
      copy = File.join(target, name)
      FileUtils.mkdir_p(File.dirname(copy))
      FileUtils.cp(File.join(ROOT, name), copy)
      yield copy
    end
  end

  def test_it_is_named_and_versioned
    spec = Gem::Package.new(package).spec
    assert_equal ["privy-marketing", Privy::VERSION, ["privy-sandbox"], ["ruby/ext/privy/extconf.rb"], "MIT"],
                 [spec.name, spec.version.to_s, spec.executables, spec.extensions, spec.license]
    refute spec.required_ruby_version.satisfied_by?(Gem::Version.new("3.0.9"))
    assert_equal ["bigdecimal"], spec.runtime_dependencies.map(&:name)
  end

  def test_yard_finds_its_options_at_the_root
    files = Gem::Package.new(package).spec.files
    assert_includes files, ".yardopts"
    options = Shellwords.split(File.read(File.join(ROOT, ".yardopts")))
    patterns = options.reject { |word| word.start_with?("-") || word.include?(" ") }
    assert_includes patterns, "ruby/lib/**/*.rb"
    patterns.each { |pattern| assert(files.any? { |file| File.fnmatch?(pattern, file) }, pattern) }
  end

  def test_rbs_finds_its_signatures_by_the_name_of_the_gem
    out = run_in(BUILT, RbConfig.ruby, Gem.bin_path("rbs", "rbs"), "-r", "privy-marketing", "methods",
                 "Privy::Client", **shared)
    assert_match(/^rate_limit /, out)
  end

  def test_it_works_away_from_the_tree
    out = installed(RbConfig.ruby, "-w", "-e", <<~RUBY)
      require "privy"
      client = Privy::Sandbox.new.client
      jane = client.contacts.create(email: "jane@example.com")
      puts $LOADED_FEATURES.grep(/privy/).all? { |path| path.start_with?(#{HOME.inspect}) }
      puts client.contacts.list.map(&:email), Marshal.load(Marshal.dump(jane)) == jane, Privy::VERSION
    RUBY
    assert_equal "true\njane@example.com\ntrue\n#{Privy::VERSION}\n", out
  end

  BARE = <<~RUBY
    require "bundler"
    Bundler.require
    puts Privy::Sandbox.new.client.contacts.create(email: "jane@example.com").email, require("privy")
    puts $LOADED_FEATURES.grep(%r{/privy(-marketing)?\\.rb\\z}).map { |path| File.basename(path) }.sort.join(" ")
  RUBY
  REQUIRED = "jane@example.com\nfalse\nprivy-marketing.rb privy.rb\n"

  # A program with this Gemfile and nothing else.
  def bundled(gemfile, code, **environment)
    Dir.mktmpdir do |folder|
      File.write(File.join(folder, "Gemfile"), "source \"https://rubygems.org\"\n#{gemfile}\n")
      run_in(folder, RbConfig.ruby, "-S", "bundle", "install", "--local", "--quiet", **shared)
      run_in(folder, RbConfig.ruby, "-w", "-e", code, **shared, **environment)
    end
  end

  def test_a_bare_line_of_a_gemfile_loads_the_installed_gem
    assert_equal REQUIRED, bundled('gem "privy-marketing"', BARE)
  end

  # Bundler compiles no extension of a gem that it takes from a folder.
  def test_a_bare_line_of_a_gemfile_loads_the_gem_from_a_folder
    extension = $LOADED_FEATURES.find { |path| path.end_with?("privy/core.so") }.delete_suffix("/privy/core.so")
    assert_equal REQUIRED, bundled("gem \"privy-marketing\", path: #{ROOT.dump}", BARE, RUBYLIB: extension)
  end

  SHOP = <<~RUBY
    require "bundler"
    Bundler.require
    class Shop < Rails::Application
      config.eager_load = true
      config.logger = Logger.new(nil)
      config.secret_key_base = "x" * 64
      config.privy.sandbox = true
    end
    Shop.initialize!
    Shop.load_tasks
    detail = Privy.client.contacts.validate(:list, per_page: 101).first
    puts Privy.client.contacts.create(email: "jane@example.com").email, Privy::Translations.text(detail)
    puts Rake::Task.task_defined?("privy:ping"), Rails::Generators.find_by_namespace("privy:install")
    puts $LOADED_FEATURES.grep(%r{/privy/}).all? { |path| path.start_with?(ENV.fetch("GEM_HOME")) }
  RUBY

  def test_in_a_rails_application_a_bare_line_is_all_it_needs
    skip "Rails is not installed for this Ruby" if Gem::Specification.find_all_by_name("railties").empty?

    out = bundled("gem 'railties', require: 'rails'\ngem 'privy-marketing'", SHOP)
    assert_equal "jane@example.com\nmust be at most 100\ntrue\nPrivy::Generators::InstallGenerator\ntrue\n",
                 out.lines.grep_v(/warning: |^privy: /).join
  end

  # Another gem with a privy.rb, in a folder of its own.
  def neighbour(code)
    Dir.mktmpdir do |folder|
      FileUtils.mkdir_p(File.join(folder, "lib/privy"))
      File.write(File.join(folder, "lib/privy.rb"), code)
      File.write(File.join(folder, "lib/privy/core.rb"), "raise 'not mine'\n")
      File.write(File.join(folder, "privy.gemspec"), <<~RUBY)
        Gem::Specification.new do |spec|
          spec.name, spec.version, spec.authors, spec.summary = "privy", "6.1", ["somebody"], "another"
          spec.files = ["lib/privy.rb"]
        end
      RUBY
      yield "gem \"privy\", path: #{folder.dump}", File.join(folder, "lib/privy.rb")
    end
  end

  CLIENTS = <<~RUBY
    require "bundler"
    Bundler.require
    2.times { Privy::Sandbox.new.client }
  RUBY

  def test_another_gem_with_a_privy_rb_is_named_once
    neighbour("module Privy; OTHER = true; end\n") do |line|
      ours = "gem 'privy-marketing'"
      [[ours, line], [line, ours]].each do |lines|
        out = bundled(lines.join("\n"), CLIENTS)
        assert_match(/\Aprivy: the gem privy 6\.1 also has a file privy\.rb, .* privy-marketing.*\n\z/, out)
      end
    end
  end

  def test_another_gem_whose_privy_is_a_class_is_named_in_the_error
    neighbour("class Privy; end\n") do |line, file|
      out = bundled("#{line}, require: #{file.dump}\ngem 'privy-marketing'", <<~RUBY)
        require "bundler"
        begin
          Bundler.require
        rescue LoadError, Bundler::GemRequireError => error # the latter since Bundler 2.6, with the message inside
          puts error.message
        end
      RUBY
      assert_includes out,
                      "another gem defines Privy as a Class: privy-marketing cannot be loaded into the same program"
    end
  end

  def test_alone_it_reports_no_other_gem
    assert_empty bundled("gem 'privy-marketing'", CLIENTS)
  end

  def test_its_executable_serves
    executable = File.join(home, "bin/privy-sandbox")
    settings = CLEAN.merge("GEM_HOME" => HOME, "GEM_PATH" => [HOME, *Gem.path].join(File::PATH_SEPARATOR))
    Open3.popen2e(settings, RbConfig.ruby, executable, "--port", "0", chdir: BUILT) do |_stdin, out, process|
      url, token = Timeout.timeout(120) { [out.gets, out.gets] }.map { |line| line.to_s.split.last }
      client = Privy::Client.new(base_url: url, token: token)
      assert_equal JANE, client.contacts.create(email: JANE).email
      Process.kill("INT", process.pid)
      assert_predicate Timeout.timeout(120) { process.value }, :success?
    end
  end
end
