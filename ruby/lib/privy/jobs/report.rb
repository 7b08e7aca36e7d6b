# frozen_string_literal: true

module Privy
  # Reports what happens to jobs, to the log and to the application's error tracker.
  #
  # @private
  module JobReport
    class << self
      # A job ended without success and does not run again.
      #
      # @param job [Object]
      # @param id [String]
      # @param context [Hash{Symbol => Object}] for the error tracker
      # @return [void]
      def discarded(error, job, id, context)
        logger&.error("privy: discarded #{job.class} (#{id}): #{error.class}: #{error.message}")
        track(error, context.merge(job: job.class.name, job_id: id))
      end

      # The server refuses the token of an account.
      #
      # @param name [String, nil] of the only class of jobs that is paused
      # @return [void]
      def paused(error, account, name)
        logger&.error("privy: jobs#{" of #{name}" if name} of account #{account} are paused, " \
                      "because #{error.class}: #{error.message}")
        track(error, account: account.to_s, job: name)
      end

      # @return [void]
      def info(line)
        logger&.info(line)
      end

      # @return [void]
      def warning(line)
        logger&.warn(line)
      end

      private

      def logger
        return ::ActiveJob::Base.logger if defined?(::ActiveJob::Base)

        ::Sidekiq.logger if defined?(::Sidekiq)
      end

      # Rails since 7.0 has a reporter; Sidekiq has handlers, which error trackers of Sidekiq 6 and 7 add theirs to.
      def track(error, context)
        if defined?(::Rails) && ::Rails.respond_to?(:error) && ::Rails.error
          ::Rails.error.report(error, handled: true, context: context)
        elsif defined?(::Sidekiq)
          to_sidekiq(error, context)
        end
      end

      def to_sidekiq(error, context)
        return ::Sidekiq.default_configuration.handle_exception(error, context) if sidekiq_since_seven?

        ::Sidekiq.error_handlers.each { |handler| handler.call(error, context) }
      end

      def sidekiq_since_seven?
        ::Sidekiq.respond_to?(:default_configuration)
      end
    end
  end
  private_constant :JobReport
end
