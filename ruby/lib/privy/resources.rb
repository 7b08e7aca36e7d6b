# frozen_string_literal: true

module Privy
  # The base class of the resources. Every method takes, in addition to its own parameters:
  #
  # - +extra+ (Hash): fields that are sent as they are, known to this version or not;
  # - +extra_headers+ (Hash): headers of the request, such as +traceparent+; not those that the client sets;
  # - +timeout+, +connect_timeout+, +max_wait+ (Numeric, seconds) and +max_retries+ (Integer): options of this call; nil
  #   uses the client's.
  #
  # A missing parameter is not sent; nil is sent as null where the API takes null. Enumerations are Symbols or Strings;
  # times are Time, DateTime, ActiveSupport::TimeWithZone or ISO 8601 text with zone; money is Integer, BigDecimal,
  # Float or numeric text. A Struct, a Set and objects with to_hash, to_ary, to_str or to_h are sent as the object,
  # array or text that they convert to; an object whose own class defines as_json as what that returns, and an
  # ActiveSupport::Duration as its seconds. Other objects are invalid: models, Money, a Range. Invalid parameters raise
  # one {ValidationError} before anything is sent; its details list all of them. A value whose conversion raises is
  # invalid.
  #
  # Bulk methods (+upsert_many+, +ingest_many+) take rows from any Enumerable, also a lazy one: Hashes of the
  # operation's parameters, and other fields under +extra+; or objects with such fields, which are a Struct, a Data,
  # another object with +to_h+, or a model with +attributes+. They return a {Bulk}, which is read once. With a
  # block they yield each {Result} and return the {BulkReport}; leaving the block cancels the calls in flight. A row
  # that fails does not stop the other rows. See {Bulk} for its guarantees.
  #
  # - Memory is bounded: a row is taken from the source when one of the +concurrency+ calls is free.
  # - Rate limits are kept: without +max_wait+ a row waits as long as the minute's limit requires, at most an hour. The
  #   client's own max_wait is for single calls.
  # - +on_progress+ is called with a {Progress} after each result, and when all calls start or stop waiting.
  # - A +journal+ is a file that survives a crash. A run with the same journal and rows skips rows that Privy has
  #   accepted, and refused rows that have not changed: they cost no request and have no result. It sends changed rows
  #   again, and rows whose result was lost, events with their idempotency key. The file is a SQLite database that only
  #   its owner can read: it holds the rows that have not succeeded, which is personal data, and no token.
  class Resource
    include Opaque

    # @private
    def initialize(session)
      @session = session
    end

    # @return [String]
    def inspect
      "#<#{self.class} of #{@session.inspect}>"
    end
    alias to_s inspect

    private

    def call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      { extra_headers: extra_headers, timeout: timeout, connect_timeout: connect_timeout, max_wait: max_wait,
        max_retries: max_retries }
    end
  end

  # Orders of the store. See {Client#orders}.
  class Orders < Resource
    # Creates or updates the order with this order_id; a missing field keeps its stored value. Requires the scope
    # orders_write.
    #
    # @param order_id [Integer, String] positive, or a String of digits: the key
    # @param email [String] required without phone; identifies the contact, before phone; a missing contact is created
    # @param phone [String] E.164
    # @param total [Integer, BigDecimal, Float, String] total price
    # @param currency [String, Symbol] ISO 4217 code
    # @param order_date [Time, DateTime, String] when the order was placed
    # @param customer_id [String] id of the customer in your system
    # @param subtotal [Integer, BigDecimal, Float, String]
    # @param discounts [Array<Hash>] code and amount
    # @param tax_lines [Array<Hash>] title and amount
    # @param total_items [Integer] 0 or more
    # @param financial_status [String, Symbol] e.g. paid
    # @param fulfillment_status [String, Symbol] e.g. fulfilled
    # @param line_items [Array<Hash>] sku, quantity, price and your own keys
    # @param billing_address [Hash] first_name, last_name, city, state_code, country_code, postal_code and your own
    #   keys
    # @param shipping_address [Hash] as billing_address
    # @param accepts_email_marketing [Boolean] subscribes the e-mail address of a contact that this call creates
    # @param accepts_sms_marketing [Boolean] records an SMS opt-in on a contact that this call creates; needs phone
    # @param initial_sync [Boolean] historical import: starts no flows or automations, and is not attributed to
    #   campaigns
    # @param integration_token [String] token of the Custom Integration that the order belongs to
    # @return [Order] its +created+ says whether the call created or updated the order
    # @raise [ValidationError] a parameter is invalid
    def upsert(order_id: OMIT, email: OMIT, phone: OMIT, total: OMIT, currency: OMIT, order_date: OMIT,
               customer_id: OMIT, subtotal: OMIT, discounts: OMIT, tax_lines: OMIT, total_items: OMIT,
               financial_status: OMIT, fulfillment_status: OMIT, line_items: OMIT, billing_address: OMIT,
               shipping_address: OMIT, accepts_email_marketing: OMIT, accepts_sms_marketing: OMIT, initial_sync: OMIT,
               integration_token: OMIT, extra: nil, extra_headers: nil,
               timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      params = { order_id: order_id, email: email, phone: phone, total: total, currency: currency,
                 order_date: order_date, customer_id: customer_id, subtotal: subtotal, discounts: discounts,
                 tax_lines: tax_lines, total_items: total_items, financial_status: financial_status,
                 fulfillment_status: fulfillment_status, line_items: line_items, billing_address: billing_address,
                 shipping_address: shipping_address, accepts_email_marketing: accepts_email_marketing,
                 accepts_sms_marketing: accepts_sms_marketing, initial_sync: initial_sync,
                 integration_token: integration_token }
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.call("orders.upsert", params, extra, options)
    end

    # {#upsert} for many rows: see {Resource}.
    #
    # @param rows [Enumerable<Hash>] parameters of {#upsert}
    # @param nulls [Symbol, nil] :omit: a parameter that is nil is as if not given; :send: it is sent as null; nil:
    #   :send for Hashes, :omit for objects
    # @param check_first [Boolean] validates all rows before the first request; keeps them all in memory
    # @param concurrency [Integer, nil] concurrent calls; nil: 8
    # @param on_progress [#call, nil] called with a {Progress}
    # @param total [Integer, nil] number of rows, for progress and its eta; nil: the size of rows, if they have one
    # @param journal [String, Pathname, nil] path of a file that keeps what becomes of each row: a later run with it
    #   continues where this one stopped. See {Resource}
    # @param resume [Symbol, String] if the journal exists: :auto continues it; :only does too, and a missing journal is
    #   an error; :restart forgets what it holds
    # @param on_spent_day [Symbol, String] when the account's requests of the day are used up: :stop ends the run, :wait
    #   waits for the next day
    # @param until [Time, DateTime, String, nil] no request is sent after this instant: the run ends, and the rest is
    #   unsent. As text ISO 8601 with a time zone
    # @param extra [Hash, nil] fields that are sent with every row as they are
    # @param extra_headers [Hash, nil] headers that are sent with each request
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that one row may wait; nil: as the minute's limit requires, at most an hour
    # @param max_retries [Integer, nil] attempts after the first
    # @yieldparam result [Result]
    # @return [Bulk, BulkReport] with a block the report, else the run, which has not sent anything
    # @raise [RateLimitError] with a block: the rate limit is reached for longer than a call may wait; see its unsent
    # @raise [JournalError] the journal cannot be used; without a block at the first step of the run. See its code
    # @raise [ValidationError] with check_first: a row is invalid; the details are those of all rows
    # @raise [TypeError] rows is not an Enumerable, on_progress does not respond to call, total is not an Integer,
    #   journal is no path, or until no instant
    # @raise [ArgumentError] nulls, total, journal, resume, on_spent_day or until is invalid
    # @raise [Error] concurrency or an option is invalid
    def upsert_many(rows, nulls: nil, check_first: false, concurrency: nil, on_progress: nil, total: nil,
                    journal: nil, resume: :auto, on_spent_day: :stop, until: nil, extra: nil, extra_headers: nil,
                    timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil, &block)
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.bulk("orders.upsert", rows, extra, options,
                    nulls: nulls, concurrency: concurrency, on_progress: on_progress, total: total,
                    check_first: check_first, journal: journal, resume: resume, on_spent_day: on_spent_day,
                    until: binding.local_variable_get(:until), &block)
    end

    # Validates the rows of {#upsert_many} without a request. It does not check what only the server knows, such as the
    # country of a phone number.
    #
    # @param rows [Enumerable<Hash>] as for {#upsert_many}
    # @param nulls [Symbol, nil] as for {#upsert_many}
    # @param extra [Hash, nil] as for {#upsert_many}
    # @return [Array<RefusedRow>] one entry for each validation error of each row; empty when all rows are valid
    def validate_many(rows, nulls: nil, extra: nil)
      Privy.load_parts
      BulkRows.refused_rows("orders.upsert", rows, extra, nulls)
    end

    # Validates the parameters of {#upsert} without a request.
    #
    # @param fields [Hash{Symbol => Object}] parameters of {#upsert}. An unknown name is a validation error
    #   that suggests a similar name
    # @param extra [Hash, nil] other fields, as for {#upsert}
    # @return [Array<Hash{Symbol => String}>] as +{ field:, message: }+; empty when the parameters are valid
    def validate(extra: nil, **fields)
      Core.validate("orders.upsert", fields, extra)
    end
  end

  # Events of contacts. See {Client#events}.
  class Events < Resource
    # Records an event of a contact. Requires the scope events_write.
    #
    # @param event_type [String, Symbol] name of the event: 1 to 128 characters of A-Z, a-z, 0-9, _ and -
    # @param email [String] exactly one of email, phone and privy_id is required; a missing contact is created
    # @param phone [String] E.164; see email
    # @param privy_id [String] id of an existing contact
    # @param event_time [Time, DateTime, String] when it happened; default: when the server receives it
    # @param event_data [Hash] any JSON, with at most 10 levels
    # @param idempotency_key [String] a key by which the server recognises a repeated event; default in a job that has
    #   an id: a key of that job and event, see {Privy.job}
    # @return [EventReceipt] its +idempotent_replay+ is true when the server accepted the key before
    # @raise [ValidationError] a parameter is invalid
    # @raise [PayloadTooLargeError] the body is larger than 256 KB
    def ingest(event_type, email: OMIT, phone: OMIT, privy_id: OMIT, event_time: OMIT, event_data: OMIT,
               idempotency_key: OMIT, extra: nil, extra_headers: nil,
               timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      idempotency_key = JobScope.event_key(event_type, email, phone, privy_id) if idempotency_key.equal?(OMIT)
      params = { event_type: event_type, email: email, phone: phone, privy_id: privy_id, event_time: event_time,
                 event_data: event_data, idempotency_key: idempotency_key }
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.call("events.ingest", params, extra, options)
    end

    # {#ingest} for many rows: see {Resource}.
    #
    # @param rows [Enumerable<Hash>] parameters of {#ingest}, with event_type
    # @param nulls [Symbol, nil] :omit: a parameter that is nil is as if not given; :send: it is sent as null; nil:
    #   :send for Hashes, :omit for objects
    # @param check_first [Boolean] validates all rows before the first request; keeps them all in memory
    # @param concurrency [Integer, nil] concurrent calls; nil: 8
    # @param on_progress [#call, nil] called with a {Progress}
    # @param total [Integer, nil] number of rows, for progress and its eta; nil: the size of rows, if they have one
    # @param journal [String, Pathname, nil] path of a file that keeps what becomes of each row: a later run with it
    #   continues where this one stopped. See {Resource}
    # @param resume [Symbol, String] if the journal exists: :auto continues it; :only does too, and a missing journal is
    #   an error; :restart forgets what it holds
    # @param on_spent_day [Symbol, String] when the account's requests of the day are used up: :stop ends the run, :wait
    #   waits for the next day
    # @param until [Time, DateTime, String, nil] no request is sent after this instant: the run ends, and the rest is
    #   unsent. As text ISO 8601 with a time zone
    # @param extra [Hash, nil] fields that are sent with every row as they are
    # @param extra_headers [Hash, nil] headers that are sent with each request
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that one row may wait; nil: as the minute's limit requires, at most an hour
    # @param max_retries [Integer, nil] attempts after the first
    # @yieldparam result [Result]
    # @return [Bulk, BulkReport] with a block the report, else the run, which has not sent anything
    # @raise [RateLimitError] with a block: the rate limit is reached for longer than a call may wait; see its unsent
    # @raise [JournalError] the journal cannot be used; without a block at the first step of the run. See its code
    # @raise [ValidationError] with check_first: a row is invalid; the details are those of all rows
    # @raise [TypeError] rows is not an Enumerable, on_progress does not respond to call, total is not an Integer,
    #   journal is no path, or until no instant
    # @raise [ArgumentError] nulls, total, journal, resume, on_spent_day or until is invalid
    # @raise [Error] concurrency or an option is invalid
    def ingest_many(rows, nulls: nil, check_first: false, concurrency: nil, on_progress: nil, total: nil,
                    journal: nil, resume: :auto, on_spent_day: :stop, until: nil, extra: nil, extra_headers: nil,
                    timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil, &block)
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.bulk("events.ingest", rows, extra, options,
                    nulls: nulls, concurrency: concurrency, on_progress: on_progress, total: total,
                    check_first: check_first, journal: journal, resume: resume, on_spent_day: on_spent_day,
                    until: binding.local_variable_get(:until), &block)
    end

    # Validates the rows of {#ingest_many} without a request. It does not check what only the server knows, such as the
    # country of a phone number.
    #
    # @param rows [Enumerable<Hash>] as for {#ingest_many}
    # @param nulls [Symbol, nil] as for {#ingest_many}
    # @param extra [Hash, nil] as for {#ingest_many}
    # @return [Array<RefusedRow>] one entry for each validation error of each row; empty when all rows are valid
    def validate_many(rows, nulls: nil, extra: nil)
      Privy.load_parts
      BulkRows.refused_rows("events.ingest", rows, extra, nulls)
    end

    # Validates the parameters of {#ingest} without a request.
    #
    # @param fields [Hash{Symbol => Object}] parameters of {#ingest}, with event_type. An unknown name is a
    #   validation error that suggests a similar name
    # @param extra [Hash, nil] other fields, as for {#ingest}
    # @return [Array<Hash{Symbol => String}>] as +{ field:, message: }+; empty when the parameters are valid
    def validate(extra: nil, **fields)
      Core.validate("events.ingest", fields, extra)
    end
  end
end
