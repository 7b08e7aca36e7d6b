# frozen_string_literal: true

# Tests that need Rails and Oj in the process: test_rails.rb runs them in one of their own, for both change classes of
# Ruby. `rails_process.rb NAME`: what is loaded, and in which order.
loads = { "after" => %w[privy active_support/all oj action_controller],
          "before" => %w[active_support/all oj action_controller privy], "oj" => %w[oj privy] }
loads.fetch(ARGV.first).each { |name| require name }
OJ_ALONE = ARGV.shift == "oj"

require_relative "helper"
require_relative "things"

class TestOjProcess < PrivyTest
  OJ_MODES = [{ mode: :compat }, { mode: :rails }, { mode: :json }, { mode: :custom, use_as_json: true },
              { mode: :custom, use_to_json: true }].freeze

  def test_oj_writes_the_same_members_as_as_json
    [*Things.all, *Things.structs, Things.error].each do |thing|
      OJ_MODES.each do |options|
        next if OJ_ALONE && options == { mode: :rails } # needs ActiveSupport

        json = JSON.parse(Oj.dump([thing], options)).first
        assert_equal thing.as_json.compact.keys, json.compact.keys, "#{options} #{thing.class}"
      end
    end
  end

  def test_oj_refuses_what_its_strict_mode_cannot_represent
    Things.all.each { |thing| assert_raises(TypeError) { Oj.dump(thing, mode: :strict) } }
  end

  # Its modes :object and :custom look at instance variables, whatever methods say.
  def test_oj_finds_no_token
    Things.opaque.each do |thing|
      [{ mode: :compat }, { mode: :custom, circular: true }, { mode: :object, circular: true }].each do |options|
        refute_includes Oj.dump([thing], options), Things::TOKEN
      end
    end
  ensure
    Privy.configuration.token = nil
  end

  def test_oj_in_the_place_of_json
    text = IO.popen([RbConfig.ruby, *$LOAD_PATH.map { |path| "-I#{path}" }, "-e", <<~RUBY], &:read)
      require "oj"
      Oj.mimic_JSON
      require "privy"
      require #{File.join(__dir__, 'things').inspect}
      print JSON.generate({ c: Things.contact, p: Things.page })
    RUBY
    assert_equal [Things.plain["id"], Things.plain["id"]],
                 [JSON.parse(text)["c"]["id"], JSON.parse(text)["p"]["records"][0]["id"]]
  end
end

return if OJ_ALONE

class TestRailsProcess < PrivyTest
  class ContactsController < ActionController::Base
    def show = render(json: { contact: Things.contact, page: Things.page })
    def index = render(json: [Things.contact], only: [:id])
    def missing = render(json: { error: Things.error }, status: :conflict)
  end

  def rendered(action)
    status, headers, body = ContactsController.action(action).call(Rack::MockRequest.env_for("/"))
    assert_match(%r{application/json}, headers["Content-Type"])
    text = +""
    body.each { |part| text << part }
    [status, JSON.parse(text)]
  end

  def test_controllers_render_records_pages_and_errors
    assert_equal [200, { "contact" => Things.plain, "page" => Things.page.as_json }], rendered(:show)
    assert_equal [200, [{ "id" => Things.plain["id"] }]], rendered(:index)
    status, json = rendered(:missing)
    assert_equal [409, "ConflictError"], [status, json["error"]["type"]]
  end

  def test_every_value_is_the_same_alone_and_inside
    [*Things.all, *Things.structs, Things.error].each do |thing|
      alone = JSON.parse(thing.to_json)
      assert_equal alone, JSON.parse([thing].to_json).first, thing.class.name
      assert_equal alone, JSON.parse({ t: thing }.to_json)["t"]
      assert_equal alone, JSON.parse(ActiveSupport::JSON.encode(thing))
      assert_equal thing.as_json, JSON.parse(JSON.generate([thing])).first.merge(exact(thing)), thing.class.name
    end
  end

  # JSON.generate takes the record's own text, in which numbers have all their digits.
  def exact(thing)
    thing.is_a?(Privy::Contact) ? { "custom_fields" => Things.plain["custom_fields"] } : {}
  end

  def test_what_would_end_a_script_is_escaped
    [Things.contact, [Things.contact], Things.page].each { |thing| refute_includes thing.to_json, "</script>" }
  end

  def test_rows_of_rails
    row = { at: ActiveSupport::TimeZone["UTC"].at(0), wait: 5.minutes, on: Date.new(2026, 5, 12) }
    assert_equal({ "at" => "1970-01-01T00:00:00Z", "wait" => 300, "on" => "2026-05-12" },
                 Privy::Result.new(0, row).as_json["row"])
  end

  def test_json_contains_no_secret
    Things.opaque.each do |thing|
      [[thing].to_json, thing.to_json].each { |text| refute_includes text, Things::TOKEN }
    end
  ensure
    Privy.configuration.token = nil
  end

  def test_times_with_zone_and_parameters_are_taken
    zoned = ActiveSupport::TimeZone["America/New_York"].local(2026, 1, 1)
    data = ActionController::Parameters.new(a: { b: 1 })
    stubbed do |client, server|
      client.orders.upsert(**ORDER, order_date: zoned)
      assert_includes server.requests.last.body, '"order_date":"2026-01-01T05:00:00Z"'
      client.events.ingest("t", email: JANE, event_data: data.permit!)
      assert_includes server.requests.last.body, '"event_data":{"a":{"b":1}}'
      found = faults { client.events.ingest("t", email: JANE, event_data: ActionController::Parameters.new(a: 1)) }
      assert_equal [["event_data", "is a ActionController::Parameters whose conversion raised " \
                                   "ActionController::UnfilteredParameters"]], found
      client.events.ingest("t", email: JANE, event_data: { v: 5.minutes })
      assert_includes server.requests.last.body, '"event_data":{"v":300}'
    end
  end
end
