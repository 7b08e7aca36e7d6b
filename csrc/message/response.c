#include "message/response.h"

#include <string.h>

#include "base/memory.h"
#include "message/record.h"

/* ---- headers ---- */

static size_t count_lines(const char *text, size_t length) {
  size_t count = 1;
  for (const char *end = text + length; length && (text = memchr(text, '\n', (size_t)(end - text))); text++) count++;
  return count;
}

static bool read_headers(privy_response *response, const char *text, size_t length) {
  if (length == 0) return true;
  response->header_capacity = count_lines(text, length);
  response->headers = privy_alloc(response->header_capacity * sizeof *response->headers);
  if (!response->headers || !privy_buffer_append(&response->header_block, text, length) ||
      !privy_buffer_terminate(&response->header_block))
    return false;
  privy_slice block = {response->header_block.data, response->header_block.length};
  privy_header header;
  while (privy_next_header(&block, &header)) {
    /* The bytes after a name and after a value are a colon and a line end: NULs replace them. */
    char *data = response->header_block.data;
    data[header.name.text - data + (ptrdiff_t)header.name.length] = '\0';
    data[header.value.text - data + (ptrdiff_t)header.value.length] = '\0';
    response->headers[response->header_count++] =
        (privy_response_header_line){header.name.text, strlen(header.name.text), header.value.text};
  }
  return true;
}

bool privy_response_header_at(const privy_response *response, size_t index, const char **name, const char **value) {
  if (index >= response->header_count) return false;
  *name = response->headers[index].name;
  *value = response->headers[index].value;
  return true;
}

const char *privy_response_header(const privy_response *response, const char *name) {
  const size_t length = strlen(name);
  for (size_t i = 0; i < response->header_count; i++) {
    const privy_response_header_line *line = &response->headers[i];
    if (line->name_length == length && privy_text_equal_nocase(line->name, length, name, length)) return line->value;
  }
  return NULL;
}

/* ---- life ---- */

privy_response *privy_response_start(int http_status, const char *headers, size_t headers_length, privy_buffer *body) {
  privy_response *response = privy_calloc(1, sizeof *response);
  if (!response) return NULL;
  atomic_init(&response->references, 1);
  response->http_status = http_status;
  if (!read_headers(response, headers, headers_length) || !privy_buffer_terminate(body)) {
    privy_response_release(response);
    return NULL;
  }
  response->body = *body;
  *body = (privy_buffer)PRIVY_BUFFER_EMPTY;
  return response;
}

privy_response *privy_response_retain(privy_response *response) {
  atomic_fetch_add_explicit(&response->references, 1, memory_order_relaxed);
  return response;
}

void privy_response_release(privy_response *response) {
  if (!response || atomic_fetch_sub_explicit(&response->references, 1, memory_order_acq_rel) != 1) return;
  privy_buffer_clear(&response->body);
  privy_buffer_clear(&response->header_block);
  privy_free(response->headers);
  privy_free(response->records);
  privy_free(response->pagination);
  privy_free(response);
}

int privy_response_status(const privy_response *response) {
  return response->http_status;
}

const char *privy_response_body(const privy_response *response, size_t *length) {
  *length = response->body.length;
  return response->body.length ? response->body.data : "";
}

privy_value privy_response_json(const privy_response *response) {
  return response->json;
}

size_t privy_response_size(const privy_response *response) {
  return sizeof *response + response->body.capacity + response->header_block.capacity +
         response->header_capacity * sizeof *response->headers + response->record_capacity * response->record_size +
         (response->pagination ? privy_record_size(response->pagination->object) : 0);
}

size_t privy_response_count(const privy_response *response) {
  return response->record_count;
}

const privy_record *privy_response_record(const privy_response *response, size_t index) {
  if (index >= response->record_count) return NULL;
  return (const privy_record *)(const void *)(response->records + index * response->record_size);
}

const privy_record *privy_response_pagination(const privy_response *response) {
  return response->pagination;
}
