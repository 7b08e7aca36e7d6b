#include "base/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *privy_library_open(const char *const *names, size_t count, char *reason, size_t size) {
  void *library = NULL;
  for (size_t i = 0; !library && i < count; i++) {
    library = dlopen(names[i], RTLD_NOW);
    if (!library && i == 0) snprintf(reason, size, "%s", dlerror());
  }
  return library;
}

/* dlsym returns a function as a pointer to an object, hence memcpy. */
bool privy_library_find(void *library, const char *name, void *out) {
  void *symbol = dlsym(library, name);
  memcpy(out, &symbol, sizeof symbol);
  return symbol;
}
