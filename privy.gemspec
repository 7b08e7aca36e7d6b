# frozen_string_literal: true

require_relative "ruby/lib/privy/version"

# The file is named after the library, the gem after its registry name: privy and privy-client belong to others.
Gem::Specification.new do |spec|
  spec.name = "privy-marketing"
  spec.version = Privy::VERSION
  spec.summary = "Client of the Privy API: contacts and their consents, orders, events"
  spec.description = "An independent client of the Privy marketing API, not made by Privy: one C core, in Ruby's " \
                     "idiom, with an in-memory sandbox for demos and tests. Required as \"privy\"."
  spec.authors = ["The privy authors"]
  spec.license = "MIT"
  spec.required_ruby_version = ">= 3.1"

  # Globs rather than a question to git: a copy of the tree without its history builds the same gem.
  # RBS reads sig/ and YARD reads .yardopts at the root of the gem.
  spec.files = Dir.chdir(__dir__) do
    Dir["csrc/**/*.{c,h,def}", "ruby/lib/**/*.{rb,rake,tt,yml}", "ruby/ext/privy/*.{c,h,rb}", "ruby/exe/*",
        "sig/*.{rbs,yaml}", "rbi/*.rbi", ".yardopts", "README.md", "CHANGELOG.md", "LICENSE", "privy.gemspec"].sort
  end
  spec.extensions = ["ruby/ext/privy/extconf.rb"]
  spec.require_paths = ["ruby/lib"]
  spec.bindir = "ruby/exe"
  spec.executables = ["privy-sandbox"]

  # From Ruby 3.4 on Bundler hides bigdecimal from an application that no gem declares it for.
  spec.add_dependency "bigdecimal", ">= 3.1", "< 5"
  spec.add_development_dependency "async", ">= 1.30", "< 3"
  spec.add_development_dependency "minitest", "~> 5.15"
  spec.add_development_dependency "puma", ">= 5.6", "< 8"
  spec.add_development_dependency "rack", ">= 2.2", "< 4"
  spec.metadata["rubygems_mfa_required"] = "true"
end
