/* A client with a real socket that waits: timeouts, stopped calls, many threads. */
#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>

#include "base/clock.h"
#include "http_server.h"
#include "message_text.h"

#define SERVE(replies) http_start(replies, COUNT(replies))
#define EMPTY_PAGE "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":[]}"
/* Seconds that a slow machine may need for a prompt result; any other result takes at least 30. */
#define PROMPTLY 20
/* Seconds between two calls of a stop function. */
#define STOP_INTERVAL 0.02

static const http_reply stalls[] = {{HTTP_STALL, "", 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};

/* The objects of a test: a client of a server that stalls once, and a finished request. */
typedef struct scene {
  http_server *server;
  privy_client *client;
  privy_request *request;
  privy_response *response;
  atomic_bool stopped;
  privy_error error;
} scene;

static privy_status scene_open(scene *s, http_server *server) {
  privy_config config;
  *s = (scene){.server = server};
  privy_error_init(&s->error);
  privy_config_init(&config);
  config.options.max_retries = 0;
  privy_status status = http_client(server, &config, &s->client, &s->error);
  return status == PRIVY_OK ? ask_for("contacts.list", "{}", &s->request, &s->error) : status;
}

static void scene_close(scene *s) {
  privy_response_release(s->response);
  privy_request_free(s->request);
  privy_client_free(s->client);
  privy_error_clear(&s->error);
  http_stop(s->server);
}

static privy_status call(scene *s, const privy_options *options, privy_stop_function *stop, void *context) {
  const privy_hooks hooks = {.stop = stop, .context = context};
  return privy_client_call(s->client, s->request, options, &hooks, &s->response, &s->error);
}

static int accepted_by(const scene *s) {
  int accepted;
  size_t asked;
  http_counts(s->server, &accepted, &asked);
  return accepted;
}

static size_t asked_of(const scene *s) {
  int accepted;
  size_t asked;
  http_counts(s->server, &accepted, &asked);
  return asked;
}

/* Makes the next call, which must succeed on another connection. */
static privy_status next_call(scene *s, int accepted) {
  privy_error_clear(&s->error);
  privy_status status = call(s, NULL, NULL, NULL);
  if (status == PRIVY_OK) assert_int_equal(accepted_by(s), accepted);
  return status;
}

/* Comes first: loads libcurl, and lets valgrind translate it, before the tests that measure time. */
static void a_call_waits_for_its_response(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  CHECK_OK(scene_open(&s, SERVE(replies)));
  CHECK_OK(next_call(&s, 1));
  assert_int_equal(privy_response_status(s.response), 200);
done:
  scene_close(&s);
}

/* ---- timeouts ---------------------------------------------------------------------------------------------------- */

static void late_responses_are_timeouts(void **state) {
  (void)state;
  static const char *const beginnings[] = {"", "HTTP/1.1 200 OK\r\nContent-Le",
                                           "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"da",
                                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"da"};
  const privy_options options = {
      .timeout = 0.1, .connect_timeout = 60, .given = PRIVY_GIVEN(TIMEOUT) | PRIVY_GIVEN(CONNECT_TIMEOUT)};
  for (size_t i = 0; i < harness_rounds(COUNT(beginnings), 1); i++) {
    const http_reply replies[] = {{HTTP_STALL, beginnings[i], 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};
    bool complete = false;
    scene s;
    CHECK_OK(scene_open(&s, SERVE(replies)));
    do { /* again if the server, on a busy machine, has not read the request before the timeout */
      privy_error_clear(&s.error);
      const double before = privy_monotonic();
      CHECK_STATUS(call(&s, &options, NULL, NULL), PRIVY_TIMEOUT);
      const double took = privy_monotonic() - before;
      assert_true(took > 0.09 && took < 0.1 + PROMPTLY);
      assert_null(s.response);
      assert_string_equal(s.error.path, "/contacts");
      assert_int_equal(s.error.attempts, 1);
      assert_int_equal(s.error.http_status, 0);
    } while (asked_of(&s) == 0);
    privy_error_clear(&s.error);
    CHECK_OK(call(&s, NULL, NULL, NULL));
    assert_true(accepted_by(&s) >= 2);
    complete = true;
  done:
    scene_close(&s);
    if (!complete) return;
  }
}

/* A listening socket with a full queue, so that the next connection hangs. `fillers`: the sockets that fill it. */
static int full_listener(int *port, int fillers[4]) {
  const int listener = http_listen(port);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  assert_int_equal(listen(listener, 0), 0);
  for (int i = 0; i < 4; i++) {
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(fillers[i] >= 0);
    connect(fillers[i], (struct sockaddr *)&address, sizeof address);
  }
  return listener;
}

static void late_connections_are_timeouts(void **state) {
  (void)state;
  int port, fillers[4];
  char url[64];
  const int listener = full_listener(&port, fillers);
  privy_config config;
  privy_client *client = NULL;
  privy_request *request = NULL;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  privy_config_init(&config);
  snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", port);
  config.token = "t";
  config.base_url = url;
  config.options.connect_timeout = 0.1;
  config.options.timeout = 60;
  config.options.max_retries = 0;
  CHECK_OK(privy_client_new(&config, &client, &error));
  CHECK_OK(ask_for("contacts.list", "{}", &request, &error));
  const double before = privy_monotonic();
  CHECK_STATUS(privy_client_call(client, request, NULL, NULL, &response, &error), PRIVY_TIMEOUT);
  const double took = privy_monotonic() - before;
  assert_true(took > 0.09 && took < 0.1 + PROMPTLY);
done:
  privy_request_free(request);
  privy_client_free(client);
  privy_error_clear(&error);
  for (int i = 0; i < 4; i++) close(fillers[i]);
  close(listener);
}

/* ---- stopped calls ----------------------------------------------------------------------------------------------- */

typedef struct stopper {
  scene *s;
  double stopped_at;
} stopper;

static bool is_stopped(void *context) {
  const scene *s = context;
  return atomic_load(&s->stopped);
}

static void nap(double seconds) {
  const struct timespec pause = {0, (long)(seconds * 1e9)};
  nanosleep(&pause, NULL);
}

/* Stops the call after the server has read the request, or after two seconds. */
static void *stop_later(void *context) {
  stopper *later = context;
  int accepted = 0;
  size_t asked = 0;
  for (int i = 0; i < 1000 && asked == 0; i++) {
    http_counts(later->s->server, &accepted, &asked);
    nap(0.002);
  }
  nap(0.02);
  later->stopped_at = privy_monotonic();
  atomic_store(&later->s->stopped, true);
  return NULL;
}

/* In a sweep most rounds run out of memory before they send anything: those send a request for the thread to see. */
static privy_status call_stopped_by_a_thread(scene *s, double *took) {
  pthread_t thread;
  stopper later = {s, 0};
  assert_int_equal(pthread_create(&thread, NULL, stop_later, &later), 0);
  privy_status status = call(s, NULL, is_stopped, s);
  const double ended = privy_monotonic();
  if (status == PRIVY_NO_MEMORY) {
    privy_error error;
    privy_response *response = NULL;
    const privy_options options = {.timeout = 0.02, .given = PRIVY_GIVEN(TIMEOUT)};
    privy_error_init(&error);
    if (privy_client_call(s->client, s->request, &options, NULL, &response, &error) == PRIVY_OK)
      privy_response_release(response);
    privy_error_clear(&error);
  }
  pthread_join(thread, NULL);
  *took = ended - later.stopped_at;
  return status;
}

static void another_thread_stops_a_call(void **state) {
  (void)state;
  double took;
  scene s;
  CHECK_OK(scene_open(&s, SERVE(stalls)));
  CHECK_STATUS(call_stopped_by_a_thread(&s, &took), PRIVY_INTERRUPTED);
  assert_true(took >= 0 && took < PROMPTLY);
  assert_null(s.response);
  CHECK_OK(next_call(&s, 2));
done:
  scene_close(&s);
}

static void a_stopped_call_closes_its_own_connection_only(void **state) {
  (void)state;
  static const http_reply replies[] = {
      {HTTP_ANSWER, EMPTY_PAGE, 0}, {HTTP_STALL, "HTTP/1.1 200 OK\r\n", 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};
  double took;
  scene s;
  CHECK_OK(scene_open(&s, SERVE(replies)));
  CHECK_OK(next_call(&s, 1));
  privy_response_release(s.response);
  s.response = NULL;
  CHECK_STATUS(call_stopped_by_a_thread(&s, &took), PRIVY_INTERRUPTED);
  CHECK_OK(next_call(&s, 2));
done:
  scene_close(&s);
}

typedef struct patience {
  pthread_t thread;
  double until, first_true;
  unsigned asked, elsewhere;
} patience;

static bool stops(void *context) {
  patience *p = context;
  const double now = privy_monotonic();
  p->asked++;
  if (!pthread_equal(p->thread, pthread_self())) p->elsewhere++;
  if (now < p->until) return false;
  if (p->first_true == 0) p->first_true = now;
  return true;
}

static void a_stop_function_ends_the_call(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, SERVE(stalls)));
  const double began = privy_monotonic();
  patience p = {.thread = pthread_self(), .until = began + (harness_sweeping() ? 0.1 : 0.8)};
  CHECK_STATUS(call(&s, NULL, stops, &p), PRIVY_INTERRUPTED);
  assert_true(privy_monotonic() - p.until < PROMPTLY);
  /* It is called at most every 20 ms, on the thread that made the call. */
  assert_in_range(p.asked, harness_sweeping() ? 1 : 3, (size_t)((p.first_true - began) / STOP_INTERVAL) + 2);
  assert_int_equal(p.elsewhere, 0);
  CHECK_OK(next_call(&s, 2));
done:
  scene_close(&s);
}

static bool always(void *context) {
  (void)context;
  return true;
}

static bool never(void *context) {
  (void)context;
  return false;
}

static void a_call_can_be_stopped_before_it_sends(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  CHECK_OK(scene_open(&s, SERVE(replies)));
  CHECK_STATUS(call(&s, NULL, always, NULL), PRIVY_INTERRUPTED);
  assert_int_equal(accepted_by(&s), 0);
  privy_error_clear(&s.error);
  CHECK_OK(call(&s, NULL, never, NULL));
done:
  scene_close(&s);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

#define THREADS 8

typedef struct worker {
  pthread_t thread;
  privy_client *client;
  int number;
  size_t rounds;
  size_t right;
  privy_status failure;
  char message[256];
} worker;

/* Requests an echo of its own number and compares it. Returns the result and asserts nothing. */
static privy_status ask_once(worker *w, size_t round, bool *right) {
  char path[64], wanted[96];
  privy_request *request = NULL;
  privy_response *response = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  snprintf(path, sizeof path, "/echo/%d/%zu", w->number, round);
  snprintf(wanted, sizeof wanted, "{\"target\":\"/v1%s\"}", path);
  privy_status status = privy_request_new_raw(TEXT("GET"), TEXT(path), &request);
  if (status == PRIVY_OK) status = privy_request_finish(request, &error);
  if (status == PRIVY_OK) status = privy_client_call(w->client, request, NULL, NULL, &response, &error);
  if (status == PRIVY_OK) {
    const char *body = privy_response_body(response, &length);
    *right = length == strlen(wanted) && memcmp(body, wanted, length) == 0;
  } else if (error.message) {
    snprintf(w->message, sizeof w->message, "%s", error.message);
  }
  privy_response_release(response);
  privy_request_free(request);
  privy_error_clear(&error);
  return status;
}

static void *work(void *context) {
  worker *w = context;
  for (size_t round = 0; round < w->rounds; round++) {
    bool right = false;
    w->failure = ask_once(w, round, &right);
    if (w->failure != PRIVY_OK) break;
    w->right += right;
  }
  return NULL;
}

static void each_thread_receives_the_response_to_its_request(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ECHO, NULL, 0}};
  worker workers[THREADS];
  scene s;
  CHECK_OK(scene_open(&s, SERVE(replies)));
  const size_t rounds = harness_rounds(50, 1);
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){.client = s.client, .number = i, .rounds = rounds};
    assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(workers[i].thread, NULL);
  for (int i = 0; i < THREADS; i++) {
    if (workers[i].failure != PRIVY_OK) fail_msg("thread %d: %s", i, workers[i].message);
    assert_int_equal(workers[i].right, rounds);
  }
  assert_in_range(accepted_by(&s), 1, THREADS);
  assert_int_equal(s.server->asked_count, THREADS * rounds);
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_call_waits_for_its_response),
      TEST(late_responses_are_timeouts),
      TEST(late_connections_are_timeouts),
      TEST(another_thread_stops_a_call),
      TEST(a_stopped_call_closes_its_own_connection_only),
      TEST(a_stop_function_ends_the_call),
      TEST(a_call_can_be_stopped_before_it_sends),
      TEST(each_thread_receives_the_response_to_its_request),
  };
  return HARNESS_RUN(tests);
}
