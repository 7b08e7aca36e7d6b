#include "binding.h"

void Init_core(void);
RUBY_FUNC_EXPORTED void Init_core(void) {
  /* Globals are set here and never change; no object of the extension is shareable between Ractors. */
  rb_ext_ractor_safe(true);
  rb_require("bigdecimal");
  privy_rb_init_binding();
  privy_rb_init_text();
  privy_rb_init_errors();
  privy_rb_init_encode();
  privy_rb_init_convert();
  privy_rb_init_schema();
  privy_rb_init_request();
  privy_rb_init_call_event();
  privy_rb_init_record();
  privy_rb_init_settings();
  privy_rb_init_client();
  privy_rb_init_call();
  privy_rb_init_page();
  privy_rb_init_group();
  privy_rb_init_plan();
  privy_rb_init_export();
  privy_rb_init_bulk();
  privy_rb_init_import();
  privy_rb_init_journal();
  privy_rb_init_sandbox();
  privy_rb_init_sandbox_connection();
}
