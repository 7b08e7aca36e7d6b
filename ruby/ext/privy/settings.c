#include "binding.h"

#include <math.h>

/* Settings and options from Ruby values. The core checks them. */

/* Bytes of the largest Integer to convert: Ruby warns when an Integer exceeds the range of Float. */
#define LONGEST_INTEGER 127

static ID id_is_a, id_to_f, id_job, names[PRIVY_SETTING_COUNT];

struct refusal {
  privy_error error;
};

static VALUE refusal_body(VALUE argument) {
  privy_rb_raise(&((struct refusal *)argument)->error);
}

static VALUE refusal_clean(VALUE argument) {
  privy_error_clear(&((struct refusal *)argument)->error);
  return Qnil;
}

/* Returns when status is PRIVY_OK; else clears and raises the error. */
static void check(privy_status status, struct refusal *refusal) {
  if (status != PRIVY_OK) rb_ensure(refusal_body, (VALUE)refusal, refusal_clean, (VALUE)refusal);
}

/* A Numeric, or an object whose is_a? says so, such as ActiveSupport::Duration. */
static bool is_number(VALUE value) {
  if (RTEST(rb_obj_is_kind_of(value, rb_cNumeric))) return true;
  return rb_respond_to(value, id_is_a) && RTEST(rb_funcall(value, id_is_a, 1, rb_cNumeric));
}

/* The number of a value, also from text; NaN when it is not a number. */
static double number_of(VALUE value) {
  if (RB_TYPE_P(value, T_STRING)) return privy_setting_number(RSTRING_PTR(value), (size_t)RSTRING_LEN(value));
  if (!is_number(value) || !rb_respond_to(value, id_to_f)) return NAN;
  if (RB_TYPE_P(value, T_BIGNUM) && rb_absint_size(value, NULL) > LONGEST_INTEGER) return NAN;
  VALUE number = rb_funcall(value, id_to_f, 0);
  return RB_FLOAT_TYPE_P(number) ? RFLOAT_VALUE(number) : NAN;
}

static VALUE number_setting(VALUE settings, int setting) {
  return rb_hash_lookup(settings, ID2SYM(names[setting]));
}

static bool is_option(int setting) {
  return setting < PRIVY_OPTION_COUNT || setting == PRIVY_SETTING_RESERVE;
}

privy_options privy_rb_options_over(VALUE given, privy_options options) {
  if (NIL_P(given)) return options;
  Check_Type(given, T_HASH);
  struct refusal refusal;
  privy_error_init(&refusal.error);
  for (int setting = 0; setting < PRIVY_SETTING_CONCURRENCY && !RHASH_EMPTY_P(given); setting++) {
    VALUE value = is_option(setting) ? number_setting(given, setting) : Qnil;
    if (NIL_P(value)) continue;
    double number = number_of(value);
    check(privy_options_set(&options, (privy_setting)setting, number, &refusal.error), &refusal);
  }
  return options;
}

privy_options privy_rb_options(VALUE given) {
  return privy_rb_options_over(given, (privy_options){0});
}

privy_options privy_rb_call_options(VALUE given) {
  privy_options options = {0};
  if (RTEST(rb_thread_local_aref(rb_thread_current(), id_job))) privy_options_defer(&options);
  return privy_rb_options_over(given, options);
}

/* job_backoff(failure, random) → seconds until a job runs again after its nth failure */
static VALUE core_job_backoff(VALUE self, VALUE failure, VALUE random) {
  (void)self;
  return DBL2NUM(privy_job_backoff(NUM2INT(failure), NUM2DBL(random)));
}

void privy_rb_numbers(VALUE settings, privy_config *config) {
  struct refusal refusal;
  privy_error_init(&refusal.error);
  for (int setting = 0; setting < PRIVY_SETTING_CONCURRENCY; setting++) {
    VALUE value = number_setting(settings, setting);
    if (NIL_P(value)) continue;
    double number = number_of(value);
    check(privy_config_set(config, (privy_setting)setting, number, &refusal.error), &refusal);
  }
}

void privy_rb_concurrency(VALUE value, privy_bulk_config *config) {
  struct refusal refusal;
  privy_error_init(&refusal.error);
  if (!NIL_P(value)) check(privy_bulk_config_concurrency(config, number_of(value), &refusal.error), &refusal);
}

static VALUE run_setting(VALUE settings, const char *name) {
  return rb_hash_lookup(settings, ID2SYM(rb_intern(name)));
}

void privy_rb_run_settings(VALUE settings, privy_bulk_config *config) {
  Check_Type(settings, T_HASH);
  VALUE journal = run_setting(settings, "journal"), until = run_setting(settings, "until");
  config->journal = NIL_P(journal) ? NULL : StringValueCStr(journal);
  config->resume = (privy_resume)NUM2INT(run_setting(settings, "resume"));
  config->on_spent_day = (privy_spent_day)NUM2INT(run_setting(settings, "on_spent_day"));
  if (!NIL_P(until)) config->until = NUM2DBL(until);
}

const char *privy_rb_text_setting(VALUE settings, const char *name) {
  VALUE value = rb_hash_lookup(settings, ID2SYM(rb_intern(name)));
  if (NIL_P(value)) return NULL;
  struct refusal refusal;
  privy_error_init(&refusal.error);
  bool text = RB_TYPE_P(value, T_STRING);
  check(privy_setting_check_text(name, text ? RSTRING_PTR(value) : NULL, text ? (size_t)RSTRING_LEN(value) : 0,
                                 &refusal.error),
        &refusal);
  return StringValueCStr(value);
}

int privy_rb_flag_setting(VALUE settings, const char *name) {
  VALUE value = rb_hash_lookup(settings, ID2SYM(rb_intern(name)));
  struct refusal refusal;
  privy_error_init(&refusal.error);
  if (NIL_P(value)) return -1;
  if (value != Qtrue && value != Qfalse) check(privy_setting_refuse_flag(name, &refusal.error), &refusal);
  return value == Qtrue;
}

void privy_rb_init_settings(void) {
  id_is_a = rb_intern("is_a?");
  id_to_f = rb_intern("to_f");
  id_job = rb_intern("privy_job"); /* local to a fiber: see Privy::JobScope */
  rb_define_module_function(privy_rb_core, "job_backoff", core_job_backoff, 2);
  for (int setting = 0; setting < PRIVY_SETTING_COUNT; setting++) {
    names[setting] = rb_intern(privy_setting_name((privy_setting)setting));
  }
}
