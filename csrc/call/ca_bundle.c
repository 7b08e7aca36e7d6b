#define _POSIX_C_SOURCE 200809L

#include "call/ca_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "privy.h"

/* Bytes; longer lines are read in parts. */
#define LINE 256

static const char *open_error_message(int code) {
  switch (code) {
  case ENOENT:
  case ENOTDIR: return "does not exist";
  case EACCES:
  case EPERM: return "may not be read";
  default: return "cannot be opened";
  }
}

/* Also accepts BEGIN TRUSTED CERTIFICATE and BEGIN X509 CERTIFICATE. */
static bool has_certificate(FILE *file) {
  char line[LINE];
  while (fgets(line, sizeof line, file))
    if (strncmp(line, "-----BEGIN ", 11) == 0 && strstr(line, "CERTIFICATE-----")) return true;
  return false;
}

const char *privy_ca_bundle_error_message(const char *path) {
  struct stat about;
  int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* does not block at a pipe without a writer */
  if (descriptor < 0) return open_error_message(errno);
  if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
    close(descriptor);
    return "is not a file";
  }
  FILE *file = fdopen(descriptor, "r");
  if (!file) {
    close(descriptor);
    return "cannot be opened";
  }
  const char *detail = has_certificate(file) ? NULL : "holds no certificate in PEM form";
  fclose(file);
  return detail;
}

const char *privy_ca_file_problem(const char *path) {
  return privy_ca_bundle_error_message(path);
}
