# frozen_string_literal: true

require_relative "helper"

class TestLists < PrivyTest
  include BothWays

  def each_way_with(count)
    each_way do |client, sandbox|
      count.times { |n| client.contacts.create(email: format("c%03d@example.com", n)) }
      before = sandbox.counts.requests
      yield client, -> { sandbox.counts.requests - before }
    end
  end

  def test_nothing_is_requested_before_the_first_use
    each_way_with(1) do |client, spent|
      list = client.contacts.list
      list.lazy
      list.each
      list.pages
      assert_equal "#<Privy::ContactList sandbox (not fetched yet)>", list.inspect
      assert_equal 0, spent.call
      assert_equal 1, list.to_a.length
      assert_equal 1, spent.call
    end
  end

  def test_a_hundred_a_page
    each_way_with(101) do |client, spent|
      assert_equal 101, client.contacts.list.map(&:id).uniq.length
      assert_equal 2, spent.call
    end
  end

  def test_early_break_costs_nothing_more
    each_way_with(41) do |client, spent|
      client.contacts.list(per_page: 2).each { break }
      assert_equal 1, spent.call
      assert_equal 3, client.contacts.list(per_page: 30).first(3).length
      assert_equal 2, spent.call
      assert client.contacts.list(per_page: 2).lazy.select(&:email).map(&:id).first
      assert_equal 3, spent.call
      assert client.contacts.list(per_page: 7).any?
      assert_equal 4, spent.call
      client.contacts.list(per_page: 40).pages { break }
      assert_equal 5, spent.call
      assert_equal 3, client.contacts.list(per_page: 2, prefetch: false).first(3).length
      assert_equal 7, spent.call
    end
  end

  def test_each_iteration_requests_the_pages_again
    each_way_with(3) do |client, spent|
      list = client.contacts.list(per_page: 2)
      2.times { assert_equal 3, list.to_a.length }
      assert_equal 4, spent.call
      assert_match(/total_count=3/, list.inspect)
    end
  end

  def test_total_count_shares_the_first_page
    each_way_with(5) do |client, spent|
      list = client.contacts.list(per_page: 2)
      assert_equal 5, list.total_count
      assert_equal 1, spent.call
      assert_equal 5, list.to_a.length
      assert_equal 3, spent.call
      assert_equal 5, list.total_count
      assert_equal 3, spent.call
    end
  end

  def test_pages_and_where_to_start
    each_way_with(5) do |client, spent|
      assert_equal [[1, 2], [2, 2], [3, 1]], client.contacts.list(per_page: 2).pages.map { |page|
                                               [page.page, page.size]
                                             }
      assert_equal 3, spent.call
      assert_equal [2, 3], client.contacts.list(per_page: 2, page: 2).pages.map(&:page)
      assert_empty client.contacts.list(per_page: 2, page: 9).to_a
    end
  end

  def test_next_fetches_a_page_only_when_it_is_needed
    each_way_with(3) do |client, spent|
      emails = client.contacts.list(per_page: 2, prefetch: false).each
      assert_equal ["c000@example.com", "c001@example.com"], [emails.next.email, emails.next.email]
      assert_equal 1, spent.call
      assert_equal "c002@example.com", emails.next.email
      assert_raises(StopIteration) { emails.next }
      assert_equal 2, spent.call
    end
  end

  def test_stop_iteration_of_the_caller_is_the_caller_s
    each_way_with(3) do |client, _spent|
      assert_raises(StopIteration) { client.contacts.list.each { raise StopIteration } }
    end
  end

  def test_filters_select_contacts
    each_way_with(3) do |client, _spent|
      assert_equal ["c001@example.com"], client.contacts.list(email: "c001@example.com").map(&:email)
      assert_empty client.contacts.list(phone_number: PHONE).to_a
      assert_equal 3, client.contacts.list(email_consent: "never_subscribed").total_count
    end
  end

  def test_an_invalid_filter_raises_at_the_first_use
    each_way_with(0) do |client, spent|
      list = client.contacts.list(per_page: 101, page: 0, email_consent: :never)
      assert_equal %w[email_consent page per_page], fields { list.first }.sort
      assert_equal %w[page], fields { client.contacts.list(page: "two").total_count }
      assert_equal 0, spent.call
    end
  end

  def test_what_is_sent
    stubbed({ body: '{"data":[]}' }) do |client, server|
      client.contacts.list(email: "a+b@example.com", extra: { sort: "id" }).to_a
      assert_equal "/v1/contacts?email=a%2Bb%40example.com&per_page=100&sort=id", server.requests.last.target
    end
  end

  def test_pages_without_pagination
    first, second = %w[a b].zip(%w[c d]).transpose.map { |ids| { body: { data: ids.map { |id| { id: id } } }.to_json } }
    stubbed(first, second, { body: '{"data":[{"id":"e"}]}' }) do |client, server|
      list = client.contacts.list(per_page: 2)
      assert_equal 5, list.count
      assert_nil list.total_count
      assert_equal(%w[1 2 3], server.requests.map { |request| request.target[/[?&]page=(\d)/, 1] || "1" })
    end
  end
end
