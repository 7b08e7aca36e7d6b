# frozen_string_literal: true

module Privy
  # Texts of error details in the language of I18n, for people who fill in a form. Needs the gem i18n, which Rails has.
  #
  #   client.contacts.validate(email: params[:email]).each do |detail|
  #     errors.add(detail[:field], detail[:code], message: Privy::Translations.text(detail))
  #   end
  #
  # The keys are +privy.errors.CODE+. An application replaces texts, or adds languages, with files of its own in
  # config/locales; a language without a text has the message of the detail, in English.
  module Translations
    # The file of the texts in English.
    FILE = File.expand_path("locales/privy.en.yml", __dir__)

    class << self
      # @param detail [Hash{Symbol => Object}] an error detail, as in {Error#details}
      # @return [String] what is wrong, in the language of +I18n.locale+
      def text(detail)
        install
        text = ::I18n.t("privy.errors.#{detail[:code]}", default: detail[:message], **detail.slice(:message, :count))
        text.is_a?(String) ? text : detail[:message]
      rescue ::I18n::MissingInterpolationArgument # a server's own code has no count
        detail[:message]
      end

      # Adds the texts in English to I18n, below the files of the application. Rails does it when it starts.
      #
      # @return [void]
      def install
        return if ::I18n.load_path.include?(FILE)

        ::I18n.load_path.unshift(FILE)
        ::I18n.reload!
      end
    end
  end
end
