# frozen_string_literal: true

# See {Privy.job}.
module Privy
  # The job of a queue that runs on this thread and fiber. The extension looks for it too: it defers the calls of a job.
  #
  # @private
  class JobScope
    LENGTH = 12
    private_constant :LENGTH

    class << self
      # @return [JobScope, nil]
      def current
        Thread.current[:privy_job]
      end

      # @param id [String, nil]
      # @return [Object] what the block returns
      def run(id)
        before = current
        Thread.current[:privy_job] = id || before.nil? ? new(id) : before
        yield
      ensure
        Thread.current[:privy_job] = before
      end

      # @return [String, Object] the key of an event, or OMIT outside a job that has an id
      def event_key(*event)
        current ? current.event_key(event) : OMIT
      end
    end

    # @param id [String, nil]
    def initialize(id)
      @id = id
      @counts = Hash.new(0)
    end

    # The same for each run of the job: made of the event's type, its contact and, for events that are equal in both,
    # their number. Neither an event that a later run leaves out nor other data changes the key of another event.
    #
    # @param event [Array<Object>] its type and its contact
    # @return [String, Object]
    def event_key(event)
      return OMIT unless @id

      require "digest"
      parts = event.map { |part| part.equal?(OMIT) ? "" : part }
      digest = Digest::SHA256.hexdigest([@id, *parts].join("\0"))[0, LENGTH]
      number = (@counts[digest] += 1)
      number == 1 ? "#{@id}-#{digest}" : "#{@id}-#{digest}-#{number}"
    end
  end
  private_constant :JobScope

  # Makes calls inside a job of a queue not wait for the rate limit.
  #
  # In the block +max_wait+ is 0 for every call that does not set it itself, so that no worker is blocked. The
  # +retry_at+ of an error then is an instant for this job alone: jobs that find no budget are spread over the following
  # windows, so that they do not all return when the next window opens. Run the job again at that time. It is at most
  # 20 minutes after +resets_at+. {Job} and {Privy::Sidekiq} do all of this.
  #
  # An event that the block sends without +idempotency_key+ gets one that is made of the job's id, if that is given: a
  # job that runs again sends no second event.
  #
  # The block holds for the thread and fiber that enters it. Bulk runs are not affected: they wait, at most +max_wait+
  # of the run, and their events need keys of their own.
  #
  #   Privy.job(id: job_id) { client.orders.upsert(**order) }
  #
  # @param id [String, nil] the same in each run of the job
  # @return [Object] what the block returns
  def self.job(id: nil, &block)
    JobScope.run(id, &block)
  end

  # Lets the jobs of an account run again that {Job} and {Privy::Sidekiq} have paused because the server refused the
  # token. Without it one of them checks every five minutes. Call it after the token was replaced.
  #
  # @param account [Symbol, String] as for {Privy.client}
  # @return [void]
  def self.resume(account = :default)
    require_relative "jobs"
    JobPause.resume(Accounts.resolve(account))
  end
end
