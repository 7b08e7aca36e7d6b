#include "call/trace_event.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Seconds from which on a wait has the level info. */
#define LONG_WAIT 1.0

const char *privy_trace_kind_name(privy_trace_kind kind) {
  static const char *const names[] = {
#define X(kind, name, doc) name,
      PRIVY_TRACE_EVENTS(X)
#undef X
  };
  return names[kind];
}

/* ---- levels ---- */

const char *privy_level_name(privy_level level) {
  static const char *const names[] = {
#define X(level, name) name,
      PRIVY_LEVELS(X)
#undef X
  };
  return names[level];
}

privy_level privy_trace_level_of(privy_trace_kind kind, privy_status failure, double seconds) {
  if (kind == PRIVY_TRACE_REFUSED) return failure == PRIVY_RATE_LIMIT ? PRIVY_LEVEL_WARNING : PRIVY_LEVEL_DEBUG;
  if (kind == PRIVY_TRACE_RETRY) return PRIVY_LEVEL_INFO;
  return kind == PRIVY_TRACE_WAIT && seconds >= LONG_WAIT ? PRIVY_LEVEL_INFO : PRIVY_LEVEL_DEBUG;
}

privy_level privy_trace_level(const privy_trace_event *event) {
  return privy_trace_level_of(event->kind, event->failure, event->seconds);
}

/* ---- the line ---- */

typedef struct line {
  char *text;
  size_t length;
} line;

static void add(line *out, const char *format, ...) PRIVY_PRINTF(2, 3);

/* Appends text, cut at the end of the line. */
static void add(line *out, const char *format, ...) {
  size_t capacity = PRIVY_TRACE_LINE - out->length;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(out->text + out->length, capacity, format, arguments);
  va_end(arguments);
  if (length > 0) out->length += (size_t)length < capacity ? (size_t)length : capacity - 1;
}

/* "503 ServerError", or one of them, or `otherwise`. */
static void add_result(line *out, const privy_trace_event *event, const char *otherwise) {
  const char *name = privy_error_describe(event->failure)->name;
  if (event->http_status) add(out, "%d%s", event->http_status, *name ? " " : "");
  if (*name || !event->http_status) add(out, "%s", *name ? name : otherwise);
}

static void add_end(line *out, const privy_trace_event *event) {
  add(out, "ended with ");
  add_result(out, event, *event->reason ? "no result" : "success");
  add(out, " after %d request%s and %.3f s", event->attempt, event->attempt == 1 ? "" : "s", event->total);
  if (event->waited > 0) add(out, ", %.3f s of them waiting", event->waited);
  if (*event->reason) add(out, ": %s", event->reason);
}

static void add_attempt(line *out, const privy_trace_event *event) {
  add(out, "%s %s, attempt %d: ", event->method, event->path, event->attempt);
  switch (event->kind) {
  case PRIVY_TRACE_REQUEST: add(out, "sent"); break;
  case PRIVY_TRACE_RESPONSE:
    add_result(out, event, "");
    add(out, " in %.3f s", event->total);
    break;
  case PRIVY_TRACE_FAILURE:
    add_result(out, event, "stopped");
    add(out, " after %.3f s: %s", event->total, event->reason);
    break;
  case PRIVY_TRACE_RETRY:
    add(out, "retry in %.3f s after ", event->seconds);
    add_result(out, event, "a failure");
    break;
  default: add(out, "new token, valid for %.0f s", event->seconds);
  }
}

static void add_budget(line *out, const privy_trace_event *event) {
  bool minute = event->minute_left >= 0, day = event->day_left >= 0;
  if (!minute && !day) return;
  add(out, ", ");
  if (minute) add(out, "%" PRId64 " of the minute", event->minute_left);
  if (day) add(out, "%s%" PRId64 " of the day", minute ? " and " : "", event->day_left);
  add(out, " left");
}

/* Keeps the event in one line: the text of a transport may contain any byte. */
static void blank_controls(char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7f) *text = ' ';
}

