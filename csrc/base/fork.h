/* Keeps the process from forking at moments that its child could not go on from. */
#ifndef PRIVY_BASE_FORK_H
#define PRIVY_BASE_FORK_H

/*
 * Forks wait from _forbid to _allow, whichever thread they come from: within libcurl, for its TLS library has locks for
 * the whole process, which the child would find held for ever; and while a lock of ours guards a change half made.
 * Short, not within itself, and never around a call into the host language, whose lock the forking thread holds.
 */
void privy_fork_forbid(void);
void privy_fork_allow(void);

#endif
