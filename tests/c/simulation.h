/*
 * Many calls of many clients with one sandbox in simulated time: days take a second. Each worker makes one call after
 * the other. A response takes about `latency` seconds after the sandbox has received the request, more or less by up
 * to the fraction `jitter`, so that responses arrive out of order. The clients' clock is not the server's: it begins
 * at SIMULATION_EPOCH.
 */
#ifndef SIMULATION_H
#define SIMULATION_H

#include "call/call.h"
#include "harness.h"

#define SIMULATION_EPOCH 1000.0

/* A job of a queue: it makes one call, again and again until one succeeds. */
typedef struct simulated_job {
  double at; /* not before this instant */
  bool taken, done;
} simulated_job;

typedef struct simulated_worker {
  privy_account *account; /* shared by the workers of one client */
  privy_call call;
  privy_error error;
  privy_wire_response wire_response;
  double at;          /* when the worker acts next */
  double response_at; /* when its response arrives */
  double started_at;  /* its call */
  bool undriven;      /* its driver stopped during the call */
  double pause;       /* between its calls */
  simulated_job *job; /* whose call it makes; NULL without jobs */
  bool busy;          /* it has a call */
  bool in_flight;     /* its request is in flight */
  bool stopped;       /* no more calls */
} simulated_worker;

typedef struct simulation {
  privy_sandbox *sandbox;
  const privy_settings *settings;
  privy_options options;
  privy_request *request;
  double start, now, latency, jitter;
  bool dated;                 /* responses have a Date */
  double wall_jumps;          /* the wall clock jumps by up to this many seconds, again and again */
  double undriven;            /* one driver in three stops for up to this many seconds after its request was sent */
  double longest;             /* longest call without such a stop, in seconds */
  simulated_job *jobs;        /* workers take these, the one that waits longest first; NULL: they make calls */
  size_t job_count;           /* then `wanted` has no effect */
  privy_shared_slots *shared; /* slots that all clients share; NULL: each has its own */
  double overhead;            /* seconds that a job takes besides its requests */
  double poll;                /* jobs that are due are found every so many seconds only; 0: at once */
  double stalls;              /* all workers of a client stop for up to this many seconds, again and again */
  double stall_at;            /* when the next client stops */
  uint64_t wanted;            /* calls to make in all */
  uint64_t started, done;     /* calls started and succeeded */
  uint64_t failed, limited;   /* calls failed, 429s met */
  uint64_t sent;
  uint64_t sent_before; /* the first call failed */
  double refused_until; /* resets_at of the last failure */
  uint64_t random;
} simulation;

/* Runs until all calls or jobs are done, or all workers have stopped. A worker stops when a call fails; with jobs, the
 * job of a failed call is made again at the error's retry_at. */
void simulation_run(simulation *run, simulated_worker *workers, size_t count);

#endif
