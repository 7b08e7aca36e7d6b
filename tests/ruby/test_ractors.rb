# frozen_string_literal: true

require_relative "helper"
require "open3"

# A Ractor works with clients of its own; what is made in one stays there.
class TestRactors < PrivyTest
  def setup
    @experimental = Warning[:experimental]
    Warning[:experimental] = false # Ruby warns of every first Ractor
    Privy.eager_load!
  end

  def teardown
    Warning[:experimental] = @experimental
  end

  # An object that says what its JSON is.
  class Plan
    def as_json(*) = { "name" => "pro" }
  end

  # Everything that a client does, as text.
  WORK = lambda do |client, name|
    email = "#{name}@example.com"
    jane = client.contacts.create(email: email, tags: %w[a b], custom_fields: { ratio: BigDecimal("1.10"), n: nil })
    order = client.orders.upsert(order_id: name.hash.abs, email: email, total: BigDecimal("95.00"), currency: "USD",
                                 order_date: Time.utc(2026, 5, 12, 10))
    faults = begin
      client.contacts.get("wrong")
    rescue Privy::ValidationError => e
      e.details.map { |fault| fault[:field] }
    end
    missing = begin
      client.contacts.get("cus_0000000000000000")
    rescue Privy::NotFoundError => e
      e.status
    end
    rows = Array.new(3) { |n| { event_type: "seen", email: "#{name}-#{n}@example.com" } }
    [jane.email, jane.created_at.utc?, jane.custom_fields["ratio"].to_s("F"), jane.inspect.include?(email),
     client.contacts.get(jane.id) == jane, client.contacts.list(email: email).map(&:email),
     client.contacts.list(email: email).sole.email_subscribed?, client.contacts.list(email: email).lazy.map(&:id).size,
     client.events.ingest("seen", email: email, event_data: { plan: Plan.new }).replayed?, order.created?,
     jane.dig(:custom_fields, "n"), order.total_amount.to_s("F"),
     client.contacts.update(jane.id, first_name: "J\u00e9").first_name, faults, missing,
     client.events.ingest_many(rows).map(&:ok?), client.request("GET", "/contacts").status,
     client.rate_limit.respond_to?(:minute), client.contacts.delete(jane.id).email].inspect
  end
  Ractor.make_shareable(WORK)

  def test_clients_in_ractors_side_by_side
    Served.clean
    url = Served.server.url
    token = Served.server.sandbox.token
    ractors = Array.new(4) do |number|
      Ractor.new(url, token, "r#{number}") do |base_url, api_token, name|
        client = Privy::Client.new(base_url: base_url, token: api_token)
        Array.new(3) { |turn| WORK.call(client, "#{name}-#{turn}") }
      end
    end
    here = Array.new(3) { |turn| WORK.call(Served.client, "main-#{turn}") }
    reported = ractors.map(&:take)
    reported.each.with_index do |texts, number|
      assert_equal(here.map { |text| text.gsub("main", "r#{number}") }, texts)
    end
  end

  def test_a_sandbox_in_a_ractor
    inside = Ractor.new { WORK.call(Privy::Sandbox.new.client, "row") }.take
    assert_equal WORK.call(Privy::Sandbox.new.client, "row"), inside
  end

  # In a new process, where no part of the library that is loaded later has been loaded.
  def test_the_first_clients_of_a_process_are_made_in_ractors_and_threads_at_once
    program = <<~PROGRAM
      Privy.eager_load!
      work = nil.instance_exec { -> { Array.new(3) { Privy::Sandbox.new.client.orders.upsert_many([{}]).map(&:ok?) } } }
      Ractor.make_shareable(work)
      makers = Array.new(3) { Ractor.new(work, &:call) } + Array.new(3) { Thread.new(&work) }
      print makers.map { |maker| maker.is_a?(Ractor) ? maker.take : maker.value }.flatten.tally
    PROGRAM
    assert_equal "{false=>18}", printed(program)
  end

  # What a new process prints that has loaded the library.
  def printed(program)
    load_path = $LOAD_PATH.flat_map { |folder| ["-I", folder] }
    out, status = Open3.capture2e(RbConfig.ruby, "-W:no-experimental", *load_path, "-rprivy", "-e", program)
    assert_predicate status, :success?, out
    out
  end

  def test_parts_that_a_ractor_cannot_load_are_named_when_the_client_is_made
    out = printed(<<~PROGRAM)
      made = Ractor.new do
        Privy::Sandbox.new.client.contacts.list.size.to_s
      rescue Privy::Error => e
        e.message
      end
      print made.take
    PROGRAM
    RUBY_VERSION.to_f < 3.4 ? assert_match(/call Privy\.eager_load! in the main Ractor/, out) : assert_equal("0", out)
  end

  def test_eager_loading_loads_every_part_that_needs_no_other_gem
    out = printed(<<~PROGRAM)
      before = $LOADED_FEATURES.length
      p Privy.eager_load!, Privy.autoload?(:Bulk), Privy::Sandbox.autoload?(:Request), $LOADED_FEATURES.length > before
    PROGRAM
    assert_equal %w[nil nil nil true], out.split
  end

  def test_defaults_reach_ractors
    Privy.configure { |config| config.base_url = +"http://127.0.0.1:1/v1" }
    url = Ractor.new { Privy::Client.new(token: "privy_t").base_url }.take
    assert_equal "http://127.0.0.1:1/v1", url
  ensure
    Privy.configure { |config| config.base_url = nil }
  end

  def test_what_is_made_in_one_stays_there
    in_process do |client, sandbox|
      [client, sandbox, client.contacts.create(email: JANE)].each do |object|
        error = assert_raises(Ractor::Error) { Ractor.make_shareable(object) }
        assert_match(/can not make shareable object for #<Privy::/, error.message)
        refute_includes error.message, sandbox.token
        assert_raises(TypeError, NoMethodError) { Ractor.new(object) { |given| given } }
      end
    end
  end

  # Collected by another Ractor than the one that made it.
  def test_a_client_outlives_its_ractor_until_it_is_collected
    stubbed do |_client, server|
      5.times do
        Ractor.new(server.url) do |url|
          Privy::Client.new(base_url: url, token: "privy_t").contacts.get(NOBODY)
          nil
        end.take
      end
      Timeout.timeout(PROMPT) { GC.start && sleep(0.01) until server.closed >= 4 } # one may lie on the stack still
      assert_equal 5, server.connections
    end
  end
end
