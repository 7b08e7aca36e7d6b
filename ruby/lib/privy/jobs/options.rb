# frozen_string_literal: true

module Privy
  # What {Job::Options#privy_options} sets for a class of jobs.
  #
  # @private
  class JobOptions
    DEFAULTS = { account: :default, priority: :normal, on_invalid: :discard, on_not_found: :discard,
                 on_conflict: :discard, deadline: 86_400 }.freeze
    CHOICES = { priority: %i[normal low], on_invalid: %i[discard raise], on_not_found: %i[discard raise],
                on_conflict: %i[discard raise] }.freeze
    RULES = { account: "a Symbol, a String or a Proc", deadline: "a positive number of seconds or a duration" }.freeze
    # The part of a minute's requests that jobs of low priority leave to others.
    LOW = 0.5
    UNKNOWN_LIMIT = 60
    private_constant :CHOICES, :RULES, :LOW, :UNKNOWN_LIMIT

    # The queue of the jobs that the library itself enqueues.
    #
    # @return [Symbol, String] +config.privy.job_queue+ in Rails, else +:default+
    def self.queue
      config = ::Rails.application&.config if defined?(::Rails.application)
      (config.privy.job_queue if config.respond_to?(:privy)) || :default
    end

    # @param values [Hash{Symbol => Object}]
    # @raise [ArgumentError] an option is unknown or invalid; the message lists all faults
    def initialize(values = DEFAULTS)
      @values = values.to_h { |name, value| [name, CHOICES.key?(name) && value.is_a?(String) ? value.to_sym : value] }
      faults = @values.filter_map { |name, value| fault_of(name, value) }
      raise ArgumentError, "privy_options: #{faults.join('; ')}" unless faults.empty?
    end

    # @return [JobOptions]
    def merge(values)
      JobOptions.new(@values.merge(values))
    end

    def [](name)
      @values.fetch(name)
    end

    # @param job [Object] a Proc as account runs as if in one of its methods
    # @return [Symbol]
    def account_of(job, arguments)
      account = self[:account]
      Accounts.resolve(account.is_a?(Proc) ? job.instance_exec(*arguments, &account) : account)
    end

    # @return [Client]
    def client(account)
      client = Privy.jobs(account)
      return client if self[:priority] == :normal

      limit = client.rate_limit.minute&.limit || UNKNOWN_LIMIT
      client.with_options(reserve: (limit * LOW).ceil)
    end

    # @return [Symbol] what happens to a job that ends with an error which no later run avoids: :discard or :raise
    def action(error)
      case error
      when ValidationError, PayloadTooLargeError then self[:on_invalid]
      when NotFoundError then self[:on_not_found]
      when ConflictError then self[:on_conflict]
      else :raise
      end
    end

    # @return [Float] seconds
    def deadline
      self[:deadline].to_f
    end

    private

    def fault_of(name, value)
      return "there is no option #{name}: the options are #{DEFAULTS.keys.join(', ')}" unless DEFAULTS.key?(name)
      return if valid?(name, value)

      "#{name} must be #{RULES.fetch(name) { CHOICES[name].map(&:inspect).join(' or ') }}, not #{value.inspect}"
    end

    def valid?(name, value)
      case name
      when :account then [Symbol, String, Proc].any? { |type| value.is_a?(type) }
      when :deadline then value.respond_to?(:to_f) && !value.is_a?(String) && value.to_f.positive?
      else CHOICES[name].include?(value)
      end
    end
  end
  private_constant :JobOptions
end
