/* call BASE_URL TOKEN ID: the core asks for one contact on a kept connection, from the parameter to the record. */
#include <stdio.h>
#include <string.h>

#include "privy.h"
#include "worker.h"

static const privy_operation *operation;
static privy_client *client;
static const char *id;

static privy_response *call(void) {
  privy_request *request = NULL;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  if (privy_request_new(operation, &request) != PRIVY_OK) worker_fail("no memory");
  privy_request_key(request, "id", 2);
  privy_request_string(request, id, strlen(id));
  if (privy_request_finish(request, &error) != PRIVY_OK ||
      privy_client_call(client, request, NULL, NULL, &response, &error) != PRIVY_OK)
    worker_fail(error.message);
  privy_request_free(request);
  return response;
}

static void work(void) {
  privy_response_release(call());
}

static void respond(void) {
  privy_response *response = call();
  size_t length;
  const char *body = privy_response_body(response, &length);
  printf("%.*s\n", (int)length, body);
  privy_response_release(response);
}

int main(int count, char **arguments) {
  if (count != 4) worker_fail("usage: call BASE_URL TOKEN ID");
  privy_config config;
  privy_error error;
  privy_error_init(&error);
  privy_config_init(&config);
  config.base_url = arguments[1];
  config.token = arguments[2];
  id = arguments[3];
  operation = privy_operation_find("contacts.get");
  if (privy_client_new(&config, &client, &error) != PRIVY_OK) worker_fail(error.message);
  int result = worker_main(work, respond);
  privy_client_free(client);
  return result;
}
