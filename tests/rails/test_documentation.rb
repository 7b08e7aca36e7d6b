# frozen_string_literal: true

require "rails_helper"
require "privy/minitest"
require "open3"
require "yard"

# What YARD shows of the gem: everything that is public, and nothing that is not true of it.
class TestDocumentation < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  YARD::Logger.instance.level = YARD::Logger::ERROR
  Dir.chdir(ROOT) { YARD.parse("ruby/lib/**/*.rb", [], YARD::Logger::ERROR) }

  def test_everything_is_documented_and_yard_warns_of_nothing
    command = [RbConfig.ruby, "-S", "yard", "stats", "--list-undoc", "--no-save", "--no-cache"]
    out, status = Open3.capture2e(*command, chdir: ROOT)
    assert_predicate status, :success?, out
    assert_match(/^ 100\.00% documented$/, out, out)
    refute_match(/\[(warn|error)\]/, out)
  end

  # Modules and classes that a program can name, of those that are loaded.
  def public_modules(parent = Privy, found = [])
    parent.constants(false).each do |name|
      next if parent.autoload?(name)

      value = parent.const_get(name)
      next unless value.is_a?(Module) && value.name == "#{parent.name}::#{name}" && !found.include?(value)

      found << value
      public_modules(value, found)
    end
    found
  end

  # What Struct and Marshal define.
  def of_ruby?(path)
    path.match?(/\.(new|\[\]|members|inspect|keyword_init\?|_load)\z|#_dump\z/)
  end

  # C defines methods without a line of Ruby: their documentation is a comment elsewhere.
  def test_yard_knows_every_public_method
    unknown = public_modules.flat_map do |owner|
      next [] if owner == Privy::Core || owner.name.start_with?("Privy::Core::")

      own = owner.public_instance_methods(false).map { |name| "#{owner}##{name}" }
      own += owner.singleton_class.public_instance_methods(false).map { |name| "#{owner}.#{name}" }
      own.reject { |path| YARD::Registry.at(path) || YARD::Registry.at(path.delete_suffix("=")) || of_ruby?(path) }
    end
    assert_equal "", unknown.join("\n")
  end

  def test_the_fields_of_records_have_the_words_of_the_tables
    Privy::Core.schema[:objects].each do |object|
      next unless Privy.const_defined?(object[:name])

      object[:fields].each do |field|
        text = YARD::Registry.at("Privy::#{object[:name]}##{field[:name]}")&.tag(:return)&.text
        assert_equal field[:doc], text&.split&.join(" "), "#{object[:name]}##{field[:name]}"
      end
    end
  end
end
