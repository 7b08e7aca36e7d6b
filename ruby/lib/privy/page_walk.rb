# frozen_string_literal: true

module Privy
  # One walk through the pages of a list. The page after the one that is read may be on its way meanwhile.
  #
  # @private
  class PageWalk
    # Seconds after which a wait looks around: a signal may come without ending it.
    TURN = 0.05

    def initialize(drivers, operation, params, extra, options)
      @drivers = drivers
      @operation = operation
      @params = params
      @extra = extra
      @options = options
      @walk = Core::Walk.new(whole(params[:page]), whole(params[:per_page]))
      @more = true
    end

    # Waits for the next page.
    #
    # @return [Array(Page, Array<Record>), nil] the page, and what it holds that no earlier one did; nil after the last
    def next
      return unless @more

      forget unless ours?
      ask unless @driver
      @driver.group.set_ahead(false)
      @driver.wait(TURN) until (outcome = @driver.group.take(@walk))
      rest
      _, page, repeated, following = outcome
      raise page if page.is_a?(Exception)

      @more = following.positive?
      @params = @params.merge(page: following)
      [page, repeated ? page.records.reject.with_index { |_, index| repeated[index] } : page.records]
    end

    # Records to hand out between two looks ahead.
    #
    # @return [Integer]
    def stride
      @walk.stride
    end

    # Asks for the next page, when the core allows that after +read+ records of this one, or moves it on a little. What
    # keeps it from being asked for is raised when it is waited for.
    def ahead(read)
      return unless @more && ours?
      return unless @driver || (@drivers.prefetch?(@walk, read) && ask(ahead: true))

      @driver.nudge
    rescue Error, NoMemoryError
      nil
    end

    # Ends what is under way.
    def close
      ours? ? rest : forget
    end

    private

    def ask(ahead: false)
      @owner = owner
      @driver = @drivers.take
      @driver.group.set_ahead(ahead)
      @driver.group.call(0, @operation, @params, @extra, @options)
      asked = true
    ensure
      rest unless asked
    end

    # Leaves connection and group to other calls.
    def rest
      driver = @driver
      @driver = nil
      @drivers.give(driver, [0]) if driver
    end

    # A page that was asked for by the parent of this process, or under another scheduler, cannot be waited for here.
    def forget
      @driver.group.close
      @driver = nil
    end

    def ours?
      @driver.nil? || @owner == owner
    end

    def owner
      [Process.pid, Fiber.current_scheduler]
    end

    # What is no number is for the request to refuse.
    def whole(number)
      number.is_a?(Integer) && number.bit_length < 64 ? number : 0
    end
  end
end
