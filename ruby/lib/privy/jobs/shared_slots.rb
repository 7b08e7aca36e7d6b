# frozen_string_literal: true

require "digest"

module Privy
  # The slots of jobs that find no budget, one after the other for all processes of an account: without this each
  # process guesses what part of the budget the others use. The core chooses them; Redis carries its numbers.
  #
  # @private
  module SharedSlots
    # Attempts to change the numbers while other processes change them too.
    ATTEMPTS = 20
    # Seconds after which numbers that nobody changes are forgotten.
    FORGOTTEN = 7200
    private_constant :ATTEMPTS, :FORGOTTEN

    @mutex = Mutex.new

    class << self
      # @param account [Symbol]
      # @param client [Client] what it knows of the account's limits counts
      # @param error [Error]
      # @return [Time, nil] nil: the error's own retry_at counts
      def take(account, client, error)
        return unless shares?(error) && (store = JobStore.shared)

        key = "privy:slots:#{Digest::SHA256.hexdigest(account.to_s)[0, 16]}"
        @mutex.synchronize { take_from(store, key, client, error.resets_at) }
      end

      private

      # A job that can use the rest of this window has an instant before the next one.
      def shares?(error)
        error.is_a?(RateLimitError) && error.resets_at && error.retry_at >= error.resets_at
      end

      def take_from(store, key, client, from)
        ATTEMPTS.times do
          text = store.get(key)
          at, numbers = client.__send__(:take_slot, from, text.to_s.split.map(&:to_f))
          return unless at

          changed = numbers.map { |number| format("%.3f", number) }.join(" ")
          return Time.at(at) if store.swap(key, text, changed, FORGOTTEN)
        end
        nil
      end
    end
  end
  private_constant :SharedSlots
end
