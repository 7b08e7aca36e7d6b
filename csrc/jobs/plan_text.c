/* A plan as text for a person. E-mail addresses and phone numbers are masked. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "base/visible.h"
#include "jobs/plan.h"
#include "message/error.h"

/* Bytes of a value that a line shows. */
#define LONGEST_VALUE 60

/* ---- numbers ---- */

/* Appends a number with its thousands separated: "9,480". */
static bool number(privy_buffer *out, uint64_t value) {
  if (value < 1000) return privy_buffer_format(out, "%u", (unsigned)value);
  return number(out, value / 1000) && privy_buffer_format(out, ",%03u", (unsigned)(value % 1000));
}

static bool counted(privy_buffer *out, uint64_t count, const char *noun) {
  return number(out, count) && privy_buffer_format(out, " %s%s", noun, count == 1 ? "" : "s");
}

/* "45 s", "8 min", "2 h 47 min", "3 d 4 h" */
static bool duration(privy_buffer *out, double seconds) {
  const unsigned minutes = (unsigned)ceil(seconds / 60), hours = minutes / 60, days = hours / 24;
  if (seconds < 60) return privy_buffer_format(out, "%.0f s", ceil(seconds));
  if (hours == 0) return privy_buffer_format(out, "%u min", minutes);
  if (days == 0) return privy_buffer_format(out, "%u h %u min", hours, minutes % 60);
  return privy_buffer_format(out, "%u d %u h", days, hours % 24);
}

/* ---- values ---- */

/* Appends a value on one line, masked, and cut if it is long. */
static bool shown(privy_buffer *out, privy_value value) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  privy_writer writer;
  privy_writer_init(&writer, &text);
  privy_writer_value(&writer, value);
  bool done = !writer.failed;
  const bool cut = text.length > LONGEST_VALUE;
  privy_buffer masked = PRIVY_BUFFER_EMPTY;
  done = done && privy_mask(text.data, text.length, &masked) == PRIVY_OK;
  const size_t length =
      cut && masked.length > LONGEST_VALUE ? privy_utf8_whole(masked.data, LONGEST_VALUE) : masked.length;
  done = done && privy_buffer_visible(out, masked.data, length) && (!cut || privy_buffer_text(out, "…"));
  privy_buffer_clear(&text);
  privy_buffer_clear(&masked);
  return done;
}

static bool masked_text(privy_buffer *out, const char *text, size_t length) {
  privy_buffer masked = PRIVY_BUFFER_EMPTY;
  const bool done =
      privy_mask(text, length, &masked) == PRIVY_OK && privy_buffer_visible(out, masked.data, masked.length);
  privy_buffer_clear(&masked);
  return done;
}

/* The name of a member; extra fields may have any. */
static bool name_of(privy_buffer *out, privy_value key) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const bool done = privy_value_decode(key, &text) == PRIVY_OK && privy_buffer_visible(out, text.data, text.length);
  privy_buffer_clear(&text);
  return done;
}

/* ---- a row ---- */

/* The old and the new value of a change. */
static void split(privy_value change, privy_value *from, privy_value *to) {
  privy_cursor cursor;
  privy_value none;
  privy_cursor_init(&cursor, change);
  (void)privy_cursor_next(&cursor, &none, from);
  (void)privy_cursor_next(&cursor, &none, to);
}

static bool change(privy_buffer *out, privy_value key, privy_value values, bool with_old) {
  privy_value from, to;
  split(values, &from, &to);
  if (!name_of(out, key) || !privy_buffer_byte(out, ':') || !privy_buffer_byte(out, ' ')) return false;
  return (!with_old || (shown(out, from) && privy_buffer_text(out, " → "))) && shown(out, to);
}

static bool changes(privy_buffer *out, const privy_plan_row *row) {
  privy_cursor cursor;
  privy_value key, values;
  bool done = true;
  const size_t before = out->length;
  privy_cursor_init(&cursor, row->changes);
  while (done && privy_cursor_next(&cursor, &key, &values))
    done = (out->length == before || privy_buffer_text(out, ", ")) &&
           change(out, key, values, row->state != PRIVY_PLAN_CREATE);
  return done;
}

