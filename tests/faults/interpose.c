/*
 * Preloaded into a client's process, it stands between the client and its host:
 *
 *   INTERPOSE_CAPATH, INTERPOSE_AUTHORITY   every certificate looked up in this folder by its hash is that file; any
 *                                           other file of the folder is INTERPOSE_BUNDLE
 *   INTERPOSE_NO_NAMES                      no name of a host resolves
 *   INTERPOSE_NO_LIBCURL                    there is no libcurl
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void *next(const char *name) {
  return dlsym(RTLD_NEXT, name);
}

static const char *place_of(const char *path) {
  const char *folder = getenv("INTERPOSE_CAPATH"), *dot = path ? strrchr(path, '.') : NULL;
  if (!folder || !path || strncmp(path, folder, strlen(folder)) != 0 || path[strlen(folder)] != '/') return path;
  if (dot && strcmp(dot, ".0") == 0) return getenv("INTERPOSE_AUTHORITY");
  return dot && strcmp(dot, ".1") == 0 ? path : getenv("INTERPOSE_BUNDLE");
}

FILE *fopen(const char *path, const char *mode) {
  FILE *(*real)(const char *, const char *) = next("fopen");
  return real(place_of(path), mode);
}

FILE *fopen64(const char *path, const char *mode) {
  FILE *(*real)(const char *, const char *) = next("fopen64");
  return real(place_of(path), mode);
}

int stat(const char *path, struct stat *out) {
  int (*real)(const char *, struct stat *) = next("stat");
  return real(place_of(path), out);
}

int stat64(const char *path, struct stat64 *out) {
  int (*real)(const char *, struct stat64 *) = next("stat64");
  return real(place_of(path), out);
}

/* OpenSSL 3.5 looks at the link. */
int lstat(const char *path, struct stat *out) {
  int (*real)(const char *, struct stat *) = next("lstat");
  return real(place_of(path), out);
}

int lstat64(const char *path, struct stat64 *out) {
  int (*real)(const char *, struct stat64 *) = next("lstat64");
  return real(place_of(path), out);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = next("getaddrinfo");
  return getenv("INTERPOSE_NO_NAMES") ? EAI_NONAME : real(name, service, hints, out);
}

static _Thread_local int refused;

void *dlopen(const char *path, int flags) {
  void *(*real)(const char *, int) = next("dlopen");
  refused = path && getenv("INTERPOSE_NO_LIBCURL") && strstr(path, "libcurl");
  return refused ? NULL : real(path, flags);
}

char *dlerror(void) {
  static char message[] = "libcurl.so.4: cannot open shared object file: No such file or directory";
  char *(*real)(void) = next("dlerror");
  return refused ? message : real();
}
