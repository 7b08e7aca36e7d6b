# frozen_string_literal: true

require_relative "plain"

# A page of contacts: text into objects, of which all are read. privy's times are Time, and its fractions decimals.
module Decode
  Contact = Struct.new(:id, :first_name, :last_name, :email, :phone_number, :email_consent, :sms_consent, :tags,
                       :custom_fields, :created_at, :updated_at)

  module_function

  # Reads every field of each contact, as a program would.
  def look(contacts)
    contacts.each do |one|
      one.id
      one.email
      one.phone_number
      one.first_name
      one.last_name
      one.email_consent
      one.sms_consent
      one.tags
      one.custom_fields
      one.created_at
      one.updated_at
    end
  end

  def work_of(path, &read)
    text = File.read(path, encoding: "UTF-8").freeze
    [-> { look(read.call(text)) }, -> { read.call(text).map { |one| Plain.contact(one) } }]
  end

  # A Struct of one contact; its times stay text.
  def texts(one)
    Contact.new(one["id"], one["first_name"], one["last_name"], one["email"], one["phone_number"],
                one["email_consent"], one["sms_consent"], one["tags"], one["custom_fields"], one["created_at"],
                one["updated_at"])
  end

  # The same with times.
  def struct(one)
    made = texts(one)
    made.created_at = time(made.created_at)
    made.updated_at = time(made.updated_at)
    made
  end

  # The fastest way of Ruby 3.1 to a Time from text of which the form is known: slices, no pattern, no Rational.
  def time(text)
    micros = text.bytesize > 20 ? text.byteslice(20, 3).to_i * 1000 : 0
    Time.utc(text.byteslice(0, 4).to_i, text.byteslice(5, 2).to_i, text.byteslice(8, 2).to_i,
             text.byteslice(11, 2).to_i, text.byteslice(14, 2).to_i, text.byteslice(17, 2).to_i, micros)
  end

  def privy(path)
    require "privy"
    work_of(path) { |text| Privy::Probe.page("contacts.list", text) }
  end

  def oj(path)
    require "oj"
    work_of(path) { |text| Oj.load(text, mode: :strict)["data"].map { |one| struct(one) } }
  end

  # Less than the others give: times stay text.
  def oj_texts(path)
    require "oj"
    work_of(path) { |text| Oj.load(text, mode: :strict)["data"].map { |one| texts(one) } }
  end

  def json(path)
    work_of(path) { |text| JSON.parse(text)["data"].map { |one| struct(one) } }
  end
end
