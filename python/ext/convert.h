/* Values of answers as Python objects. All return a new reference, or NULL with an exception. */
#ifndef PRIVY_PYTHON_CONVERT_H
#define PRIVY_PYTHON_CONVERT_H

#include "state.h"

/* The value of a field, by the kind that its table gives: str, int, Decimal, bool, aware datetime, tuple, read-only
 * mapping, None. A value that does not fit its kind comes as what it is. Mappings hold a reference to the response in
 * which the value lies. */
PyObject *convert_field(core_state *state, privy_response *response, const privy_field_info *info, privy_value value);
/* Any JSON: objects become read-only mappings, arrays tuples, integral numbers int, others Decimal. */
PyObject *convert_any(core_state *state, privy_response *response, privy_value value);
/* The text of a string value. */
PyObject *convert_text(privy_value value);
/* The same for a string that may well come again, as keys and labels do: the one that came last is kept. */
PyObject *convert_label(core_state *state, privy_value value);
/* UTF-8 that may be NULL (None) or not quite UTF-8 (replaced). */
PyObject *convert_words(const char *text);
/* Lets go of what is kept for values to come. */
void convert_forget(core_state *state);
/* A copy whose mappings are dict and whose tuples are list. */
PyObject *convert_thaw(const core_state *state, PyObject *value);
/* The values of a JSON text as plain ones: dict, list, str, int, float, bool, None. Takes over `text`, which may be
 * NULL with an exception. */
PyObject *convert_read_json(core_state *state, PyObject *text);
/* A copy with tuples for tuples in which whatever looks like an e-mail address or a phone number is masked. */
PyObject *convert_mask(const core_state *state, PyObject *value);

#endif
