/* The clocks. Each returns seconds. */
#ifndef PRIVY_BASE_CLOCK_H
#define PRIVY_BASE_CLOCK_H

/* A clock that is never set and stops while the machine is suspended: for timeouts and waits. */
double privy_monotonic(void);
/* A clock that is never set and also counts the time in which the machine is suspended: rate limit windows and tokens
 * end during that time. Where the system has no such clock it is privy_monotonic. */
double privy_steady_clock(void);
/* Seconds since 1970-01-01 UTC. The system's administrator may set it. */
double privy_wall_clock(void);

#endif
