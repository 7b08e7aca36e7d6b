#include "binding.h"

/* The core's tables as Hashes and Arrays, for tests and tools. */

static const char *const kind_names[] = {
    [PRIVY_KIND_STRING] = "string",   [PRIVY_KIND_INTEGER] = "integer", [PRIVY_KIND_MONEY] = "money",
    [PRIVY_KIND_BOOLEAN] = "boolean", [PRIVY_KIND_TIME] = "time",       [PRIVY_KIND_ENUM] = "enum",
    [PRIVY_KIND_STRINGS] = "strings", [PRIVY_KIND_FLAT] = "flat",       [PRIVY_KIND_ANY] = "any",
    [PRIVY_KIND_OBJECT] = "object",   [PRIVY_KIND_OBJECTS] = "objects", [PRIVY_KIND_ORDER_ID] = "integer_or_digits",
};

static void set(VALUE hash, const char *name, VALUE value) {
  rb_hash_aset(hash, ID2SYM(rb_intern(name)), value);
}

static VALUE symbol_or_nil(const char *text) {
  return text == NULL ? Qnil : ID2SYM(rb_intern(text));
}

static VALUE describe_field(const privy_field_info *field, bool parameter) {
  VALUE hash = rb_hash_new();
  set(hash, "name", symbol_or_nil(field->name));
  set(hash, "kind", symbol_or_nil(kind_names[field->kind]));
  set(hash, "doc", privy_rb_text(field->doc));
  if (field->enum_values != NULL) set(hash, "choices", symbol_or_nil(privy_enum_name(field->enum_values)));
  if (field->object != NULL) set(hash, "object", symbol_or_nil(privy_object_name(field->object)));
  if (parameter) {
    set(hash, "required", field->required ? Qtrue : Qfalse);
    set(hash, "nullable", field->nullable ? Qtrue : Qfalse);
    set(hash, "row_key", field->row_key ? Qtrue : Qfalse);
  }
  return hash;
}

static void collect_enum(VALUE enums, const privy_enum *enum_values) {
  if (enum_values == NULL) return;
  VALUE values = rb_ary_new();
  for (size_t index = 0; index < privy_enum_count(enum_values); index++) {
    rb_ary_push(values, privy_rb_text(privy_enum_value(enum_values, index)));
  }
  set(enums, privy_enum_name(enum_values), values);
}

static VALUE describe_object(const privy_object *object, VALUE enums) {
  privy_field_info field;
  VALUE hash = rb_hash_new();
  VALUE fields = rb_ary_new();
  for (size_t index = 0; privy_object_field(object, index, &field); index++) {
    rb_ary_push(fields, describe_field(&field, false));
    collect_enum(enums, field.enum_values);
  }
  set(hash, "name", symbol_or_nil(privy_object_name(object)));
  set(hash, "doc", privy_rb_text(privy_object_doc(object)));
  set(hash, "fields", fields);
  return hash;
}

static VALUE describe_params(const privy_operation *operation, VALUE enums) {
  privy_field_info field;
  VALUE params = rb_ary_new();
  for (size_t index = 0; privy_operation_param(operation, index, &field); index++) {
    rb_ary_push(params, describe_field(&field, true));
    collect_enum(enums, field.enum_values);
  }
  return params;
}

static VALUE describe_operation(const privy_operation *operation, VALUE enums) {
  VALUE hash = rb_hash_new();
  const privy_object *object = privy_operation_object(operation);
  set(hash, "name", privy_rb_text(privy_operation_name(operation)));
  set(hash, "method", privy_rb_text(privy_operation_method(operation)));
  set(hash, "path", privy_rb_text(privy_operation_path(operation)));
  set(hash, "scope", privy_rb_text(privy_operation_scope(operation)));
  set(hash, "doc", privy_rb_text(privy_operation_doc(operation)));
  set(hash, "deprecation", privy_rb_text(privy_operation_deprecation(operation)));
  set(hash, "object", symbol_or_nil(object == NULL ? NULL : privy_object_name(object)));
  set(hash, "paged", privy_operation_paged(operation) ? Qtrue : Qfalse);
  set(hash, "params", describe_params(operation, enums));
  return hash;
}

