# frozen_string_literal: true

require_relative "helper"
require "open3"
require "rubygems/package"
require "tmpdir"

# The gem, built and installed as users get it, and used away from the source tree.
class TestPackage < PrivyTest
  BUILT = begin
    folder = Dir.mktmpdir("privy-gem")
    Minitest.after_run { FileUtils.rm_rf(folder) }
    folder
  end
  PACKAGE = File.join(BUILT, "privy-client-#{Privy::VERSION}.gem")
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

  def test_it_holds_every_file_it_needs
    files = Gem::Package.new(package).spec.files
    Dir.chdir(ROOT) do
      needed = Dir["csrc/**/*"].select { |path| File.file?(path) } + Dir["ruby/{lib,ext,sig,exe}/**/*"].select do |path|
                                                                       File.file?(path)
                                                                     end
      assert_empty needed - files
    end
    assert_includes files, "LICENSE"
    assert_empty files.grep(/\.(o|so|bundle)\z|Makefile|tests/)
  end

  def test_it_is_named_and_versioned
    spec = Gem::Package.new(package).spec
    assert_equal ["privy-client", Privy::VERSION, ["privy-sandbox"], ["ruby/ext/privy/extconf.rb"], "MIT"],
                 [spec.name, spec.version.to_s, spec.executables, spec.extensions, spec.license]
    refute spec.required_ruby_version.satisfied_by?(Gem::Version.new("3.0.9"))
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

  def test_its_executable_serves
    executable = File.join(home, "bin/privy-sandbox")
    settings = CLEAN.merge("GEM_HOME" => HOME, "GEM_PATH" => [HOME, *Gem.path].join(File::PATH_SEPARATOR))
    Open3.popen2e(settings, RbConfig.ruby, executable, "--port", "0", chdir: BUILT) do |_stdin, out, process|
      url, token = Timeout.timeout(30) { [out.gets, out.gets] }.map { |line| line.to_s.split.last }
      client = Privy::Client.new(base_url: url, token: token)
      assert_equal JANE, client.contacts.create(email: JANE).email
      Process.kill("INT", process.pid)
      assert_predicate Timeout.timeout(30) { process.value }, :success?
    end
  end
end
