/*
 * Many calls of many clients against one sandbox, in simulated time: days pass in a second. Each worker makes one call
 * after the other; an answer takes about `latency` seconds from the moment that the
 * sandbox saw the request: less or more by up to `jitter` of it, so that answers overtake each other. The clients'
 * clock is not the server's: it begins at SIMULATION_EPOCH.
 */
#ifndef SIMULATION_H
#define SIMULATION_H

#include "call/call.h"
#include "harness.h"

#define SIMULATION_EPOCH 1000.0

typedef struct simulated_worker {
  privy_account *account; /* shared by the workers of one client */
  privy_call call;
  privy_error error;
  privy_wire_response wire_response;
  double at;        /* when something happens next */
  double answer_at; /* when its answer is there */
  double began_at;  /* its call */
  bool away;        /* its driver has gone away during the call */
  double pause;     /* between its calls */
  bool busy;        /* a call is under way */
  bool answering;   /* its answer is on the way */
  bool stopped;     /* no more calls */
} simulated_worker;

typedef struct simulation {
  privy_sandbox *sandbox;
  const privy_settings *settings;
  privy_options options;
  privy_request *request;
  double start, now, latency, jitter;
  bool dated;               /* answers carry the server's Date */
  double leaps;             /* the client's wall clock leaps by up to so many seconds, again and again */
  double away;              /* one driver in three goes away for up to so many seconds when its request has left */
  double longest;           /* seconds that a call took whose driver did not */
  uint64_t wanted;          /* calls to make in all */
  uint64_t begun, done;     /* calls begun and succeeded */
  uint64_t failed, limited; /* calls failed, 429s met */
  uint64_t sent;
  uint64_t sent_before; /* the first call failed */
  double refused_until; /* resets_at of the last failure */
  uint64_t random;
} simulation;

/* Runs until all calls are made, or every worker has stopped. A worker stops when a call fails. */
void simulation_run(simulation *run, simulated_worker *workers, size_t count);

#endif
