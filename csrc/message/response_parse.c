/* JSON of a server or of a stored record: into a response, or into an error. */
#include <string.h>

#include "base/memory.h"
#include "message/error.h"
#include "message/record.h"
#include "message/response.h"

typedef struct response_parser {
  privy_response *response;
  const privy_operation *operation;
  privy_reader reader;
  privy_field_order order;
  bool found;     /* the body has the records of the operation */
  bool no_memory; /* every false without a reader error */
} response_parser;

static bool read_record(response_parser *parser) {
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
static bool read_pagination(response_parser *parser) {
  privy_response *response = parser->response;
  privy_field_order order;
  privy_field_order_init(&order);
  if (!response->pagination) response->pagination = privy_alloc(privy_record_size(&privy_object_page));
  return response->pagination &&
         privy_record_read(response->pagination, &privy_object_page, &order, response->http_status, &parser->reader);
}

/* The value of "data": an object, or an array of objects. A second "data" replaces the first. */
static bool read_data(response_parser *parser) {
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

static bool read_wrapped(response_parser *parser) {
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

/* An error returns no record. */
static void drop_records(privy_response *response) {
  response->record_count = 0;
  privy_free(response->pagination);
  response->pagination = NULL;
}

static privy_status refuse_json(const privy_reader *reader, privy_error *error) {
  return privy_error_set(error, PRIVY_API_STATUS, "the response is not JSON: %s at byte %zu", reader->error,
                         reader->position);
}

static privy_status refuse_response(response_parser *parser, privy_error *error) {
  return parser->reader.error ? refuse_json(&parser->reader, error) : privy_error_no_memory(error);
}

/* Reads the body of a successful response. */
static privy_status read_body(response_parser *parser, privy_error *error) {
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
  if (!done || !privy_reader_end(reader)) return refuse_response(parser, error);
  if (object)
    response->json = (privy_value){.text = start, .length = (uint32_t)(stop - start), .type = (uint8_t)PRIVY_OBJECT};
  if (parser->found) return PRIVY_OK;
  return privy_error_set(error, PRIVY_API_STATUS, "unexpected response body for %s", parser->operation->name);
}

/* The reader at the end of the body, or at its error. */
static privy_reader read_json(const privy_response *response, privy_value *value) {
  privy_reader reader;
  privy_reader_init(&reader, response->body.data, response->body.length);
  (void)(privy_reader_value(&reader, value) && privy_reader_end(&reader));
  return reader;
}

static void read_any(privy_response *response) {
  privy_value value;
  if (!read_json(response, &value).error) response->json = value;
}

static privy_status read_response(response_parser *parser, privy_error *error) {
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
    return privy_error_set(error, PRIVY_API_STATUS, "the response to %s is empty (HTTP %d)", parser->operation->name,
                           status);
  return read_body(parser, error);
}

/* Attaches the response to an error whose code and message are set; takes over the reference. */
static privy_status attach_response(privy_response *response, privy_error *error) {
  error->http_status = response->http_status;
  const char *request_id = privy_response_header(response, "X-Request-Id");
  const bool copied = !request_id || privy_error_visible(&error->request_id, request_id, strlen(request_id));
  privy_response_release(error->response);
  error->response = response;
  return copied ? error->code : privy_error_no_memory(error);
}

privy_status privy_response_parse(const privy_operation *operation, int http_status, const char *headers,
                                  size_t headers_length, privy_buffer *body, privy_response **out, privy_error *error) {
  response_parser parser = {.operation = operation};
  parser.response = privy_response_start(http_status, headers, headers_length, body);
  if (!parser.response) {
    privy_buffer_clear(body);
    return privy_error_no_memory(error);
  }
  privy_status status = read_response(&parser, error);
  if (status == PRIVY_OK) {
    *out = parser.response;
    return PRIVY_OK;
  }
  drop_records(parser.response);
  return attach_response(parser.response, error);
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
  const privy_reader reader = read_json(response, &ignored);
  if (length)
    refuse_json(&reader, error);
  else
    privy_error_set(error, PRIVY_API_STATUS, "the response is empty (HTTP %d)", http_status);
  return attach_response(response, error);
}

privy_status privy_response_load(const privy_object *object, const char *text, size_t length, privy_response **out,
                                 privy_error *error) {
  privy_buffer body = PRIVY_BUFFER_EMPTY;
  if (!privy_buffer_append(&body, text, length)) return privy_error_no_memory(error);
  const privy_operation bare = {.name = "load", .object = object, .response = PRIVY_RESPONSE_BARE};
  return privy_response_parse(&bare, 200, "", 0, &body, out, error);
}

privy_status privy_value_parse(const char *text, size_t length, privy_value *out, privy_error *error) {
  privy_reader reader;
  privy_reader_init(&reader, text, length);
  privy_reader_value(&reader, out);
  if (privy_reader_end(&reader)) return PRIVY_OK;
  return privy_error_set(error, PRIVY_API_STATUS, "not JSON: %s at byte %zu", reader.error, reader.position);
}
