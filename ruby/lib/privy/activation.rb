# frozen_string_literal: true

module Privy
  # Which sandbox receives the calls of a thread: see {Sandbox#activate}. While {Core.routing?}, the extension asks it
  # for each call of a client without a sandbox of its own.
  #
  # A thread's group is its scope, because a new thread has the group of the thread that starts it.
  #
  # @private
  class Activation
    ENDED = "the sandbox of this client is no longer active: make the client after the sandbox has ended, or use it " \
            "while one is active"
    REPLACED = "a sandbox is active, and this list or run belongs to the client as it was before: make it again " \
               "while the sandbox is active"
    SEVERAL = "sandboxes are active in several other threads, and none in this one: start the thread within the " \
              "activation, or call sandbox.activate(scope: :thread) in it"
    RACTOR = "only the main Ractor has active sandboxes: make a client with sandbox: in this one"
    SCOPES = [:process, :thread, nil].freeze
    private_constant :ENDED, :REPLACED, :SEVERAL, :RACTOR, :SCOPES

    @all = [].freeze
    @guard = nil
    @lock = Mutex.new

    class << self
      # What decides whether calls may use the network where no sandbox is active; nil: they may.
      #
      # @return [#check & #local?, nil]
      attr_reader :guard

      # @param guard [#check & #local?, nil]
      # @return [void]
      def guard=(guard)
        @lock.synchronize do
          @guard = guard
          Core.routing = !(@all.empty? && guard.nil?)
        end
      end

      # @param sandbox [Sandbox, nil] nil: the network
      # @param scope [Symbol, nil] as for {Sandbox#activate}
      # @param clock [#follow, nil] is asked before each call to set the sandbox's clock
      # @return [Activation]
      def start(sandbox, scope: nil, clock: nil)
        raise Error, RACTOR unless Ractor.current == Ractor.main
        raise ArgumentError, "scope must be :process or :thread" unless SCOPES.include?(scope)

        new(sandbox, scope, clock).tap do |activation|
          @lock.synchronize { change([*@all, activation].freeze) }
        end
      end

      # Ends this activation, or the last one of this sandbox.
      #
      # @param given [Activation, Sandbox]
      # @return [void]
      # @raise [Error] there is none
      def stop(given)
        ended = @lock.synchronize do
          last = @all.rindex { |one| one.equal?(given) || (!given.nil? && given.equal?(one.sandbox)) }
          raise Error, "the sandbox is not active" unless last

          @all[last].tap { |found| change(@all.reject { |one| one.equal?(found) }.freeze) }
        end
        ended.leave
      end

      # The activation that this thread's calls use.
      #
      # @return [Activation, nil]
      # @raise [Error] several threads have one, and this thread has none
      def current
        all = @all
        return if all.empty?

        own(all) || all.reverse_each.find { |one| one.group.nil? } || only(all.select(&:alive?))
      end

      # The last activation of this thread's group.
      #
      # @return [Activation, nil]
      def own(all = @all)
        group = Thread.current.group
        all.reverse_each.find { |one| one.group.equal?(group) } if group
      end

      # The client that a call uses. The operation nil only asks.
      #
      # @param core [Core::Client]
      # @param operation [String, nil]
      # @return [Core::Client]
      # @raise [Error] the client's sandbox is no longer active
      def route(core, operation)
        raise Error, RACTOR unless Ractor.current == Ractor.main

        home = core.home
        active = current
        return network(core, operation, active) unless active&.sandbox
        return core if home.nil? && !core.offline? && guard&.local?(core.base_url)

        active.clock&.follow
        home.equal?(active.sandbox) ? core : stand_in(core, active.sandbox)
      end

      # Checks a call of a client that was chosen before, such as that of a list.
      #
      # @param home [Sandbox, nil] the active sandbox that the client belongs to
      # @param url [String, nil] its base URL; nil: it has a sandbox of its own
      # @return [void]
      # @raise [Error] the call would reach the network, or a sandbox that is no longer active
      def admit(home, url)
        raise Error, RACTOR unless Ractor.current == Ractor.main

        return check_home(home) if home

        active = current
        raise Error, REPLACED if active&.sandbox && !(url && guard&.local?(url))

        guard&.check(nil, url, allowed: !active.nil?) if url
      end

      # The settings of a client that is made now.
      #
      # @param settings [Hash{Symbol => Object}]
      # @return [Hash{Symbol => Object}]
      def settings(settings)
        return settings if settings[:sandbox] || Ractor.current != Ractor.main

        sandbox = current&.sandbox
        url = settings[:base_url] || ENV.fetch("PRIVY_BASE_URL", nil)
        sandbox && !(url && guard&.local?(url)) ? settings.merge(sandbox: sandbox) : settings
      end

      # @param core [Core::Client]
      # @return [Array<Core::Client>] those that have taken its calls
      def stand_ins(core)
        core.root.instance_variable_get(:@stand_ins)&.values || []
      end

      private

      def change(all)
        @all = all
        Core.routing = !(all.empty? && @guard.nil?)
      end

      def only(alive)
        raise Error, SEVERAL if alive.map(&:group).uniq.length > 1

        alive.last
      end

      def network(core, operation, active)
        return core if operation.nil? || core.offline?
        raise Error, ENDED if core.home

        guard&.check(operation, core.base_url, allowed: !active.nil?)
        core
      end

      def check_home(home)
        found = @all.reverse_each.find { |one| one.sandbox.equal?(home) }
        raise Error, ENDED unless found

        found.clock&.follow
      end

      # Copies of one client share one, as the originals do.
      def stand_in(core, sandbox)
        @lock.synchronize do
          root = core.root
          found = kept(root)[sandbox] ||= root.stand_in(sandbox)
          root.equal?(core) ? found : kept(core)[sandbox] ||= found.view(core.observer)
        end
      end

      # Forgets sandboxes that are no longer active.
      def kept(core)
        all = @all
        kept = core.instance_variable_get(:@stand_ins)
        kept ||= core.instance_variable_set(:@stand_ins, {}.compare_by_identity)
        kept.delete_if { |sandbox, _| all.none? { |one| one.sandbox.equal?(sandbox) } }
      end
    end

    # @return [Sandbox, nil] nil: calls use the network
    attr_reader :sandbox
    # @return [ThreadGroup, nil] nil: all threads
    attr_reader :group
    # @return [#follow, nil]
    attr_reader :clock

    def initialize(sandbox, scope, clock)
      @sandbox = sandbox
      @clock = clock
      @thread = Thread.current
      case scope
      when :thread then enter
      when nil then @group = self.class.own&.group
      end
    end

    # @return [Boolean]
    def alive?
      @thread.alive?
    end

    # Gives the thread its former group again.
    #
    # @return [void]
    def leave
      @former.add(@thread) if @former && @thread.group.equal?(@group)
    end

    private

    def enter
      @former = @thread.group
      @group = ThreadGroup.new.add(@thread)
    end
  end
end
