# frozen_string_literal: true

require "public_interface"
require "json"
require "open3"

# The types for Sorbet, and the documentation: both say what the library has.
class TestSignatures < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  FILE = File.join(ROOT, "rbi/privy.rbi")
  # tools/rbi.rb reads signatures with the rbs of Debian 12: other versions have other classes.
  READY = %w[rbs yard].all? { |name| Gem::Specification.find_all_by_name(name).any? } &&
          Gem::Specification.find_by_name("rbs").version < Gem::Version.new("3")

  require_relative "../../tools/rbi" if READY

  def setup
    skip "rbs 2 and YARD are not installed for this Ruby" unless READY
  end

  def names
    @names ||= Dir.chdir(ROOT) { rbi_names }
  end

  # "Privy::Client#close" => [["req", "name"], ...], of the file.
  def self.declared
    @declared ||= begin
      out, error, status = Open3.capture3(RbConfig.ruby, File.join(__dir__, "rbi_process.rb"), FILE)
      raise error unless status.success?

      JSON.parse(out)
    end
  end

  def declared
    self.class.declared
  end

  def method_of(path)
    owner, kind, name = path.match(/\A(.+)([#.])(.+)\z/).captures
    owner = Object.const_get(owner)
    kind == "#" ? owner.instance_method(name) : owner.method(name)
  end

  def test_the_file_is_current
    assert_equal File.read(FILE), Dir.chdir(ROOT) { rbi_text(names) }, "run ruby3.1 tools/rbi.rb"
  end

  # Methods of C and writers of a Struct have no names of parameters. A block that a method yields to is in no list.
  def fits?(real, shown)
    real = real.map { |kind, name| [kind.to_s, name.to_s.delete_prefix("_")] }
    keywords, places = real.partition { |kind, _| kind.start_with?("key") }
    shown_keywords, shown_places = shown.partition { |kind, _| kind.start_with?("key") }
    same_places?(places, shown_places) && same_keywords?(keywords, shown_keywords)
  end

  def same_places?(real, shown)
    real, shown = [real, shown].map { |list| without("block", list) }
    return true if real.map(&:first) == ["rest"]

    real.map(&:first) == shown.map(&:first) &&
      real.zip(shown).all? { |(_, name), (_, declared)| name.match?(/\A\**\z/) || name == declared }
  end

  # A method may take any keyword, and its signature name those that it reads.
  def same_keywords?(real, shown)
    missing = without("keyrest", real) - shown
    others = without("keyrest", shown) - real
    missing.empty? && (others.empty? || real.any? { |kind, _| kind == "keyrest" })
  end

  def without(kind, list)
    list.reject { |pair| pair.first == kind }
  end

  def test_each_method_exists_with_these_parameters
    assert_operator declared.length, :>, 300
    # Each is a line of what differs.
    odd = declared.filter_map do |path, shown|
      real = method_of(path).parameters
      "#{path}: #{real} is declared as #{shown}" unless fits?(real, shown)
    rescue NameError => e
      "#{path}: #{e.message}"
    end
    assert_equal "", odd.join("\n")
  end

  def test_each_documented_method_is_declared
    assert_empty names.methods - declared.keys
  end
end
