# frozen_string_literal: true

require "yaml"
require_relative "helper"
require_relative "things"

# JSON and YAML with what comes with Ruby; test_rails.rb has the rest.
class TestSerialization < PrivyTest
  def teardown
    Privy.configuration.token = nil
  end

  def test_records_as_json
    assert_equal Things.plain, Things.contact.as_json
    assert_equal JSON.parse(Things::ORDER), Things.order.as_json
    assert_equal Things::CONTACT, Things.contact.to_json
    assert_equal %({"c":[#{Things::CONTACT}]}), JSON.generate({ c: [Things.contact] })
    assert_equal %w[id tags], Things.contact.as_json(only: %i[id tags]).keys
    assert_equal %w[id], JSON.parse(Things.contact.to_json(only: :id)).keys
    refute_includes Things.contact.as_json(except: ["email"]).keys, "email"
  end

  def test_pages_and_lists
    expected = { "records" => [Things.plain], "pagination" => JSON.parse(Things::PLACE) }
    assert_equal expected, Things.page.as_json
    assert_equal expected, JSON.parse(JSON.generate([Things.page])).first
    in_process do |client, _sandbox|
      3.times { |number| client.contacts.create(email: "c#{number}@example.com") }
      list = client.contacts.list(per_page: 2)
      assert_equal client.contacts.list.map(&:id), JSON.parse(list.to_json).map { |contact| contact["id"] }
      [YAML, Marshal].each { |format| assert_match(/to_a/, refused(TypeError) { format.dump(list) }.message) }
    end
  end

  def test_everything_has_its_data_in_json
    (Things.all + Things.structs).each do |thing|
      json = JSON.parse(thing.to_json)
      assert_equal thing.as_json, exact(thing, json), thing.class.name
      assert_equal [json], JSON.parse(JSON.generate([thing]))
      refute_empty json.values.compact, thing.class.name
    end
    assert_equal "2026-05-12T10:00:00.25Z", Things.structs.first.as_json["resets_at"]
  end

  # A record's own text has numbers with all their digits.
  def exact(thing, json)
    thing.is_a?(Privy::Contact) ? json.merge("custom_fields" => Things.plain["custom_fields"]) : json
  end

  def test_errors_as_json
    json = JSON.parse(JSON.generate({ e: Things.error })).fetch("e")
    assert_equal ["ConflictError", "a contact exists", 409, "cus_1", []],
                 json.values_at("type", "message", "status", "contact_id", "details")
    assert_empty json.keys & %w[headers body unsent]
    assert_equal Things.error.as_json, json
  end

  # A row is whatever the caller had.
  def test_rows_of_results
    odd = Object.new
    odd.define_singleton_method(:to_s) { "odd" }
    row = { 1 => :a, "x" => 1r, t: Time.at(0), o: odd, s: Struct.new(:y).new(2), n: Float::NAN, d: BigDecimal("1e400") }
    json = Privy::Result.new(3, row, error: Things.error).as_json
    assert_equal({ "1" => "a", "x" => "1/1", "t" => "1970-01-01T00:00:00Z", "o" => "odd", "s" => { "y" => 2 },
                   "n" => nil, "d" => "1#{'0' * 400}.0" }, json["row"])
    assert_equal [3, nil, false, "ConflictError"], [*json.values_at("index", "value", "ok"), json["error"]["type"]]
  end

  def test_yaml_and_marshal_keep_everything
    Things.all.each do |thing|
      [YAML.unsafe_load(YAML.dump(thing)), Marshal.load(Marshal.dump(thing))].each do |copy|
        assert_equal thing, copy
        assert_equal thing.hash, copy.hash
        assert_predicate copy, :frozen?, thing.class.name
      end
    end
    Things.structs.each { |thing| assert_equal thing, YAML.unsafe_load(YAML.dump(thing)) }
    copy = YAML.unsafe_load(YAML.dump(Things.error))
    assert_equal [Things.error, "cus_1", "{}"], [copy, copy.contact_id, copy.body]
    refute_predicate copy, :frozen?
  end

  def test_copies_are_frozen_throughout
    [YAML.unsafe_load(YAML.dump(Things.page)), Marshal.load(Marshal.dump(Things.page))].each do |page|
      assert_predicate page.records, :frozen?
      assert_predicate page.first.custom_fields, :frozen?
    end
    response = Marshal.load(Marshal.dump(Privy::Response.new(200, { "a" => "b" }, "{}")))
    assert_predicate response.headers, :frozen?
    assert_predicate response.body, :frozen?
  end

  def test_yaml_of_many_records_has_neither_aliases_nor_other_classes
    text = YAML.dump([Things.contact, Things.contact, Things.order])
    refute_match(/[&*]\d/, text)
    classes = [Privy::Contact, Privy::Order, BigDecimal]
    assert_equal [Things.contact, Things.contact, Things.order], YAML.safe_load(text, permitted_classes: classes)
    assert_includes text, "email: jane@example.com"
  end

  def test_yaml_that_is_not_a_record_raises
    ["--- !ruby/object:Privy::Contact\n1: 2\n", "--- !ruby/object:Privy::Contact\nid: .inf\n"].each do |text|
      assert_raises(Privy::Error) { YAML.unsafe_load(text) }
    end
  end

  def test_secrets_stay_inside
    Things.opaque.each do |thing|
      assert_match(/\A#<Privy::/, thing.as_json)
      [thing.as_json, thing.to_json, JSON.generate([thing])].each { |text| refute_includes text, Things::TOKEN }
      assert_match(/cannot be written as YAML/, assert_raises(TypeError) { YAML.dump(thing) }.message)
      assert_match(/cannot be marshalled/, assert_raises(TypeError) { Marshal.dump(thing) }.message)
    end
  end

  def test_without_the_json_library
    program = 'require "privy"; print Privy::RateLimit.new(Privy::RateLimit::Window.new(60), nil).to_json, ' \
              "defined?(JSON)"
    out = IO.popen([RbConfig.ruby, *$LOAD_PATH.map { |path| "-I#{path}" }, "-e", program], &:read)
    assert_equal '{"minute":{"limit":60,"remaining":null,"resets_at":null},"day":null}', out
  end
end
