# frozen_string_literal: true

module Privy
  # The contacts that a filter finds, over all pages. Nothing is asked before the first use, and each page only when the
  # walk comes to it: leaving early costs nothing more. Enumerable, so that +lazy+, +first+ and +each_slice+ work.
  #
  # The first page is kept: {#total_count} and every walk share it. Later pages are asked for anew by each walk. Every
  # method that reads may raise what {Contacts#list} tells of.
  class ContactList
    include Enumerable

    # Contacts a page, unless the caller wants another number: the most that one request can bring.
    PER_PAGE = 100

    # @private
    # @param start [Integer, nil] number of the first page, if the caller gave one
    # @param per_page [Object] contacts asked for a page
    # @yieldparam number [Integer, nil] page to fetch
    # @yieldreturn [Page]
    def initialize(start, per_page, &fetch)
      @start = start
      @per_page = per_page
      @fetch = fetch
      @first = nil
    end

    # Every contact, in the API's order.
    #
    # @yieldparam contact [Contact]
    # @return [self, Enumerator<Contact>]
    def each(&block)
      return enum_for(:each) unless block

      pages { |page| page.each(&block) }
      self
    end

    # Every page.
    #
    # @yieldparam page [Page]
    # @return [self, Enumerator<Page>]
    def pages
      return enum_for(:pages) unless block_given?

      page = first_page
      number = page.page || @start || 1
      yield page
      while more?(page, number)
        number += 1
        page = @fetch.call(number)
        yield page
      end
      self
    end

    # How many contacts the filter finds, whatever the page to start at. Costs one request when no page was fetched yet.
    #
    # @return [Integer, nil] nil when the answer did not tell
    def total_count
      first_page.total_count
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{@first ? "total_count=#{@first.total_count.inspect}" : '(not fetched yet)'}>"
    end
    alias to_s inspect

    private

    def first_page
      @first ||= @fetch.call(@start)
    end

    def more?(page, number)
      return false if page.empty?
      return number < page.total_pages if page.total_pages

      page.size >= (page.per_page || @per_page)
    end
  end
end
