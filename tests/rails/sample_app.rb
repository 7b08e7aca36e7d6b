# frozen_string_literal: true

require "fileutils"
require "net/http"
require "open3"
require "socket"
require "tmpdir"

# The application of examples/rails, made by the commands of its README.
class SampleApp
  EXAMPLE = File.join(ROOT, "examples/rails")
  LOAD_PATH = [File.join(ROOT, "build/ruby/lib"), File.join(ROOT, "ruby/lib")].join(File::PATH_SEPARATOR)
  # What the README of the example says, with `$ ` before each command.
  COMMANDS = File.read(File.join(EXAMPLE, "README.md"))[/```console\n(.*?)```/m, 1].scan(/^\$ (.+)$/).flatten.freeze

  attr_reader :root

  def initialize
    @folder = Dir.mktmpdir("privy-sample")
    @root = File.join(@folder, "shop")
    @processes = []
  end

  # Runs the commands of the README; prints nothing. Returns what the last one printed.
  #
  # @raise [RuntimeError] a command fails
  def make
    FileUtils.mkdir_p(File.join(@folder, "examples"))
    FileUtils.cp_r(EXAMPLE, File.join(@folder, "examples"))
    folder = @folder
    COMMANDS.map do |command|
      next folder = File.join(folder, command.delete_prefix("cd ")) if command.start_with?("cd ")

      environment = command.end_with?("db:migrate") ? { "RAILS_ENV" => "test" } : {}
      run(command, folder: folder, **environment)
    end.last
  end

  # @return [String] output and errors of a command
  # @raise [RuntimeError] it fails
  def run(command, folder: root, **environment)
    out, status = Open3.capture2e(variables(environment), "timeout", "300", *command.split, chdir: folder)
    raise "#{command} failed:\n#{out}" unless status.success?

    out
  end

  # Starts a program that runs until {#stop}.
  #
  # @return [Integer] its process
  def start(command, log, **environment)
    file = File.join(root, "log", log)
    Process.spawn(variables(environment), *command.split, chdir: root, out: file, err: file).tap do |process|
      @processes << process
    end
  end

  def stop(*processes, signal: "TERM")
    processes.each do |process|
      Process.kill(signal, process)
      Process.wait(process)
      @processes.delete(process)
    end
  end

  def close
    stop(*@processes)
    FileUtils.rm_rf(@folder)
  end

  # @return [String] empty if there is no such file
  def log(name)
    path = File.join(root, "log", name)
    File.exist?(path) ? File.read(path) : ""
  end

  def self.free_port
    TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
  end

  private

  # Without the variables of a Bundler that runs the tests.
  def variables(more)
    clean = ENV.keys.grep(/\A(BUNDLE|RUBYOPT|PRIVY)/).to_h { |name| [name, nil] }
    { **clean, "RUBYLIB" => LOAD_PATH, "PRIVY_MARKETING" => ROOT, "DISABLE_SPRING" => "1",
               **more.transform_keys(&:to_s) }
  end
end
