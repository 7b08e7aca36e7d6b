# frozen_string_literal: true

# Bundler requires a gem by the gem's name. This file loads the library from the same folder, even when another gem has
# a file privy.rb on the load path.
require_relative "privy"
