# frozen_string_literal: true

require_relative "helper"
require "date"
require "open3"
require "ostruct"
require "set"

# What Ruby values become on their way out, and JSON values on their way in.
class TestValuesOut < PrivyTest
  def sent(**params)
    stubbed do |client, server|
      client.orders.upsert(**ORDER, **params)
      return server.requests.last.body
    end
  end

  def sent_data(value)
    stubbed do |client, server|
      client.events.ingest("test", email: JANE, event_data: { v: value })
      return server.requests.last.body[/"v":(.*)\}\}\z/m, 1]
    end
  end

  def data_fault(value)
    stubbed do |client, server|
      found = faults { client.events.ingest("test", email: JANE, event_data: { v: value }) }
      assert_empty server.requests
      assert_equal 1, found.length
      return found.first
    end
  end

  def test_money_is_sent_as_its_shortest_decimal_text
    { BigDecimal("95.00") => "95", BigDecimal("95.10") => "95.1", BigDecimal("0.001") => "0.001", 95 => "95",
      0.1 => "0.1", 10**30 => "1#{'0' * 30}" }.each do |value, text|
      assert_includes sent(total: value), %("total":#{text},), value.inspect
    end
    assert_match(/"total":"?95\.00"?,/, sent(total: "95.00"))
  end

  def test_large_and_small_numbers_keep_their_value
    [1e300, 1.0e-7, BigDecimal("1e500"), BigDecimal("-1.5e-300"), -(2**62), 2**64].each do |value|
      assert_equal BigDecimal(value.to_s), BigDecimal(sent_data(value)), value.inspect
    end
  end

  def test_numbers_that_json_cannot_represent
    [Float::NAN, Float::INFINITY, -Float::INFINITY, BigDecimal("NaN"), BigDecimal("Infinity")].each do |value|
      assert_equal "event_data.v", data_fault(value).first, value.inspect
    end
    stubbed { |client, _| assert_equal ["total"], fields { client.orders.upsert(**ORDER, total: Float::NAN) } }
  end

  def test_times_are_sent_in_utc
    zoned = Time.new(2026, 5, 12, 12, 30, 15, "+02:00")
    { zoned => "2026-05-12T10:30:15Z", zoned + 0.25r => "2026-05-12T10:30:15.25Z",
      DateTime.new(2026, 5, 12, 12, 30, 15, "+2") => "2026-05-12T10:30:15Z",
      Time.utc(1969, 12, 31, 23, 59, 59) => "1969-12-31T23:59:59Z",
      "2026-05-12T12:30:15+02:00" => "2026-05-12T12:30:15+02:00" }.each do |value, text|
      assert_includes sent(order_date: value), %("order_date":"#{text}"), value.inspect
    end
  end

  def test_times_of_other_classes
    framework = Class.new { def to_time = Time.utc(2026, 5, 12) }
    assert_includes sent(order_date: framework.new), '"2026-05-12T00:00:00Z"'
  end

  def test_times_without_zone
    stubbed do |client, _server|
      assert_equal [["order_date", "is a date: pass a time with a time zone"]],
                   faults { client.orders.upsert(**ORDER, order_date: Date.new(2026, 5, 12)) }
      assert_equal ["order_date"], fields { client.orders.upsert(**ORDER, order_date: "2026-05-12T10:00:00") }
    end
  end

  def test_times_out_of_range
    [Time.at(2**70), Time.at(2**60), Time.utc(12_345), Time.utc(-1)].each do |value|
      stubbed { |client, _| assert_equal ["order_date"], fields { client.orders.upsert(**ORDER, order_date: value) } }
    end
  end

  def test_symbols_booleans_and_null
    assert_equal '["a",true,false,null]', sent_data([:a, true, false, nil])
    stubbed do |client, server|
      client.contacts.update(NOBODY, first_name: nil)
      assert_equal '{"first_name":null}', server.requests.last.body
    end
  end

  def test_strings_of_other_encodings_are_transcoded
    { "é".encode("ISO-8859-1") => '"é"', "é".encode("UTF-16LE") => '"é"', "日本".encode("Shift_JIS") => '"日本"',
      "plain".b => '"plain"', "plain".encode("US-ASCII") => '"plain"', "".encode("UTF-16BE") => '""' }
      .each { |value, text| assert_equal text, sent_data(value), value.inspect }
  end

  def test_strings_that_utf8_cannot_represent
    ["\xFF", "a\xED\xA0\x80", "\xFF".b, "\x00\xD8".dup.force_encoding("UTF-16LE"),
     "\xFF".dup.force_encoding("US-ASCII")]
      .each do |value|
      assert_equal "event_data.v", data_fault(value).first, value.inspect
    end
  end

  def test_strings_need_escaping
    assert_equal '"a\"b\\\\c\nd\u0000"', sent_data("a\"b\\c\nd\0")
  end

  def test_objects_that_json_cannot_represent
    { Object.new => "Object", (1..2) => "Range", Privy::OMIT => "Object", 1r => "Rational", 1i => "Complex",
      [1].lazy => "Enumerator::Lazy", String => "Class" }.each do |value, name|
      assert_equal ["event_data.v", "is a #{name}, which cannot be encoded as JSON"], data_fault(value)
    end
    assert_match(/BasicObject/, data_fault(BasicObject.new).last)
  end

  def test_a_type_is_refused_in_the_words_of_its_field
    wrong = { email: 1..2, total: 1..2, line_items: [1..2], accepts_sms_marketing: 1..2 }
    stubbed do |client, _|
      found = faults { client.orders.upsert(**ORDER, **wrong) }.to_h
      assert_equal({ "email" => "must be a string, not Range", "total" => "must be a number such as 95.00, not Range",
                     "line_items[0]" => "must be an object, not Range",
                     "accepts_sms_marketing" => "must be true or false, not Range" }, found)
    end
  end

  def test_numbers_that_are_not_finite_are_called_that
    missing = "is NaN: omit a field that has no value"
    infinite = "is infinite: must be a finite number"
    { Float::NAN => missing, BigDecimal("NaN") => missing, Float::INFINITY => infinite,
      -BigDecimal("Infinity") => infinite }.each do |value, words|
      assert_equal ["event_data.v", words], data_fault(value)
    end
  end

  Point = Struct.new(:x, :y)

  # An object with one method, which returns the value.
  def answering(method, value)
    Object.new.tap { |object| object.define_singleton_method(method) { value } }
  end

  def test_objects_are_sent_as_what_they_convert_to
    { Point.new(1, [Point.new(2, nil)]) => '{"x":1,"y":[{"x":2,"y":null}]}', Set[1, :a] => '[1,"a"]',
      OpenStruct.new(a: 1) => '{"a":1}', answering(:to_h, { a: 1 }) => '{"a":1}',
      answering(:to_hash, { "a" => Time.utc(2026) }) => '{"a":"2026-01-01T00:00:00Z"}',
      answering(:to_ary, [1, 2]) => "[1,2]", answering(:to_str, "text") => '"text"',
      Privy::Pagination.from_json('{"page":1,"new":[2]}') => '{"page":1,"new":[2]}' }.each do |value, text|
      assert_equal text, sent_data(value), value.inspect
    end
    assert_includes sent(line_items: Set[OpenStruct.new(sku: "a")]), '"line_items":[{"sku":"a"}]'
    assert_includes sent(currency: answering(:to_str, "EUR")), '"currency":"EUR"'
  end

  # Without ActiveSupport too: a class that defines as_json says what is shown.
  def test_objects_with_their_own_json
    shown = { "a" => 1, at: Time.utc(2026), d: BigDecimal("1.50"), s: Set[:x] }
    { shown => '{"a":1,"at":"2026-01-01T00:00:00Z","d":1.5,"s":["x"]}', 5 => "5", 1.5 => "1.5", true => "true",
      BigDecimal("9.50") => "9.5", "text" => '"text"', a: '"a"', [1] => "[1]",
      Time.utc(2026) => '"2026-01-01T00:00:00Z"' }
      .each { |value, text| assert_equal text, sent_data(answering(:as_json, value)), value.inspect }
    [nil, Object.new, 1..2, Point.new(1, 2).to_enum].each do |value|
      assert_match(/cannot be encoded as JSON/, data_fault(answering(:as_json, value)).last)
    end
    assert_match(/raised RuntimeError/, data_fault(Class.new { def as_json = raise("odd") }.new).last)
  end

  def test_what_belongs_to_everything_is_nobody_s_own_json
    client = Privy::Sandbox.new.client
    [client, client.contacts, client.contacts.list, Privy::Sandbox.new].each do |object|
      assert_equal "is a #{object.class}, which cannot be encoded as JSON", data_fault(object).last
    end
  end

  def test_conversions_that_return_something_else
    %i[to_h to_hash to_ary to_str to_time].each do |method|
      [5, nil, Object.new].each do |value|
        assert_match(/cannot be encoded as JSON/, data_fault(answering(method, value)).last)
      end
    end
  end

  def test_an_object_that_holds_itself
    loop_ = Point.new(1)
    loop_.y = loop_
    assert_match(/nested too deeply|contains itself|levels/, data_fault(loop_).last)
  end

  def test_keys_are_text_and_unique
    assert_equal '{"a":1,"b":2}', sent_data({ a: 1, "b" => 2 })
    assert_equal ["event_data.v.1", "must have a string as its name"], data_fault({ 1 => 2 })
    assert_match(/as String and as Symbol/, data_fault({ a: 1, "a" => 2 }).last)
    assert_equal '{"é":1}', sent_data({ "é".encode("ISO-8859-1") => 1 })
    assert_match(/UTF-8/, data_fault({ "\xFF".b => 1 }).last)
    stubbed do |client, _|
      assert_equal ["1"], fields { client.contacts.create(email: JANE, extra: { 1 => 2 }) }
      assert_equal ["params.1"], fields { client.request("GET", "/a", params: { 1 => 2 }) }
    end
  end

  def test_a_container_that_contains_itself_is_invalid
    hash = {}
    hash[:inner] = { list: [hash] }
    array = []
    array << array
    [hash, array].each { |value| assert_match(/contains itself/, data_fault(value).last) }
    twice = [1]
    assert_equal "[[1],[1]]", sent_data([twice, twice])
  end

  def test_nesting_too_deep
    deep = 500.times.inject(1) { |inner, _| [inner] }
    stubbed { |client, _| refute_empty faults { client.events.ingest("test", email: JANE, event_data: { v: deep }) } }
  end

  Rude = Class.new { def to_time = raise("no time") }

  def test_a_conversion_that_raises_is_one_validation_error
    stubbed do |client, server|
      found = faults { client.orders.upsert(**ORDER, order_date: Rude.new, total: 1r, currency: "usd") }
      assert_equal %w[currency order_date total], found.map(&:first).sort
      assert_includes found, ["order_date", "is a #{Rude} whose conversion raised RuntimeError"]
      assert_empty server.requests
    end
  end

  # Its own exceptions are the value's fault, those of other threads are not.
  def test_an_exception_from_another_thread_during_a_conversion
    main = Thread.current
    slow = Object.new
    slow.define_singleton_method(:to_time) do
      Thread.new { main.raise(IOError, "from outside") }.join
      Time.now
    end
    stubbed { |client, _| assert_raises(IOError) { client.orders.upsert(**ORDER, order_date: slow) } }
  end

  def test_all_validation_errors_are_raised_together
    stubbed do |client, server|
      error = refused { client.orders.upsert(order_id: -1, total: "x", currency: "usd", line_items: [{ price: [] }]) }
      assert_equal %w[base currency line_items[0].price order_date order_id total],
                   error.details.map { |fault| fault[:field] }.sort
      assert_empty server.requests
      assert_equal [0, nil, nil], [error.attempts, error.status, error.body]
    end
  end

  def test_wrong_kinds_of_arguments
    stubbed do |client, _server|
      assert_raises(ArgumentError) { client.contacts.create(emial: JANE) }
      assert_raises(TypeError) { client.contacts.create(email: JANE, extra: []) }
      assert_raises(Privy::Error) { client.contacts.get(NOBODY, timeout: "soon") }
      assert_raises(Privy::Error) { client.contacts.get(NOBODY, timeout: -1) }
      assert_raises(TypeError) { client.request("GET", 5) }
    end
  end
end

# Methods of Ruby's own classes that were changed: what they return is checked before it is used.
class TestPatchedMethods < PrivyTest
  PROGRAM = <<~RUBY
    require "privy"
    client = Privy::Sandbox.new.client
    wrong = [nil, 5, :text, Object.new, [], 2**70]
    order = { order_id: 1, email: "a@example.com", total: 1, currency: "USD", order_date: Time.utc(2026) }
    attempt = lambda do |**fields|
      client.orders.upsert(**order, **fields).order_id
    rescue Privy::ValidationError => e
      e.details.first[:field]
    end
  RUBY

  # Runs it in a process of its own, which must neither crash nor raise; the lines that it writes.
  def lines(body)
    arguments = $LOAD_PATH.map { |path| "-I#{path}" }
    out, status = Open3.capture2e(RbConfig.ruby, *arguments, "-e", "#{PROGRAM}\n#{body}")
    assert_predicate status, :success?, out
    out.lines(chomp: true)
  end

  def test_float_to_s
    assert_equal %w[total] * 6, lines(<<~RUBY)
      wrong.each do |value|
        Float.define_method(:to_s) { |*| value }
        puts attempt.call(total: 1.5)
      end
    RUBY
  end

  def test_decimal_to_s_and_exponent
    assert_equal (%w[total] * 6) + (%w[1] * 6), lines(<<~RUBY)
      wrong.each do |value|
        BigDecimal.class_eval { alias_method :own, :to_s; define_method(:to_s) { |*| value } }
        puts attempt.call(total: BigDecimal("1.5"))
        BigDecimal.class_eval { alias_method :to_s, :own }
      end
      wrong.each do |value|
        BigDecimal.define_method(:exponent) { value }
        puts attempt.call(total: BigDecimal("1.5"))
      end
    RUBY
  end

  def test_times_whose_methods_return_anything_are_invalid
    assert_equal (%w[1] * 6) + %w[order_date], lines(<<~RUBY)
      wrong.each do |value|
        Time.class_eval { %i[to_i to_r iso8601 to_s nsec utc to_time].each { |name| define_method(name) { |*| value } } }
        puts attempt.call(order_date: Time.at(0))
      end
      puts attempt.call(order_date: Time.at(2**70))
    RUBY
  end

  def test_names_of_classes
    assert_equal ["event_data.v"] * 6, lines(<<~RUBY)
      wrong.each do |value|
        klass = Class.new
        klass.define_singleton_method(:to_s) { value }
        klass.define_singleton_method(:name) { value }
        client.events.ingest("t", email: "a@example.com", event_data: { v: klass.new })
      rescue Privy::ValidationError => e
        puts e.details.first[:field]
      end
    RUBY
  end

  def test_conversions_that_return_anything_are_invalid
    assert_equal %w[currency] * 24, lines(<<~RUBY)
      %i[to_str to_ary to_hash respond_to?].each do |name|
        wrong.each do |value|
          object = Object.new
          object.define_singleton_method(name) { |*| value }
          puts attempt.call(currency: object)
        end
      end
    RUBY
  end

  def test_what_reading_calls
    assert_equal ["ok"], lines(<<~RUBY)
      wrong.each do |value|
        Kernel.define_method(:BigDecimal) { |*| value }
        Privy::Order.from_json('{"total_amount":"1.50"}').total_amount
      rescue NoMethodError # the value has no finite?
        nil
      end
      String.define_method(:downcase) { |*| nil }
      client.request("GET", "/contacts")
      puts "ok"
    RUBY
  end
end

class TestValuesIn < PrivyTest
  def read(json, operation: :contact)
    stubbed({ body: %({"data":#{json}}) }) do |client, _server|
      return operation == :contact ? client.contacts.get(NOBODY) : client.orders.upsert(**ORDER)
    end
  end

  def test_numbers_keep_their_value
    json = '{"i":1,"n":-7,"d":1.50,"e":2e3,"big":123456789012345678901234567890,"z":-0}'
    fields = read(%({"custom_fields":#{json}})).custom_fields
    assert_equal({ "i" => 1, "n" => -7, "d" => BigDecimal("1.5"), "e" => BigDecimal("2000"),
                   "big" => 123_456_789_012_345_678_901_234_567_890, "z" => 0 }, fields)
    assert_equal [Integer, Integer, BigDecimal, BigDecimal, Integer, Integer], fields.values.map(&:class)
  end

  def test_money_is_read_as_decimal_and_other_text_stays_text
    assert_equal BigDecimal("95"), read('{"total_amount":"95.00"}', operation: :order).total_amount
    assert_equal BigDecimal("95.5"), read('{"total_amount":95.5}', operation: :order).total_amount
    ["95,00", "1_000", "NaN", "Infinity", "0x1F", " 1", "", "1e99999999999999999999"].each do |text|
      assert_equal text, read(%({"total_amount":"#{text}"}), operation: :order).total_amount
    end
    assert_nil read('{"total_amount":null}', operation: :order).total_amount
  end

  def test_times_are_read_in_utc_and_other_values_stay
    time = read('{"created_at":"2026-05-12T12:00:00.123456+02:00"}').created_at
    assert_equal Time.utc(2026, 5, 12, 10, 0, 0, 123_456), time
    assert_predicate time, :utc?
    assert_predicate time, :frozen?
    assert_equal "yesterday", read('{"created_at":"yesterday"}').created_at
    assert_equal 1, read('{"created_at":1}').created_at
  end

  def test_strings_are_decoded_to_unicode
    jane = read('{"first_name":"J\u00e9\ud83d\ude00","last_name":"\ud800","email":"\"\\\\\/\n"}')
    assert_equal ["Jé😀", "\uFFFD", "\"\\/\n"], [jane.first_name, jane.last_name, jane.email]
    assert_equal [Encoding::UTF_8] * 3, [jane.first_name, jane.last_name, jane.email].map(&:encoding)
  end

  def test_enums_old_and_new
    assert_equal "never_subscribed", read('{"email_permission":"non_subscribed"}').email_consent
    assert_equal "subscribed", read('{"contact_phone_permission":"subscribed"}').sms_consent
    assert_equal "invented_tomorrow", read('{"email_consent":"invented_tomorrow"}').email_consent
    first, second = Array.new(2) { read('{"email_consent":"subscribed"}').email_consent }
    assert_same first, second
  end

  def test_order_ids_keep_leading_zeros
    assert_equal 12, read('{"order_id":12}', operation: :order).order_id
    assert_equal "0012", read('{"order_id":"0012"}', operation: :order).order_id
  end

  def test_everything_is_frozen
    jane = read('{"tags":["a",["b"]],"custom_fields":{"k":"v","deep":{"x":[1]}},"later":[{"y":"z"}]}')
    assert_predicate jane, :frozen?
    [jane.tags, jane.custom_fields, jane.extra].each { |value| assert frozen_throughout?(value) }
  end

  def frozen_throughout?(value)
    inner = value.is_a?(Hash) ? value.to_a.flatten(1) : value
    value.frozen? && (!inner.is_a?(Array) || inner.all? { |element| frozen_throughout?(element) })
  end
end
