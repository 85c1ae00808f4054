/*
 * Owns one end of a conversation: a client or a target, with frames or on plain TCP. It shakes hands, sends what it owes,
 * and compares what it gets. What that means for a measurement is said by the functions at the end, which are in pool.c.
 */
#pragma once

#include "traffic.h"
#include "wire.h"

enum role { ROLE_LISTENER, ROLE_CLIENT, ROLE_TARGET };

enum phase {
  PHASE_CONNECTING,
  PHASE_SECURING,
  PHASE_UPGRADING, /* up to the end of the HTTP head; clients and targets with frames */
  PHASE_GREETING,  /* the first message tells the target whose it is, and comes back */
  PHASE_OPEN,
  PHASE_GONE,
};

/* The first message of a client, by which its target knows it. */
struct greeting {
  uint32_t magic;
  uint32_t pool;
  uint32_t index;
};

/* How many messages of a timed client may be on their way. */
enum { MAX_DUE = 256 };

struct pool;

struct endpoint {
  struct wire wire;
  enum role role;
  enum phase phase;
  bool framed;
  bool deaf; /* it does not read for now */
  bool awaits_reading; /* what the poller was told last */
  bool awaits_writing;
  bool ending; /* a Close frame was sent, or is to be */

  struct pool *pool; /* of a target: unknown up to its greeting */
  struct endpoint *other;
  struct endpoint *next_gone;
  uint32_t index;

  /* Incoming: the frame that is being read, and how far the payloads have got. */
  uint8_t header[MAX_HEADER];
  uint8_t header_length;
  uint8_t opcode;
  uint64_t left; /* of the payload of this frame */
  uint8_t key[4];
  unsigned key_at;
  uint8_t control[125];
  uint8_t control_length;
  size_t offset;     /* in the message that is being compared */
  uint64_t received; /* whole messages */
  uint64_t bytes;

  /* Outgoing: so many bytes of a cycle, and one short frame that goes before them at the next border. */
  const struct cycle *cycle;
  size_t at;
  uint64_t owed;
  uint64_t sent; /* bytes */
  uint8_t urgent[256];
  size_t urgent_length;
  size_t urgent_at;

  /* What comes before the first message. */
  char *head;
  size_t head_length;
  struct greeting greeting;
  size_t greeting_length;

  /* Of a client that is timed: when its messages that are on their way were due. */
  uint64_t *due;
  uint32_t due_first;
  uint32_t due_count;
};

/* Sockets wait in one epoll. One turn handles what is ready, and answers whether a line of input is. */
void poller_start(void);
bool poller_turn(int timeout_ms);
void poller_await_input(void);

/* Opens the two targets that echo; both live as long as the program. */
bool endpoints_listen(uint16_t *websocket, uint16_t *plain);

struct endpoint *endpoint_connect(struct pool *pool, uint32_t index, uint16_t port, bool framed, bool tls);

/* Says that so many messages more are to be sent. They are when the endpoint is flushed. */
void endpoint_owe(struct endpoint *endpoint, uint64_t messages);
void endpoint_flush(struct endpoint *endpoint);

/* Sends no more than the message that is on its way. */
void endpoint_stop(struct endpoint *endpoint);

/* Starts counting anew, with another payload. Nothing may be on its way. */
void endpoint_begin(struct endpoint *endpoint, const struct traffic *traffic);

/* Ends a conversation in the way of its protocol. */
void endpoint_end(struct endpoint *endpoint);
void endpoint_listen_to(struct endpoint *endpoint, bool reads);
void endpoint_close(struct endpoint *endpoint);

uint64_t now(void);

/* What an endpoint tells, in pool.c. */
struct pool *pool_by_id(uint32_t id);
uint32_t pool_id(const struct pool *pool);
const struct traffic *pool_traffic(const struct pool *pool);
void pool_on_ready(struct endpoint *client);
void pool_on_target(struct pool *pool, struct endpoint *target);
void pool_on_messages(struct endpoint *endpoint, uint64_t count);

/* Everything of one read was told. */
void pool_on_read(struct endpoint *endpoint);
void pool_on_gone(struct endpoint *endpoint, const char *why);
