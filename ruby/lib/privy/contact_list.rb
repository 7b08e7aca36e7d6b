# frozen_string_literal: true

module Privy
  # The contacts that match a filter, over all pages. An Enumerable, with the names of arrays and of Active Record. It
  # sends no request before the first use.
  #
  #   subscribed = client.contacts.list(email_consent: :subscribed)
  #   subscribed.size                                # 1 request
  #   subscribed.each { |contact| … }                # continues from that page
  #   subscribed.first(3)                            # 1 request, for 3 contacts
  #   client.contacts.list(email: "jane@example.com").sole
  #
  # {#each} requests the next page while the present one is read: at once from the second page on; on the first page
  # after a tenth of it has been read, so that reading the first contacts costs one request. With +prefetch: false+ of
  # {Contacts#list}, and by {#lazy}, each page is requested when it is needed. Leaving the iteration cancels the request
  # in flight.
  #
  # Contacts that are created or deleted during the iteration shift the following ones between pages. {#each} skips
  # contacts that it has yielded, within the last few thousand.
  #
  # {#total_count}, {#size}, {#count}, {#empty?}, {#any?} and {#none?} request the first page, once; {#first} and the
  # next iteration use it. Each later iteration starts with new requests. Methods that read may raise the errors of
  # {Contacts#list}; the error of a page is raised when the iteration reaches it.
  class ContactList
    include Enumerable
    include Serializable

    # The default number of contacts per page: the maximum of the API.
    PER_PAGE = 100

    # @private
    # @param limit [Object, nil]
    # @raise [TypeError, ArgumentError] the limit is not an Integer, or negative
    def self.check_limit(limit)
      return if limit.nil?
      raise TypeError, "limit must be an Integer, not #{limit.class}" unless limit.is_a?(Integer)
      raise ArgumentError, "limit must be 0 or more, not #{limit}" if limit.negative?
    end

    # Contacts per page, for a list that needs +most+ contacts. A smaller page is for lists from the first page on: the
    # size decides where a later page begins.
    #
    # @private
    # @param page [Object]
    # @param most [Integer, nil]
    # @return [Integer]
    def self.page_size(page, most)
      most && (page.equal?(OMIT) || page == 1) ? most.clamp(1, PER_PAGE) : PER_PAGE
    end

    # @private
    # @param prefetch [Boolean]
    # @param limit [Integer, nil]
    # @param sandbox [Boolean] whether a sandbox handles the calls
    # @yieldparam most [Integer, nil] the most contacts that are needed, nil: all
    # @yieldreturn [Pager] a new pager
    def initialize(prefetch, limit: nil, sandbox: false, &new_pager)
      @prefetch = prefetch
      @limit = limit
      @sandbox = sandbox
      @new_pager = new_pager
      @first = nil
      @known = false
      @total_count = @records = nil
      @any = false
    end

    # Yields every contact, in the API's order.
    #
    # @yieldparam contact [Contact]
    # @return [self, Enumerator<Contact>]
    def each(&block)
      return enum_for(:each) { size } unless block

      each_contact(@limit, @prefetch, &block)
    end

    # Yields every page as the server sent it.
    #
    # @yieldparam page [Page]
    # @return [self, Enumerator<Page>]
    def pages(&block)
      return enum_for(:pages) unless block

      each_page(@limit, @prefetch) { |page,| block.call(page) }
    end

    # The contacts for a chain of methods that may stop early: a page is requested when the chain needs it, and not
    # before.
    #
    # @return [Enumerator::Lazy<Contact>]
    def lazy
      contacts = Enumerator.new(-> { size }) do |found|
        each_contact(@limit, false) { |contact| found << contact }
      end
      contacts.lazy
    end

    # The first contact, or the first ones. Requests only as many contacts as are needed: one request for up to 100,
    # none if the first page was fetched and holds them.
    #
    # @overload first
    #   @return [Contact, nil]
    # @overload first(count)
    #   @param count [Integer]
    #   @return [Array<Contact>]
    #   @raise [ArgumentError] the count is negative
    def first(*count)
      return first(1).last if count.empty?

      [].first(*count) # raises the errors of an Array
      most = [count.first.to_int, @limit].compact.min
      held = @first.last[1] if @first
      return held.first(most) if held && (held.length >= most || held.length == @records)

      [].tap { |found| each_contact(most, false) { |contact| found << contact } }
    end

    # The only contact of the list. Requests at most two contacts, and none if the first page was fetched.
    #
    # @return [Contact]
    # @raise [SoleItemExpectedError] there is no contact, or more than one
    def sole
      found, other = first(2)
      return found if found && !other

      raise SoleItemExpectedError.of(found ? size : 0)
    end

    # The number of contacts that {#each} yields, unless contacts are created or deleted meanwhile: at most +limit+, and
    # without those of pages before the first one. Sends one request if no page was fetched yet.
    #
    # @return [Integer, nil] nil when the response does not say how many there are
    def size
      return 0 if @limit&.zero?

      know
      [@records, @limit].compact.min if @records
    end
    alias length size

    # The number of contacts, as {#size}. With an argument or a block it reads all contacts, and counts those that are
    # equal or for which the block is true.
    #
    # @return [Integer]
    def count(*item, &block)
      return super if block || !item.empty?

      size || super
    end

    # Whether {#each} yields no contact. Sends one request if no page was fetched yet.
    #
    # @return [Boolean]
    def empty?
      return true if @limit&.zero?

      know
      !@any
    end

    # Whether {#each} yields a contact: one request if no page was fetched yet. With a pattern or a block it reads
    # contacts until one matches.
    #
    # @return [Boolean]
    def any?(*pattern, &block)
      block || !pattern.empty? ? super : !empty?
    end

    # The opposite of {#any?}.
    #
    # @return [Boolean]
    def none?(*pattern, &block)
      block || !pattern.empty? ? super : empty?
    end

    # The number of contacts that match the filter, from any start page and without +limit+, as the first page reports
    # it. Sends one request if no page was fetched yet.
    #
    # @return [Integer, nil] nil when the response does not contain it
    def total_count
      know
      @total_count
    end

    # @return [String]
    def inspect
      state = @known ? "total_count=#{@total_count.inspect}" : "(not fetched yet)"
      "#<#{self.class} #{'sandbox ' if @sandbox}#{state}>"
    end
    alias to_s inspect

    # @private
    def encode_with(_coder)
      raise TypeError, "a #{self.class} cannot be written as YAML: it fetches what it holds. Write its to_a"
    end

    # @private
    def marshal_dump
      raise TypeError, "a #{self.class} cannot be marshalled: it fetches what it holds. Marshal its to_a"
    end

    private

    def json_data
      to_a
    end

    # Fetches the first page for the next iteration, unless one was fetched before.
    def know
      @first = read_first(@limit) unless @known
    end

    # A pager and the result of its first page.
    def read_first(limit)
      pager = @new_pager.call(limit)
      page, contacts, records = first = pager.next
      @total_count = page.total_count
      @records = records
      @any = !contacts.empty?
      @known = true
      [pager, first]
    ensure
      pager&.close
    end

    def each_contact(limit, prefetch)
      each_page(limit, prefetch) do |_page, contacts, pager|
        stride = pager.stride
        contacts.each_with_index do |contact, index|
          pager.prefetch(index) if prefetch && index.positive? && (index % stride).zero?
          yield contact
        end
      end
    end

    def each_page(limit, prefetch)
      return self if limit&.zero?

      pager, found = @first || read_first(limit)
      @first = nil
      following = false
      while found
        page, contacts = found
        contacts, limit = within(limit, contacts, pager) if limit
        pager.prefetch(0) if prefetch && following
        yield page, contacts, pager
        found = pager.next
        following = true
      end
      self
    ensure
      pager&.close
    end

    # The contacts of a page that the limit allows, and what is left of it.
    def within(limit, contacts, pager)
      contacts = contacts.first(limit)
      limit -= contacts.length
      pager.stop if limit.zero?
      [contacts, limit]
    end
  end
end
