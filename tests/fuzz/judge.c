/*
 * Reads names of files, one per line, and prints a line for each: the JSON text in it, written again without spaces and
 * needless escapes, or "!" and what is wrong. tests/fuzz/differential.py holds this against another reader.
 */
#include <string.h>

#include "fuzz.h"

static void judge(const char *text, size_t length) {
  privy_value value;
  privy_error error;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  privy_error_init(&error);
  if (privy_value_parse(text, length, &value, &error) == PRIVY_OK) {
    fuzz_rewrite(value, &out);
    printf("%.*s\n", (int)out.length, out.data);
  } else {
    printf("!%s\n", error.message);
  }
  privy_buffer_clear(&out);
  privy_error_clear(&error);
}

static void read_whole(const char *name, privy_buffer *out) {
  char block[4096];
  FILE *file = fopen(name, "rb");
  HOLDS(file);
  for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;) HOLDS(privy_buffer_append(out, block, got));
  fclose(file);
}

int main(void) {
  char name[4096];
  while (fgets(name, sizeof name, stdin)) {
    privy_buffer text = PRIVY_BUFFER_EMPTY;
    name[strcspn(name, "\n")] = '\0';
    read_whole(name, &text);
    judge(text.data, text.length);
    privy_buffer_clear(&text);
  }
  return 0;
}
