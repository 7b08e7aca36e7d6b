# frozen_string_literal: true

require "rails_helper"

# What an application sets up with config/privy.yml and config.privy.
class TestRailtie < PrivyTest
  RailsApp.boot("config/privy.yml" => <<~YAML) { |config| config.privy.timeout = 7 }
    shared:
      default:
        sandbox: true
    test:
      default:
        max_wait: 3
      eu:
        sandbox: true
        web:
          timeout: 2
  YAML

  def test_accounts_of_the_file
    assert_equal %i[default eu], Privy.accounts
    Privy.client.orders.upsert(**ORDER)
    assert_equal [1, 0], [Privy.sandbox.counts.orders, Privy.sandbox(:eu).counts.orders]
    assert_same Privy.client(:eu), Privy.client("eu")
  end

  def test_an_unknown_account_is_refused
    error = refused(Privy::Error) { Privy.client(:us) }
    assert_equal "there is no account us: the accounts are default, eu", error.message
  end
end
