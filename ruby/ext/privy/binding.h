/*
 * What the files of the Ruby extension share. The extension only gives the core Ruby's idiom: names, rules and limits
 * of the API are read from the core's tables.
 */
#ifndef PRIVY_RUBY_BINDING_H
#define PRIVY_RUBY_BINDING_H

#include <ruby.h>
#include <ruby/encoding.h>

#include "privy.h"

/* The modules Privy and Privy::Core. */
extern VALUE privy_rb_module;
extern VALUE privy_rb_core;
/* Stands for a parameter that was not given (Privy::OMIT). */
extern VALUE privy_rb_omit;

/* ---- walk.c: Ruby objects into a request ---- */

/* Gives every entry of the Hash to the request, those that are Privy::OMIT left out. May raise. */
void privy_rb_encode_members(privy_request *request, VALUE hash);
/* Calls the function; what another thread raises meanwhile waits until it returns. May raise. */
void privy_rb_masked(VALUE (*function)(VALUE), VALUE argument);
/* Gives one value to the request. May raise. */
void privy_rb_encode_value(privy_request *request, VALUE value);

/* ---- convert.c: values of an answer into Ruby objects, all frozen ---- */

/* `value` must stay valid during the call: the caller keeps its owner alive. */
VALUE privy_rb_convert(privy_value value);
/* The same, by the kind that the table gives the field; what does not fit its kind is converted as any value is. */
VALUE privy_rb_convert_field(privy_value value, const privy_field_info *field);
/* A frozen UTF-8 String of a C string, nil for NULL. */
VALUE privy_rb_text(const char *text);
/* A Time in UTC, to the microsecond; nil for 0. */
VALUE privy_rb_instant(double seconds);

/* ---- record.c, page.c ---- */

/* A record of the response; takes a reference of its own. */
VALUE privy_rb_record_new(privy_response *response, const privy_record *record);
VALUE privy_rb_page_new(privy_response *response);
/* A Privy::Response with status, headers and body. */
VALUE privy_rb_response_new(privy_response *response);
/* Bytes from the network as a frozen UTF-8 String; wrong bytes become U+FFFD. */
VALUE privy_rb_clean_text(const char *bytes, size_t length);
/* Has the Privy::Core::Walk take note of the page → [for each record whether an earlier page held it, or nil when none
 * was, number of the next page or 0]. May raise. */
VALUE privy_rb_encode_take(VALUE walk, const privy_response *page);

/* ---- shown.c ---- */

/* A frozen Hash of the header fields that users see, names in lower case. */
VALUE privy_rb_headers(const privy_response *response);
/* The beginning of the body as a frozen UTF-8 String. */
VALUE privy_rb_excerpt(const privy_response *response);

/* ---- settings.c ---- */

/* The options of one call, a Hash or nil. Raises Privy::Error for one that cannot be used. */
privy_options privy_rb_options(VALUE options);
/* The same over others than those of the client. */
privy_options privy_rb_options_over(VALUE options, privy_options otherwise);
/* Reads how many calls a bulk run makes at once; nil leaves it as it is. Raises likewise. */
void privy_rb_concurrency(VALUE value, privy_bulk_config *config);
/* Reads the numbers among a client's settings. Raises likewise. */
void privy_rb_numbers(VALUE settings, privy_config *config);
/* A setting that is text; NULL when it is missing. Valid as long as the Hash is. Raises likewise. */
const char *privy_rb_text_setting(VALUE settings, const char *name);
/* A setting that is true (1) or false (0); -1 when it is missing. Raises likewise. */
int privy_rb_flag_setting(VALUE settings, const char *name);
/* The number that a value is, also as text; NaN when it is none. */
double privy_rb_number(VALUE value);

/* ---- request.c ---- */

/* What a call is to ask: an operation with its parameters, or any request. Whoever holds it keeps its values alive. */
typedef struct privy_rb_call_spec {
  const privy_operation *operation; /* NULL: any request */
  VALUE params, extra;
  VALUE method, path, headers, body; /* of any request; method and path are frozen Strings */
} privy_rb_call_spec;

