# frozen_string_literal: true

# Whether the methods spell out the parameters of the core's tables.
module Spelled
  RESOURCES = { "contacts" => Privy::Contacts, "orders" => Privy::Orders, "events" => Privy::Events }.freeze
  NOT_SENT = %i[limit prefetch].freeze

  module_function

  # The parameters before the options.
  def parameters(method)
    names = method.parameters.map(&:last)
    names.take(names.index(:extra)) - NOT_SENT
  end

  # What to change in +found+; nil if the lists hold the same names.
  def difference(wanted, found)
    missing = wanted - found
    unknown = found - wanted
    if missing.any?
      "lacks #{missing.join(', ')}"
    elsif unknown.any?
      "has #{unknown.join(', ')}, which the table lacks"
    end
  end

  # A sentence about the first method that differs from its table; nil if all agree.
  def first_difference(operations = Privy::Core.schema[:operations])
    operations.each do |operation|
      resource, name = operation[:name].split(".")
      found = parameters(RESOURCES.fetch(resource).instance_method(name))
      text = difference(operation[:params].map { |param| param[:name] }, found)
      return "ruby/lib/privy: #{operation[:name]}: its signature #{text}. Change the method first." if text
    end
    nil
  end
end
