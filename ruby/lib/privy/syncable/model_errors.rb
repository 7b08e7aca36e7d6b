# frozen_string_literal: true

module Privy
  module Syncable
    # Error details as errors of a model.
    #
    # @private
    module ModelErrors
      # The first name of a field's path: line_items of "line_items[0].price".
      NAME = /\A[^.\[]+/

      class << self
        # @param record [ActiveRecord::Base]
        # @param details [Array<Hash{Symbol => Object}>]
        # @return [void]
        def add(record, details)
          details.each do |detail|
            attribute, place = place_of(record, detail[:field])
            message = [place, Translations.text(detail)].compact.join(" ")
            record.errors.add(attribute, detail[:code], message: message, **detail.slice(:count))
          end
        end

        private

        # The attribute, and what the message must name next to it.
        def place_of(record, field)
          return [:base, nil] if field == "base"

          name = field[NAME]
          attribute = record.privy_declaration.attributes.fetch(name.to_sym, name)
          return [:base, field] unless record.respond_to?(attribute)

          rest = field.delete_prefix(name)
          [attribute.to_sym, rest.empty? ? nil : rest]
        end
      end
    end
  end
end
