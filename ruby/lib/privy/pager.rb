# frozen_string_literal: true

module Privy
  # Reads the pages of a list in order. The next page may be in flight while one is read.
  #
  # @private
  class Pager
    # A wait ends after this time (seconds): a signal may arrive without ending it.
    WAIT = 0.05
    private_constant :WAIT

    # @param drivers [Drivers]
    # @param operation [String]
    # @param params [Hash{Symbol => Object}]
    # @param extra [Hash, nil]
    # @param options [Hash{Symbol => Object}]
    def initialize(drivers, operation, params, extra, options)
      @drivers = drivers
      @operation = operation
      @params = params
      @extra = extra
      @options = options
      @core = Core::Pager.new(whole(params[:page]), whole(params[:per_page]))
      @more = true
    end

    # Waits for the next page.
    #
    # @return [Array(Page, Array<Record>, Integer), nil] the page, its records that no earlier page held, and how many
    #   records there are from this page on, nil when the response does not say it; nil after the last page
    # @raise [Error] the call's error
    def next
      return unless @more

      discard unless ours?
      request unless @driver
      @driver.group.set_prefetch(false)
      @driver.wait(WAIT) until (completion = @driver.group.next_completed(@core))
      release
      _, page, repeated, following, rest = completion
      raise page if page.is_a?(Exception)

      @more = following.positive?
      @params = @params.merge(page: following)
      [page, repeated ? page.records.reject.with_index { |_, index| repeated[index] } : page.records, rest]
    end

    # No further page is needed.
    #
    # @return [void]
    def stop
      @more = false
    end

    # @return [Integer] records to read between two calls of {#prefetch}
    def stride
      @core.stride
    end

    # Requests the next page, if the core allows that after +read+ records of this one; advances the request if it is in
    # flight. {#next} raises what prevents the request.
    #
    # @param read [Integer]
    # @return [void]
    def prefetch(read)
      return unless @more && ours?
      return unless @driver || (@drivers.prefetch?(@core, read) && request(prefetch: true))

      @driver.poll
    rescue Error, NoMemoryError
      nil
    end

    # Cancels the request that is in flight.
    #
    # @return [void]
    def close
      ours? ? release : discard
    end

    private

    def request(prefetch: false)
      @owner = owner
      @driver = @drivers.checkout
      @driver.group.set_prefetch(prefetch)
      @driver.group.call(0, @operation, @params, @extra, @options)
      requested = true
    ensure
      release unless requested
    end

    def release
      driver = @driver
      @driver = nil
      @drivers.checkin(driver, [0]) if driver
    end

    # A request of the parent process, or of another scheduler, cannot be waited for here.
    def discard
      @driver.group.close
      @driver = nil
    end

    def ours?
      @driver.nil? || @owner == owner
    end

    def owner
      [Process.pid, Fiber.current_scheduler]
    end

    # 0 for a value that is not an Integer: encoding the request raises the validation error.
    def whole(number)
      number.is_a?(Integer) && number.bit_length < 64 ? number : 0
    end
  end
  private_constant :Pager
end
