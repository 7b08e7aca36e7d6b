# frozen_string_literal: true

module Privy
  # Where the processes of a queue keep what they share: Redis of Sidekiq, else Rails.cache, else the process. Jobs run
  # without it: when it is away, each process decides by itself. Values are short texts without personal data.
  #
  # @private
  module JobStore
    # Seconds for which a store that failed is not asked.
    AWAY = 10
    private_constant :AWAY

    @memory = nil
    @away_until = 0

    class << self
      # @return [Redis, Cache, Memory]
      def current
        of_sandbox || of_process
      end

      # @return [Redis, nil] a store that changes values for all processes at once
      def shared
        store = current
        store if store.is_a?(Redis)
      end

      # Reports once in a while that the store is away.
      #
      # @return [void]
      def failed(error)
        @away_until = Process.clock_gettime(Process::CLOCK_MONOTONIC) + AWAY
        JobReport.warning("privy: jobs share nothing with other processes, because their store failed: " \
                          "#{error.class}: #{error.message}")
      end

      # @return [Memory]
      def memory
        @memory ||= Memory.new
      end

      private

      # What a test learns of its sandbox is not for other tests, and not for Redis.
      def of_sandbox
        sandbox = Activation.current&.sandbox if Core.routing?
        return unless sandbox

        sandbox.instance_variable_get(:@job_store) || sandbox.instance_variable_set(:@job_store, Memory.new)
      end

      def of_process
        return memory if Process.clock_gettime(Process::CLOCK_MONOTONIC) < @away_until
        return redis if defined?(::Sidekiq) && ::Sidekiq.respond_to?(:redis)

        cache = ::Rails.cache if defined?(::Rails) && ::Rails.respond_to?(:cache)
        cache.nil? || cache.is_a?(ActiveSupport::Cache::NullStore) ? memory : Cache.new(cache)
      end

      def redis
        @redis ||= Redis.new
      end
    end

    # In the process.
    class Memory
      def initialize
        @values = {}
        @mutex = Mutex.new
      end

      # @return [String, nil]
      def get(key)
        @mutex.synchronize { live(key) }
      end

      # Sets a value if it is +old+ (nil: missing).
      #
      # @return [Boolean]
      def swap(key, old, new, seconds)
        @mutex.synchronize do
          next false unless live(key) == old

          @values.delete_if { |_, (_, ends)| ends < now }
          @values[key] = [new, now + seconds]
          true
        end
      end

      # @return [void]
      def delete(key)
        @mutex.synchronize { @values.delete(key) }
      end

      private

      def live(key)
        value, ends = @values[key]
        value if ends && ends > now
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end

    # Rails.cache. Two processes may both swap a value; only reports of a pause would be doubled by it.
    class Cache
      def initialize(cache)
        @cache = cache
      end

      # As {Memory#get}.
      def get(key)
        guarded(:get, key) { @cache.read(key) }
      end

      # As {Memory#swap}.
      def swap(key, old, new, seconds)
        guarded(:swap, key, old, new, seconds) do
          next @cache.write(key, new, expires_in: seconds, unless_exist: true) if old.nil?

          @cache.read(key) == old && @cache.write(key, new, expires_in: seconds)
        end
      end

      # As {Memory#delete}.
      def delete(key)
        guarded(:delete, key) { @cache.delete(key) }
      end

      private

      def guarded(*call)
        yield
      rescue => error
        JobStore.failed(error)
        JobStore.memory.public_send(*call)
      end
    end

    # Redis, by Sidekiq's own connections.
    class Redis
      SWAP = <<~LUA
        if (redis.call("GET", KEYS[1]) or "") ~= ARGV[1] then return 0 end
        redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
        return 1
      LUA
      private_constant :SWAP

      # As {Memory#get}.
      def get(key)
        guarded(:get, key) { |redis| redis.call("GET", key) }
      end

      # As {Memory#swap}.
      def swap(key, old, new, seconds)
        guarded(:swap, key, old, new, seconds) do |redis|
          redis.call("EVAL", SWAP, 1, key, old.to_s, new, seconds) == 1
        end
      end

      # As {Memory#delete}.
      def delete(key)
        guarded(:delete, key) { |redis| redis.call("DEL", key) }
      end

      private

      def guarded(*call, &)
        ::Sidekiq.redis(&)
      rescue => error
        JobStore.failed(error)
        JobStore.memory.public_send(*call)
      end
    end
  end
  private_constant :JobStore
end
