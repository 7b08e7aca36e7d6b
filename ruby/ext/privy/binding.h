/*
 * What the files of the Ruby extension share. The extension converts between the core and Ruby's idiom; names, rules
 * and limits of the API come from the core's tables.
 *
 * Files use only those that come before them here; core.c initialises them in an order that respects this.
 */
#ifndef PRIVY_RUBY_BINDING_H
#define PRIVY_RUBY_BINDING_H

#include <ruby.h>
#include <ruby/encoding.h>

#include "privy_jobs.h"

/* ---- binding.c ---- */

/* The modules Privy and Privy::Core. */
extern VALUE privy_rb_module;
extern VALUE privy_rb_core;
/* Privy::OMIT: the default of a parameter, which is then not sent. */
extern VALUE privy_rb_omit;

/* A NoMemoryError. */
VALUE privy_rb_memory_exception(void);
NORETURN(void privy_rb_raise_memory(void));

/* ---- text.c: all Strings are frozen and UTF-8 ---- */

/* The String of a C string, nil for NULL. */
VALUE privy_rb_text(const char *text);
/* The String of bytes from the network; invalid bytes become U+FFFD. */
VALUE privy_rb_clean_text(const char *bytes, size_t length);
/* A frozen Time in UTC. */
VALUE privy_rb_time(time_t seconds, long nanos);
/* The same from seconds since 1970, to the microsecond; nil for 0. */
VALUE privy_rb_instant(double seconds);
/* A frozen Hash of the header fields that users see, names in lower case. */
VALUE privy_rb_headers(const privy_response *response);
/* The beginning of the body. */
VALUE privy_rb_excerpt(const privy_response *response);

/* ---- errors.c ---- */

/* The name of the exception's class below Privy; "" for a status that has none. */
const char *privy_rb_error_name(privy_status code);
/* The error as an exception. */
VALUE privy_rb_exception(const privy_error *error);
/* Raises the error. The caller clears the struct (rb_ensure). */
NORETURN(void privy_rb_raise(const privy_error *error));
/* Raises Privy::Error: a setting is invalid. */
NORETURN(void privy_rb_raise_setting(const char *format, ...)) PRIVY_PRINTF(1, 2);
/* A frozen Array of Hashes with field and message. */
VALUE privy_rb_details(const privy_details *details);
/* Returns when status is PRIVY_OK, raises otherwise. */
void privy_rb_check(privy_status status, const privy_error *error);

/* ---- encode.c: Ruby objects into a request ---- */

/* Encodes every entry of the Hash but those that are Privy::OMIT. May raise. */
void privy_rb_encode_members(privy_request *request, VALUE hash);
/* Encodes one value. May raise. */
void privy_rb_encode_value(privy_request *request, VALUE value);
/* Calls the function with asynchronous exceptions (Thread#raise, Timeout) deferred until it returns. May raise. */
void privy_rb_masked(VALUE (*function)(VALUE), VALUE argument);

/* ---- convert.c: values of a response into frozen Ruby objects ---- */

/* `value` must stay valid during the call: the caller keeps its owner alive. */
VALUE privy_rb_convert(privy_value value);
/* Converts by the field's kind; a value that does not fit the kind is converted by its JSON type. */
VALUE privy_rb_convert_field(privy_value value, const privy_field_info *field);

/* ---- record.c ---- */

/* A record of the response, which it retains. */
VALUE privy_rb_record_new(privy_response *response, const privy_record *record);

/* ---- settings.c ---- */

/* Options, from a Hash or nil. Raises Privy::Error for an invalid one. */
privy_options privy_rb_options(VALUE options);
/* The same for a single call: in a job of a queue it is deferred. */
privy_options privy_rb_call_options(VALUE options);
/* The same; options that are missing come from `defaults`. */
privy_options privy_rb_options_over(VALUE options, privy_options defaults);
/* Sets the number of concurrent calls of a bulk run; nil keeps the default. Raises Privy::Error. */
void privy_rb_concurrency(VALUE value, privy_bulk_config *config);
/* Reads what Privy::BulkSettings.check returns. The path is valid as long as the Hash. */
void privy_rb_run_settings(VALUE settings, privy_bulk_config *config);
/* Reads the numbers among a client's settings. Raises Privy::Error. */
void privy_rb_numbers(VALUE settings, privy_config *config);
/* A text setting; NULL when it is missing. Valid as long as the Hash. Raises Privy::Error. */
const char *privy_rb_text_setting(VALUE settings, const char *name);
/* A setting that is true (1) or false (0); -1 when it is missing. Raises Privy::Error. */
int privy_rb_flag_setting(VALUE settings, const char *name);

/* ---- sandbox.c ---- */

/* The core's sandbox of a Privy::Sandbox. Raises TypeError for any other object. */
privy_sandbox *privy_rb_sandbox_get(VALUE sandbox);

/* ---- call_event.c: the observer of a client is an object with the methods `least` and `call`; the notifier of the
 * process, Core.notifier, is one with `kinds` and `call` ---- */

/* What receives the events of a call. */
typedef struct privy_rb_receivers {
  VALUE observer;    /* or nil; the caller keeps it alive */
  privy_level least; /* the lowest level that the observer takes */
  unsigned kinds;    /* what the notifier takes, a sum of 1 << kind */
  ID account;        /* the name of the client's account; 0: none */
} privy_rb_receivers;

/* Sets `least` and `kinds` for a call that begins now. May raise. */
void privy_rb_receivers_ask(privy_rb_receivers *receivers);
/* Lets the group queue these events of the calls that start from now on. */
void privy_rb_receivers_observe(const privy_rb_receivers *receivers, privy_group *group);
/* The exception of the failed call whose end this event reports, if the notifier takes it; else nil. */
VALUE privy_rb_receivers_failure(const privy_rb_receivers *receivers, const privy_group *group,
                                 const privy_trace_event *event);
