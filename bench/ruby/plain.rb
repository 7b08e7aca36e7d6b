# frozen_string_literal: true

require "bigdecimal"
require "time"

# Contacts as plain JSON, by any client, so that they can be compared.
module Plain
  FIELDS = %i[id email phone_number first_name last_name email_consent sms_consent tags custom_fields
              created_at updated_at].freeze

  module_function

  def plain(value)
    case value
    when Time then value.getutc.strftime("%Y-%m-%dT%H:%M:%S.%6N+00:00")
    when BigDecimal then value.to_f
    when Hash then value.transform_values { |member| plain(member) }
    when Array then value.map { |element| plain(element) }
    else value
    end
  end

  def contact(record)
    FIELDS.to_h { |name| [name, plain(record.public_send(name))] }
  end
end