static bool details(privy_buffer *out, const privy_details *list) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const bool done = privy_error_list_details(&text, list) && masked_text(out, text.data, text.length);
  privy_buffer_clear(&text);
  return done;
}

privy_status privy_plan_row_text(const privy_plan_row *row, privy_buffer *out) {
  const bool explains = row->details->count;
  bool done = privy_buffer_text(out, "row ") && number(out, row->index);
  if (done && *row->key) done = privy_buffer_byte(out, ' ') && masked_text(out, row->key, strlen(row->key));
  if (done && (explains || row->changes.type == PRIVY_OBJECT)) done = privy_buffer_text(out, ": ");
  if (done) done = explains ? details(out, row->details) : changes(out, row);
  return done ? PRIVY_OK : PRIVY_NO_MEMORY;
}

/* ---- the plan ---- */

privy_status privy_plan_summary(const privy_plan *plan, privy_buffer *out) {
  privy_plan_counts counts;
  privy_plan_count(plan, &counts);
  if (plan->phase != PLAN_COMPLETE) return privy_buffer_text(out, "an incomplete plan") ? PRIVY_OK : PRIVY_NO_MEMORY;
  bool done = counted(out, counts.total, "row");
  for (size_t i = 0; done && i < PRIVY_PLAN_STATE_COUNT; i++)
    done = privy_buffer_text(out, i ? ", " : ": ") && number(out, counts.rows[i]) &&
           privy_buffer_format(out, " %s", privy_plan_state_name((privy_plan_state)i));
  return done ? PRIVY_OK : PRIVY_NO_MEMORY;
}

static bool costs(const privy_plan_counts *counts, privy_buffer *out) {
  bool done =
      privy_buffer_byte(out, '\n') && counted(out, counts->requests, "request") && privy_buffer_text(out, " to apply");
  if (done && counts->duration > 0) done = privy_buffer_text(out, ", in ") && duration(out, counts->duration);
  if (done && counts->duration < 0) done = privy_buffer_text(out, ", more than the day has left");
  if (!done || !privy_buffer_text(out, "; ")) return false;
  if (counts->from_snapshot) return privy_buffer_text(out, "contacts from the snapshot");
  return counted(out, counts->requests_read, "request") &&
         privy_buffer_text(out, counts->requests_read == 1 ? " was used to read" : " were used to read");
}

static bool rows_of(const privy_plan *plan, privy_plan_state state, uint64_t count, size_t most, privy_buffer *out) {
  privy_plan_row row;
  bool done = count == 0 || (privy_buffer_format(out, "\n\n%s (", privy_plan_state_name(state)) && number(out, count) &&
                             privy_buffer_byte(out, ')'));
  for (uint64_t i = 0; done && i < count && i < most; i++)
    done = privy_plan_row_of(plan, state, i, &row) && privy_buffer_text(out, "\n  ") &&
           privy_plan_row_text(&row, out) == PRIVY_OK;
  if (done && count > most)
    done = privy_buffer_text(out, "\n  … and ") && number(out, count - most) && privy_buffer_text(out, " more");
  return done;
}

privy_status privy_plan_text(const privy_plan *plan, size_t most, privy_buffer *out) {
  privy_plan_counts counts;
  privy_plan_count(plan, &counts);
  if (privy_plan_summary(plan, out) != PRIVY_OK) return PRIVY_NO_MEMORY;
  if (plan->phase != PLAN_COMPLETE) return PRIVY_OK;
  bool done = costs(&counts, out);
  for (size_t i = 0; done && i < PRIVY_PLAN_STATE_COUNT; i++)
    if (i != PRIVY_PLAN_UNCHANGED) done = rows_of(plan, (privy_plan_state)i, counts.rows[i], most, out);
  return done ? PRIVY_OK : PRIVY_NO_MEMORY;
}
