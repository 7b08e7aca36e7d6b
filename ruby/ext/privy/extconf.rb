# frozen_string_literal: true

require "mkmf"

# The core's sources are at the root, in the repository and in the gem.
root = File.expand_path("../../..", __dir__)
core = File.join(root, "csrc")
core_sources = Dir.glob(File.join(core, "*", "*.c"))
abort "privy: the core's sources are missing (looked in #{core})" if core_sources.empty?

# Only its headers: the library is loaded when a client first needs it.
flags = pkg_config("libcurl", "cflags")
unless flags
  curl_config = find_executable("curl-config")
  unless curl_config
    abort "privy needs libcurl and its headers: install libcurl4-openssl-dev (Debian, Ubuntu), " \
          "libcurl-devel (Fedora), curl-dev (Alpine) or curl (Homebrew)"
  end
  flags = `#{curl_config} --cflags`.strip
end
$CFLAGS << " " << flags
abort "privy: libcurl is there, curl/curl.h is not: install its development package" unless have_header("curl/curl.h")

$INCFLAGS << " -I#{core}"
$CFLAGS << " -std=c11 -fvisibility=hidden -pthread"
$LDFLAGS << " -pthread"
$libs << " -ldl"

# Hardening: a memory error ends the process. The distribution may define _FORTIFY_SOURCE, perhaps at a higher level.
append_cflags("-fstack-protector-strong")
append_cflags("-D_FORTIFY_SOURCE=2") unless have_macro("_FORTIFY_SOURCE")
["-Wl,-z,relro", "-Wl,-z,now"].each { |flag| append_ldflags(flag) } unless RUBY_PLATFORM.include?("darwin")
$warnflags = "-Wall -Wextra -Wno-unused-parameter -Wno-declaration-after-statement"

# Two layers, or a layer and the extension, may have files of the same name: an object's name starts with its layer.
core_objects = core_sources.to_h do |path|
  ["core-#{path[(core.length + 1)..].tr('/', '-').delete_suffix('.c')}.o", path]
end
$srcs = Dir.glob(File.join(__dir__, "*.c"))
$objs = $srcs.map { |path| "#{File.basename(path, '.c')}.o" } + core_objects.keys

create_makefile("privy/core")

# Parts of the core whose time is that of requests and files: they are compiled to be small.
small = %w[imports jobs sandbox].map { |part| File.join(core, part, "") }
headers = Dir.glob(File.join(core, "**", "*.{h,def}")) + Dir.glob(File.join(__dir__, "*.h"))
File.open("Makefile", "a") do |makefile|
  makefile.puts "", "$(OBJS): #{headers.join(' ')}"
  core_objects.each do |object, source|
    optimised = source.start_with?(*small) ? " -Os" : ""
    makefile.puts "", "#{object}: #{source}",
                  "\t$(ECHO) compiling $(<)",
                  "\t$(Q) $(CC) $(INCFLAGS) $(CPPFLAGS) $(CFLAGS)#{optimised} $(COUTFLAG)$@ -c $(CSRCFLAG)$<"
  end
end
