#include "message/response.h"

#include <string.h>

#include "base/memory.h"
#include "message/error.h"

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
    /* The bytes behind a name and a value are the colon and the line's end: NULs may take their places. */
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

/* Whole numbers up to here are exact as doubles, and sums of a few of them are far from any overflow. */
#define LARGEST_LIMIT ((int64_t)1 << 53)

/* Numbers that cannot be true are not believed, any of the three. */
static void read_limit(const privy_response *response, const char *const names[3], privy_rate_header *out) {
  int64_t *const values[3] = {&out->limit, &out->remaining, &out->resets_at};
  *out = (privy_rate_header){.known = true};
  for (int i = 0; out->known && i < 3; i++) {
    const char *text = privy_response_header(response, names[i]);
    out->known = text && privy_parse_int64(text, strlen(text), values[i]);
  }
  out->known = out->known && out->limit > 0 && out->limit <= LARGEST_LIMIT && out->remaining >= 0 &&
               out->remaining <= out->limit && out->resets_at > 0 && out->resets_at <= LARGEST_LIMIT;
}

void privy_rate_headers_read(const privy_response *response, privy_rate_headers *out) {
  static const char *const minute[3] = {"X-RateLimit-Limit-Minute", "X-RateLimit-Remaining-Minute",
                                        "X-RateLimit-Reset-Minute"};
  static const char *const day[3] = {"X-RateLimit-Limit-Day", "X-RateLimit-Remaining-Day", "X-RateLimit-Reset-Day"};
  read_limit(response, minute, &out->minute);
  read_limit(response, day, &out->day);
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

/* ---- a whole answer ---- */

typedef struct answer_parser {
  privy_response *response;
  const privy_operation *operation;
  privy_reader reader;
  privy_field_order order;
  bool found;     /* the answer holds what the operation answers */
  bool no_memory; /* every false without a reader error */
} answer_parser;

static bool read_record(answer_parser *parser) {
  privy_response *response = parser->response;
  char *records =
      privy_grow(response->records, response->record_count, &response->record_capacity, response->record_size);
  if (!records) return false;
  response->records = records;
  void *record = records + response->record_count * response->record_size;
  if (!privy_record_read(record, parser->operation->object, &parser->order, response->http_status, &parser->reader))
    return false;
  response->record_count++;
  return true;
}

/* A second "pagination" replaces the first. */
static bool read_pagination(answer_parser *parser) {
  privy_response *response = parser->response;
  privy_field_order order;
  privy_field_order_init(&order);
  if (!response->pagination) response->pagination = privy_alloc(privy_record_size(&privy_object_page));
  return response->pagination &&
         privy_record_read(response->pagination, &privy_object_page, &order, response->http_status, &parser->reader);
}

/* The value of "data": an object, or an array of objects. A second "data" replaces the first. */
static bool read_data(answer_parser *parser) {
  bool paged = parser->operation->response == PRIVY_RESPONSE_PAGE;
  privy_value ignored;
  parser->response->record_count = 0;
  parser->found = privy_reader_peek(&parser->reader) == (paged ? PRIVY_ARRAY : PRIVY_OBJECT);
  if (!parser->found) return privy_reader_value(&parser->reader, &ignored);
  if (!paged) return read_record(parser);
  privy_reader_enter_array(&parser->reader);
  while (privy_reader_element(&parser->reader)) {
    if (privy_reader_peek(&parser->reader) != PRIVY_OBJECT) {
      parser->found = false;
      if (!privy_reader_value(&parser->reader, &ignored)) return false;
    } else if (!read_record(parser)) {
      return false;
    }
  }
  return !parser->reader.error;
}

static bool read_wrapped(answer_parser *parser) {
  privy_reader *reader = &parser->reader;
  privy_value key, ignored;
  privy_reader_enter_object(reader);
  while (privy_reader_member(reader, &key)) {
    bool done;
    if (privy_value_is(key, "data"))
      done = read_data(parser);
    else if (privy_value_is(key, "pagination") && parser->operation->response == PRIVY_RESPONSE_PAGE &&
             privy_reader_peek(reader) == PRIVY_OBJECT)
      done = read_pagination(parser);
    else
      done = privy_reader_value(reader, &ignored);
    if (!done) return false;
  }
  return !reader->error;
}

/* What was read before a fault is not given out. */
static void forget_records(privy_response *response) {
  response->record_count = 0;
  privy_free(response->pagination);
  response->pagination = NULL;
}

static privy_status refuse_json(const privy_reader *reader, privy_error *error) {
  return privy_error_set(error, PRIVY_API_STATUS, "the answer is not JSON: %s at byte %zu", reader->error,
                         reader->position);
}

static privy_status refuse_answer(answer_parser *parser, privy_error *error) {
  return parser->reader.error ? refuse_json(&parser->reader, error) : privy_error_no_memory(error);
}

/* Reads the body of a successful answer. */
static privy_status read_body(answer_parser *parser, privy_error *error) {
  privy_response *response = parser->response;
  privy_reader *reader = &parser->reader;
  privy_reader_init(reader, response->body.data, response->body.length);
  response->record_size = privy_record_size(parser->operation->object);
  privy_field_order_init(&parser->order);
  bool object = privy_reader_peek(reader) == PRIVY_OBJECT;
  const char *start = reader->at;
  bool done;
  if (!object)
    done = privy_reader_value(reader, &response->json);
  else if (parser->operation->response == PRIVY_RESPONSE_BARE)
    done = parser->found = read_record(parser);
  else
    done = read_wrapped(parser);
  const char *stop = reader->at;
  if (!done || !privy_reader_end(reader)) return refuse_answer(parser, error);
  if (object)
    response->json = (privy_value){.text = start, .length = (uint32_t)(stop - start), .type = (uint8_t)PRIVY_OBJECT};
  if (parser->found) return PRIVY_OK;
  return privy_error_set(error, PRIVY_API_STATUS, "unexpected body in the answer to %s", parser->operation->name);
}

/* The reader at the end of the body, or at its error. */
static privy_reader read_whole(const privy_response *response, privy_value *value) {
  privy_reader reader;
  privy_reader_init(&reader, response->body.data, response->body.length);
  (void)(privy_reader_value(&reader, value) && privy_reader_end(&reader));
  return reader;
}

static void read_any(privy_response *response) {
  privy_value value;
  if (!read_whole(response, &value).error) response->json = value;
}

static privy_status read_answer(answer_parser *parser, privy_error *error) {
  privy_response *response = parser->response;
  int status = response->http_status;
  if (status < 200 || status > 299) {
    read_any(response);
    return privy_error_from_response(response, error);
  }
  if (!parser->operation) {
    read_any(response);
    return PRIVY_OK;
  }
  if (response->body.length == 0 && parser->operation->id == PRIVY_OP_DELETE) return PRIVY_OK;
  if (response->body.length == 0)
    return privy_error_set(error, PRIVY_API_STATUS, "the answer to %s is empty (HTTP %d)", parser->operation->name,
                           status);
  return read_body(parser, error);
}

/* Copies what the response says into an error whose code and message are set; takes over the reference. */
static privy_status tell_response(privy_response *response, privy_error *error) {
  error->http_status = response->http_status;
  const char *request_id = privy_response_header(response, "X-Request-Id");
  const bool kept = !request_id || privy_error_words(&error->request_id, request_id, strlen(request_id));
  privy_response_release(error->response);
  error->response = response;
  return kept ? error->code : privy_error_no_memory(error);
}

privy_status privy_response_parse(const privy_operation *operation, int http_status, const char *headers,
                                  size_t headers_length, privy_buffer *body, privy_response **out, privy_error *error) {
  answer_parser parser = {.operation = operation};
  parser.response = privy_response_start(http_status, headers, headers_length, body);
  if (!parser.response) {
    privy_buffer_clear(body);
    return privy_error_no_memory(error);
  }
  privy_status status = read_answer(&parser, error);
  if (status == PRIVY_OK) {
    *out = parser.response;
    return PRIVY_OK;
  }
  forget_records(parser.response);
  return tell_response(parser.response, error);
}

privy_status privy_json_refuse(int http_status, const char *body, size_t length, privy_error *error) {
  privy_buffer copy = PRIVY_BUFFER_EMPTY;
  privy_response *response = NULL;
  privy_value ignored;
  if (privy_buffer_append(&copy, body, length)) response = privy_response_start(http_status, "", 0, &copy);
  if (!response) {
    privy_buffer_clear(&copy);
    return privy_error_no_memory(error);
  }
  const privy_reader reader = read_whole(response, &ignored);
  if (length)
    refuse_json(&reader, error);
  else
    privy_error_set(error, PRIVY_API_STATUS, "the answer is empty (HTTP %d)", http_status);
  return tell_response(response, error);
}

privy_status privy_response_load(const privy_object *object, const char *text, size_t length, privy_response **out,
                                 privy_error *error) {
  privy_buffer body = PRIVY_BUFFER_EMPTY;
  if (!privy_buffer_append(&body, text, length)) return privy_error_no_memory(error);
  const privy_operation bare = {.name = "load", .object = object, .response = PRIVY_RESPONSE_BARE};
  return privy_response_parse(&bare, 200, "", 0, &body, out, error);
}
