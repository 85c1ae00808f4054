/* Owns opening and closing pools, and what a message means to them. */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTING_AT_A_TIME = 64 };

/* A pool is never freed and its number never used again: a target may outlive the clients that it belonged to. */
static struct pool **pools;
static uint32_t pool_count;

struct pool *pool_by_id(uint32_t id) {
  return id < pool_count && !pools[id]->closed ? pools[id] : NULL;
}

uint32_t pool_id(const struct pool *pool) {
  return pool->id;
}

const struct traffic *pool_traffic(const struct pool *pool) {
  return pool == NULL ? NULL : pool->traffic;
}

struct pool *pool_new(uint16_t port, bool framed, bool tls, size_t size) {
  struct pool *pool = calloc(1, sizeof *pool);
  *pool = (struct pool){.id = pool_count, .port = port, .framed = framed, .tls = tls, .size = size};
  pool->clients = calloc(size, sizeof(struct endpoint *));
  pools = realloc(pools, (pool_count + 1) * sizeof pool);
  pools[pool_count++] = pool;
  return pool;
}

void pool_fail(struct pool *pool, const char *why) {
  if (pool->error[0] != 0) return;
  /* It becomes part of a JSON string. */
  snprintf(pool->error, sizeof pool->error, "%s", why);
  for (char *at = pool->error; *at != 0; at++) {
    if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ' || (unsigned char)*at > '~') *at = '?';
  }
}

static void start_client(struct pool *pool, size_t index) {
  pool->clients[index] = endpoint_connect(pool, (uint32_t)index, pool->port, pool->framed, pool->tls);
  if (pool->clients[index] == NULL) pool_fail(pool, "no socket for another client");
  else pool->connecting += 1;
}

void pool_connect(struct pool *pool) {
  while (pool->started < pool->size && pool->connecting < CONNECTING_AT_A_TIME && pool->error[0] == 0) {
    start_client(pool, pool->started++);
  }
}

void pool_each(struct pool *pool, bool targets, void (*act)(struct endpoint *, void *), void *argument) {
  for (size_t i = 0; i < pool->size; i++) {
    struct endpoint *client = pool->clients[i];
    struct endpoint *endpoint = client == NULL || !targets ? client : client->other;
    if (endpoint != NULL) act(endpoint, argument);
  }
}

static void close_one(struct endpoint *endpoint, void *argument) {
  (void)argument;
  endpoint_close(endpoint);
}

static void hear(struct endpoint *endpoint, void *argument) {
  (void)argument;
  endpoint_listen_to(endpoint, true);
}

static bool has_no_targets(const struct pool *pool) {
  return pool->targets == 0;
}

void pool_close(struct pool *pool) {
  pool->leaving = true;
  /* One that does not read would not see the end either. */
  pool_each(pool, true, hear, NULL);
  pool_each(pool, false, close_one, NULL);
  pool_wait(pool, has_no_targets, now() + 2000000000);
  pool->closed = true;
  free(pool->clients);
  free(pool->samples);
  pool->clients = NULL;
  pool->size = 0;
}

bool pool_wait(struct pool *pool, bool (*met)(const struct pool *), uint64_t end) {
  while (!met(pool)) {
    if ((pool->error[0] != 0 && !pool->leaving) || now() >= end) return false;
    poller_turn(10);
  }
  return true;
}

void pool_run_until(struct pool *pool, uint64_t end) {
  for (uint64_t time = now(); time < end && pool->error[0] == 0; time = now()) {
    poller_turn((int)((end - time) / 1000000) + 1);
  }
}

bool pool_is_open(const struct pool *pool) {
  return pool->ready == pool->size;
}

/* What the endpoints tell. */

static void finish_client(struct endpoint *client) {
  struct pool *pool = client->pool;
  size_t index = client->index;
  pool->finished += 1;
  pool->ready -= 1;
  pool->clients[index] = NULL;
  endpoint_close(client);
  if (pool->refills) start_client(pool, index);
}

void pool_on_ready(struct endpoint *client) {
  struct pool *pool = client->pool;
  pool->connecting -= 1;
  pool->ready += 1;
  if (!pool->churns) {
    pool_connect(pool);
    return;
  }
  /* Plain TCP has no goodbye. */
  if (client->framed) endpoint_end(client);
  else finish_client(client);
}

void pool_on_target(struct pool *pool, struct endpoint *target) {
  pool->targets += 1;
  if (target->index >= pool->size || pool->clients[target->index] == NULL) return;
  target->other = pool->clients[target->index];
  target->other->other = target;
}

static void take_sample(struct pool *pool, struct endpoint *client) {
  if (client->due_count == 0 || pool->sample_count == pool->sample_room) return;
  pool->samples[pool->sample_count++] = now() - client->due[client->due_first];
  client->due_first = (client->due_first + 1) % MAX_DUE;
  client->due_count -= 1;
}

void pool_on_messages(struct endpoint *endpoint, uint64_t count) {
  struct pool *pool = endpoint->pool;
  if (pool->floods) {
    if (pool->refills && endpoint->other != NULL) endpoint_owe(endpoint->other, count);
    return;
  }
  if (endpoint->role == ROLE_TARGET) {
    if (pool->echoes) endpoint_owe(endpoint, count);
    return;
  }
  if (pool->refills) endpoint_owe(endpoint, count);
  if (pool->samples == NULL) return;
  for (uint64_t i = 0; i < count; i++) take_sample(pool, endpoint);
}

void pool_on_read(struct endpoint *endpoint) {
  struct pool *pool = endpoint->pool;
  if (pool == NULL || !pool->floods || endpoint->other == NULL) return;
  /* In large pieces, as one that sends without a break would. */
  struct endpoint *sender = endpoint->other;
  if (sender->owed >= pool->window / 2 * sender->cycle->unit) endpoint_flush(sender);
}

void pool_on_gone(struct endpoint *endpoint, const char *why) {
  struct pool *pool = endpoint->pool;
  if (pool == NULL) return;
  if (endpoint->role == ROLE_TARGET) {
    pool->targets -= 1;
    return;
  }
  if (endpoint->phase == PHASE_OPEN && endpoint->ending) {
    finish_client(endpoint);
    return;
  }
  if (endpoint->phase < PHASE_OPEN) pool->connecting -= 1;
  else pool->ready -= 1;
  pool->clients[endpoint->index] = NULL;
  if (!pool->leaving) pool_fail(pool, why);
}
