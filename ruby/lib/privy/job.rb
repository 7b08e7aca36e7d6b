# frozen_string_literal: true

require "active_job"
require "active_support/concern"
require_relative "jobs"
require_relative "jobs/declared"

module Privy
  # Jobs of Active Job that call the Privy API.
  #
  #   class OrderJob < ApplicationJob
  #     include Privy::Job
  #     privy_options deadline: 2.days
  #
  #     def perform(order)
  #       privy.orders.upsert(order_id: order.number, email: order.email, total: order.total, currency: "USD",
  #                           order_date: order.created_at)
  #     end
  #   end
  #
  # An error of privy that +perform+ raises
  #
  # - reschedules the job if it is {Error#retryable}: the job runs again at the error's +retry_at+, or after a growing
  #   delay of 1 second to 10 minutes. It does not count as an attempt: neither +executions+ nor the counts of
  #   +retry_on+ change;
  # - discards the job if no later run avoids it: {ValidationError}, {PayloadTooLargeError}, {NotFoundError},
  #   {ConflictError}. It is reported (Rails.error, the log), and {#privy_discarded} is called;
  # - pauses jobs if the server refuses the token. After an {AuthenticationError} all jobs of the account wait, after a
  #   {PermissionDeniedError} those of this class. It is reported once. One job checks every five minutes; the others
  #   return to the queue without a request. {Privy.resume} ends the pause at once;
  # - is raised otherwise, as it is after the deadline.
  #
  # A +rescue_from+, +retry_on+ or +discard_on+ of the class for an error of privy has precedence.
  #
  # Calls inside the job do not wait for the rate limit, and its events get keys of the job's id: see {Privy.job}. With
  # +perform_now+ nothing of all this happens: calls wait as {Privy.jobs} does, and errors are raised.
  # A queue that cannot run jobs later, such as the adapter :inline, raises the error as well.
  module Job
    extend ActiveSupport::Concern

    # Jobs that are performed inside each other because the queue ignores times.
    DEEPEST = 10
    private_constant :DEEPEST

    included do
      extend JobDeclared
      around_perform :privy_run
    end

    # @private
    def serialize
      @privy_state.nil? || @privy_state.empty? ? super : super.merge("privy" => @privy_state)
    end

    # @private
    def deserialize(job_data)
      super
      @privy_state = job_data["privy"] || {}
    end

    private

    # The client of the job's account: {Privy.jobs}, of a job with +priority: :low+ one that leaves half of each minute
    # to others.
    #
    # @return [Client]
    def privy
      self.class.privy_settings.client(privy_account)
    end

    # @return [Symbol] the account of this job
    def privy_account
      self.class.privy_settings.account_of(self, arguments)
    end

    # Called when the job is discarded. For subclasses.
    #
    # @param error [Error]
    # @return [void]
    def privy_discarded(error); end

    def privy_run(&)
      return yield unless @privy_state # performed now, not by a queue

      run = JobRun.new(self.class.privy_settings, privy_account, self.class.name, @privy_state)
      ending = run.call { Privy.job(id: job_id, &) }
      return if ending.action == :done
      raise ending.error if ending.action == :raise || privy_handled_by_class?(ending.error)

      ending.action == :later ? privy_later(ending) : privy_discard(ending.error)
    end

    def privy_handled_by_class?(error)
      self.class.rescue_handlers.any? do |name, _|
        klass = name.is_a?(String) ? name.safe_constantize : name
        klass.is_a?(Class) && klass <= Privy::Error && error.is_a?(klass)
      end
    end

    def privy_later(ending)
      depth = Thread.current[:privy_job_depth] || 0
      raise ending.error if depth >= DEEPEST

      Thread.current[:privy_job_depth] = depth + 1
      self.executions -= 1
      wait = [ending.at - Time.now, 0].max # for the log
      retry_job(wait: wait, wait_until: ending.at, error: ending.error) || raise(ending.error)
    rescue ScriptError # an adapter that cannot run jobs later, such as :inline
      raise ending.error
    ensure
      Thread.current[:privy_job_depth] = depth
    end

    def privy_discard(error)
      instrument(:discard, error: error) do
        JobReport.discarded(error, self, job_id, queue: queue_name, account: privy_account.to_s)
        privy_discarded(error)
      end
      run_after_discard_procs(error) if respond_to?(:run_after_discard_procs, true)
    end
  end
end