/* Reports one event. Raises what the observer and the notifier do not rescue. */
void privy_rb_report(const privy_rb_receivers *receivers, const privy_trace_event *event, VALUE exception);
/* Reports that the request is invalid. `row`: its index in a bulk run, or -1. Raises likewise. */
void privy_rb_report_refusal(privy_rb_receivers receivers, privy_client *client, const privy_request *request,
                             const privy_error *error, int64_t row);

/* ---- client.c ---- */

typedef struct privy_rb_client privy_rb_client;

privy_rb_client *privy_rb_client_get(VALUE client);
/* The core's client, for a call or group that begins. Raises when it is closed; pair it with one leave. */
privy_client *privy_rb_client_enter(privy_rb_client *client);
/* Allocates nothing: the garbage collector may call it. */
void privy_rb_client_leave(privy_rb_client *client);
/* The receivers of its calls, which no call has asked yet. The observer is alive as long as the Privy::Core::Client. */
privy_rb_receivers privy_rb_client_receivers(const privy_rb_client *client);
/* Finishes the request. When it is invalid: reports that, unless the client is closed, and raises. `row`: the index in
 * a bulk run, or -1. */
void privy_rb_client_finish(privy_rb_client *client, privy_request *request, int64_t row, privy_error *error);

/* ---- page.c ---- */

VALUE privy_rb_page_new(privy_response *response);
/* Gives the page to the Privy::Core::Pager → [for each record whether an earlier page held it, or nil when none is
 * repeated; number of the next page or 0]. May raise. */
VALUE privy_rb_pager_take(VALUE pager, const privy_response *page);

/* ---- response.c ---- */

/* What a call returns: a record, a Page or nil; for a raw request (operation NULL) a Privy::Response. */
VALUE privy_rb_result(const privy_operation *operation, privy_response *response);

/* ---- request.c ---- */

/* The arguments of a call: an operation with its parameters, or a raw request. The caller keeps the values alive. */
typedef struct privy_rb_call_spec {
  const privy_operation *operation; /* NULL: a raw request */
  VALUE params, extra;
  bool omits_nulls; /* parameters that are null are not sent */
  VALUE headers;
  VALUE method, path, body; /* of a raw request; method and path are frozen Strings */
} privy_rb_call_spec;

/* These raise ArgumentError or TypeError for invalid arguments. */
const privy_operation *privy_rb_operation(VALUE name);
privy_rb_call_spec privy_rb_call_spec_for(const privy_operation *operation, VALUE params, VALUE extra, VALUE headers);
/* The headers are those of the options, a Hash or nil. */
privy_rb_call_spec privy_rb_call_spec_of(VALUE operation, VALUE params, VALUE extra, VALUE options);
privy_rb_call_spec privy_rb_call_spec_raw(VALUE method, VALUE path, VALUE params, VALUE headers, VALUE body);
/* Makes a request that is not finished yet. May raise; the caller frees `*out` in any case. */
void privy_rb_call_spec_build(const privy_rb_call_spec *spec, privy_request **out);

/* ---- group.c: a group may have a guest: a bulk run or a plan of the core, which uses it ---- */

typedef struct privy_rb_guest {
  void *object;                /* NULL: none */
  void (*leave)(void *object); /* called before the group is freed, also by the garbage collector */
} privy_rb_guest;

/* The core's group, which has no guest yet. Raises when the group is closed, in use, or the parent process's. */
privy_group *privy_rb_group_open(VALUE group);
/* The guest's place, valid until the guest leaves. Raises likewise. */
privy_rb_guest *privy_rb_group_guest(VALUE group);
/* Lets the guest leave, if there is one. */
void privy_rb_guest_leave(privy_rb_guest *guest);
/* Queues the events of calls that start from now on, as their receivers want them. */
void privy_rb_group_observe(VALUE group);
/* Reports the queued events, then raises the first exception that a receiver did not rescue. */
void privy_rb_group_report(VALUE group);
/* The exception of a failed call that the events reported, by their id; nil: none. Forgets it. */
VALUE privy_rb_group_take_failure(VALUE group, uint64_t id);
/* Finishes the request of a row for the group's client. When it is invalid: reports that and raises. */
void privy_rb_group_finish(VALUE group, privy_request *request, uint64_t row, privy_error *error);
/* False in the child of a fork, which must only discard the group. */
bool privy_rb_group_is_ours(VALUE group);

/* ---- plan.c ---- */

/* The core's plan, which is complete. Raises for any other object. */
privy_plan *privy_rb_plan_get(VALUE plan);

/* ---- each file's part of Init_core ---- */

void privy_rb_init_binding(void);
void privy_rb_init_text(void);
void privy_rb_init_errors(void);
void privy_rb_init_encode(void);
void privy_rb_init_convert(void);
void privy_rb_init_schema(void);
void privy_rb_init_request(void);
void privy_rb_init_call_event(void);
void privy_rb_init_record(void);
void privy_rb_init_settings(void);
void privy_rb_init_client(void);
void privy_rb_init_call(void);
void privy_rb_init_page(void);
void privy_rb_init_group(void);
void privy_rb_init_plan(void);
void privy_rb_init_export(void);
void privy_rb_init_bulk(void);
void privy_rb_init_import(void);
void privy_rb_init_journal(void);
void privy_rb_init_sandbox(void);
void privy_rb_init_sandbox_connection(void);

#endif
