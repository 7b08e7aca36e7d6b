/*
 * curl_loop URL HEADERS: libcurl alone, as little around it as can be: one easy handle, set up once, performed again
 * and again. HEADERS is a file with the header lines to send, so that the bytes on the wire are those of privy's
 * requests.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

static CURL *easy;
static char body[1 << 16];
static size_t body_length;

static size_t on_body(char *data, size_t size, size_t count, void *context) {
  (void)context;
  if (size * count > sizeof body - body_length) return 0;
  memcpy(body + body_length, data, size * count);
  body_length += size * count;
  return size * count;
}

static void work(void) {
  body_length = 0;
  if (curl_easy_perform(easy) != CURLE_OK) worker_fail("the transfer failed");
}

static void respond(void) {
  work();
  printf("%.*s\n", (int)body_length, body);
}

static struct curl_slist *read_headers(const char *path) {
  size_t length;
  char *text = worker_read_file(path, &length);
  struct curl_slist *headers = NULL;
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) headers = curl_slist_append(headers, line);
  free(text);
  return headers;
}

int main(int count, char **arguments) {
  if (count != 3) worker_fail("usage: curl_loop URL HEADERS");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  struct curl_slist *headers = read_headers(arguments[2]);
  easy = curl_easy_init();
  if (!easy || !headers) worker_fail("no memory");
  curl_easy_setopt(easy, CURLOPT_URL, arguments[1]);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  int result = worker_main(work, respond);
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return result;
}
