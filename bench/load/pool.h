/* Owns the connections through one proxy: their clients, their targets, and what they are doing at the moment. */
#pragma once

#include "endpoint.h"

struct pool {
  uint32_t id;
  bool closed;
  uint16_t port;
  bool framed;
  bool tls;

  size_t size;
  struct endpoint **clients; /* by index; NULL for one that is not open */
  size_t started;
  size_t connecting;
  size_t ready;
  size_t targets;

  const struct traffic *traffic;
  bool echoes;  /* targets send back what they get */
  bool churns;  /* a client leaves when it is ready */
  bool refills; /* a client sends a message for each that came back, and takes the place of one that left */
  bool floods;  /* a sender may send another message for each that arrived at the other end */
  uint64_t window; /* of a flooding sender, in messages */
  bool leaving; /* nobody is surprised when a connection ends */

  uint64_t finished; /* conversations of a churning pool */

  /* Nanoseconds between when a message was due and when it was back. */
  uint64_t *samples;
  size_t sample_count;
  size_t sample_room;

  char error[200]; /* the first thing that went wrong */
};

struct pool *pool_new(uint16_t port, bool framed, bool tls, size_t size);
void pool_fail(struct pool *pool, const char *why);

/* Starts further connections up to the size, but few at a time: a listener has a short queue. */
void pool_connect(struct pool *pool);

/* Closes everything. The targets end when the proxy ends them, which is waited for. */
void pool_close(struct pool *pool);

/* Handles events up to a moment or a failure. */
void pool_run_until(struct pool *pool, uint64_t end);

/* The same up to a condition; answers whether it came about. */
bool pool_wait(struct pool *pool, bool (*met)(const struct pool *), uint64_t end);

bool pool_is_open(const struct pool *pool);

/* Calls for every client, or every target, that is open. */
void pool_each(struct pool *pool, bool targets, void (*act)(struct endpoint *, void *), void *argument);
