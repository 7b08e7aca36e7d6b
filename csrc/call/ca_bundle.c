#define _POSIX_C_SOURCE 200809L

#include "call/ca_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longer lines are read in pieces. */
#define LINE 256

static const char *open_fault(int code) {
  switch (code) {
  case ENOENT:
  case ENOTDIR: return "does not exist";
  case EACCES:
  case EPERM: return "may not be read";
  default: return "cannot be opened";
  }
}

/* Also for BEGIN TRUSTED CERTIFICATE and BEGIN X509 CERTIFICATE. */
static bool holds_certificate(FILE *file) {
  char line[LINE];
  while (fgets(line, sizeof line, file))
    if (strncmp(line, "-----BEGIN ", 11) == 0 && strstr(line, "CERTIFICATE-----")) return true;
  return false;
}

const char *privy_ca_bundle_error_message(const char *path) {
  struct stat about;
  int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe without a writer would block */
  if (descriptor < 0) return open_fault(errno);
  if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
    close(descriptor);
    return "is not a file";
  }
  FILE *file = fdopen(descriptor, "r");
  if (!file) {
    close(descriptor);
    return "cannot be opened";
  }
  const char *detail = holds_certificate(file) ? NULL : "holds no certificate in PEM form";
  fclose(file);
  return detail;
}
