# frozen_string_literal: true

require "digest"

module Privy
  module Syncable
    # What the mapping of a model returned: the parameters of one request, and digests that show whether they have
    # changed.
    #
    # @private
    class Payload
      # They are sent when they change. The message belongs to one of them.
      CONSENTS = %i[email_consent sms_consent].freeze
      WITH_CONSENT = [*CONSENTS, :send_welcome_sms].freeze

      # @return [Hash{Symbol => Object}]
      attr_reader :params
      # @return [Hash, nil] other fields
      attr_reader :extra

      # @param operation [String]
      # @param account [Symbol, String]
      # @param fields [Hash] with extra
      # @param compact [Boolean]
      def initialize(operation, account, fields, compact)
        @operation = operation
        @account = account
        fields = fields.transform_keys(&:to_sym)
        @extra = fields.delete(:extra)
        @params = compact ? fields.compact : fields
      end

      # @return [Array<Hash>] what the core finds without a request
      def details
        Core.validate(@operation, @params, @extra)
      end

      # @return [String]
      def content
        @content ||= digest([@operation, @account, @params, @extra])
      end

      # @return [String] empty without consents
      def consent
        @consent ||= consents.empty? ? "" : digest(consents)
      end

      # Whether the consents differ from those of a digest.
      #
      # @param known [String]
      # @return [Boolean]
      def new_consents?(known)
        !consents.empty? && consent != known
      end

      # The parameters to send, without consents that are not new.
      #
      # @param known [String] digest of the consents that were sent
      # @return [Hash{Symbol => Object}]
      def params_after(known)
        new_consents?(known) ? @params : without_consents
      end

      # @return [Hash{Symbol => Object}]
      def without_consents
        @params.except(*WITH_CONSENT)
      end

      private

      def consents
        @params.slice(*CONSENTS)
      end

      def digest(value)
        ::Digest::SHA256.hexdigest(Core.generate(sorted(Serializable.plain(value))))[0, 32]
      end

      # The order of keys makes no difference to Privy.
      def sorted(value)
        case value
        when Hash then value.sort.to_h.transform_values { |member| sorted(member) }
        when Array then value.map { |element| sorted(element) }
        else value
        end
      end
    end
  end
end
