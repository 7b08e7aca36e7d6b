# frozen_string_literal: true

if defined?(Privy) && !Privy.instance_of?(Module)
  raise LoadError, "another gem defines Privy as a #{Privy.class}: " \
                   "privy-marketing cannot be loaded into the same program"
end

# Client of the Privy API: contacts and their consents, orders, events. Start at {Privy::Client}.
module Privy
  # Needed once in a process, by the first client.
  autoload :Neighbours, File.expand_path("privy/neighbours", __dir__)
  private_constant :Neighbours
  # Needed by the first client of an account.
  autoload :AccountSettings, File.expand_path("privy/account_settings", __dir__)
  private_constant :AccountSettings
  # Needed while a sandbox is active.
  autoload :Activation, File.expand_path("privy/activation", __dir__)
  private_constant :Activation

  # Needs the gem i18n.
  autoload :Translations, File.expand_path("privy/translations", __dir__)
  autoload :Syncable, File.expand_path("privy/syncable", __dir__)
  autoload :SyncJob, File.expand_path("privy/sync_job", __dir__)
  # Needed by programs with Rails or ActiveSupport.
  autoload :Rails, File.expand_path("privy/rails", __dir__)
  # Need Active Job or Sidekiq.
  autoload :Job, File.expand_path("privy/job", __dir__)
  autoload :Sidekiq, File.expand_path("privy/sidekiq", __dir__)
  %i[UpsertOrderJob UpsertContactJob IngestEventJob].each do |name|
    autoload name, File.expand_path("privy/jobs/ready_made", __dir__)
  end
end

require "bigdecimal"
require_relative "privy/version"
require_relative "privy/serializable"
require_relative "privy/errors"
# The ending keeps another gem's privy/core.rb from being loaded instead; Ruby reads .so as the machine's own ending.
require "privy/core.so"
require_relative "privy/record"
require_relative "privy/page"
require_relative "privy/response"
require_relative "privy/configuration"
require_relative "privy/call_event"
require_relative "privy/observer"
require_relative "privy/pager"
require_relative "privy/contact_list"
require_relative "privy/rate_limit"
require_relative "privy/drivers"
require_relative "privy/bulk_report"
require_relative "privy/bulk_rows"
require_relative "privy/bulk"
require_relative "privy/job_scope"
require_relative "privy/session"
require_relative "privy/resources"
require_relative "privy/client"
require_relative "privy/sandbox"
require_relative "privy/accounts"
# Of an application that loads Rails first, as Bundler.require does; else require "privy/rails/railtie" after it.
require_relative "privy/rails/railtie" if defined?(Rails::Railtie)
