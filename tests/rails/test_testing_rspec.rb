# frozen_string_literal: true

require "helper"
require_relative "suites"

# require "privy/rspec" in spec files of users, which a real rspec process runs.
class TestTestingRspec < PrivyTest
  START = <<~RUBY
    require "privy/rspec"
    CLIENT = Privy::Client.new(token: "any")
    def place(number, total = 95)
      CLIENT.orders.upsert(order_id: number, total: total, currency: "USD", order_date: Time.now, email: "jane@example.com")
    end
    def sign_up(plan)
      CLIENT.events.ingest("signed_up", email: "jane@example.com", event_data: { plan: plan, at: 12.5 })
    end
  RUBY

  def spec(text)
    Suites.run(START + text, command: %w[-S rspec], name: "a_spec.rb")
  end

  def passes(text, count)
    output, success = spec(text)
    assert success, output
    assert_includes output, "#{count} examples, 0 failures"
  end

  def test_each_example_has_a_fresh_sandbox
    passes(<<~'RUBY', 6)
      RSpec.describe "placing" do
        before { place(7) }
        let!(:existing) { CLIENT.contacts.create(email: "a@example.com") }

        5.times do |number|
          it "is alone #{number}" do
            place(number + 10)
            expect(privy_sandbox.requests.map(&:status)).to contain_exactly(201, 201, 201)
            expect(privy_sandbox.orders.map(&:order_id)).to contain_exactly(7, number + 10)
            expect(privy_client.contacts.list.total_count).to eq 2
          end
        end
        it("has factories") { expect(Privy::Testing.order(total: 3).total_amount).to eq 3 }
      end
    RUBY
  end

  def test_matchers
    passes(<<~'RUBY', 6)
      RSpec.describe "matchers" do
        it "of orders" do
          expect { place(1001) }.to upsert_privy_order(1001)
          expect { place(1001, 96) }.to upsert_privy_order("1001").with(total: 96).with(email: "jane@example.com")
          expect { place(1001) }.to upsert_privy_order(1001).with(total: be_within(0.5).of(95.2), order_date: Time)
          expect { place(1002) }.not_to upsert_privy_order(1001)
          privy_down { expect { place(1003) rescue nil }.not_to upsert_privy_order(1003) }
        end

        it "of events" do
          sign_up("old")
          expect { sign_up("pro") }.to ingest_privy_event("signed_up").with(data: a_hash_including(plan: "pro"))
          expect { sign_up("pro") }.to ingest_privy_event("signed_up").with(data: a_hash_including("plan" => "pro"))
          expect { sign_up("pro") }.to ingest_privy_event(:signed_up).with(email: /jane@/, data: { plan: "pro", at: 12.5 })
          expect { sign_up("pro") }.not_to ingest_privy_event("signed_up").with(data: a_hash_including(plan: "old"))
          expect { sign_up("pro") }.not_to ingest_privy_event("left")
        end

        it "of contacts" do
          create = -> { CLIENT.contacts.create(email: "jane@example.com", tags: ["vip"]) }
          expect(&create).to upsert_privy_contact("JANE@example.com").with(tags: include("vip"))
          contact = CLIENT.contacts.list.first
          expect { CLIENT.contacts.update(contact.id, first_name: "Jane") }
            .to upsert_privy_contact("jane@example.com").with(first_name: "Jane")
          expect { CLIENT.contacts.upsert(email: "jane@example.com", first_name: "J") }.to upsert_privy_contact(contact.id)
          expect { CLIENT.contacts.list.first }.not_to upsert_privy_contact("jane@example.com")
        end

        it "of requests" do
          expect { place(1) && place(2) }.to make_privy_requests(2)
          expect { place(1) }.to make_privy_requests
          expect { place(1) }.to make_privy_requests(a_value < 3)
          expect { 1 + 1 }.not_to make_privy_requests
        end

        it "that are composed" do
          expect { place(1) && sign_up("pro") }
            .to upsert_privy_order(1).with(total: 95).and ingest_privy_event("signed_up").and make_privy_requests(2)
          expect { place(5) }.to upsert_privy_order(5).or upsert_privy_order(6)
        end

        it "return what helpers do" do
          expect(privy_rate_limited(for: 42) { CLIENT.with_options(max_wait: 0).contacts.list.first rescue $!.retry_after })
            .to be_within(1).of(42)
        end
      end
    RUBY
  end

  def test_failure_messages
    output, success = spec(<<~'RUBY')
      RSpec.describe "messages" do
        it("a") { expect { place(1001) }.to upsert_privy_order(1001).with(total: be_within(1).of(90), email: "a@example.com") }
        it("b") { expect { place(1001) }.to upsert_privy_order(1002) }
        it("c") { expect { 1 + 1 }.to upsert_privy_order(1002) }
        it("d") { expect { place(1001) }.not_to upsert_privy_order(1001) }
        it("e") { expect { sign_up("free") }.to ingest_privy_event("signed_up").with(data: { plan: "pro" }) }
        it("f") { expect { sign_up("free") }.to ingest_privy_event("left") }
        it("g") { expect { place(1) }.to make_privy_requests(2) }
        it("h") { expect { place(1) }.to upsert_privy_contact("john@example.com").with(tags: ["vip"]) }
        it "i", :aggregate_failures do
          expect { place(1) }.to make_privy_requests(3)
          expect { place(2) }.to upsert_privy_order(3)
        end
        it("j") { expect(5).to make_privy_requests(1) }
      end
    RUBY
    refute success
    assert_includes output, "10 examples, 10 failures"
    pro = { plan: "pro" }
    free = { "plan" => "free", "at" => 12.5 }
    flat = output.gsub(/\n +/, "\n")
    [
      "expected the block to upsert Privy order 1001 with total: be within 1 of 90, email: \"a@example.com\", but " \
      "order 1001 differs:\ntotal: expected be within 1 of 90, stored 95\nemail: expected \"a@example.com\", stored \"",
      "expected the block to upsert Privy order 1002, but it sent:\norders.upsert: 201",
      "expected the block to upsert Privy order 1002, but it sent no request",
      "expected the block not to upsert Privy order 1001, but it did. Requests:\norders.upsert: 201",
      "the event of type \"signed_up\" differs:\nevent_data: expected #{pro}, stored #{free}",
      "but the sandbox stores no event of type \"left\"; it stores events of type signed_up",
      "expected the block to make 2 Privy requests, but it made 1:\norders.upsert: 201",
      "expected the block to upsert Privy contact \"john@example.com\" with tags: [\"vip\"], but it sent:",
      "Got 2 failures:",
      "but it was not given a block"
    ].each { |message| assert_includes flat, message }
  end

  def test_the_network_is_forbidden_without_a_sandbox
    output, success = spec(<<~'RUBY')
      RSpec.describe "before(:all)" do
        before(:all) { place(1) }
        it("fails") { raise "not reached" }
      end
      RSpec.describe "without a sandbox", privy: false do
        it("fails") { place(1) }
        it("has none") { expect { privy_sandbox }.to raise_error(Privy::Error, /no sandbox is active/) }
        it("is back", privy: true) { expect { place(1) }.to make_privy_requests(1) }
      end
    RUBY
    refute success
    assert_includes output, "4 examples, 2 failures"
    assert_equal 2, output.scan("Privy::Testing::NetworkForbidden:").length, output
    assert_includes output, "not in before(:all)"
  end

  def test_with_rails
    output, success = Suites.run(<<~'RUBY', command: %w[-S rspec], name: "a_spec.rb")
      ENV["RAILS_ENV"] = "test"
      require "rails"
      require "active_job/railtie"
      require "action_controller/railtie"
      require "privy-marketing"
      class Application < Rails::Application
        config.root = __dir__
        config.eager_load = false
        config.secret_key_base = "x" * 64
        config.logger = ActiveSupport::Logger.new(File::NULL)
        config.active_job.queue_adapter = :inline
      end
      Application.initialize!
      require "rspec/rails"
      require "privy/rspec"
      RSpec.configure { |config| config.include ActiveSupport::Testing::TimeHelpers }
      class PlaceJob < ActiveJob::Base
        def perform(number)
          Privy.client.orders.upsert(order_id: number, total: 95, currency: "USD", order_date: Time.now, email: "a@example.com")
        end
      end
      RSpec.describe PlaceJob, type: :job do
        3.times do |number|
          it "places #{number}" do
            travel_to Time.utc(2030, 1, 2, 3, 4, 5)
            expect { PlaceJob.perform_later(number + 1) }.to upsert_privy_order(number + 1).with(created_at: Time.now)
            expect(privy_sandbox.orders.size).to eq 1
          end
        end
      end
    RUBY
    assert success, output
    assert_includes output, "3 examples, 0 failures"
  end
end
