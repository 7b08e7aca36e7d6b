# frozen_string_literal: true

require_relative "helper"
require "open3"

class TestRecords < PrivyTest
  FULL = <<~JSON
    {"id":"cus_0123456789abcdef","email":"jane@example.com","phone_number":"+14155550171","first_name":"Jane",
     "last_name":null,"email_consent":"subscribed","sms_consent":"never_subscribed","tags":["vip","jane@example.com"],
     "custom_fields":{"size":39,"mail":"other@example.com"},"created_at":"2026-05-12T10:00:00Z",
     "updated_at":"2026-05-12T10:00:00Z","nickname":"J","secret_mail":"hidden@example.com"}
  JSON

  def jane
    Privy::Contact.from_json(FULL)
  end

  def test_readers_and_brackets
    assert_equal "Jane", jane.first_name
    assert_equal "Jane", jane["first_name"]
    assert_equal "Jane", jane[:first_name]
    assert_equal "J", jane["nickname"]
    assert_equal "subscribed", jane["email_permission"]
    assert_nil jane["no_such_field"]
    assert_equal({ "nickname" => "J", "secret_mail" => "hidden@example.com" }, jane.extra)
    assert_raises(NoMethodError) { jane.nickname }
    assert_raises(TypeError) { jane[1] }
  end

  def test_values_are_converted_once
    record = jane
    assert_same record.first_name, record.first_name
    assert_same record.custom_fields, record["custom_fields"]
    assert_same record.extra, record.extra
  end

  # Bytes of a text with escapes that the extension decodes without memory from the heap, and elements that it adds to
  # an Array or a Hash at once.
  SHORT = 256
  FEW = 8

  def fields(text)
    Privy::Contact.from_json(%({"custom_fields":#{text}})).custom_fields
  end

  def test_texts_with_escapes_of_any_length
    [2, SHORT - 1, SHORT, SHORT + 1, 10 * SHORT].product(['\n', '\"', "\\\\"]) do |length, start|
      text = %({"text":"#{start}#{'x' * (length - 2)}","end":"#{'é' * ((length / 2) - 1)}#{start}"})
      assert_equal JSON.parse(text), fields(text)
    end
  end

  def test_arrays_and_objects_of_any_size
    [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW].each do |count|
      text = JSON.generate("array" => [*1..count], "object" => (1..count).to_h { |number| ["k#{number}", [number]] })
      assert_equal JSON.parse(text), fields(text)
      assert_predicate fields(text)["array"], :frozen?
    end
  end

  def test_the_last_of_members_with_one_name_counts
    [2, FEW, FEW + 1, 2 * FEW].each do |count|
      assert_equal({ "a" => count }, fields("{#{(1..count).map { |number| %("a":#{number}) }.join(',')}}"))
    end
  end

  def test_absent_and_null_differ
    record = Privy::Contact.from_json('{"last_name":null,"new":null}')
    assert_equal [nil, nil, nil], [record.first_name, record.last_name, record["new"]]
    assert_equal [false, true, true, false],
                 [record.key?(:first_name), record.key?("last_name"), record.key?(:new), record.key?(:newer)]
  end

  def test_to_h_is_a_plain_copy
    record = jane
    hash = record.to_h
    assert_equal %i[id email phone_number first_name last_name email_consent sms_consent tags custom_fields created_at
                    updated_at nickname secret_mail], hash.keys
    hash[:tags] << "more"
    hash[:custom_fields]["size"] = 40
    hash[:first_name] << "t"
    hash[:custom_fields]["mail"] << "!"
    assert_equal [%w[vip jane@example.com], 39, "Jane"], [record.tags, record.custom_fields["size"], record.first_name]
    assert_equal "other@example.com", record.custom_fields["mail"]
    refute_includes Privy::Contact.from_json('{"id":"x"}').to_h, :email
  end

  def test_equality_and_hashes
    assert_equal jane, jane
    assert jane.eql?(jane)
    assert_equal jane.hash, jane.hash
    assert_equal 1, { jane => 1 }[jane]
    assert_equal 1, [jane, jane].uniq.length
    refute_equal jane, Privy::Contact.from_json(FULL.sub("Jane", "Joan"))
    refute_equal jane, Privy::Contact.from_json(FULL.sub('"J"', '"K"'))
    refute_equal Privy::Contact.from_json("{}"), Privy::Order.from_json("{}")
    refute_equal jane, jane.to_h
    assert_equal Privy::Contact.from_json('{"custom_fields":{"a":1.50}}'),
                 Privy::Contact.from_json('{ "custom_fields" : {"a":1.5} }')
  end

  def test_old_and_new_names_are_equal
    assert_equal Privy::Contact.from_json('{"email_permission":"non_subscribed"}'),
                 Privy::Contact.from_json('{"email_consent":"never_subscribed"}')
  end

  def test_marshal_and_json
    [jane, Privy::Order.from_json('{"order_id":1,"total_amount":"95.00","new":[1]}'),
     Privy::EventReceipt.from_json('{"event_id":"e","status":"accepted"}')].each do |record|
      copy = Marshal.load(Marshal.dump(record))
      assert_equal record, copy
      assert_equal record.hash, copy.hash
      assert_predicate copy, :frozen?
      assert_equal record, record.class.from_json(record.to_json)
      assert_equal record, record.class.from_json(JSON.generate([record])[1..-2])
    end
    assert_equal ["email_consent"],
                 JSON.parse(Privy::Contact.from_json('{"email_permission":"subscribed"}').to_json).keys
  end

  def test_unknown_fields_survive_a_round_trip
    served do |client, _sandbox|
      order = client.orders.upsert(**ORDER)
      assert_equal true, order.created
      assert_equal true, Marshal.load(Marshal.dump(order)).created
    end
  end

  def test_from_json_refuses_what_is_no_object
    ["", "[]", "1", "{", '{"id":"\xFF"}'].each do |text|
      assert_raises(Privy::APIStatusError) { Privy::Contact.from_json(text) }
    end
    assert_raises(TypeError) { Privy::Contact.from_json(nil) }
    assert_raises(TypeError) { Privy::Record.from_json("{}") }
  end

  def test_dup_and_clone_return_the_record
    record = jane
    assert_same record, record.dup
    assert_same record, record.clone
    assert_same record, record.clone(freeze: true)
    assert_raises(ArgumentError) { record.clone(freeze: false) }
  end

  def test_records_are_not_made_by_hand
    assert_raises(NoMethodError) { Privy::Contact.new }
    assert_raises(TypeError) { Privy::Record.allocate }
    empty = Privy::Contact.allocate # as YAML begins
    %i[email extra to_h to_json as_json inspect hash].each do |name|
      assert_match(/uninitialized Privy::Contact/, assert_raises(TypeError) { empty.public_send(name) }.message)
    end
    assert_raises(FrozenError) { jane.send(:core_load, "{}") }
  end

  def test_records_match_patterns_by_field
    case jane
    in { email_consent: "subscribed", tags: ["vip", *], nickname: String => nickname }
      assert_equal "J", nickname
    end
    assert((jane in { last_name: nil }))
    refute((jane in { first_name: "Joan" }))
    refute((jane in { unheard_of: nil }))
    assert((jane in { first_name: "Jane", **rest }) && rest[:nickname] == "J")
    assert((jane in Privy::Contact(email:)) && email == JANE)
  end

  def test_dig_reads_inside_of_objects
    record = Privy::Contact.from_json('{"email":"e","tags":["x"],"custom_fields":{"a":1},"later":[{"b":[2]}]}')
    { [:email] => "e", ["tags", 0] => "x", [:custom_fields, "a"] => 1, ["later", 0, "b", 0] => 2, [:none, "a"] => nil,
      [:custom_fields, "z"] => nil, [:first_name, "z"] => nil }
      .each { |path, value| assert_equal [value], [record.dig(*path)], path }
    error = assert_raises(TypeError) { record.dig(:email, "a") }
    assert_equal "String does not have #dig method", error.message
    assert_raises(ArgumentError) { record.dig }
  end

  def test_pp_breaks_long_records_and_masks_them
    short = Privy::Contact.from_json('{"id":"cus_1"}')
    assert_equal %(#<Privy::Contact id="cus_1">\n), capture_io { pp short }.first
    text = capture_io { pp jane }.first
    assert_equal jane.inspect, text.split("\n").map(&:strip).join(" ")
    assert_operator text.lines.length, :>, 3
  end

  def test_inspect_masks_addresses_and_numbers
    [jane.inspect, jane.to_s, format("%s", jane), capture_io { pp jane }.first].each do |text|
      ["jane@", "+14155550171", "other@", "hidden@", "=> \"J\""].each { |hidden| refute_includes text, hidden }
      ["cus_0123456789abcdef", "j***@example.com", "+1415*****71", "Jane", "nickname"].each do |shown|
        assert_includes text, shown
      end
    end
    assert_includes jane.inspect, "created_at=2026-05-12T10:00:00Z "
  end

  # Ruby's own libraries cost time when a program starts, and privy does not ask for those that it can do without.
  def test_a_program_that_loads_nothing_else
    program = <<~RUBY
      require "bigdecimal"
      before = $LOADED_FEATURES.dup
      require "privy"
      puts Privy::Contact.from_json(ARGV[0]).inspect, ($LOADED_FEATURES - before).grep_v(%r{/privy[./]})
    RUBY
    out, status = Open3.capture2e(RbConfig.ruby, "-w", *$LOAD_PATH.map { |path| "-I#{path}" }, "-e", program, FULL)
    assert_predicate status, :success?, out
    assert_equal "#{jane.inspect}\n", out
  end

  def test_spoiled_marshal_data
    dumped = Marshal.dump(jane)
    assert_raises(Privy::APIStatusError) { Marshal.load(dumped.sub('{"id"', '["id"')) }
  end

  def test_a_page_is_an_array_of_its_records
    served do |client, _sandbox|
      3.times { |n| client.contacts.create(email: "c#{n}@example.com") }
      page = client.contacts.list(per_page: 2).pages.first
      assert_equal [1, 2, 3, 2, 2], [page.page, page.per_page, page.total_count, page.total_pages, page.size]
      assert_equal page.to_a, page.map(&:itself)
      assert_equal [page[0], page[1], nil], [page.first, page.last, page[2]]
      assert_equal [page.records, page.records, page.records], [page.to_a, page[0, 2], page.last(5)]
      assert_equal [2, false, [page[1]]], [page.length, page.empty?, page[1..]]
      assert_equal page, Marshal.load(Marshal.dump(page))
      assert_equal page.hash, Marshal.load(Marshal.dump(page)).hash
      assert((page in [Privy::Contact(id:), *]) && id == page[0].id)
      refute_includes page.inspect, "@example.com"
      assert_predicate page, :frozen?
      assert_predicate page.records, :frozen?
    end
  end
end
