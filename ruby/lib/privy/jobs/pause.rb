# frozen_string_literal: true

require "digest"
require "json"

module Privy
  # The jobs of an account wait while the server refuses its token: after a 401 all jobs of the account, after a 403
  # those of one class. One of them checks every five minutes; the others return to the queue without a request.
  #
  # The store holds one document for each account: what is paused ("" is the complete account), since which error, and
  # when the next check is due.
  #
  # @private
  class JobPause
    # Seconds between two checks.
    INTERVAL = 300
    # Seconds over which jobs return after a check, so that they do not all run at once.
    SPREAD = 60
    # Seconds after which a pause without a check is forgotten.
    LONGEST = 86_400
    # Seconds for which a process believes that nothing is paused: a look into the store for each job would be slow.
    BELIEVED = 2
    # Attempts to change a document that other processes change too.
    ATTEMPTS = 20
    ALL = ""
    private_constant :SPREAD, :LONGEST, :BELIEVED, :ATTEMPTS, :ALL

    @free = {}

    class << self
      # @return [Hash{String => Float}] accounts without a pause, and until when the process believes it
      attr_reader :free

      # @return [Boolean] whether the error pauses jobs
      def for?(error)
        error.is_a?(AuthenticationError) || error.is_a?(PermissionDeniedError)
      end

      # @return [void]
      def resume(account)
        JobStore.current.delete(key(account))
      end

      # @return [String] a key of the store, which names no account
      def key(account)
        "privy:pause:#{Digest::SHA256.hexdigest(account.to_s)[0, 16]}"
      end
    end

    # @param account [Symbol]
    # @param name [String] of the job's class
    def initialize(account, name)
      @account = account
      @name = name
      @key = JobPause.key(account)
      @store = JobStore.current
    end

    # @return [Array(Error, Time), nil] the error of the pause, and when the job runs again; nil: it runs now
    def check
      return if JobPause.free.fetch(@key, 0) > now

      paused = document
      JobPause.free[@key] = now + BELIEVED if paused.empty?
      paused.slice(ALL, @name).each do |name, pause|
        return [error_of(pause), spread(pause["at"])] unless takes_check?(name, pause)
      end
      nil
    end

    # After a job that made its requests: ends the pause that it checked.
    #
    # @return [void]
    def passed
      return unless @checks

      change { |paused| paused.except(@checks) }
      JobReport.info("privy: the jobs of account #{@account} run again")
    end

    # Begins a pause, or continues it.
    #
    # @return [Time] when the job runs again
    def begin(error)
      name = error.is_a?(AuthenticationError) ? ALL : @name
      pause = { "at" => Time.now.to_f + INTERVAL, "type" => error.class.name, "message" => error.message }
      JobPause.free.delete(@key)
      before = change { |paused| paused.key?(name) && @checks != name ? paused : paused.merge(name => pause) }
      JobReport.paused(error, @account, name == ALL ? nil : name) unless before.key?(name)
      spread(before.key?(name) && @checks != name ? before[name]["at"] : pause["at"])
    end

    private

    def document
      text = @store.get(@key)
      text ? JSON.parse(text) : {}
    end

    # @return [Hash] the document before the change
    def change
      before = {}
      ATTEMPTS.times do
        text = @store.get(@key)
        before = text ? JSON.parse(text) : {}
        after = yield(before)
        break if after == before || @store.swap(@key, text, JSON.generate(after), LONGEST)
      end
      before
    end

    # One job of all processes checks.
    def takes_check?(name, pause)
      return false if Time.now.to_f < pause["at"]
      return false unless @store.swap("#{@key}:check:#{name}:#{pause['at'].to_i}", nil, "1", INTERVAL)

      @checks = name
      true
    end

    def error_of(pause)
      Privy.const_get(pause["type"].delete_prefix("Privy::"))
           .new("the jobs of account #{@account} are paused: #{pause['message']}")
    end

    def spread(seconds)
      Time.at([seconds, Time.now.to_f].max + (rand * SPREAD))
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
  private_constant :JobPause
end
