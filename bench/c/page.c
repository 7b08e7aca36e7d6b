/* page FILE: the core reads an answer with a page of contacts: bytes into checked records. The copy that stands for
 * what the network delivers is part of the work, as it is in yyjson's reader. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "privy.h"
#include "worker.h"

static const privy_operation *operation;
static char *text;
static size_t length;

static privy_response *read_page(void) {
  privy_buffer body = {privy_alloc(length + 1), length, length + 1};
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  if (!body.data) worker_fail("no memory");
  memcpy(body.data, text, length);
  if (privy_response_parse(operation, 200, "", 0, &body, &response, &error) != PRIVY_OK) worker_fail(error.message);
  return response;
}

static void work(void) {
  privy_response_release(read_page());
}

/* The records, each as privy_record_write writes it. */
static void respond(void) {
  privy_response *response = read_page();
  privy_buffer line = PRIVY_BUFFER_EMPTY;
  for (size_t i = 0; i < privy_response_count(response); i++) {
    putchar(i == 0 ? '[' : ',');
    line.length = 0;
    if (privy_record_write(privy_response_record(response, i), &line) != PRIVY_OK) worker_fail("no memory");
    fwrite(line.data, 1, line.length, stdout);
  }
  puts("]");
  privy_buffer_clear(&line);
  privy_response_release(response);
}

int main(int count, char **arguments) {
  if (count != 2) worker_fail("usage: page FILE");
  operation = privy_operation_find("contacts.list");
  text = worker_read_file(arguments[1], &length);
  int result = worker_main(work, respond);
  free(text);
  return result;
}
