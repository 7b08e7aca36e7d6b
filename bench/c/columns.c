/* columns FILE: the core reads a response with a page of contacts and makes Arrow arrays of it: bytes into columns.
 * As in page.c, the copy of what the network delivers is part of the work. */
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

/* Gives one page; `context` says whether it was given already. */
static privy_status one_page(void *context, privy_response **page, const bool **skip, privy_error *error) {
  bool *given = context;
  (void)skip;
  (void)error;
  *page = *given ? NULL : read_page();
  *given = true;
  return PRIVY_OK;
}

static struct ArrowArray read_columns(void) {
  bool given = false;
  privy_columns_config config;
  privy_columns_config_init(&config);
  struct ArrowArrayStream stream;
  struct ArrowArray batch;
  const privy_page_source source = {one_page, NULL, &given};
  if (privy_columns_stream(privy_operation_object(operation), &config, source, &stream) != PRIVY_OK ||
      stream.get_next(&stream, &batch) != 0 || !batch.release)
    worker_fail("no columns");
  stream.release(&stream);
  return batch;
}

static void work(void) {
  struct ArrowArray batch = read_columns();
  batch.release(&batch);
}

/* How many values each column has that are not null: the worker in page.c counts the records' fields. */
static void respond(void) {
  struct ArrowArray batch = read_columns();
  for (int64_t i = 0; i < batch.n_children; i++) {
    const struct ArrowArray *column = batch.children[i];
    printf("%c%lld", i == 0 ? '[' : ',', (long long)(column->length - column->null_count));
  }
  puts("]");
  batch.release(&batch);
}

int main(int count, char **arguments) {
  if (count != 2) worker_fail("usage: columns FILE");
  operation = privy_operation_find("contacts.list");
  text = worker_read_file(arguments[1], &length);
  int result = worker_main(work, respond);
  free(text);
  return result;
}
