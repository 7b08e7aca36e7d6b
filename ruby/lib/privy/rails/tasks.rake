# frozen_string_literal: true

namespace :privy do
  desc "Tries the credentials of Privy with four requests: token, scopes, budget (ACCOUNT=eu: of one account)"
  task ping: :environment do
    exit 1 unless Privy::Rails::Tasks.new.ping
  end

  desc "Shows what is left of Privy's rate limits, with one request (ACCOUNT=eu: of one account)"
  task budget: :environment do
    exit 1 unless Privy::Rails::Tasks.new.budget
  end

  desc "Imports a file into Privy (FILE=orders.csv KIND=orders MAP=map.toml or PRESET=auto DRY_RUN=1 " \
       "REJECTS=rejects.csv JOURNAL=orders.journal COUNTRY=US CURRENCY=USD TIMEZONE=Europe/Berlin)"
  task import: :environment do
    exit 1 unless Privy::Rails::ImportTask.new.run
  end

  desc "Serves a sandbox of Privy over HTTP (PORT=8089 HOST=127.0.0.1 LIMITS=on SEED=shop)"
  task :sandbox do
    Privy::Rails::Tasks.new.sandbox
  end
end
