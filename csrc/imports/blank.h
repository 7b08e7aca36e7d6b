/* Spaces around values, and what counts as no value. */
#ifndef PRIVY_IMPORTS_BLANK_H
#define PRIVY_IMPORTS_BLANK_H

#include "privy_imports.h"

/* Without bytes at its front and its back. */
static inline privy_span privy_span_cut(privy_span text, size_t front, size_t back) {
  return (privy_span){text.text + front, text.length - front - back};
}
/* Without spaces and line breaks at both ends, those of typesetters included. */
privy_span privy_clean(privy_span text);
/* Whether a cell without surrounding spaces has no value: it is empty, or a word for that such as N/A. */
bool privy_is_blank(privy_span text);

#endif
