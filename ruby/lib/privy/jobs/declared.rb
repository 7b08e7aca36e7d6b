# frozen_string_literal: true

module Privy
  # What {Job} and {Privy::Sidekiq} add to a class of jobs.
  module JobDeclared
    # Sets options of the class and its subclasses. Options that are not given keep their values.
    #
    # @param options [Hash{Symbol => Object}]
    # @option options [Symbol, String, Proc] :account the account whose client the jobs use; a Proc is called in the job
    #   with its arguments and returns it (:default)
    # @option options [Symbol] :priority :normal; or :low: leaves half of each minute's requests to others
    # @option options [Symbol] :on_invalid after a {ValidationError} or {PayloadTooLargeError}: :discard, or :raise
    # @option options [Symbol] :on_not_found after a {NotFoundError}: :discard or :raise
    # @option options [Symbol] :on_conflict after a {ConflictError}: :discard or :raise
    # @option options [Numeric, ActiveSupport::Duration] :deadline how long a job may be rescheduled, from its first
    #   error: after it the job fails with the last error (a day)
    # @return [void]
    # @raise [ArgumentError] an option is unknown or invalid
    def privy_options(**options)
      @privy_settings = privy_settings.merge(options)
      nil
    end

    # @private
    # @return [JobOptions]
    def privy_settings
      @privy_settings || (superclass.respond_to?(:privy_settings) ? superclass.privy_settings : JobOptions.new)
    end
  end
end
