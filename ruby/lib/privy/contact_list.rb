# frozen_string_literal: true

module Privy
  # The contacts that match a filter, over all pages. An Enumerable: +lazy+, +first+ and +each_slice+ work. It sends no
  # request before the first use.
  #
  # It requests the next page while the present one is read: at once from the second page on; on the first page after a
  # tenth of it has been read, so that reading the first contacts costs one request. With +prefetch: false+ of
  # {Contacts#list} it requests each page when it is needed. Leaving the iteration cancels the request in flight.
  #
  # Contacts that are created or deleted during the iteration shift the following ones between pages. {#each} skips
  # contacts that it has yielded, within the last few thousand.
  #
  # {#total_count} requests the first page, and the next iteration continues from it; each later iteration starts with
  # new requests. Methods that read may raise the errors of {Contacts#list}; the error of a page is raised when the
  # iteration reaches it.
  class ContactList
    include Enumerable
    include Serializable

    # The default number of contacts per page: the maximum of the API.
    PER_PAGE = 100

    # @private
    # @param prefetch [Boolean]
    # @param sandbox [Boolean] whether a sandbox handles the calls
    # @yieldreturn [Pager] a new pager
    def initialize(prefetch, sandbox: false, &new_pager)
      @prefetch = prefetch
      @sandbox = sandbox
      @new_pager = new_pager
      @first = nil
      @known = false
      @total_count = nil
    end

    # Yields every contact, in the API's order.
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

    # Yields every page as the server sent it.
    #
    # @yieldparam page [Page]
    # @return [self, Enumerator<Page>]
    def pages(&block)
      return enum_for(:pages) unless block

      each_page { |page,| block.call(page) }
    end

    # The number of contacts that match the filter, from any start page, as the first page reports it. Sends one request
    # if no page was fetched yet.
    #
    # @return [Integer, nil] nil when the response does not contain it
    def total_count
      @first = read_first unless @known
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
