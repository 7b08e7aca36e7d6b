# frozen_string_literal: true

module Privy
  # Contacts: people and their consents. See {Client#contacts}.
  class Contacts < Resource
    # Creates a contact, or restores a deleted one with the same e-mail address or phone number. Requires the scope
    # contacts_write.
    #
    # @param email [String, nil] required without phone_number
    # @param phone_number [String, nil] E.164
    # @param first_name [String, nil]
    # @param last_name [String, nil]
    # @param email_consent [Symbol, String] subscribed, unsubscribed, never_subscribed (the default) or suppressed
    # @param sms_consent [Symbol, String] subscribed, never_subscribed or single_opt_in; subscribed and single_opt_in
    #   require a phone number of a supported country
    # @param tags [Array<String, Symbol>]
    # @param custom_fields [Hash] without nested values
    # @param send_welcome_sms [Boolean] whether a new SMS subscription sends the welcome message; default: true
    # @return [Contact]
    # @raise [ValidationError] a parameter is invalid
    # @raise [ConflictError] a contact with this e-mail address or phone number exists: see its contact_id
    def create(email: OMIT, phone_number: OMIT, first_name: OMIT, last_name: OMIT, email_consent: OMIT,
               sms_consent: OMIT, tags: OMIT, custom_fields: OMIT, send_welcome_sms: OMIT, extra: nil,
               extra_headers: nil, timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      params = { email: email, phone_number: phone_number, first_name: first_name, last_name: last_name,
                 email_consent: email_consent, sms_consent: sms_consent, tags: tags, custom_fields: custom_fields,
                 send_welcome_sms: send_welcome_sms }
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.call("contacts.create", params, extra, options)
    end

    # Gets a contact. Requires the scope contacts_read.
    #
    # @param id [String] cus_ and 1 to 64 characters
    # @return [Contact]
    # @raise [ValidationError] the id is invalid
    # @raise [NotFoundError] the contact does not exist
    def get(id, extra: nil, extra_headers: nil, timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.call("contacts.get", { id: id }, extra, options)
    end

    # The contacts that match a filter, over all pages. Sends no request before the list is used, and requests the next
    # page while one is read: see {ContactList}. Requires the scope contacts_read.
    #
    # @param email [String] exactly this e-mail address
    # @param phone_number [String] exactly this phone number
    # @param email_consent [Symbol, String] subscribed matches explicit and implicit opt-in, suppressed only the
    #   merchant's own suppressions; also compliance_suppressed
    # @param sms_consent [Symbol, String] also pending
    # @param page [Integer] first page, from 1 on
    # @param per_page [Integer] contacts per page, 1 to 100; default: 100, or fewer if fewer are needed
    # @param limit [Integer, nil] the most contacts that the list returns; nil: all. Pages that are not needed for them
    #   are not requested
    # @param prefetch [Boolean] whether the next page is requested while one is read
    # @return [ContactList] its methods raise {ValidationError} when a filter is invalid
    # @raise [TypeError, ArgumentError] the limit is not an Integer, or negative
    def list(email: OMIT, phone_number: OMIT, email_consent: OMIT, sms_consent: OMIT, page: OMIT, per_page: OMIT,
             limit: nil, prefetch: true, extra: nil, extra_headers: nil,
             timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      Privy.load_parts
      ContactList.check_limit(limit)
      filter = { email: email, phone_number: phone_number, email_consent: email_consent, sms_consent: sms_consent,
                 page: page, per_page: per_page }
      given = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      ContactList.new(prefetch, limit: limit, sandbox: @session.core.sandbox?) do |most|
        size = per_page.equal?(OMIT) ? ContactList.page_size(page, most) : per_page
        @session.pager("contacts.list", filter.merge(per_page: size), extra, given)
      end
    end

    # Writes all contacts that match a filter to a file. 100 contacts cost one request. Requires the scope
    # contacts_read.
    #
    # The file appears when it is complete. Until then PATH.partial keeps what was read: after an interruption, or if
    # the process was killed, the same call continues from the last page. No contact is missed that matches from the
    # first request to the last, also if others are created or deleted meanwhile. Both files hold personal data and are
    # readable by their owner only; a file that is replaced keeps its mode.
    #
    # @param path [String, Pathname] the file to write; its folder exists
    # @param format [Symbol, String, nil] :csv, :jsonl, :db (SQLite) or :parquet (needs polars-df or red-parquet); nil:
    #   the end of the path says it: .csv, .jsonl, .ndjson, .db, .sqlite, .sqlite3, .parquet
    # @param email_consent [Symbol, String] as for {#list}
    # @param sms_consent [Symbol, String] as for {#list}
    # @param resume [Symbol, String] :auto continues PATH.partial, or begins; :only: a missing one is an error; :restart
    #   forgets what it holds
    # @param on_spent_day [Symbol, String] when the account's requests of the day are used up: :stop raises, :wait waits
    #   for the next day
    # @param on_progress [#call, nil] called with a {Progress} of the contacts after each page, and when a wait begins
    #   or ends
    # @param extra [Hash, nil] further filters
    # @param extra_headers [Hash, nil] headers that are sent with each request
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that one request may wait; nil: as the minute's limit requires, at most an
    #   hour
    # @param max_retries [Integer, nil] attempts after the first
    # @return [ExportReport]
    # @raise [ValidationError] a filter is invalid
    # @raise [RateLimitError] the rate limit is reached; what was read is kept
    # @raise [SnapshotError] a file cannot be used; code says why
    # @raise [APIStatusError] the order of the list changes while it is read; code is "list_unstable"
    # @raise [LoadError] the format is Parquet, and no gem is installed that writes it
    # @raise [TypeError, ArgumentError] path, resume, on_spent_day or on_progress is invalid
    # @raise [Error] the format or an option is invalid
    def export(path, format: nil, email_consent: OMIT, sms_consent: OMIT, resume: :auto, on_spent_day: :stop,
               on_progress: nil, extra: nil, extra_headers: nil,
               timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      filter = { email_consent: email_consent, sms_consent: sms_consent }.reject { |_, value| value.equal?(OMIT) }
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.export("contacts.list", filter, extra, options, on_progress,
                      path: path, format: format, resume: resume, on_spent_day: on_spent_day)
    end

    # Changes the given fields and keeps the others; tags and custom_fields are replaced completely. Requires the scope
    # contacts_write.
    #
    # A change whose response was lost is repeated within 30 seconds or not at all: a later repetition could undo a
    # newer change, such as a consent that the person has withdrawn.
    #
    # @param id [String] cus_ and 1 to 64 characters
    # @param email [String] only if the contact has none; the API never changes or clears it
    # @param phone_number [String] E.164; the same rule applies
    # @param first_name [String, nil]
    # @param last_name [String, nil]
    # @param email_consent [Symbol, String] subscribed, unsubscribed, never_subscribed or suppressed
    # @param sms_consent [Symbol, String] subscribed, unsubscribed, never_subscribed or single_opt_in; all but
    #   never_subscribed require that the contact has a phone number
    # @param tags [Array<String, Symbol>] replaces all
    # @param custom_fields [Hash] replaces all; without nested values
    # @param send_welcome_sms [Boolean] as for {#create}
    # @return [Contact]
    # @raise [ValidationError] no field to change, or a parameter is invalid
    # @raise [NotFoundError] the contact does not exist
    def update(id, email: OMIT, phone_number: OMIT, first_name: OMIT, last_name: OMIT, email_consent: OMIT,
               sms_consent: OMIT, tags: OMIT, custom_fields: OMIT, send_welcome_sms: OMIT, extra: nil,
               extra_headers: nil, timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      params = { id: id, email: email, phone_number: phone_number, first_name: first_name, last_name: last_name,
                 email_consent: email_consent, sms_consent: sms_consent, tags: tags, custom_fields: custom_fields,
                 send_welcome_sms: send_welcome_sms }
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.call("contacts.update", params, extra, options)
    end

    # Creates a contact, or updates the one with this e-mail address or phone number: one or two requests.
    # Requires the scope contacts_write. It takes the parameters of {#create}.
    #
    # @param email [String, nil] required without phone_number
    # @param phone_number [String, nil] E.164
    # @param first_name [String, nil]
    # @param last_name [String, nil]
    # @param email_consent [Symbol, String] as for {#create}
    # @param sms_consent [Symbol, String] as for {#create}
    # @param tags [Array<String, Symbol>] replaces all
    # @param custom_fields [Hash] replaces all; without nested values
    # @param send_welcome_sms [Boolean] as for {#create}
    # @return [Contact]
    # @raise [ValidationError] a parameter is invalid
    # @raise [ConflictError] the contact exists, and the response does not contain its id
    def upsert(email: OMIT, phone_number: OMIT, first_name: OMIT, last_name: OMIT, email_consent: OMIT,
               sms_consent: OMIT, tags: OMIT, custom_fields: OMIT, send_welcome_sms: OMIT, extra: nil,
               extra_headers: nil, timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      params = { email: email, phone_number: phone_number, first_name: first_name, last_name: last_name,
                 email_consent: email_consent, sms_consent: sms_consent, tags: tags, custom_fields: custom_fields,
                 send_welcome_sms: send_welcome_sms }
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.call("contacts.upsert", params, extra, options)
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
      @session.bulk("contacts.upsert", rows, extra, options,
                    nulls: nulls, concurrency: concurrency, on_progress: on_progress, total: total,
                    check_first: check_first, journal: journal, resume: resume, on_spent_day: on_spent_day,
                    until: binding.local_variable_get(:until), &block)
    end

    # Reads what is there and returns what the rows would change. Changes nothing: {Plan#apply} does. Requires the scope
    # contacts_read.
    #
    # It reads pages of 100 contacts, or looks up each row, whichever takes fewer requests. Rows whose contact has all
    # that they say cost no further request. A row is blocked, with the reason, if the API would refuse it, or if it
    # would widen a consent that was withdrawn. All rows are held in memory.
    #
    # @param rows [Enumerable<Hash>] as for {#upsert_many}
    # @param nulls [Symbol, nil] as for {#upsert_many}
    # @param tags [Symbol, String] :replace: a contact has the tags of its row afterwards; :merge: those too that it has
    # @param custom_fields [Symbol, String] the same for custom fields; with :merge, a nil of the row is stored as null
    # @param resubscribe [Boolean] whether rows may widen a consent that was withdrawn: an e-mail consent that is
    #   unsubscribed or suppressed, an SMS consent that is unsubscribed or pending
    # @param snapshot [String, Pathname, nil] path of a file that keeps the contacts that were read, if all were. It
    #   holds personal data
    # @param max_age [Numeric, nil] seconds: a snapshot that is not older is used in place of reading; nil: none is used
    # @param concurrency [Integer, nil] concurrent calls; nil: 8
    # @param on_progress [#call, nil] called with a {Progress} of the requests that read
    # @param on_spent_day [Symbol, String] when the account's requests of the day are used up: :stop raises, :wait waits
    #   for the next day
    # @param extra [Hash, nil] fields that belong to every row
    # @param extra_headers [Hash, nil] headers that are sent with each request, also by {Plan#apply}
    # @param timeout [Numeric, nil] seconds for one attempt
    # @param connect_timeout [Numeric, nil] seconds for the connection
    # @param max_wait [Numeric, nil] seconds that one request may wait; nil: as the minute's limit requires, at most an
    #   hour
    # @param max_retries [Integer, nil] attempts after the first
    # @return [Plan]
    # @raise [RateLimitError] the rate limit was reached while reading
    # @raise [SnapshotError] the snapshot cannot be used; code says why
    # @raise [TypeError] rows is not an Enumerable, on_progress does not respond to call, snapshot is no path, or
    #   max_age no number
    # @raise [ArgumentError] nulls, snapshot or on_spent_day is invalid
    # @raise [Error] a mode, concurrency, max_age or an option is invalid
    def plan(rows, nulls: nil, tags: :replace, custom_fields: :replace, resubscribe: false, snapshot: nil, max_age: nil,
             concurrency: nil, on_progress: nil, on_spent_day: :stop, extra: nil, extra_headers: nil,
             timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.plan("contacts.upsert", rows, extra, options,
                    nulls: nulls, concurrency: concurrency, on_progress: on_progress,
                    modes: { tags: tags, custom_fields: custom_fields }, resubscribe: resubscribe, snapshot: snapshot,
                    max_age: max_age, on_spent_day: on_spent_day)
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
      BulkRows.refused_rows("contacts.upsert", rows, extra, nulls)
    end

    # Deletes a contact. Requires the scope contacts_write.
    #
    # @param id [String] cus_ and 1 to 64 characters
    # @return [Contact, nil] the deleted contact; nil when the response does not contain it
    # @raise [ValidationError] the id is invalid
    # @raise [NotFoundError] the contact does not exist
    def delete(id, extra: nil, extra_headers: nil, timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.call("contacts.delete", { id: id }, extra, options)
    end

    # Unsubscribes a contact's e-mail address. Requires the scope contacts_write. Warns in the category :deprecated.
    #
    # @deprecated The API deprecates it: use {#update} with +email_consent: :unsubscribed+
    # @param id [String] cus_ and 1 to 64 characters
    # @param reason [String] at most 500 characters
    # @return [Contact]
    # @raise [ValidationError] the id is invalid, or the reason is too long
    # @raise [NotFoundError] the contact does not exist
    def unsubscribe(id, reason: OMIT, extra: nil, extra_headers: nil,
                    timeout: nil, connect_timeout: nil, max_wait: nil, max_retries: nil)
      warn(Core.deprecation("contacts.unsubscribe"), category: :deprecated, uplevel: 1)
      options = call_options(extra_headers, timeout, connect_timeout, max_wait, max_retries)
      @session.call("contacts.unsubscribe", { id: id, reason: reason }, extra, options)
    end

    # Validates the parameters of an operation without a request.
    #
    # @param operation [Symbol, String] name of the method, e.g. +:update+
    # @param fields [Hash{Symbol => Object}] parameters of that method, with the id. An unknown name is a validation
    #   error that suggests a similar name
    # @param extra [Hash, nil] other fields, as for the method
    # @return [Array<Hash{Symbol => String}>] as +{ field:, message: }+; empty when the parameters are valid
    def validate(operation = :upsert, extra: nil, **fields)
      Core.validate("contacts.#{operation}", fields, extra)
    end
  end
end
