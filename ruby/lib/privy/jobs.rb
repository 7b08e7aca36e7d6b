# frozen_string_literal: true

# What {Privy::Job} and {Privy::Sidekiq} share.
module Privy
  %w[Options Pause Report Run Store].each do |name|
    autoload :"Job#{name}", File.expand_path("jobs/#{name.downcase}", __dir__)
    private_constant :"Job#{name}"
  end
  autoload :SharedSlots, File.expand_path("jobs/shared_slots", __dir__)
  private_constant :SharedSlots
end