void privy_trace_line(const privy_trace_event *event, char text[PRIVY_TRACE_LINE]) {
  line out = {text, 0};
  add(&out, "%s, call %" PRIu64 ": ", event->operation, event->call);
  switch (event->kind) {
  case PRIVY_TRACE_START: add(&out, "started"); break;
  case PRIVY_TRACE_END: add_end(&out, event); break;
  case PRIVY_TRACE_WAIT:
    add(&out, "waits %.3f s for the account's budget", event->seconds);
    add_budget(&out, event);
    break;
  case PRIVY_TRACE_REFUSED: add(&out, "refused: %s", event->reason); break;
  default: add_attempt(&out, event); add_budget(&out, event);
  }
  blank_controls(text);
}

/* ---- attributes ---- */

static privy_trace_attribute word(const char *name, const char *text) {
  return (privy_trace_attribute){.name = name, .type = PRIVY_TRACE_WORD, .text = text};
}

static privy_trace_attribute text(const char *name, const char *text) {
  return (privy_trace_attribute){.name = name, .type = PRIVY_TRACE_TEXT, .text = text};
}

static privy_trace_attribute text_if(const char *name, const char *words) {
  return *words ? text(name, words) : (privy_trace_attribute){.name = name};
}

static privy_trace_attribute number(const char *name, int64_t number) {
  return (privy_trace_attribute){.name = name, .type = PRIVY_TRACE_NUMBER, .number = number};
}

static privy_trace_attribute number_if(const char *name, bool known, int64_t value) {
  return known ? number(name, value) : (privy_trace_attribute){.name = name};
}

static privy_trace_attribute seconds(const char *name, double seconds) {
  privy_trace_type type = seconds < 0 ? PRIVY_TRACE_NOTHING : PRIVY_TRACE_SECONDS;
  return (privy_trace_attribute){.name = name, .type = type, .seconds = seconds};
}

static privy_trace_attribute flag(const char *name, int flag) {
  privy_trace_type type = flag < 0 ? PRIVY_TRACE_NOTHING : PRIVY_TRACE_FLAG;
  return (privy_trace_attribute){.name = name, .type = type, .number = flag};
}

static privy_trace_attribute error(const char *name, privy_status failure) {
  privy_trace_type type = *privy_error_describe(failure)->name ? PRIVY_TRACE_ERROR : PRIVY_TRACE_NOTHING;
  return (privy_trace_attribute){.name = name, .type = type, .number = failure};
}

void privy_trace_attributes(const privy_trace_event *event, privy_trace_attribute out[PRIVY_TRACE_ATTRIBUTES]) {
  const privy_trace_attribute all[] = {
      word("kind", privy_trace_kind_name(event->kind)),
      word("level", privy_level_name(privy_trace_level(event))),
      number("call", (int64_t)event->call),
      text("operation", event->operation),
      text("method", event->method),
      text("path", event->path),
      number("attempt", event->attempt),
      number_if("status", event->http_status != 0, event->http_status),
      error("error", event->failure),
      text_if("reason", event->reason),
      text_if("request_id", event->request_id),
      seconds("seconds", event->seconds),
      seconds("waited", event->waited),
      seconds("lookup", event->lookup),
      seconds("connect", event->connect),
      seconds("tls", event->tls),
      seconds("first_byte", event->first_byte),
      seconds("total", event->total),
      number_if("bytes_sent", event->bytes_sent >= 0, event->bytes_sent),
      number_if("bytes_received", event->bytes_received >= 0, event->bytes_received),
      flag("reused", event->reused),
      number_if("minute_left", event->minute_left >= 0, event->minute_left),
      number_if("day_left", event->day_left >= 0, event->day_left),
      text_if("idempotency_key", event->idempotency_key),
      flag("created", event->created),
      flag("replay", event->replay),
      number_if("row_index", event->row >= 0, event->row),
      flag("sandbox", event->sandbox),
  };
  static_assert(sizeof all == PRIVY_TRACE_ATTRIBUTES * sizeof *all, "one row for each attribute");
  memcpy(out, all, sizeof all);
}
