# frozen_string_literal: true

module Privy
  # The contacts that a filter finds, over all pages. Nothing is asked before the first use. Enumerable, so that +lazy+,
  # +first+ and +each_slice+ work.
  #
  # While one page is read the next is on its way: from the second page on at once, on the first page when a tenth of it
  # has been read, so that looking at the first contacts costs one request. +prefetch: false+ of {Contacts#list} asks
  # for each page only when the walk comes to it. Leaving early ends what is on its way.
  #
  # Contacts that are created or deleted meanwhile shift those that follow from page to page: {#each} yields no contact
  # twice, as long as it reappears within some thousand others.
  #
  # {#total_count} asks for the first page, and the next walk goes on from there; each later walk asks anew. Every
  # method that reads may raise what {Contacts#list} tells of, the fault of a page when the walk comes to it.
  class ContactList
    include Enumerable
    include Serializable

    # Contacts a page, unless the caller wants another number: the most that one request can bring.
    PER_PAGE = 100

    # @private
    # @param prefetch [Boolean]
    # @yieldreturn [Pager] a new pager
    def initialize(prefetch, &new_pager)
      @prefetch = prefetch
      @new_pager = new_pager
      @first = nil
      @known = false
      @total_count = nil
    end

    # Every contact, in the API's order.
    #
    # @yieldparam contact [Contact]
    # @return [self, Enumerator<Contact>]
    def each
      return enum_for(:each) unless block_given?

      each_page do |_page, contacts, pager|
        stride = pager.stride
        contacts.each_with_index do |contact, index|
          pager.prefetch(index) if @prefetch && index.positive? && (index % stride).zero?
          yield contact
        end
      end
    end

    # Every page as the server sent it.
    #
    # @yieldparam page [Page]
    # @return [self, Enumerator<Page>]
    def pages(&block)
      return enum_for(:pages) unless block

      each_page { |page,| block.call(page) }
    end

    # How many contacts the filter finds, whatever the page to start at, as the first page told it. Costs one request
    # when no page was fetched yet.
    #
    # @return [Integer, nil] nil when the answer did not tell
    def total_count
      @first = read_first unless @known
      @total_count
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{@known ? "total_count=#{@total_count.inspect}" : '(not fetched yet)'}>"
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

    # A pager and the result of its first page.
    def read_first
      pager = @new_pager.call
      first = pager.next
      @total_count = first[0].total_count
      @known = true
      [pager, first]
    ensure
      pager&.close
    end

    def each_page
      pager, found = @first || read_first
      @first = nil
      while found
        yield(*found, pager)
        found = pager.next
        pager.prefetch(0) if @prefetch && found
      end
      self
    ensure
      pager&.close
    end
  end
end
