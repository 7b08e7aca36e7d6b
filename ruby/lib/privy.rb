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
  # Parts that many programs do not use: bulk runs, lists, events of calls, raw responses. See {.eager_load!}.
  LATER = { "bulk" => %i[Bulk Result], "bulk_report" => %i[BulkReport Progress RefusedRow],
            "bulk_rows" => %i[BulkRows], "bulk_settings" => %i[BulkSettings], "journal" => %i[Journal],
            "plan" => %i[Plan PlanRun], "plan_rows" => %i[PlanRow PlanRows PlanSettings],
            "export" => %i[ExportReport ExportRun ParquetFile], "page" => %i[Page], "pager" => %i[Pager],
            "contact_list" => %i[ContactList], "call_event" => %i[CallEvent], "observer" => %i[Observer],
            "counted" => %i[Counted], "rate_limit" => %i[RateLimit], "response" => %i[Response] }.freeze
  LOADING = Thread::Mutex.new
  private_constant :LATER, :LOADING
  LATER.each do |file, names|
    path = File.expand_path("privy/#{file}", __dir__)
    names.each { |name| autoload name, path }
  end
  private_constant :BulkRows, :BulkSettings, :Counted, :ExportRun, :ParquetFile, :PlanRun, :PlanSettings,
                   :Pager, :Observer

  # Loads all parts that need no other gem. A program that uses clients in Ractors calls it first, in the main Ractor:
  # before Ruby 3.4 other Ractors cannot load files. Rails calls it where it loads the application eagerly.
  #
  # @return [void]
  def self.eager_load!
    load_parts
    Sandbox.eager_load!
    @eager_loaded = true
    nil
  end

  # Called before parts of LATER are used. Ruby 3.1 crashes when an exception from elsewhere, such as a Timeout, reaches
  # a thread that waits for the autoload of another one. So one thread loads all parts, and nothing interrupts it.
  #
  # @private
  # @return [void]
  def self.load_parts
    return if @parts_loaded || !Ractor.current.equal?(Ractor.main)

    Thread.handle_interrupt(Object => :never) do
      LOADING.synchronize { LATER.each_value { |names| names.each { |name| const_get(name) } } }
    end
    @parts_loaded = true
    nil
  end

  # For a Ractor other than the main one.
  #
  # @private
  # @raise [Error] the parts are not loaded, and this Ruby cannot load them in the Ractor
  def self.check_loaded
    return if @eager_loaded || RUBY_VERSION.to_f >= 3.4

    raise Error, "call Privy.eager_load! in the main Ractor before clients are made in another one: before Ruby 3.4 " \
                 "it cannot load files"
  end

  # Needed while a sandbox is active.
  autoload :Activation, File.expand_path("privy/activation", __dir__)
  private_constant :Activation

  # Imports of files.
  autoload :Import, File.expand_path("privy/import", __dir__)

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
require_relative "privy/configuration"
require_relative "privy/drivers"
require_relative "privy/job_scope"
require_relative "privy/session"
require_relative "privy/resources"
require_relative "privy/contacts"
require_relative "privy/client"
require_relative "privy/sandbox"
require_relative "privy/accounts"
# Of an application that loads Rails first, as Bundler.require does; else require "privy/rails/railtie" after it.
require_relative "privy/rails/railtie" if defined?(Rails::Railtie)