/* All raise ArgumentError or TypeError for what is none. */
const privy_operation *privy_rb_operation(VALUE name);
privy_rb_call_spec privy_rb_call_spec_for(const privy_operation *operation, VALUE params, VALUE extra);
privy_rb_call_spec privy_rb_call_spec_of(VALUE operation, VALUE params, VALUE extra);
privy_rb_call_spec privy_rb_call_spec_raw(VALUE method, VALUE path, VALUE params, VALUE headers, VALUE body);
/* Makes a request that is not finished yet. May raise; the caller frees what `*out` holds then. */
void privy_rb_call_spec_build(const privy_rb_call_spec *question, privy_request **out);
/* What the answer holds: a record, a Page or nil; for any request (NULL) a Privy::Response. */
VALUE privy_rb_result(const privy_operation *operation, privy_response *response);

/* ---- client.c ---- */

typedef struct privy_rb_client privy_rb_client;

privy_rb_client *privy_rb_client_get(VALUE client);
/* The core's client, for a call or group that begins. Raises when it is closed; else follow it by one leave. */
privy_client *privy_rb_client_enter(privy_rb_client *client);
/* Allocates nothing: the collector may call it. */
void privy_rb_client_leave(privy_rb_client *client);
/* What takes the events of its calls, or nil. Valid while the Privy::Core::Client is. */
VALUE privy_rb_client_observer(const privy_rb_client *client);
/* Checks the request. When it is invalid, reports that, unless the client is closed, and raises. */
void privy_rb_client_finish(privy_rb_client *client, privy_request *request, privy_error *error);
/* ---- group.c: a group may carry the core's bulk run, which it owns ---- */

/* Raises what the configuration is refused for. */
void privy_rb_group_begin_bulk(VALUE group, const privy_operation *operation, const privy_bulk_config *config);
/* Raises when the group is closed, in use, or the parent process's. */
privy_bulk *privy_rb_group_bulk(VALUE group);
/* Frees the run. */
void privy_rb_group_end_bulk(VALUE group);
/* Has the events of calls that start from now on kept, from the level on that the observer takes. */
void privy_rb_group_observe(VALUE group);
/* Reports the events that were kept. May raise what the observer lets through. */
void privy_rb_group_report(VALUE group);
/* Finishes a request for the group's client. Raises, after reporting it, what it is refused for. */
void privy_rb_group_finish(VALUE group, privy_request *request, privy_error *error);
/* False in the child of a fork, which may only forget it. */
bool privy_rb_group_is_ours(VALUE group);

/* ---- event.c: the observer is an object with `least` and `call`, or nil ---- */

/* From which level on the observer takes the events of a call that begins now. May raise. */
privy_level privy_rb_least_level(VALUE observer);
/* Reports one event. May raise what the observer lets through. */
void privy_rb_report(VALUE observer, const privy_trace_event *event);
/* Reports all events that the group has kept, then raises the first exception that the observer let through. */
void privy_rb_report_all(VALUE observer, privy_group *group);
/* Reports that the request was refused as `error` says. May raise what the observer lets through. */
void privy_rb_report_refusal(VALUE observer, privy_client *client, const privy_request *request,
                             const privy_error *error);

/* ---- errors.c ---- */

/* Name of the exception's class below Privy, "" when it is none of privy's. */
const char *privy_rb_error_name(privy_status code);
/* The error as an exception. */
VALUE privy_rb_exception(const privy_error *error);
/* Raises the error; the caller's clean-up (rb_ensure) clears the struct. */
NORETURN(void privy_rb_raise(const privy_error *error));
NORETURN(void privy_rb_raise_memory(void));
/* Raises Privy::Error: a setting that cannot be used. */
NORETURN(void privy_rb_raise_setting(const char *format, ...)) PRIVY_PRINTF(1, 2);
/* A frozen Array of Hashes with field and message. */
VALUE privy_rb_details(const privy_details *details);
/* Returns when status is PRIVY_OK, raises otherwise. */
void privy_rb_check(privy_status status, const privy_error *error);

/* ---- sandbox.c ---- */

/* The core's sandbox behind a Privy::Sandbox; TypeError for anything else. */
privy_sandbox *privy_rb_sandbox_get(VALUE sandbox);

/* ---- what core.c starts, in this order ---- */

void privy_rb_init_encode(void);
void privy_rb_init_request(void);
void privy_rb_init_convert(void);
void privy_rb_init_schema(void);
void privy_rb_init_errors(void);
void privy_rb_init_event(void);
void privy_rb_init_record(void);
void privy_rb_init_page(void);
void privy_rb_init_shown(void);
void privy_rb_init_settings(void);
void privy_rb_init_client(void);
void privy_rb_init_call(VALUE client_class);
void privy_rb_init_group(void);
void privy_rb_init_bulk(void);
void privy_rb_init_sandbox(void);
void privy_rb_init_served(void);

#endif
