#include "imports/blank.h"

#include "base/text.h"

/* Bytes of a space or line break at the start of the text; 0: none. */
static size_t space_front(privy_span text) {
  if (text.length == 0) return 0;
  const unsigned char byte = (unsigned char)text.text[0];
  if (byte <= ' ') return 1;
  if (byte < 0x80) return 0;
  if (privy_text_starts(text.text, text.length, "\xc2\xa0")) return 2;
  return privy_text_starts(text.text, text.length, "\xe2\x80\xaf") ||
                 privy_text_starts(text.text, text.length, "\xef\xbb\xbf")
             ? 3
             : 0;
}

static size_t space_back(privy_span text) {
  if (text.length && (unsigned char)text.text[text.length - 1] <= ' ') return 1;
  for (size_t back = 2; back <= 3 && back <= text.length; back++)
    if (space_front(privy_span_cut(text, text.length - back, 0)) == back) return back;
  return 0;
}

privy_span privy_clean(privy_span text) {
  for (size_t space; (space = space_front(text)) > 0;) text = privy_span_cut(text, space, 0);
  for (size_t space; (space = space_back(text)) > 0;) text = privy_span_cut(text, 0, space);
  return text;
}

bool privy_is_blank(privy_span text) {
  static const char *const words[] = {"", "-", "NULL", "N/A", "n/a", "#N/A", "NaN"};
  if (text.length > 4 || (text.length && !memchr("-Nn#", text.text[0], 4))) return text.length == 0;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (privy_text_is(text.text, text.length, words[i])) return true;
  return false;
}
