# privy: the two commands are `make demo` and `make test`; `make help` lists the rest.
# Everything built lands under build/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:

# make V=1 shows the compiler's command lines.
quiet := $(if $(V),,@)
RUBOCOP ?= rubocop
VALGRIND ?= valgrind
PKG_CONFIG ?= pkg-config

# A suite that hangs is a failure, not a stalled machine. A slow machine is no failure.
bounded := timeout --foreground --kill-after=10 3600

VENV := build/venv/bin
CLANG_FORMAT ?= $(VENV)/clang-format
RUBY_EXE = $(shell cat build/ruby-path)
PYTEST = $(VENV)/python -m pytest -q -p no:cacheprovider
# Many tests wait for sockets and clocks: more processes than cores.
parallel := -n $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN)) --dist worksteal
RUBY_RUN = $(RUBY_EXE) -w -Ibuild/ruby/lib -Iruby/lib

# Runs the programs that follow, several at a time: run_programs SUITE [--prefix COMMAND].
run_programs = $(VENV)/python tools/programs.py

# ---- what there is -------------------------------------------------------------------------------------------------

core := $(sort $(wildcard csrc/*/*.c))
core_inputs := $(core) $(wildcard csrc/*.h csrc/*/*.h csrc/*/*.def)
tests := $(sort $(wildcard tests/c/test_*.c))
fuzz_targets := $(sort $(wildcard tests/fuzz/fuzz_*.c))
harness := $(sort $(filter-out $(tests), $(wildcard tests/c/*.c)) $(fuzz_targets))
programs := $(tests:tests/c/%.c=%)

python_files := $(shell find python/privy -type f -not -path '*/__pycache__/*' 2>/dev/null)
c_files = $(shell find csrc python/ext ruby/ext tests/c tests/fuzz bench -name '*.[ch]' | sort)
ruby_files = $(shell find bench ruby tests/both tests/ruby tests/rails tests/faults tests/soak examples -name '*.rb' | sort) $(wildcard ruby/exe/*) privy.gemspec

# ---- help and set-up -----------------------------------------------------------------------------------------------

.PHONY: help
help: ## this list
	@printf 'privy: one C core for the Privy API, with a Python and a Ruby binding\n\n'
	@sed -nE 's/^([a-z][a-z-]*):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 28

.PHONY: setup
setup: ## install what this machine lacks (apt, and Python packages into build/venv)
	@[ -n "$${PRIVY_SETUP_DONE:-}" ] || tools/setup

.PHONY: demo
demo: setup build-python build-ruby ## serve the sandbox, run quickstarts and imports in both languages, print what happened
	@tools/demo

suites = PRIVY_SETUP_DONE=1 $(VENV)/python tools/suites.py '$(MAKE) -k' --build $(1) --check $(2) --test $(3)

.PHONY: check
check: setup ## the quick loop: format, lint, C tests, vectors in both languages, structure
	@$(call suites,build,lint,test-c test-vectors test-structure)

.PHONY: test
test: setup ## everything but test-deep: a line for each suite; logs in build/logs
	@$(call suites,build,lint test-types,test-python test-ruby test-rails-short test-faults test-c test-structure test-both)

.PHONY: test-deep
test-deep: setup ## what takes long: sanitizers, valgrind, packages installed from scratch, oldest libraries, random tests
	@$(call suites,build-deep,,test-c-valgrind test-package test-c-asan test-c-tsan test-c-deep test-random test-rails test-consumers)

.PHONY: build
build: build-c-plain build-python build-ruby ## the core with its test programs, and both extensions

.PHONY: build-deep
build-deep: build build-c-asan $(threaded)

.PHONY: compile_commands.json
compile_commands.json: setup ## what clangd and other tools read: how each C file is compiled
	@$(MAKE) --always-make --dry-run V=1 PRIVY_SETUP_DONE=1 build | $(VENV)/python tools/compile_commands.py

.PHONY: clean
clean: ## remove everything built
	rm -rf build compile_commands.json .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find python ruby tests examples tools -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the core and its tests in C -----------------------------------------------------------------------------------

CC ?= cc
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
  -Wcast-qual -Werror
common_flags = -std=c11 -Icsrc -DPRIVY_SHARED -fvisibility=hidden -pthread \
  $(shell $(PKG_CONFIG) --cflags libcurl cmocka)
libraries = $(shell $(PKG_CONFIG) --libs cmocka) -pthread -ldl -lm

# As a distribution hardens what it compiles. The extensions link these objects too.
HARDENED := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
plain_flags := $(WARNINGS) -O2 -g -fPIC $(HARDENED)
# GCC warns of things that are not so when it instruments: the plain build is the judge.
asan_flags := -w -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover

tsan_flags := -w -O1 -g -fno-omit-frame-pointer -fsanitize=thread

coverage_flags := -w -O0 -g --coverage -DPRIVY_COVERAGE

define variant
build/c/$(1)/%.o: %.c Makefile | setup
	@mkdir -p $$(@D)
	@echo '  cc     $$@'
	$$(quiet)$$(CC) $$(common_flags) $$($(1)_flags) -MMD -MP -c $$< -o $$@

build/c/$(1)/libprivy.a: $$(core:%.c=build/c/$(1)/%.o)
	@rm -f $$@
	@echo '  ar     $$@'
	$$(quiet)ar rcs $$@ $$^

build/c/$(1)/%: build/c/$(1)/tests/c/%.o $$(harness:%.c=build/c/$(1)/%.o) build/c/$(1)/libprivy.a
	@echo '  link   $$@'
	$$(quiet)$$(CC) $$($(1)_flags) $$^ $$(libraries) -o $$@

.PHONY: build-c-$(1)
build-c-$(1): $$(programs:%=build/c/$(1)/%)

-include $$(patsubst %.c,build/c/$(1)/%.d,$$(core) $$(harness) $$(tests))
endef
$(eval $(call variant,plain))
$(eval $(call variant,asan))
$(eval $(call variant,tsan))
$(eval $(call variant,coverage))

.PHONY: test-c
test-c: build-c-plain ## the C tests
	@$(run_programs) test-c $(programs:%=build/c/plain/%)

.PHONY: test-c-asan
test-c-asan: build-c-asan ## the C tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  $(run_programs) test-c-asan $(programs:%=build/c/asan/%)

# The programs that run threads. The sweep is left to the other builds: here only the order of things matters.
threaded := $(addprefix build/c/tsan/,test_client_waits test_sandbox_memory test_threads)

.PHONY: test-c-tsan
test-c-tsan: $(threaded) ## the C tests that run threads, under ThreadSanitizer
	@TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 $(run_programs) test-c-tsan $(threaded)

leaks := definite,indirect,possible
valgrind := $(VALGRIND) -q --error-exitcode=99 --num-callers=30 --leak-check=full --show-leak-kinds=$(leaks) \
  --errors-for-leak-kinds=$(leaks)

# Lists that change at random, and crashes at each write.
deep := $(addprefix build/c/plain/,test_coverage test_export_crash test_slots)

.PHONY: test-c-deep
test-c-deep: build-c-plain ## 10,000 lists that change while they are read, an export that crashes at each point, queues of jobs
	@PRIVY_DEEP=1 $(run_programs) test-c-deep $(deep)

.PHONY: test-c-valgrind
test-c-valgrind: build-c-plain ## the C tests under valgrind, leaks included
	@$(run_programs) test-c-valgrind --prefix '$(valgrind)' $(programs:%=build/c/plain/%)

.PHONY: coverage
coverage: build-c-coverage ## lines of csrc/call, transport, client, policy, jobs, columns and base/fork that the C tests run: 97 % at least
	@find build/c/coverage -name '*.gcda' -delete
	@$(run_programs) coverage $(programs:%=build/c/coverage/%)
	@$(VENV)/python tools/coverage.py build/c/coverage --least 97 csrc/call csrc/transport csrc/client csrc/policy csrc/jobs csrc/columns csrc/base/fork.c

# ---- fuzzing -------------------------------------------------------------------------------------------------------

SECONDS := 60
FUZZ_CC ?= clang
fuzzers := json response request sandbox http import
fuzz_flags := -w -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
build/c/fuzz/%.o: CC = $(FUZZ_CC)
$(eval $(call variant,fuzz))
$(patsubst %.c,build/c/fuzz/%.o,$(core) $(harness)): | fuzz-setup

.PHONY: fuzz-setup
fuzz-setup:
	@FUZZ_CC='$(FUZZ_CC)' tests/fuzz/setup

$(fuzzers:%=build/fuzz/%): build/fuzz/%: tests/fuzz/libfuzzer.c $(harness:%.c=build/c/fuzz/%.o) build/c/fuzz/libprivy.a
	@mkdir -p $(@D)
	@echo '  link   $@'
	$(quiet)$(FUZZ_CC) $(common_flags) $(fuzz_flags) -fsanitize=fuzzer -DTARGET=fuzz_$* $^ $(libraries) -o $@

build/fuzz/judge: build/c/plain/tests/fuzz/judge.o $(harness:%.c=build/c/plain/%.o) build/c/plain/libprivy.a
	@mkdir -p $(@D)
	@echo '  link   $@'
	$(quiet)$(CC) $(plain_flags) $^ $(libraries) -o $@

build/fuzz/seeds: build/c/plain/test_fuzz_seeds
	@rm -rf $@ && mkdir -p $@
	$< $@

.PHONY: fuzz
fuzz: setup $(fuzzers:%=build/fuzz/%) build/fuzz/judge build/fuzz/seeds ## libFuzzer on every target for SECONDS=60, and Python's json and privy's
	tests/fuzz/run $(SECONDS) $(fuzzers)
	$(VENV)/python tests/fuzz/differential.py build/fuzz/judge build/fuzz/seeds/json build/fuzz/corpus/json

# ---- the extensions ------------------------------------------------------------------------------------------------

# Both link the objects of the core that the C tests link; packages compile their own, by setup.py and extconf.rb.
# Interpreters' slots hold functions in void pointers and take char pointers that they never write to, and Ruby's macros
# use arrays of variable length: those warnings cannot be had here.
ext_flags = -std=c11 -O2 -g -DNDEBUG -fPIC -fwrapv -fvisibility=hidden -pthread -Icsrc -MMD -MP $(HARDENED) \
  $(filter-out -Wpedantic -Wcast-qual -Wvla, $(WARNINGS))
python_ext := $(patsubst %.c,build/c/%.o,$(sort $(wildcard python/ext/*.c)))
ruby_ext := $(patsubst %.c,build/c/%.o,$(sort $(wildcard ruby/ext/privy/*.c)))
python_headers = $(shell $(VENV)/python -c 'import sysconfig; print("-isystem", sysconfig.get_path("include"))')
ruby_headers = $(shell $(RUBY_EXE) -rrbconfig -e \
  'print %w[rubyhdrdir rubyarchhdrdir].map { |key| "-isystem #{RbConfig::CONFIG[key]}" }.join(" ")')
ifeq ($(shell uname -s),Darwin)
shared = -bundle -undefined dynamic_lookup -Wl,-exported_symbol,_$(1)
else
shared = -shared -Wl,--exclude-libs,ALL -Wl,-z,relro -Wl,-z,now
endif

$(python_ext): headers = $(python_headers)
$(ruby_ext): headers = $(ruby_headers)
build/c/python/%.o: python/%.c Makefile build/venv/stamp | setup
	@mkdir -p $(@D)
	@echo '  cc     $@'
	$(quiet)$(CC) $(ext_flags) $(headers) -c $< -o $@
build/c/ruby/%.o: ruby/%.c Makefile build/ruby-path | setup
	@mkdir -p $(@D)
	@echo '  cc     $@'
	$(quiet)$(CC) $(ext_flags) $(headers) -c $< -o $@
-include $(python_ext:.o=.d) $(ruby_ext:.o=.d)

.PHONY: build-python
build-python: build/stamps/python ## the Python package, importable in build/venv

build/stamps/python-ext: $(python_ext) build/c/plain/libprivy.a
	@mkdir -p build/stamps build/python/privy
	@rm -f build/python/privy/_core.*
	@echo '  link   privy._core'
	$(quiet)$(CC) $(call shared,PyInit__core) $^ -pthread -ldl -lm -o build/python/privy/_core$$($(VENV)/python -c \
	  'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
	@touch $@

build/stamps/python: build/stamps/python-ext $(python_files)
	@find build/python -name '*.py*' -delete
	@tar -C python --exclude=__pycache__ -cf - privy | tar -C build/python -xf -
	@touch $@

.PHONY: build-ruby
build-ruby: build/stamps/ruby ## the Ruby extension, in build/ruby/lib

build/stamps/ruby: $(ruby_ext) build/c/plain/libprivy.a
	@mkdir -p build/stamps build/ruby/lib/privy
	@rm -f build/ruby/lib/privy/core.*
	@echo '  link   privy/core'
	$(quiet)$(CC) $(call shared,Init_core) $^ -pthread -ldl -lm -o build/ruby/lib/privy/core.$$($(RUBY_EXE) -rrbconfig -e \
	  'print RbConfig::CONFIG["DLEXT"]')
	@touch $@

# ---- the other suites ----------------------------------------------------------------------------------------------

.PHONY: test-structure
test-structure: build/c/plain/libprivy.a build-python build-ruby ## include graph, symbols, versions, README, examples
	$(bounded) $(PYTEST) $(parallel) tests/structure

.PHONY: test-python
test-python: build-python ## the Python tests
	$(bounded) $(PYTEST) $(parallel) --ignore=tests/python/test_package.py tests/python

.PHONY: test-ruby
test-ruby: build-ruby ## the Ruby tests
	@$(run_programs) test-ruby --prefix '$(RUBY_RUN) -Itests/ruby' $(filter-out %/test_package.rb, $(sort $(wildcard tests/ruby/test_*.rb)))

rails_tests = --prefix '$(RUBY_EXE) -Ibuild/ruby/lib -Iruby/lib -Itests/ruby -Itests/rails' $(sort $(wildcard tests/rails/test_*.rb))

.PHONY: test-rails
test-rails: build-ruby ## real Rails, Active Job, Sidekiq, Redis and Puma
	@PRIVY_DEEP=1 $(run_programs) test-rails $(rails_tests)

.PHONY: test-rails-short
test-rails-short: build-ruby ## the same with fewer jobs
	@$(run_programs) test-rails-short $(rails_tests)

.PHONY: test-vectors
test-vectors: build-python build-ruby ## the same cases as data in Python and Ruby, and that both spell what the tables say
	$(bounded) $(PYTEST) tests/python/test_vectors.py tests/python/test_schema.py
	@$(run_programs) test-vectors --prefix '$(RUBY_RUN) -Itests/ruby' tests/ruby/test_vectors.rb tests/ruby/test_schema.rb

.PHONY: test-random
test-random: build-python build-ruby ## random bulk runs, values and kills at length, in both languages
	$(bounded) env PRIVY_DEEP=1 $(PYTEST) $(parallel) -m 'hypothesis or random' tests/python
	$(bounded) env BOTH_CASES=40000 $(PYTEST) tests/both
	$(bounded) env CASES=1200 $(RUBY_RUN) -Itests/ruby tests/ruby/test_bulk_property.rb
	$(bounded) env PRIVY_DEEP=1 $(RUBY_RUN) -Itests/ruby tests/ruby/test_journal_kills.rb

.PHONY: test-consumers
test-consumers: build-python ## the oldest supported pyarrow, polars, pandas and DuckDB read the tables, and their frames are rows
	@$(bounded) tests/consumers/run

.PHONY: test-both
test-both: build-python build-ruby ## the same requests and answers to both languages, and the same outcome
	$(bounded) $(PYTEST) tests/both

.PHONY: test-types
test-types: build-python ## mypy --strict on package and examples; RBS parsed and validated
	MYPYPATH=python $(VENV)/mypy --strict --cache-dir build/mypy python/privy examples/*.py tests/python/user_code.py
	$(RUBY_EXE) tools/rbs

.PHONY: test-faults
test-faults: build-python build-ruby ## the matrix of faults on real sockets, met by both languages
	$(bounded) $(PYTEST) tests/faults
	$(bounded) env PYTHON=$(VENV)/python $(RUBY_RUN) -Itests/ruby tests/faults/test_faults.rb

.PHONY: test-package
test-package: build-python build-ruby ## sdist, wheel and gem, installed away from the source tree
	$(bounded) $(PYTEST) tests/python/test_package.py
	$(bounded) $(RUBY_RUN) -Itests/ruby tests/ruby/test_package.rb

# Free memory that malloc holds back for each thread and arena would look like growth.
thrifty := env GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0:glibc.malloc.arena_max=1

.PHONY: soak
soak: build-python build-ruby ## minutes of calls from many threads: answers, descriptors and memory, in both languages
	$(bounded) $(thrifty) $(VENV)/python tests/soak/soak.py
	$(bounded) $(thrifty) $(RUBY_RUN) tests/soak/soak.rb

# ---- speed ---------------------------------------------------------------------------------------------------------

# The core as packages compile it; of it the programs know privy.h alone.
bench_flags := -O2 -DNDEBUG -D_FORTIFY_SOURCE=2 -fstack-protector-strong
$(eval $(call variant,bench))
bench_programs := $(addprefix build/bench/c/,page columns call curl_loop load)

$(bench_programs): build/bench/c/%: bench/c/%.c bench/c/worker.c bench/c/worker.h build/c/bench/libprivy.a
	@mkdir -p $(@D)
	@echo '  link   $@'
	$(quiet)$(CC) -D_POSIX_C_SOURCE=200809L $(common_flags) $(WARNINGS) $(bench_flags) $(filter-out %.h,$^) $(libraries) $(more) -o $@

build/bench/c/curl_loop: more = $(shell $(PKG_CONFIG) --libs libcurl)

.PHONY: bench
bench: setup build-ruby $(bench_programs) ## privy and its peers: installs them, measures, writes bench/RESULTS.md
	@bench/setup
	@$(bounded) build/bench/venv/bin/python -m bench

# ---- lint and format -----------------------------------------------------------------------------------------------

.PHONY: lint
lint: lint-c lint-python lint-ruby ## clang-format, strict C warnings, ruff, rubocop, ruby -wc

.PHONY: lint-c
lint-c: setup $(core:%.c=build/c/plain/%.o) $(python_ext) $(ruby_ext) # which are compiled with all warnings
	@echo '  clang-format over all C files'
	$(quiet)$(CLANG_FORMAT) --dry-run --Werror $(c_files)
	@echo '  the Python extension within the limited API'
	@for file in python/ext/*.c; do $(CC) -fsyntax-only -std=c11 -Werror -Icsrc $(python_headers) -DPy_LIMITED_API=0x030A0000 "$$file"; done
	@echo '  what the benchmarks compile'
	@for file in bench/c/*.c; do $(CC) -fsyntax-only -D_POSIX_C_SOURCE=200809L $(common_flags) $(WARNINGS) "$$file"; done
	@$(CC) -fsyntax-only -std=c11 -Icsrc -Ipython/ext $(python_headers) bench/python/probe.c
	@$(CC) -fsyntax-only -std=c11 -Icsrc -Iruby/ext/privy -DInit_core=Init_core_itself $(ruby_headers) bench/ruby/probe.c

.PHONY: lint-python
lint-python: setup
	$(VENV)/ruff check --cache-dir build/ruff .
	$(VENV)/ruff format --check --cache-dir build/ruff .

.PHONY: lint-ruby
lint-ruby: setup
	@echo '  rubocop, ruby -wc over all Ruby files'
	$(quiet)$(RUBOCOP) --cache-root build/rubocop --format simple $(ruby_files)
	@for file in $(ruby_files); do $(RUBY_EXE) -wc "$$file" 2>&1 | { ! grep -v '^Syntax OK$$' | sed "s|^|$$file: |" >&2 | grep .; }; done

.PHONY: format
format: setup ## let clang-format, ruff and rubocop put the layout right
	$(CLANG_FORMAT) -i $(c_files)
	$(VENV)/ruff check --fix --cache-dir build/ruff .
	$(VENV)/ruff format --cache-dir build/ruff .
	$(RUBOCOP) --cache-root build/rubocop --fix-layout $(ruby_files)