static VALUE describe_errors(void) {
  VALUE errors = rb_ary_new();
  for (int code = PRIVY_CONFIG_ERROR; code < PRIVY_STATUS_COUNT; code++) {
    const privy_error_info *info = privy_error_describe((privy_status)code);
    const char *parent = info->parent == PRIVY_OK ? NULL : privy_error_describe(info->parent)->name;
    if (info->name[0] == '\0') continue;
    VALUE hash = rb_hash_new();
    set(hash, "name", symbol_or_nil(info->name));
    set(hash, "parent", symbol_or_nil(parent));
    set(hash, "http_status", INT2NUM(info->http_status));
    set(hash, "doc", privy_rb_text(info->doc));
    rb_ary_push(errors, hash);
  }
  return errors;
}

static VALUE describe_codes(void) {
  VALUE codes = rb_ary_new();
  const privy_detail_code_info *info;
  for (size_t index = 0; (info = privy_detail_code_at(index)) != NULL; index++) {
    VALUE hash = rb_hash_new();
    set(hash, "code", symbol_or_nil(info->code));
    set(hash, "counts", info->counts ? Qtrue : Qfalse);
    set(hash, "doc", privy_rb_text(info->doc));
    rb_ary_push(codes, hash);
  }
  return codes;
}

static VALUE core_schema(VALUE self) {
  VALUE schema = rb_hash_new(), enums = rb_hash_new();
  VALUE objects = rb_ary_new(), operations = rb_ary_new();
  const privy_object *object;
  const privy_operation *operation;
  (void)self;
  for (size_t index = 0; (object = privy_object_at(index)) != NULL; index++) {
    rb_ary_push(objects, describe_object(object, enums));
  }
  for (size_t index = 0; (operation = privy_operation_at(index)) != NULL; index++) {
    rb_ary_push(operations, describe_operation(operation, enums));
  }
  set(schema, "operations", operations);
  set(schema, "objects", objects);
  set(schema, "enums", enums);
  set(schema, "errors", describe_errors());
  set(schema, "codes", describe_codes());
  return schema;
}

/* deprecation(operation) → why it is deprecated, nil when it is not */
static VALUE core_deprecation(VALUE self, VALUE name) {
  (void)self;
  const privy_operation *operation = privy_operation_find(StringValueCStr(name));
  if (operation == NULL) rb_raise(rb_eArgError, "no operation %" PRIsVALUE, name);
  return privy_rb_text(privy_operation_deprecation(operation));
}

/* row_keys(operation) → the parameters that identify a row of a bulk run, as Symbols */
static VALUE core_row_keys(VALUE self, VALUE name) {
  const privy_operation *operation = privy_rb_operation(name);
  privy_field_info field;
  VALUE names = rb_ary_new();
  (void)self;
  for (size_t index = 0; privy_operation_param(operation, index, &field); index++) {
    if (field.row_key) rb_ary_push(names, symbol_or_nil(field.name));
  }
  return rb_obj_freeze(names);
}

/* probes → the requests that try a scope: [scope, method, path with query, whether its body is the empty object] */
static VALUE core_probes(VALUE self) {
  VALUE list = rb_ary_new();
  privy_probe probe;
  (void)self;
  for (size_t index = 0; privy_probe_at(index, &probe); index++) {
    VALUE target = privy_rb_text(probe.path);
    if (*probe.query) target = rb_sprintf("%s?%s", probe.path, probe.query);
    rb_ary_push(list, rb_ary_new_from_args(4, privy_rb_text(probe.scope), privy_rb_text(probe.method), target,
                                           probe.has_body ? Qtrue : Qfalse));
  }
  return list;
}

void privy_rb_init_schema(void) {
  rb_define_module_function(privy_rb_core, "probes", core_probes, 0);
  rb_define_module_function(privy_rb_core, "schema", core_schema, 0);
  rb_define_module_function(privy_rb_core, "row_keys", core_row_keys, 1);
  rb_define_module_function(privy_rb_core, "deprecation", core_deprecation, 1);
}
