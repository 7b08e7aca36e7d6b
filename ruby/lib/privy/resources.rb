# frozen_string_literal: true

module Privy
  # What the resources share. Every method takes, besides its own parameters:
  #
  # - +extra+ (Hash): fields sent as they are, whether this version knows them or not;
  # - +timeout+, +connect_timeout+, +max_wait+ (Numeric, seconds) and +max_retries+ (Integer): options of this call,
  #   nil for those of the client.
  #
  # A parameter left out is not sent; nil is sent as null where the API takes null. Enumerations are Symbols or Strings;
  # times are Time, DateTime, ActiveSupport::TimeWithZone or ISO 8601 text with zone; money is Integer, BigDecimal,
  # Float or numeric text. A Struct, a Set and what has to_hash, to_ary, to_str or to_h is sent as the object, array or
  # text that it stands for. Whatever cannot be sent raises one {ValidationError} whose details name every fault, before
  # anything leaves the machine; a value whose conversion raises is such a fault.
  #
  # Bulk methods (+upsert_many+, +ingest_many+) take rows from any Enumerable, lazy ones too: Hashes of the parameters
  # of the operation, with further fields under +extra+. They return a {Bulk}, which is read once; with a block they
  # yield each {Result}, return the {BulkReport}, and end the calls under way when the block is left. A row that fails
  # never stops the rest. See {Bulk} for what a run guarantees.
  #
  # - Memory is bounded: a row is taken from the source when one of the +concurrency+ places is free.
  # - The account's budget is obeyed. Unless +max_wait+ is given here, a row waits as long as the minute's budget asks
  #   for, at most an hour; the client's own max_wait is for single calls.
  # - +on_progress+ is called with a {Progress} after each result and when all calls begin or cease to wait.
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

    def call_options(timeout, connect_timeout, max_wait, max_retries)
      { timeout: timeout, connect_timeout: connect_timeout, max_wait: max_wait, max_retries: max_retries }
    end
  end

  # Contacts: people and their consents. Reach it as {Client#contacts}.
  class Contacts < Resource
    # Creates a contact; restores a deleted one that has the same e-mail address or phone number. Needs the scope
    # contacts_write.
    #
    # @param email [String, nil] this or phone_number is needed
    # @param phone_number [String, nil] E.164
    # @param first_name [String, nil]
    # @param last_name [String, nil]
    # @param email_consent [Symbol, String] subscribed, unsubscribed, never_subscribed (the default) or suppressed
    # @param sms_consent [Symbol, String] subscribed, never_subscribed or single_opt_in; subscribed and single_opt_in
    #   need a phone number of a supported country
    # @param tags [Array<String, Symbol>]
    # @param custom_fields [Hash] without nested values
    # @param send_welcome_sms [Boolean] whether becoming subscribed to SMS sends the welcome message; true when left out
    # @return [Contact]
    # @raise [ValidationError] see {Resource}; or the server refused it
    # @raise [ConflictError] a contact with this e-mail or phone exists: its contact_id names it
    def create(email: OMIT, phone_number: OMIT, first_name: OMIT, last_name: OMIT, email_consent: OMIT,
               sms_consent: OMIT, tags: OMIT, custom_fields: OMIT, send_welcome_sms: OMIT, extra: nil,
               timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      params = { email: email, phone_number: phone_number, first_name: first_name, last_name: last_name,
                 email_consent: email_consent, sms_consent: sms_consent, tags: tags, custom_fields: custom_fields,
                 send_welcome_sms: send_welcome_sms }
      @session.call("contacts.create", params, extra, call_options(timeout, connect_timeout, max_wait, max_retries))
    end

    # One contact. Needs the scope contacts_read.
    #
    # @param id [String] cus_ and 1 to 64 characters
    # @return [Contact]
    # @raise [ValidationError] the id is none
    # @raise [NotFoundError]
    def get(id, extra: nil, timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      @session.call("contacts.get", { id: id }, extra, call_options(timeout, connect_timeout, max_wait, max_retries))
    end

    # The contacts that a filter finds, over all pages. Nothing is asked before the list is used, and the next page is
    # asked for while one is read: see {ContactList}. Needs the scope contacts_read.
    #
    # @param email [String] exactly this e-mail address
    # @param phone_number [String] exactly this phone number
    # @param email_consent [Symbol, String] subscribed finds explicit and implicit opt-in, suppressed the merchant's own
    #   suppressions only; compliance_suppressed can be asked for too
    # @param sms_consent [Symbol, String] pending can be asked for too
    # @param page [Integer] page to start at, from 1
    # @param per_page [Integer] contacts a page, 1 to 100; 100 when left out
    # @param prefetch [Boolean] whether the next page is asked for before the walk comes to it
    # @return [ContactList] its methods raise {ValidationError} when a filter cannot be sent
    def list(email: OMIT, phone_number: OMIT, email_consent: OMIT, sms_consent: OMIT, page: OMIT, per_page: OMIT,
             prefetch: true, extra: nil, timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      per_page = ContactList::PER_PAGE if per_page.equal?(OMIT)
      filter = { email: email, phone_number: phone_number, email_consent: email_consent, sms_consent: sms_consent,
                 page: page, per_page: per_page }
      given = call_options(timeout, connect_timeout, max_wait, max_retries)
      ContactList.new(prefetch) { @session.pager("contacts.list", filter, extra, given) }
    end

    # Changes the fields given and keeps the others; tags and custom_fields are replaced whole. Needs the scope
    # contacts_write.
    #
    # A change that may have been made although its answer was lost is repeated within 30 seconds or not at all: later
    # it could undo what happened meanwhile, such as a consent that the person has withdrawn.
    #
    # @param id [String] cus_ and 1 to 64 characters
    # @param email [String] only while the contact has none; never changed or cleared afterwards
    # @param phone_number [String] E.164; the same rule
    # @param first_name [String, nil]
    # @param last_name [String, nil]
    # @param email_consent [Symbol, String] subscribed, unsubscribed, never_subscribed or suppressed
    # @param sms_consent [Symbol, String] subscribed, unsubscribed, never_subscribed or single_opt_in; all but
    #   never_subscribed need the contact to have a phone number
    # @param tags [Array<String, Symbol>] replaces all
    # @param custom_fields [Hash] replaces all; without nested values
    # @param send_welcome_sms [Boolean] as for {#create}
    # @return [Contact]
    # @raise [ValidationError] nothing to change, or a rule of the API stands against it
    # @raise [NotFoundError]
    def update(id, email: OMIT, phone_number: OMIT, first_name: OMIT, last_name: OMIT, email_consent: OMIT,
               sms_consent: OMIT, tags: OMIT, custom_fields: OMIT, send_welcome_sms: OMIT, extra: nil,
               timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      params = { id: id, email: email, phone_number: phone_number, first_name: first_name, last_name: last_name,
                 email_consent: email_consent, sms_consent: sms_consent, tags: tags, custom_fields: custom_fields,
                 send_welcome_sms: send_welcome_sms }
      @session.call("contacts.update", params, extra, call_options(timeout, connect_timeout, max_wait, max_retries))
    end

    # Creates a contact, or updates the one that has this e-mail address or phone number already: one request or two.
    # Needs the scope contacts_write. Parameters are those of {#create}.
    #
    # @param email [String, nil] this or phone_number is needed
    # @param phone_number [String, nil] E.164
    # @param first_name [String, nil]
    # @param last_name [String, nil]
    # @param email_consent [Symbol, String] as for {#create}
    # @param sms_consent [Symbol, String] as for {#create}
    # @param tags [Array<String, Symbol>] replaces all
    # @param custom_fields [Hash] replaces all; without nested values
    # @param send_welcome_sms [Boolean] as for {#create}
    # @return [Contact]
    # @raise [ValidationError] see {Resource}; or the server refused it
    # @raise [ConflictError] the server said that the contact exists, but not which one it is
    def upsert(email: OMIT, phone_number: OMIT, first_name: OMIT, last_name: OMIT, email_consent: OMIT,
               sms_consent: OMIT, tags: OMIT, custom_fields: OMIT, send_welcome_sms: OMIT, extra: nil,
               timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      params = { email: email, phone_number: phone_number, first_name: first_name, last_name: last_name,
                 email_consent: email_consent, sms_consent: sms_consent, tags: tags, custom_fields: custom_fields,
                 send_welcome_sms: send_welcome_sms }
      @session.call("contacts.upsert", params, extra, call_options(timeout, connect_timeout, max_wait, max_retries))
    end

    # {#upsert} for many rows: see {Resource}.
    #
    # @param rows [Enumerable<Hash>] parameters of {#upsert}
    # @param check_first [Boolean] checks all rows before the first request; holds them all in memory
    # @param concurrency [Integer, nil] calls at once; nil: 8
    # @param on_progress [#call, nil] takes a {Progress}
    # @param extra [Hash, nil] fields sent with every row as they are
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that one row may wait; nil: as the minute's budget asks, at most an hour
    # @param max_retries [Integer, nil] further attempts
    # @yieldparam result [Result]
    # @return [Bulk, BulkReport] the report with a block, else the run, which has sent nothing yet
    # @raise [RateLimitError] with a block: the budget is spent for longer than a call may wait; see its unsent
    # @raise [ValidationError] with check_first: a row is wrong; the details have the faults of all rows
    # @raise [TypeError] rows or on_progress cannot be used
    # @raise [Error] concurrency or an option cannot be used
    def upsert_many(rows, check_first: false, concurrency: nil, on_progress: nil, extra: nil,
                    timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil, &block)
      options = call_options(timeout, connect_timeout, max_wait, max_retries)
      @session.bulk("contacts.upsert", rows, extra, options,
                    concurrency: concurrency, on_progress: on_progress, check_first: check_first, &block)
    end

    # The faults that {#upsert_many} with these rows would report for them, without making a call. What only the server
    # knows, such as the country of a phone number, is not checked.
    #
    # @param rows [Enumerable<Hash>] as for {#upsert_many}
    # @param extra [Hash, nil] likewise
    # @return [Array<RefusedRow>] one entry for each fault of each row; empty when nothing is wrong
    def validate_many(rows, extra: nil)
      BulkRows.faults_of("contacts.upsert", rows, extra)
    end

    # Deletes a contact. Needs the scope contacts_write.
    #
    # @param id [String] cus_ and 1 to 64 characters
    # @return [Contact, nil] the contact as it was; nil when the answer does not hold it
    # @raise [ValidationError] the id is none
    # @raise [NotFoundError]
    def delete(id, extra: nil, timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      @session.call("contacts.delete", { id: id }, extra, call_options(timeout, connect_timeout, max_wait, max_retries))
    end

    # Unsubscribes a contact's e-mail address. Needs the scope contacts_write. Warns in the category :deprecated.
    #
    # @deprecated by the API: use {#update} with +email_consent: :unsubscribed+
    # @param id [String] cus_ and 1 to 64 characters
    # @param reason [String] at most 500 characters
    # @return [Contact]
    # @raise [ValidationError] the id is none, or the reason too long
    # @raise [NotFoundError]
    def unsubscribe(id, reason: OMIT, extra: nil, timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      warn(Core.deprecation("contacts.unsubscribe"), category: :deprecated, uplevel: 1)
      options = call_options(timeout, connect_timeout, max_wait, max_retries)
      @session.call("contacts.unsubscribe", { id: id, reason: reason }, extra, options)
    end

    # The faults that a call with these fields would raise, without making it: no request is sent.
    #
    # @param operation [Symbol, String] the method whose rules are asked about, e.g. +:update+
    # @param fields [Hash{Symbol => Object}] parameters of that method, an id among them; a name that it does not have
    #   is a fault, with the name that may be meant
    # @param extra [Hash, nil] further fields, as for the method
    # @return [Array<Hash{Symbol => String}>] as +{ field:, message: }+; empty when nothing is wrong
    def validate(operation = :upsert, extra: nil, **fields)
      Core.validate("contacts.#{operation}", fields, extra)
    end
  end

  # Orders of the store. Reach it as {Client#orders}.
  class Orders < Resource
    # Creates or updates the order of this order_id; a field left out keeps its stored value. Needs the scope
    # orders_write.
    #
    # @param order_id [Integer, String] positive, or a String of digits: the key
    # @param email [String] this or phone is needed; it wins for finding the contact, which is created if missing
    # @param phone [String] E.164
    # @param total [Integer, BigDecimal, Float, String] what the order costs in all
    # @param currency [String, Symbol] ISO 4217 code
    # @param order_date [Time, DateTime, String] when the order was placed
    # @param customer_id [String] your own id of the customer
    # @param subtotal [Integer, BigDecimal, Float, String]
    # @param discounts [Array<Hash>] code and amount
    # @param tax_lines [Array<Hash>] title and amount
    # @param total_items [Integer] 0 or more
    # @param financial_status [String, Symbol] e.g. paid
    # @param fulfillment_status [String, Symbol] e.g. fulfilled
    # @param line_items [Array<Hash>] sku, quantity, price and keys of your own
    # @param billing_address [Hash] first_name, last_name, city, state_code, country_code, postal_code and keys of your
    #   own
    # @param shipping_address [Hash] likewise
    # @param accepts_email_marketing [Boolean] subscribes the e-mail address of a contact that this call creates
    # @param accepts_sms_marketing [Boolean] records an SMS opt-in on a contact that this call creates; needs phone
    # @param initial_sync [Boolean] historical import: no flows, automations or campaign attribution
    # @param integration_token [String] ties the order to one Custom Integration
    # @return [Order] its +created+ is true when the call created the order, false when it updated it
    # @raise [ValidationError] see {Resource}; or the server refused it
    def upsert(order_id: OMIT, email: OMIT, phone: OMIT, total: OMIT, currency: OMIT, order_date: OMIT,
               customer_id: OMIT, subtotal: OMIT, discounts: OMIT, tax_lines: OMIT, total_items: OMIT,
               financial_status: OMIT, fulfillment_status: OMIT, line_items: OMIT, billing_address: OMIT,
               shipping_address: OMIT, accepts_email_marketing: OMIT, accepts_sms_marketing: OMIT, initial_sync: OMIT,
               integration_token: OMIT, extra: nil,
               timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      params = { order_id: order_id, email: email, phone: phone, total: total, currency: currency,
                 order_date: order_date, customer_id: customer_id, subtotal: subtotal, discounts: discounts,
                 tax_lines: tax_lines, total_items: total_items, financial_status: financial_status,
                 fulfillment_status: fulfillment_status, line_items: line_items, billing_address: billing_address,
                 shipping_address: shipping_address, accepts_email_marketing: accepts_email_marketing,
                 accepts_sms_marketing: accepts_sms_marketing, initial_sync: initial_sync,
                 integration_token: integration_token }
      @session.call("orders.upsert", params, extra, call_options(timeout, connect_timeout, max_wait, max_retries))
    end

    # {#upsert} for many rows: see {Resource}.
    #
    # @param rows [Enumerable<Hash>] parameters of {#upsert}
    # @param check_first [Boolean] checks all rows before the first request; holds them all in memory
    # @param concurrency [Integer, nil] calls at once; nil: 8
    # @param on_progress [#call, nil] takes a {Progress}
    # @param extra [Hash, nil] fields sent with every row as they are
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that one row may wait; nil: as the minute's budget asks, at most an hour
    # @param max_retries [Integer, nil] further attempts
    # @yieldparam result [Result]
    # @return [Bulk, BulkReport] the report with a block, else the run, which has sent nothing yet
    # @raise [RateLimitError] with a block: the budget is spent for longer than a call may wait; see its unsent
    # @raise [ValidationError] with check_first: a row is wrong; the details have the faults of all rows
    # @raise [TypeError] rows or on_progress cannot be used
    # @raise [Error] concurrency or an option cannot be used
    def upsert_many(rows, check_first: false, concurrency: nil, on_progress: nil, extra: nil,
                    timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil, &block)
      options = call_options(timeout, connect_timeout, max_wait, max_retries)
      @session.bulk("orders.upsert", rows, extra, options,
                    concurrency: concurrency, on_progress: on_progress, check_first: check_first, &block)
    end

    # The faults that {#upsert_many} with these rows would report for them, without making a call. What only the server
    # knows, such as the country of a phone number, is not checked.
    #
    # @param rows [Enumerable<Hash>] as for {#upsert_many}
    # @param extra [Hash, nil] likewise
    # @return [Array<RefusedRow>] one entry for each fault of each row; empty when nothing is wrong
    def validate_many(rows, extra: nil)
      BulkRows.faults_of("orders.upsert", rows, extra)
    end

    # The faults that {#upsert} with these fields would raise, without making the call: no request is sent.
    #
    # @param fields [Hash{Symbol => Object}] parameters of {#upsert}; a name that it does not have is a fault,
    #   with the name that may be meant
    # @param extra [Hash, nil] further fields, as for {#upsert}
    # @return [Array<Hash{Symbol => String}>] as +{ field:, message: }+; empty when nothing is wrong
    def validate(extra: nil, **fields)
      Core.validate("orders.upsert", fields, extra)
    end
  end

  # Events: what happened to contacts. Reach it as {Client#events}.
  class Events < Resource
    # Records that something happened to a contact. Needs the scope events_write.
    #
    # @param event_type [String, Symbol] what happened: 1 to 128 characters of A-Z, a-z, 0-9, _ and -
    # @param email [String] exactly one of email, phone and privy_id; creates a missing contact
    # @param phone [String] E.164; likewise
    # @param privy_id [String] id of a contact that exists
    # @param event_time [Time, DateTime, String] when it happened, in UTC; when received if left out
    # @param event_data [Hash] any JSON, nested at most 10 levels
    # @param idempotency_key [String] a key that makes repeating the event safe
    # @return [EventReceipt] its +idempotent_replay+ is true when the key had been accepted before
    # @raise [ValidationError] see {Resource}; or the server refused it
    # @raise [PayloadTooLargeError] the body is larger than 256 KB for the server
    def ingest(event_type, email: OMIT, phone: OMIT, privy_id: OMIT, event_time: OMIT, event_data: OMIT,
               idempotency_key: OMIT, extra: nil,
               timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      params = { event_type: event_type, email: email, phone: phone, privy_id: privy_id, event_time: event_time,
                 event_data: event_data, idempotency_key: idempotency_key }
      @session.call("events.ingest", params, extra, call_options(timeout, connect_timeout, max_wait, max_retries))
    end

    # {#ingest} for many rows: see {Resource}.
    #
    # @param rows [Enumerable<Hash>] parameters of {#ingest}, event_type among them
    # @param check_first [Boolean] checks all rows before the first request; holds them all in memory
    # @param concurrency [Integer, nil] calls at once; nil: 8
    # @param on_progress [#call, nil] takes a {Progress}
    # @param extra [Hash, nil] fields sent with every row as they are
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that one row may wait; nil: as the minute's budget asks, at most an hour
    # @param max_retries [Integer, nil] further attempts
    # @yieldparam result [Result]
    # @return [Bulk, BulkReport] the report with a block, else the run, which has sent nothing yet
    # @raise [RateLimitError] with a block: the budget is spent for longer than a call may wait; see its unsent
    # @raise [ValidationError] with check_first: a row is wrong; the details have the faults of all rows
    # @raise [TypeError] rows or on_progress cannot be used
    # @raise [Error] concurrency or an option cannot be used
    def ingest_many(rows, check_first: false, concurrency: nil, on_progress: nil, extra: nil,
                    timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil, &block)
      options = call_options(timeout, connect_timeout, max_wait, max_retries)
      @session.bulk("events.ingest", rows, extra, options,
                    concurrency: concurrency, on_progress: on_progress, check_first: check_first, &block)
    end

    # The faults that {#ingest_many} with these rows would report for them, without making a call. What only the server
    # knows, such as the country of a phone number, is not checked.
    #
    # @param rows [Enumerable<Hash>] as for {#ingest_many}
    # @param extra [Hash, nil] likewise
    # @return [Array<RefusedRow>] one entry for each fault of each row; empty when nothing is wrong
    def validate_many(rows, extra: nil)
      BulkRows.faults_of("events.ingest", rows, extra)
    end

    # The faults that {#ingest} with these fields would raise, without making the call: no request is sent.
    #
    # @param fields [Hash{Symbol => Object}] parameters of {#ingest}, event_type among them; a name that it does not
    #   have is a fault, with the name that may be meant
    # @param extra [Hash, nil] further fields, as for {#ingest}
    # @return [Array<Hash{Symbol => String}>] as +{ field:, message: }+; empty when nothing is wrong
    def validate(extra: nil, **fields)
      Core.validate("events.ingest", fields, extra)
    end
  end
end
