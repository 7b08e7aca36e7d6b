# frozen_string_literal: true

# How Puma runs preloaded_process.ru: two workers of four threads, forked by a master that has a client.

bind "tcp://127.0.0.1:0"
workers 2
threads 4, 4
preload_app!
raise_exception_on_sigterm false
