# frozen_string_literal: true

# The jobs of test_sidekiq_processes.rb. Its workers load them, and so does the test, which enqueues them.
require "active_job"
require "sidekiq"
require "privy"

Redis.silence_deprecations = true if defined?(Redis) && Redis.respond_to?(:silence_deprecations=)
Sidekiq.logger.level = Logger::FATAL
ActiveJob::Base.logger = nil
ActiveJob::Base.queue_adapter = :sidekiq
# A process looks for due jobs every five seconds on average, of a minute: here a minute is five seconds long.
Sidekiq.configure_server do |config|
  options = config.respond_to?(:[]=) ? config : Sidekiq.options # Sidekiq 7, 6
  options[:poll_interval_average] = 0.8
  config.error_handlers << ->(*) { SidekiqJobs.count("reported") }
end
Privy.configure { |config| config.jobs = { reserve: 0 } }

module SidekiqJobs
  FIELDS = { email: "jane@example.com", total: "95.10", currency: "USD", order_date: "2026-05-12T10:00:00Z" }.freeze

  def self.count(name)
    Sidekiq.redis { |redis| redis.call("INCR", name) }
  end

  class Store
    include Sidekiq::Job
    include Privy::Sidekiq

    def perform(number)
      SidekiqJobs.count("executions")
      privy.orders.upsert(**FIELDS, order_id: number)
      SidekiqJobs.count("done")
    end
  end

  class Sell
    include Sidekiq::Job
    include Privy::Sidekiq

    def perform(number)
      privy.orders.upsert(**FIELDS, order_id: number)
      privy.events.ingest("Sold", email: "jane@example.com", event_data: { number: number, run: rand })
    end
  end

  # An import that an execution continues where the last one stopped.
  class Import
    include Sidekiq::Job
    include Privy::Sidekiq

    def perform(journal, count)
      rows = (1..count).lazy.map { |n| { event_type: "Sold", email: "jane@example.com", event_data: { n: n } } }
      run = privy.events.ingest_many(rows, journal: journal, total: count)
      run.run
      Sidekiq.redis { |redis| redis.call("SET", "skipped", run.skipped) }
    end
  end

  class SellByActiveJob < ActiveJob::Base
    include Privy::Job

    def perform(number)
      privy.orders.upsert(**FIELDS, order_id: number)
      privy.events.ingest("Sold", email: "jane@example.com", event_data: { number: number, run: rand })
    end
  end
end
