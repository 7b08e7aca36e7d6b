#include "binding.h"

#include <errno.h>
#include <ruby/thread.h>

/*
 * Privy::Core::Journal, the base class of Privy::Journal: the journal of bulk runs, to be read. A view that is in use
 * is closed when its last use ends.
 */

typedef struct journal {
  privy_journal_view *view; /* NULL: not opened, or closed and not in use */
  size_t used;
  bool closed;
} journal;

/* ---- life ---- */

static void journal_free(void *data) {
  privy_journal_view_free(((journal *)data)->view);
  xfree(data);
}

static size_t journal_size(const void *data) {
  (void)data;
  return sizeof(journal);
}

static const rb_data_type_t journal_type = {
    .wrap_struct_name = "Privy::Core::Journal",
    .function = {.dfree = journal_free, .dsize = journal_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE journal_allocate(VALUE klass) {
  journal *self;
  return TypedData_Make_Struct(klass, journal, &journal_type, self);
}

static journal *journal_get(VALUE self) {
  return rb_check_typeddata(self, &journal_type);
}

/* The view, until leave. Raises if the journal is closed. */
static privy_journal_view *enter(journal *self) {
  if (self->closed || !self->view) rb_raise(rb_eIOError, "the journal is closed");
  self->used++;
  return self->view;
}

static void leave(journal *self) {
  if (--self->used || !self->closed) return;
  privy_journal_view_free(self->view);
  self->view = NULL;
}

/* Raises the error, if there is one, and clears it. */
static void check(privy_status status, privy_error *error) {
  if (status == PRIVY_OK) return;
  VALUE exception = privy_rb_exception(error);
  privy_error_clear(error);
  rb_exc_raise(exception);
}

struct opening {
  const char *path;
  privy_journal_view *view;
  privy_status status;
  privy_error error;
};

static void *open_view(void *argument) {
  struct opening *opening = argument;
  opening->status = privy_journal_view_open(opening->path, &opening->view, &opening->error);
  return NULL;
}

/* core_open(path) */
static VALUE journal_open(VALUE object, VALUE given) {
  journal *self = journal_get(object);
  VALUE path = rb_get_path(given);
  struct opening opening = {.path = StringValueCStr(path)};
  if (self->view || self->closed) rb_raise(rb_eRuntimeError, "already initialized");
  privy_error_init(&opening.error);
  rb_thread_call_without_gvl(open_view, &opening, NULL, NULL);
  check(opening.status, &opening.error);
  self->view = opening.view;
  RB_GC_GUARD(path);
  return Qnil;
}

/* core_close */
static VALUE journal_close(VALUE object) {
  journal *self = journal_get(object);
  self->closed = true;
  self->used++;
  leave(self);
  return Qnil;
}

static VALUE journal_is_closed(VALUE object) {
  return journal_get(object)->closed ? Qtrue : Qfalse;
}

/* ---- the summary ---- */

struct summarizing {
  privy_journal_view *view;
  privy_journal_summary summary;
  privy_status status;
  privy_error error;
};

static void *summarize(void *argument) {
  struct summarizing *asked = argument;
  asked->status = privy_journal_view_summary(asked->view, &asked->summary, &asked->error);
  return NULL;
}

static void set(VALUE hash, const char *name, VALUE value) {
  rb_hash_aset(hash, ID2SYM(rb_intern(name)), value);
}

static VALUE counts_of(const privy_journal_summary *summary) {
  VALUE counts = rb_hash_new();
  for (int state = 0; state < PRIVY_JOURNAL_STATE_COUNT; state++)
    set(counts, privy_journal_state_name((privy_journal_state)state), ULL2NUM(summary->counts[state]));
  return rb_obj_freeze(counts);
}

#define NUMBERS(X) X(total) X(succeeded) X(failed) X(unsent) X(in_doubt) X(details) X(runs) X(killed) X(requests)

static VALUE summary_hash(const privy_journal_summary *summary) {
  VALUE hash = rb_hash_new();
  set(hash, "operation", privy_rb_text(summary->operation));
  set(hash, "server", privy_rb_text(summary->server));
  set(hash, "account_known", summary->account_known ? Qtrue : Qfalse);
  set(hash, "began", privy_rb_instant(summary->began));
  set(hash, "counts", counts_of(summary));
#define X(name) set(hash, #name, ULL2NUM(summary->name));
  NUMBERS(X)
#undef X
  set(hash, "seconds", DBL2NUM(summary->seconds));
  set(hash, "waited", DBL2NUM(summary->waited));
  set(hash, "finished", summary->finished ? Qtrue : Qfalse);
  set(hash, "stopped", *summary->stopped ? privy_rb_clean_text(summary->stopped, strlen(summary->stopped)) : Qnil);
  return hash;
}

/* core_summary → a Hash */
static VALUE journal_summary(VALUE object) {
  journal *self = journal_get(object);
  struct summarizing asked = {.view = enter(self)};
  privy_error_init(&asked.error);
  rb_thread_call_without_gvl(summarize, &asked, NULL, NULL);
  /* The texts of the view are copied before it can be closed. */
  const bool read = asked.status == PRIVY_OK;
  VALUE hash = read ? summary_hash(&asked.summary) : Qnil;
  leave(self);
  check(asked.status, &asked.error);
  return hash;
}

/* ---- entries ---- */

struct reading {
  journal *self;
  privy_journal_entries *entries;
  privy_entries_kind kind;
  privy_error error;
};

static VALUE text_or_nil(const char *text) {
  return text == NULL ? Qnil : privy_rb_clean_text(text, strlen(text));
}

/* [row, key, field, message, value, code, count, status, request] */
static VALUE refused_values(const privy_journal_entry *entry) {
  return rb_ary_new_from_args(9, ULL2NUM(entry->row), text_or_nil(entry->key), text_or_nil(entry->field),
                              text_or_nil(entry->message), privy_rb_convert(entry->value),
                              rb_str_intern(text_or_nil(entry->code)), entry->count < 0 ? Qnil : LL2NUM(entry->count),
                              entry->http_status == 0 ? Qnil : INT2NUM(entry->http_status),
                              privy_rb_convert(entry->request));
}

/* [row, key, idempotency key, time of the first request, whether it is too old, whether it is decided, request] */
static VALUE in_doubt_values(const privy_journal_entry *entry) {
  return rb_ary_new_from_args(7, ULL2NUM(entry->row), text_or_nil(entry->key), text_or_nil(entry->idempotency_key),
                              privy_rb_instant(entry->first_sent), entry->too_old ? Qtrue : Qfalse,
                              entry->decided ? Qtrue : Qfalse, privy_rb_convert(entry->request));
}

static VALUE read_body(VALUE argument) {
  struct reading *reading = (struct reading *)argument;
  privy_journal_entry entry;
  bool found = false;
  for (;;) {
    const privy_status status = privy_journal_entries_next(reading->entries, &entry, &found, &reading->error);
    check(status, &reading->error);
    if (!found) return Qnil;
    rb_yield(reading->kind == PRIVY_ENTRIES_REFUSED ? refused_values(&entry) : in_doubt_values(&entry));
  }
}

static VALUE read_clean(VALUE argument) {
  struct reading *reading = (struct reading *)argument;
  privy_journal_entries_free(reading->entries);
  leave(reading->self);
  return Qnil;
}

/* core_each(whether refused rows or those in doubt) { |values| } */
static VALUE journal_each(VALUE object, VALUE refused) {
  struct reading reading = {.self = journal_get(object)};
  privy_journal_view *view = enter(reading.self);
  reading.kind = RTEST(refused) ? PRIVY_ENTRIES_REFUSED : PRIVY_ENTRIES_IN_DOUBT;
  privy_error_init(&reading.error);
  if (privy_journal_entries_new(view, reading.kind, &reading.entries) != PRIVY_OK) {
    leave(reading.self);
    privy_rb_raise_memory();
  }
  rb_ensure(read_body, (VALUE)&reading, read_clean, (VALUE)&reading);
  RB_GC_GUARD(object);
  return Qnil;
}

/* ---- what writes ---- */

struct writing {
  privy_journal_view *view;
  const char *text; /* a path, or a key */
  privy_rejects_format format;
  int64_t row;
  privy_decision decision;
  uint64_t rows;
  int number;
  privy_status status;
  privy_error error;
};

static void *decide(void *argument) {
  struct writing *writing = argument;
  writing->status = privy_journal_view_decide(writing->view, writing->text, writing->row, writing->decision,
                                              &writing->rows, &writing->error);
  return NULL;
}

/* core_decide(key or nil, row or -1, whether to send) → number of rows */
static VALUE journal_decide(VALUE object, VALUE key, VALUE row, VALUE sends) {
  journal *self = journal_get(object);
  struct writing writing = {.text = NIL_P(key) ? NULL : StringValueCStr(key), .row = NUM2LL(row)};
  writing.decision = RTEST(sends) ? PRIVY_DECISION_SEND : PRIVY_DECISION_SKIP;
  writing.view = enter(self);
  privy_error_init(&writing.error);
  rb_thread_call_without_gvl(decide, &writing, NULL, NULL);
  leave(self);
  check(writing.status, &writing.error);
  RB_GC_GUARD(key);
  return ULL2NUM(writing.rows);
}

static void *write_rejects(void *argument) {
  struct writing *writing = argument;
  writing->status = privy_journal_view_write_rejects(writing->view, writing->text, writing->format, &writing->rows,
                                                     &writing->number, &writing->error);
  return NULL;
}

/* core_write_rejects(path, whether as CSV) → number of rows */
static VALUE journal_write_rejects(VALUE object, VALUE given, VALUE as_csv) {
  journal *self = journal_get(object);
  VALUE path = rb_get_path(given);
  struct writing writing = {.text = StringValueCStr(path), .view = enter(self)};
  writing.format = RTEST(as_csv) ? PRIVY_REJECTS_CSV : PRIVY_REJECTS_LINES;
  privy_error_init(&writing.error);
  rb_thread_call_without_gvl(write_rejects, &writing, NULL, NULL);
  leave(self);
  if (writing.number) {
    privy_error_clear(&writing.error);
    rb_syserr_fail_str(writing.number, path);
  }
  check(writing.status, &writing.error);
  return ULL2NUM(writing.rows);
}

void privy_rb_init_journal(void) {
  VALUE klass = rb_define_class_under(privy_rb_core, "Journal", rb_cObject);
  rb_define_alloc_func(klass, journal_allocate);
  rb_undef_method(klass, "initialize_copy");
  rb_define_private_method(klass, "core_open", journal_open, 1);
  rb_define_private_method(klass, "core_summary", journal_summary, 0);
  rb_define_private_method(klass, "core_each", journal_each, 1);
  rb_define_private_method(klass, "core_decide", journal_decide, 3);
  rb_define_private_method(klass, "core_write_rejects", journal_write_rejects, 2);
  rb_define_private_method(klass, "core_close", journal_close, 0);
  rb_define_private_method(klass, "core_closed?", journal_is_closed, 0);
}
