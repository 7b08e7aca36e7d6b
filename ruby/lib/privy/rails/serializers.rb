# frozen_string_literal: true

require "active_job"

module Privy
  module Rails
    # Records as arguments of jobs. What a job receives is equal to what was enqueued: the text of JSON keeps all digits
    # of numbers and the fields that this version does not know.
    #
    # @private
    class RecordSerializer < ActiveJob::Serializers::ObjectSerializer
      # The names that a payload may hold: a queue is no place to take the name of a class from.
      CLASSES = [Contact, Order, EventReceipt, Pagination].to_h { |klass| [klass.name, klass] }.freeze

      # @param record [Record]
      # @return [Hash{String => Object}]
      def serialize(record)
        super("class" => record.class.name, "json" => record.__send__(:json_text))
      end

      # @param hash [Hash{String => Object}]
      # @return [Record]
      def deserialize(hash)
        CLASSES.fetch(hash["class"]).from_json(hash["json"])
      end

      # @return [Class]
      def klass
        Record
      end
    end

    # Pages as arguments of jobs.
    #
    # @private
    class PageSerializer < ActiveJob::Serializers::ObjectSerializer
      # @param page [Page]
      # @return [Hash{String => Object}]
      def serialize(page)
        super("records" => page.records.map { |record| RecordSerializer.serialize(record) },
              "pagination" => page.pagination && RecordSerializer.serialize(page.pagination))
      end

      # @param hash [Hash{String => Object}]
      # @return [Page]
      def deserialize(hash)
        records, pagination = hash.values_at("records", "pagination")
        Page.new(records.map { |record| RecordSerializer.deserialize(record) },
                 pagination && RecordSerializer.deserialize(pagination))
      end

      # @return [Class]
      def klass
        Page
      end
    end
  end
end
