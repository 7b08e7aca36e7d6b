# frozen_string_literal: true

workers 2
threads 5, 5
preload_app!
port ENV.fetch("PORT", 3000)
environment ENV.fetch("RAILS_ENV", "development")
