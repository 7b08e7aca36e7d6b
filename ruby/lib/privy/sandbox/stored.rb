# frozen_string_literal: true

module Privy
  class Sandbox
    # A request that a sandbox received, and what became of it. Frozen and equal by value.
    class Request
      include Value

      # @return [String] HTTP method
      attr_reader :method
      # @return [String] path and query, without the /v1 of the base URL
      attr_reader :path
      # @return [String, nil] the operation, such as "orders.upsert"; nil if no operation has this method and path.
      #   "contacts.upsert" sends a "contacts.create", then perhaps a "contacts.update"
      attr_reader :operation
      # @return [Integer] HTTP status of the response, also if a fault cut it
      attr_reader :status
      # @return [Time] when it was received, by the sandbox's clock
      attr_reader :at
      # @return [Hash{String => String}] names in lower case; several headers of one name are joined by ", ", those that
      #   may hold a secret are left out
      attr_reader :headers
      # @return [String, nil] the body: UTF-8 if it is valid UTF-8, else binary; nil for a token request, whose body
      #   holds a secret, and for a body of more than 8 MiB
      attr_reader :body

      # @private
      def initialize(method, path, operation, status, time, block, body)
        @method = method
        @path = path
        @operation = operation
        @status = status
        @at = time
        @headers = joined(block).freeze
        @body = body
        freeze
      end

      # The body's JSON value: objects as frozen Hashes, numbers as Integer or BigDecimal. Parsed at each call.
      #
      # @return [Object, nil] nil for a body that is empty, left out or not JSON
      def json
        Core.parse(body) unless body.nil? || body.empty?
      end

      # @param other [Object]
      # @return [Boolean]
      def ==(other)
        other.instance_of?(self.class) && other.to_h == to_h
      end
      alias eql? ==

      # @return [Integer]
      def hash
        to_h.hash
      end

      # @return [Hash{Symbol => Object}]
      def to_h
        { method: method, path: path, operation: operation, status: status, at: at, headers: headers, body: body }
      end

      # @return [Hash{Symbol => Object}] for pattern matching
      def deconstruct_keys(_keys)
        to_h
      end

      # Masks e-mail addresses and phone numbers.
      #
      # @return [String]
      def inspect
        target = path.split(/([?&=])/).map { |part| Core.mask(part) }.join
        "#<#{self.class} method=#{method.inspect} path=#{target[0, 200].inspect} operation=#{operation.inspect} " \
          "status=#{status} body=#{masked(body)}>"
      end
      alias to_s inspect

      private

      def joined(block)
        block.split("\r\n").each_with_object({}) do |line, headers|
          name, value = line.split(":", 2)
          name = name.downcase
          value = value.to_s.strip
          headers[name] = headers.key?(name) ? "#{headers[name]}, #{value}" : value
        end
      end

      def masked(text)
        text ? Core.mask(text.dup.force_encoding(Encoding::UTF_8).scrub)[0, 200].inspect : "nil"
      end
    end

    # An event that a sandbox accepted, as it was sent. A repeated event with the same key is stored once. Members that
    # were not sent are nil.
    Event = Struct.new(:event_id, :event_type, :email, :phone, :privy_id, :event_time, :event_data, :idempotency_key,
                       :accepted_at, keyword_init: true) do
      include Serializable

      # @private
      def self.of(text)
        stored = Core.parse(text).transform_keys(&:to_sym).slice(*members)
        %i[event_time accepted_at].each { |name| stored[name] = time(stored[name]) if stored[name] }
        new(**stored).freeze
      end

      # The core reads times of records.
      #
      # @private
      def self.time(text)
        Contact.from_json(Core.generate({ "created_at" => text })).created_at
      end

      # Masks e-mail addresses and phone numbers.
      #
      # @return [String]
      def inspect
        given = to_h.compact.map { |name, value| "#{name}=#{Core.mask(value.inspect)[0, 200]}" }
        "#<#{[self.class, *given].join(' ')}>"
      end
      alias_method :to_s, :inspect
    end

    # A welcome message that a sandbox sent by SMS: a contact's SMS consent became "subscribed".
    Message = Struct.new(:contact_id, :phone_number, :at, keyword_init: true) do
      include Serializable

      # @private
      def self.of(text)
        stored = Core.parse(text).transform_keys(&:to_sym)
        new(**stored, at: Event.time(stored[:at])).freeze
      end

      # Masks the phone number.
      #
      # @return [String]
      def inspect
        "#<#{self.class} contact_id=#{contact_id.inspect} phone_number=#{Core.mask(phone_number).inspect} at=#{at}>"
      end
      alias_method :to_s, :inspect
    end

    # What {Contacts}, {Orders}, {Events} and {Messages} share: records that a sandbox stores, oldest first. Each access
    # reads the present state.
    #
    # @private
    class Records
      include Enumerable

      def initialize(sandbox)
        @sandbox = sandbox
      end

      # @return [String]
      def inspect
        "#<#{self.class} size=#{size}>"
      end
      alias to_s inspect

      # @return [Boolean]
      def empty?
        size.zero?
      end

      # @param count [Integer] as for an Array
      # @return [Record, nil] the newest one
      def last(*count)
        to_a.last(*count)
      end

      # @param key [Object]
      # @return [Record]
      # @raise [KeyError] there is no such record
      def fetch(key)
        self[key] || raise(KeyError.new("the sandbox stores no such record", receiver: self, key: key))
      end

      # @param key [Object]
      # @return [Boolean]
      def key?(key)
        !self[key].nil?
      end

      private

      def record(type, kind, key)
        text = @sandbox.__send__(:core_find, kind, key)
        text && type.from_json(text)
      end

      def all(type, kind)
        @sandbox.__send__(:core_stored, kind).map { |text| type.from_json(text) }
      end
    end

    # The contacts that a sandbox stores.
    class Contacts < Records
      # @param key [String] id, e-mail address (in any case) or phone number
      # @return [Contact, nil]
      def [](key)
        record(Contact, :contacts, key) if key.is_a?(String)
      end

      # @yieldparam contact [Contact]
      # @return [self, Enumerator]
      def each(&block)
        return enum_for(:each) { size } unless block

        all(Contact, :contacts).each(&block)
        self
      end

      # @return [Integer]
      def size
        @sandbox.counts.contacts
      end
    end

    # The orders that a sandbox stores. An order has the fields of a response as readers; those that were sent and no
    # response holds are read with []: +sandbox.orders[1001]["line_items"]+.
    class Orders < Records
      # @param key [Integer, String] order_id
      # @return [Order, nil]
      def [](key)
        record(Order, :orders, key.to_s) if key.is_a?(Integer) || key.is_a?(String)
      end

      # @yieldparam order [Order]
      # @return [self, Enumerator]
      def each(&block)
        return enum_for(:each) { size } unless block

        all(Order, :orders).each(&block)
        self
      end

      # @return [Integer]
      def size
        @sandbox.counts.orders
      end
    end

    # What {Events} and {Messages} share: they are read as an Array, oldest first, and by key. +to_a+ returns an Array
    # that does not change.
    #
    # @private
    class Log < Records
      def initialize(sandbox, item, kind)
        super(sandbox)
        @item = item
        @kind = kind
        freeze
      end

      # @param key [String, Integer, Range] a key; positions as for an Array
      # @param length [Integer] as for an Array
      # @return [Struct, Array<Struct>, nil]
      def [](key, *length)
        return by_key(key) if key.is_a?(String)

        found = texts[key, *length]
        found.is_a?(Array) ? found.map { |text| @item.of(text) } : found && @item.of(found)
      end

      # @yieldparam item [Struct]
      # @return [self, Enumerator]
      def each(&block)
        return enum_for(:each) { size } unless block

        texts.map { |text| @item.of(text) }.each(&block)
        self
      end

      # @return [Array<Struct>]
      def to_ary
        to_a
      end

      # @return [Integer]
      def length
        size
      end

      # @param other [Object] an Array or another one of this class
      # @return [Boolean]
      def ==(other)
        (other.is_a?(Array) || other.instance_of?(self.class)) && to_a == other.to_a
      end

      private

      def by_key(key)
        text = @sandbox.__send__(:core_find, @kind, key)
        text && @item.of(text)
      end

      def texts
        @sandbox.__send__(:core_stored, @kind)
      end
    end

    # The events that a sandbox accepted, oldest first. The keys are ids and idempotency keys:
    # +sandbox.events[receipt.event_id]+.
    class Events < Log
      # @private
      def initialize(sandbox)
        super(sandbox, Event, :events)
      end

      # @return [Integer]
      def size
        @sandbox.counts.events
      end
    end

    # The welcome messages that a sandbox sent by SMS, oldest first. The keys are phone numbers and ids of contacts:
    # +sandbox.messages["+14155550101"]+, the newest of several.
    class Messages < Log
      # @private
      def initialize(sandbox)
        super(sandbox, Message, :messages)
      end

      # @return [Integer]
      def size
        @sandbox.counts.welcome_messages
      end
    end
  end
end
