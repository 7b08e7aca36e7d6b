# frozen_string_literal: true

# The extension's own recipe with one file more, the probe: Init_core is the probe's, which calls the extension's.
ext = File.expand_path("../../ruby/ext/privy", __dir__)
recipe = File.read(File.join(ext, "extconf.rb"))
probe = File.join(__dir__, "probe.c")
recipe = recipe.gsub("__dir__", ext.dump)
               .sub(/^\$objs = /) { "$srcs << #{probe.dump}\n$VPATH << #{__dir__.dump} << #{ext.dump}\n$objs = " }
               .sub(/^create_makefile/) { "$CFLAGS << ' -I#{ext} -DInit_core=Init_core_itself'\ncreate_makefile" }
eval(recipe, binding, File.join(ext, "extconf.rb"))
