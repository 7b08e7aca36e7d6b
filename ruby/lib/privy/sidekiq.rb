# frozen_string_literal: true

require "sidekiq"
require_relative "jobs"
require_relative "jobs/declared"

module Privy
  # Jobs of Sidekiq, without Active Job, that call the Privy API.
  #
  #   class OrderJob
  #     include Sidekiq::Job       # Sidekiq::Worker before Sidekiq 6.3
  #     include Privy::Sidekiq
  #     privy_options deadline: 2 * 86_400
  #
  #     def perform(number)
  #       privy.orders.upsert(**Order.find(number).to_privy)
  #     end
  #   end
  #
  # What becomes of a job whose call fails is the same as for {Privy::Job}. A rescheduled job keeps its jid and spends
  # no retry of Sidekiq. It is back in Redis before this run ends, so that a worker that dies loses nothing. Whether a
  # job runs twice depends on when the worker dies; its events have the same keys both times.
  #
  # The server middleware does it. Loading the first such class, or Rails, adds it: see {install}. Tests with
  # Sidekiq::Testing add it by +Sidekiq::Testing.server_middleware { |chain| chain.add Privy::Sidekiq::Middleware }+.
  module Sidekiq
    # @private
    def self.included(base)
      base.extend(JobDeclared)
      install
    end

    # Adds {Middleware} to the server's chain, in a process of Sidekiq.
    #
    # @return [void]
    def self.install
      ::Sidekiq.configure_server do |config|
        config.server_middleware { |chain| chain.add(Middleware) unless chain.exists?(Middleware) }
      end
    end

    private

    # The client of the job's account: {Privy.jobs}, of a job with +priority: :low+ one that leaves half of each minute
    # to others.
    #
    # @return [Client]
    def privy
      self.class.privy_settings.client(@privy_account || privy_account_of([]))
    end

    # Called when the job is discarded. For your classes.
    #
    # @param error [Error]
    # @return [void]
    def privy_discarded(error); end

    def privy_account_of(arguments)
      @privy_account = self.class.privy_settings.account_of(self, arguments)
    end

    # Runs the jobs of classes that include {Privy::Sidekiq}.
    class Middleware
      # @param job [Object]
      # @param item [Hash{String => Object}] the job as Redis holds it
      # @return [Object]
      def call(job, item, _queue, &)
        return yield unless job.is_a?(Privy::Sidekiq)

        state = item["privy"] || {}
        account = job.__send__(:privy_account_of, item["args"])
        run = JobRun.new(job.class.privy_settings, account, job.class.name, state)
        ending = run.call { Privy.job(id: item["jid"], &) }
        case ending.action
        when :raise then raise ending.error
        when :later then run_later(item.merge("privy" => state), ending)
        when :discard then discard(job, item, ending.error)
        end
      end

      private

      # The id, the count of retries and all else stay as they are.
      def run_later(item, ending)
        raise ending.error if defined?(::Sidekiq::Testing) && ::Sidekiq::Testing.inline?

        pushed = ::Sidekiq::Client.push(item.except("enqueued_at").merge("at" => ending.at.to_f))
        raise ending.error unless pushed # a client middleware has refused it

        JobReport.info("privy: #{item['class']} (#{item['jid']}) runs again at #{ending.at.utc.iso8601(3)}: " \
                       "#{ending.error.class}: #{ending.error.message}")
      end

      def discard(job, item, error)
        JobReport.discarded(error, job, item["jid"], queue: item["queue"])
        job.__send__(:privy_discarded, error)
      end
    end
  end
end
