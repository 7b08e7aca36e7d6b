# frozen_string_literal: true

require "rails_helper"
require "yaml"

# Texts of error details in the languages of an application.
# rubocop:disable Style/FormatStringToken -- the tokens of I18n
class TestTranslations < Minitest::Test
  RailsApp.boot("config/locales/privy.de.yml" => <<~YAML, "config/locales/privy.en.yml" => <<~YAML) do |config|
    de:
      privy:
        errors:
          invalid_email: "ist keine E-Mail-Adresse"
          less_than_or_equal_to: "darf höchstens %{count} sein"
  YAML
    en:
      privy:
        errors:
          not_null: "must be filled in"
  YAML
    config.i18n.available_locales = %i[en de]
    config.i18n.default_locale = :en
  end

  CODES = Privy::Core.schema[:codes]
  TEXTS = YAML.safe_load(File.read(Privy::Translations::FILE)).dig("en", "privy", "errors")

  def text(locale = :en, **detail)
    I18n.with_locale(locale) { Privy::Translations.text(detail) }
  end

  def form
    Privy::Sandbox.new.client.contacts.validate(:list, email: "a", per_page: 101)
  end

  def test_each_code_has_a_text_and_each_text_a_code
    assert_equal CODES.map { |row| row[:code].to_s }, TEXTS.keys
    TEXTS.each do |code, words|
      counts = CODES.find { |row| row[:code] == code.to_sym }[:counts]
      assert_equal [counts], [words.include?("%{count}")], code
      assert_empty words.scan(/%\{(\w+)\}/).flatten - %w[count message], code
    end
  end

  def test_rails_knows_the_texts
    CODES.each { |row| assert I18n.exists?("privy.errors.#{row[:code]}", :en), row[:code] }
    assert_equal ["is not an e-mail address", "must be at most 100"], form.map { |detail| text(**detail) }
  end

  def test_an_application_has_texts_of_its_own
    assert_equal "must be filled in", text(field: "tags", message: "must not be null", code: :not_null)
    assert_equal ["ist keine E-Mail-Adresse", "darf höchstens 100 sein"], form.map { |detail| text(:de, **detail) }
  end

  def test_a_language_without_a_text_has_the_message
    detail = { field: "currency", message: "must be an ISO 4217 code", code: :invalid_currency }
    assert_equal "must be an ISO 4217 code", text(:de, **detail)
  end

  def test_codes_of_the_server_have_its_message
    ["unheard_of", :rejected, :too_long, :greater_than_or_equal_to].each do |code|
      assert_equal "is odd", text(field: "email", message: "is odd", code: code)
    end
  end

  def test_a_program_without_rails_has_the_texts_in_english
    out = IO.popen([RbConfig.ruby, "-w", *$LOAD_PATH.flat_map { |path| ["-I", path] }, "-e", <<~RUBY], &:read)
      require "i18n"
      require "privy"
      detail = Privy::Sandbox.new.client.contacts.validate(:list, per_page: 101).first
      print Privy::Translations.text(detail)
    RUBY
    assert_equal "must be at most 100", out
  end

  def test_the_texts_are_installed_once
    before = I18n.load_path.dup
    form.each { |detail| text(**detail) }
    assert_equal before, I18n.load_path
    assert_equal 1, before.count(Privy::Translations::FILE)
  end
end
# rubocop:enable Style/FormatStringToken
