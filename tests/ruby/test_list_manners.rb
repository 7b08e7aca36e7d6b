# frozen_string_literal: true

require_relative "helper"

# What a list has of Ruby's collections and of Active Record, and the requests that each method costs.
class TestListManners < PrivyTest
  include BothWays

  def self.emails(numbers) = numbers.map { |n| format("c%03d@example.com", n) }

  def each_way_with(count)
    each_way do |client, sandbox|
      self.class.emails(0...count).each { |email| client.contacts.create(email: email) }
      before = sandbox.counts.requests
      yield client, -> { sandbox.counts.requests - before }
    end
  end

  # The requests that the block sends.
  def cost(spent)
    before = spent.call
    yield
    spent.call - before
  end

  # ---- how many ----

  def test_questions_share_one_request_with_each_other_and_with_the_next_iteration
    each_way_with(5) do |client, spent|
      list = client.contacts.list(per_page: 2)
      asked = cost(spent) do
        assert_equal [5, 5, 5, 5, false, true, false],
                     [list.size, list.length, list.count, list.total_count, list.empty?, list.any?, list.none?]
      end
      assert_equal 1, asked
      assert_equal 2, (cost(spent) { assert_equal 5, list.to_a.length })
      assert_equal 3, (cost(spent) { assert_equal 5, list.to_a.length })
    end
  end

  def test_an_empty_list
    each_way_with(0) do |client, spent|
      list = client.contacts.list
      assert_empty list
      assert_equal [0, 0, true, false, nil, [], []],
                   [list.size, list.count, list.none?, list.any?, list.first, list.first(3), list.to_a]
      assert_equal 1, spent.call
    end
  end

  def test_each_question_alone_costs_one_request
    each_way_with(3) do |client, spent|
      %i[size length count empty? any? none? total_count first sole].each do |question|
        asked = cost(spent) do
          client.contacts.list(per_page: 1).public_send(question)
        rescue Privy::SoleItemExpectedError
          nil
        end
        assert_equal question == :sole ? 2 : 1, asked, question
      end
    end
  end

  def test_with_an_argument_or_a_block_contacts_are_read
    each_way_with(4) do |client, spent|
      list = client.contacts.list(per_page: 2, prefetch: false)
      jane = list.first
      assert_equal [1, 0], [list.count(jane), list.count(nil)]
      assert_equal [false, true], [list.any?(nil), list.none?(nil)]
      assert_equal 4, list.count(&:email)
      assert_equal 1, (cost(spent) { assert(list.any? { |contact| contact.id == jane.id }) })
      assert_equal 2, (cost(spent) { assert(list.none? { |contact| contact.email.nil? }) })
      assert_equal 2, (cost(spent) { refute(list.any?(Privy::Order)) })
      assert_equal [true, 4], [list.none?(Privy::Order), list.count { true }]
    end
  end

  def test_the_size_from_a_later_page_on
    each_way_with(5) do |client, spent|
      list = client.contacts.list(per_page: 2, page: 2)
      assert_equal [3, 5, 3], [list.size, list.total_count, list.to_a.length]
      assert_equal 2, spent.call
      after = client.contacts.list(per_page: 2, page: 9)
      assert_equal [true, 5], [after.empty?, after.total_count]
    end
  end

  def test_sizes_of_enumerators_are_known
    each_way_with(5) do |client, spent|
      list = client.contacts.list(per_page: 2)
      enumerators = [list.each, list.lazy, list.lazy.map(&:id), list.each_with_index, list.each_entry, list.map]
      assert_equal 0, spent.call
      assert_equal [5, 5, 5, 5, 5, 5], enumerators.map(&:size)
      assert_equal 3, list.each_slice(2).size
      assert_equal 1, spent.call
    end
  end

  def test_without_a_count_in_the_response
    ids = %w[a b].map { |id| { id: id } }
    stubbed({ body: { data: ids }.to_json }, { body: { data: [] }.to_json }) do |client, server|
      list = client.contacts.list(per_page: 2)
      assert_equal [nil, nil, false, nil], [list.size, list.each.size, list.empty?, list.total_count]
      assert_equal 1, server.requests.length
      assert_equal 2, list.count
      assert_equal 2, server.requests.length
    end
  end

  # ---- the first ones ----

  def test_first_requests_as_many_contacts_as_it_needs
    one = { body: '{"data":[{"id":"cus_1"}],"pagination":{"page":1,"total_count":1}}' }
    stubbed(choose: ->(_) { one }) do |client, server|
      { [] => 1, [3] => 3, [100] => 100, [250] => 100 }.each do |arguments, size|
        client.contacts.list.first(*arguments)
        assert_equal "/v1/contacts?per_page=#{size}", server.requests.last.target
      end
      client.contacts.list(limit: 7).to_a
      assert_match(/per_page=7\z/, server.requests.last.target)
      client.contacts.list(page: 3).first(3) # another size would begin elsewhere
      assert_match(/page=3&per_page=100/, server.requests.last.target)
      client.contacts.list(per_page: 50).first
      assert_match(/per_page=50/, server.requests.last.target)
    end
  end

  def test_first_over_pages
    each_way_with(205) do |client, spent|
      expected = self.class.emails(0...205)
      { 1 => 1, 100 => 1, 101 => 2, 200 => 2, 205 => 3, 999 => 3 }.each do |count, requests|
        asked = cost(spent) { assert_equal expected.first(count), client.contacts.list.first(count).map(&:email) }
        assert_equal requests, asked, count
      end
    end
  end

  def test_first_reads_the_page_that_was_fetched
    each_way_with(5) do |client, spent|
      list = client.contacts.list(per_page: 3)
      list.size
      assert_equal 0, (cost(spent) { assert_equal 3, list.first(3).length })
      assert_equal 0, (cost(spent) { assert_equal list.first.id, list.first(2).first.id })
      assert_equal 1, (cost(spent) { assert_equal 5, list.to_a.length }) # the first page was kept
    end
  end

  def test_wrong_numbers_of_first
    list = Privy::Sandbox.new.client.contacts.list
    assert_raises(ArgumentError) { list.first(-1) }
    assert_raises(TypeError) { list.first("2") }
    assert_raises(ArgumentError) { list.first(1, 2) }
    assert_equal [], list.first(0)
  end

  # ---- the only one ----

  def test_sole_returns_the_only_contact
    each_way_with(3) do |client, spent|
      assert_equal "c001@example.com", client.contacts.list(email: "c001@example.com").sole.email
      assert_equal 1, spent.call
      list = client.contacts.list(email: "c001@example.com")
      list.size
      assert_equal 0, (cost(spent) { assert_equal list.first, list.sole })
    end
  end

  def test_sole_requests_two_contacts
    data = [{ id: "cus_1" }, { id: "cus_2" }]
    pagination = { page: 1, per_page: 2, total_count: 9, total_pages: 5 }
    bodies = [{ data: data, pagination: pagination }, { data: data }].map { |body| { body: body.to_json } }
    stubbed(*bodies) do |client, server|
      error = refused(Privy::SoleItemExpectedError) { client.contacts.list.sole }
      assert_equal [9, "the list has 9 contacts, not exactly one"], [error.total_count, error.message]
      assert_equal "/v1/contacts?per_page=2", server.requests.last.target
      error = refused(Privy::SoleItemExpectedError) { client.contacts.list.sole }
      assert_equal [nil, "the list has several contacts, not exactly one"], [error.total_count, error.message]
      assert_equal 2, server.requests.length
    end
  end

  def test_sole_without_a_contact
    each_way_with(0) do |client, spent|
      case refused(Privy::SoleItemExpectedError) { client.contacts.list(phone_number: PHONE).sole }
      in Privy::Error(total_count: 0, retryable: false, message: /no contact/) then pass
      end
      assert_equal 1, spent.call
    end
  end

  # ---- stopping early ----

  def test_a_lazy_chain_requests_what_it_consumes
    each_way_with(12) do |client, spent|
      list = client.contacts.list(per_page: 4)
      { 1 => 1, 4 => 1, 5 => 2, 8 => 2, 12 => 3 }.each do |count, requests|
        asked = cost(spent) { assert_equal count, list.lazy.map(&:id).first(count).uniq.length }
        assert_equal requests, asked, count
      end
      assert_equal 3, (cost(spent) { assert_equal 12, list.lazy.select(&:email).to_a.length })
    end
  end

  def test_a_lazy_chain_continues_from_the_page_of_the_size
    each_way_with(5) do |client, spent|
      list = client.contacts.list(per_page: 2)
      list.size
      assert_equal 1, (cost(spent) { assert_equal 3, list.lazy.map(&:id).first(3).length })
    end
  end

  def test_methods_of_enumerable
    each_way_with(3) do |client, _spent|
      list = client.contacts.list(per_page: 2)
      emails = self.class.emails(0...3)
      assert_equal emails.each_with_index.to_a, list.each_with_index.map { |contact, index| [contact.email, index] }
      assert_equal emails, list.each_entry.map(&:email)
      assert_equal [emails.first(2), emails.last(1)], list.each_slice(2).map { |some| some.map(&:email) }
      assert_equal emails.reverse, list.reverse_each.map(&:email)
      assert_equal emails.minmax, list.minmax_by(&:email).map(&:email)
      assert list.include?(list.first)
      assert_equal emails.zip(1..), list.each.with_index(1).map { |contact, place| [contact.email, place] }
    end
  end

  # ---- a limit ----

  def test_a_limit_ends_every_way_of_reading
    each_way_with(7) do |client, spent|
      list = client.contacts.list(per_page: 2, limit: 3)
      asked = cost(spent) { assert_equal [3, 3, 7, false], [list.size, list.count, list.total_count, list.empty?] }
      assert_equal 1, asked
      assert_equal 1, (cost(spent) { assert_equal self.class.emails(0...3), list.map(&:email) })
      assert_equal 2, (cost(spent) { assert_equal [1, 2], list.pages.map(&:page) })
      assert_equal 2, (cost(spent) { assert_equal 3, list.lazy.to_a.length })
      assert_equal 2, (cost(spent) { assert_equal 3, list.first(5).length })
      assert_equal 1, (cost(spent) { assert_equal 2, list.first(2).length })
      assert_equal [1, 4], [client.contacts.list(per_page: 2, page: 4, limit: 3).to_a.length,
                            client.contacts.list(limit: 4).to_a.length]
    end
  end

  def test_a_limit_of_a_page_requests_no_further_page
    each_way_with(6) do |client, spent|
      assert_equal 2, (cost(spent) { assert_equal 4, client.contacts.list(per_page: 2, limit: 4).to_a.length })
      assert_equal 1, (cost(spent) { assert_equal 4, client.contacts.list(limit: 4).to_a.length })
    end
  end

  def test_a_limit_of_none_sends_nothing
    each_way_with(1) do |client, spent|
      list = client.contacts.list(limit: 0)
      assert_equal [[], [], 0, true, nil], [list.to_a, list.pages.to_a, list.size, list.empty?, list.first]
      assert_equal 0, spent.call
      assert_equal 1, list.total_count
    end
  end

  def test_wrong_limits
    contacts = Privy::Sandbox.new.client.contacts
    assert_equal "limit must be 0 or more, not -1", assert_raises(ArgumentError) { contacts.list(limit: -1) }.message
    assert_equal "limit must be an Integer, not String", assert_raises(TypeError) { contacts.list(limit: "5") }.message
  end

  # ---- showing ----

  def test_showing_a_list_sends_nothing
    each_way_with(3) do |client, spent|
      list = client.contacts.list
      assert_equal list.inspect, list.to_s
      assert_equal 0, spent.call
      assert_respond_to list, :empty?
    end
  end
end
