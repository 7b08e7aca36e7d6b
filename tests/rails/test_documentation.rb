# frozen_string_literal: true

require "public_interface"
require "open3"

# What YARD shows of the gem: everything that is public, and nothing that is not true of it.
class TestDocumentation < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  READY = Gem::Specification.find_all_by_name("yard").any?

  if READY
    require "yard"
    YARD::Logger.instance.level = YARD::Logger::ERROR
    Dir.chdir(ROOT) { YARD.parse("ruby/lib/**/*.rb", [], YARD::Logger::ERROR) }
  end

  def setup
    skip "YARD is not installed for this Ruby" unless READY
  end

  def test_everything_is_documented_and_yard_warns_of_nothing
    command = [RbConfig.ruby, "-S", "yard", "stats", "--list-undoc", "--no-save", "--no-cache"]
    out, status = Open3.capture2e(*command, chdir: ROOT)
    assert_predicate status, :success?, out
    assert_match(/^ 100\.00% documented$/, out, out)
    refute_match(/\[(warn|error)\]/, out)
  end

  # C defines methods without a line of Ruby: their documentation is a comment elsewhere.
  def test_yard_knows_every_public_method
    unknown = PublicInterface.modules.flat_map do |owner|
      internal = owner == Privy::Core || owner.name.start_with?("Privy::Core::")
      internal || YARD::Registry.at(owner.name)&.has_tag?(:private) ? [] : undocumented(owner)
    end
    assert_equal "", unknown.join("\n")
  end

  def undocumented(owner)
    own = owner.public_instance_methods(false).map { |name| ["#{owner}##{name}", owner.instance_method(name)] }
    own += owner.singleton_methods(false).map { |name| ["#{owner}.#{name}", owner.method(name)] }
    own = own.select { |_, method| method.source_location.nil? || method.source_location.first.start_with?(ROOT) }
    own.map(&:first).reject do |path|
      YARD::Registry.at(path) || YARD::Registry.at(path.delete_suffix("=")) || of_ruby?(path)
    end
  end

  # What Struct and Marshal define.
  def of_ruby?(path)
    path.match?(/\.(new|\[\]|members|inspect|keyword_init\?|_load)\z|#_dump\z/)
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
