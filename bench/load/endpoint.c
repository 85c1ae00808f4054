/* Owns the life of one client or target, from its socket to its last byte. */
#include "endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint_events.h"

static const uint32_t MAGIC = 0x65646974;

enum {
  READ_SIZE = 256 * 1024,
  /* One endpoint sends at most so much at a time, so that the others get their turn. */
  FLUSH_SIZE = 1024 * 1024,
};

static struct endpoint *new_endpoint(enum role role, enum phase phase, bool framed, struct wire wire) {
  struct endpoint *endpoint = calloc(1, sizeof *endpoint);
  endpoint->role = role;
  endpoint->phase = phase;
  endpoint->framed = framed;
  endpoint->wire = wire;
  return endpoint;
}

static uint16_t listen_for(bool framed) {
  uint16_t port = 0;
  struct endpoint *listener =
      new_endpoint(ROLE_LISTENER, PHASE_OPEN, framed, (struct wire){.fd = wire_listen(&port)});
  if (listener->wire.fd >= 0) poller_add(listener, true, false);
  return port;
}

bool endpoints_listen(uint16_t *websocket, uint16_t *plain) {
  *websocket = listen_for(true);
  *plain = listen_for(false);
  return *websocket != 0 && *plain != 0;
}

static void accept_all(const struct endpoint *listener) {
  int fd;
  while ((fd = wire_accept(listener->wire.fd)) >= 0) {
    enum phase phase = listener->framed ? PHASE_UPGRADING : PHASE_GREETING;
    poller_add(new_endpoint(ROLE_TARGET, phase, listener->framed, (struct wire){.fd = fd}), true, false);
  }
}

struct endpoint *endpoint_connect(struct pool *pool, uint32_t index, uint16_t port, bool framed, bool tls) {
  struct wire wire;
  if (!wire_connect(&wire, port, tls)) {
    wire_close(&wire);
    return NULL;
  }
  struct endpoint *client = new_endpoint(ROLE_CLIENT, PHASE_CONNECTING, framed, wire);
  client->pool = pool;
  client->index = index;
  poller_add(client, true, true);
  return client;
}

void endpoint_close(struct endpoint *endpoint) {
  if (endpoint->phase == PHASE_GONE) return;
  endpoint->phase = PHASE_GONE;
  if (endpoint->other != NULL) endpoint->other->other = NULL;
  wire_close(&endpoint->wire);
  poller_forget(endpoint);
}

static void lose(struct endpoint *endpoint, const char *why) {
  pool_on_gone(endpoint, why);
  endpoint_close(endpoint);
}

/* Sending. */

void endpoint_urge(struct endpoint *endpoint, const void *bytes, size_t length) {
  /* Pongs may be dropped when they pile up behind a reader that stopped. */
  if (endpoint->urgent_length + length > sizeof endpoint->urgent) return;
  memcpy(endpoint->urgent + endpoint->urgent_length, bytes, length);
  endpoint->urgent_length += length;
}

static void urge_frame(struct endpoint *endpoint, enum opcode opcode, const void *payload, size_t length) {
  uint8_t frame[MAX_HEADER + 125];
  uint32_t key = endpoint->role == ROLE_CLIENT ? next_key() : 0;
  endpoint_urge(endpoint, frame, write_frame(frame, opcode, payload, length, key));
}

void endpoint_owe(struct endpoint *endpoint, uint64_t messages) {
  endpoint->owed += messages * endpoint->cycle->unit;
}

/* How far it is to the end of the message that is on its way. */
static size_t rest_of_message(const struct endpoint *endpoint) {
  if (endpoint->cycle == NULL) return 0;
  size_t into = endpoint->at % endpoint->cycle->unit;
  return into == 0 ? 0 : endpoint->cycle->unit - into;
}

void endpoint_stop(struct endpoint *endpoint) {
  endpoint->owed = rest_of_message(endpoint);
}

/* Writes what is next in line: an urgent piece at a border, else a piece of the cycle. Answers 0 when there is nothing. */
static size_t next_piece(const struct endpoint *endpoint, const uint8_t **from) {
  bool urgent = endpoint->urgent_length > 0;
  size_t rest = urgent ? rest_of_message(endpoint) : 0;
  if (urgent && rest == 0) {
    *from = endpoint->urgent + endpoint->urgent_at;
    return endpoint->urgent_length - endpoint->urgent_at;
  }
  if (endpoint->owed == 0) return 0;
  *from = endpoint->cycle->bytes + endpoint->at;
  size_t piece = rest > 0 ? rest : endpoint->cycle->length - endpoint->at;
  return piece < endpoint->owed ? piece : endpoint->owed;
}

static void was_written(struct endpoint *endpoint, const uint8_t *from, size_t length) {
  if (from == endpoint->urgent + endpoint->urgent_at) {
    endpoint->urgent_at += length;
    if (endpoint->urgent_at == endpoint->urgent_length) endpoint->urgent_at = endpoint->urgent_length = 0;
    return;
  }
  endpoint->sent += length;
  endpoint->owed -= length;
  endpoint->at += length;
  if (endpoint->at == endpoint->cycle->length) endpoint->at = 0;
}

void endpoint_flush(struct endpoint *endpoint) {
  if (endpoint->phase < PHASE_UPGRADING || endpoint->phase == PHASE_GONE) return;
  size_t total = 0;
  const uint8_t *from;
  size_t length;
  bool blocked = false;
  while ((length = next_piece(endpoint, &from)) > 0 && !blocked) {
    long written = total < FLUSH_SIZE ? wire_write(&endpoint->wire, from, length) : WIRE_WAIT;
    if (written == WIRE_GONE) {
      lose(endpoint, "a write failed");
      return;
    }
    if (written > 0) was_written(endpoint, from, (size_t)written);
    total += (size_t)written;
    blocked = (size_t)written < length;
  }
  /* A target answers a Close frame and then ends the transport, as a server does. */
  if (!blocked && endpoint->ending && endpoint->role == ROLE_TARGET) {
    lose(endpoint, "its client left");
    return;
  }
  poller_await(endpoint, !endpoint->deaf, blocked);
}

/* Receiving. */

static void greet(struct endpoint *client) {
  client->phase = PHASE_GREETING;
  client->greeting = (struct greeting){MAGIC, pool_id(client->pool), client->index};
  if (client->framed) urge_frame(client, OP_BINARY, &client->greeting, sizeof client->greeting);
  else endpoint_urge(client, &client->greeting, sizeof client->greeting);
}

static bool take_greeting(struct endpoint *endpoint, const uint8_t *bytes, size_t length, uint32_t key) {
  uint8_t mask[4], *expected = (uint8_t *)&endpoint->greeting;
  memcpy(mask, &key, 4);
  for (size_t i = 0; i < length; i++) {
    uint8_t byte = bytes[i] ^ mask[i & 3];
    if (endpoint->greeting_length == sizeof endpoint->greeting) return false;
    if (endpoint->role == ROLE_CLIENT && byte != expected[endpoint->greeting_length]) return false;
    expected[endpoint->greeting_length++] = byte;
  }
  if (endpoint->greeting_length < sizeof endpoint->greeting) return true;
  endpoint->phase = PHASE_OPEN;
  if (endpoint->role == ROLE_CLIENT) {
    pool_on_ready(endpoint);
    return true;
  }
  struct pool *pool = endpoint->greeting.magic == MAGIC ? pool_by_id(endpoint->greeting.pool) : NULL;
  if (pool == NULL) return false;
  endpoint->pool = pool;
  endpoint->index = endpoint->greeting.index;
  pool_on_target(pool, endpoint);
  if (endpoint->framed) urge_frame(endpoint, OP_BINARY, &endpoint->greeting, sizeof endpoint->greeting);
  else endpoint_urge(endpoint, &endpoint->greeting, sizeof endpoint->greeting);
  return true;
}

bool endpoint_on_payload(struct endpoint *endpoint, const uint8_t *bytes, size_t length, uint32_t key) {
  if (endpoint->phase == PHASE_GREETING) return take_greeting(endpoint, bytes, length, key);
  const struct traffic *traffic = pool_traffic(endpoint->pool);
  if (traffic == NULL) return false;
  endpoint->bytes += length;
  uint64_t whole = 0;
  while (length > 0) {
    size_t part = traffic->size - endpoint->offset;
    if (part > length) part = length;
    if (!matches(bytes, traffic->payload + endpoint->offset, part, key)) return false;
    /* Borders cross a proxy as they are: no message ends inside of a masked frame. */
    if (key != 0 && part < length) return false;
    bytes += part;
    length -= part;
    endpoint->offset += part;
    if (endpoint->offset == traffic->size) {
      endpoint->offset = 0;
      whole += 1;
    }
  }
  if (whole > 0) {
    endpoint->received += whole;
    pool_on_messages(endpoint, whole);
  }
  return true;
}

void endpoint_on_control(struct endpoint *endpoint) {
  if (endpoint->opcode == OP_PING) urge_frame(endpoint, OP_PONG, endpoint->control, endpoint->control_length);
  if (endpoint->opcode != OP_CLOSE) return;
  if (endpoint->role == ROLE_TARGET && !endpoint->ending) {
    endpoint->ending = true;
    urge_frame(endpoint, OP_CLOSE, endpoint->control, endpoint->control_length);
    return;
  }
  char why[160];
  unsigned code = endpoint->control_length < 2 ? 1005 : endpoint->control[0] * 256u + endpoint->control[1];
  int reason = endpoint->control_length < 2 ? 0 : endpoint->control_length - 2;
  snprintf(why, sizeof why, "closed with %u %.*s", code, reason, endpoint->control + 2);
  lose(endpoint, why);
}

static void take(struct endpoint *endpoint, const uint8_t *bytes, size_t length) {
  if (endpoint->phase == PHASE_UPGRADING) {
    long head = handshake_take(endpoint, bytes, length);
    if (head < 0) {
      char why[160];
      snprintf(why, sizeof why, "refused: %.*s", (int)strcspn(endpoint->head, "\r\n"), endpoint->head);
      lose(endpoint, why);
      return;
    }
    bytes += head;
    length -= (size_t)head;
    if (endpoint->phase == PHASE_GREETING && endpoint->role == ROLE_CLIENT) greet(endpoint);
  }
  if (length == 0) return;
  bool fine = endpoint->framed ? frames_take(endpoint, bytes, length) : endpoint_on_payload(endpoint, bytes, length, 0);
  if (!fine && endpoint->phase != PHASE_GONE) lose(endpoint, "bytes came that were not sent");
}

void endpoint_on_readable(struct endpoint *endpoint) {
  static uint8_t buffer[READ_SIZE];
  if (endpoint->role == ROLE_LISTENER) {
    accept_all(endpoint);
    return;
  }
  if (endpoint->phase < PHASE_UPGRADING) {
    endpoint_on_writable(endpoint);
    return;
  }
  long length;
  do {
    length = wire_read(&endpoint->wire, buffer, sizeof buffer);
    if (length > 0) take(endpoint, buffer, (size_t)length);
    if (endpoint->phase == PHASE_GONE) return;
    /* Without TLS a short read has emptied the socket, and the poller says so when it has not. */
  } while (length > 0 && endpoint->wire.tls != NULL && !endpoint->deaf);
  if (length == WIRE_GONE) lose(endpoint, endpoint->phase < PHASE_OPEN ? "ended before it was open" : "ended");
  else endpoint_flush(endpoint);
  if (endpoint->phase == PHASE_OPEN) pool_on_read(endpoint);
}

void endpoint_on_writable(struct endpoint *endpoint) {
  if (endpoint->phase == PHASE_CONNECTING) endpoint->phase = PHASE_SECURING;
  if (endpoint->phase == PHASE_SECURING) {
    int ready = wire_ready(&endpoint->wire);
    if (ready == WIRE_GONE) {
      lose(endpoint, endpoint->wire.tls != NULL ? "TLS failed" : "could not connect");
      return;
    }
    if (ready == WIRE_WAIT) {
      poller_await(endpoint, true, false);
      return;
    }
    endpoint->phase = PHASE_UPGRADING;
    if (endpoint->framed) handshake_ask(endpoint);
    else greet(endpoint);
  }
  endpoint_flush(endpoint);
}

/* What measurements tell an endpoint to do. */

void endpoint_begin(struct endpoint *endpoint, const struct traffic *traffic) {
  endpoint->cycle = !endpoint->framed                 ? &traffic->plain
                    : endpoint->role == ROLE_CLIENT ? &traffic->from_client
                                                    : &traffic->from_target;
  endpoint->at = endpoint->offset = 0;
  endpoint->owed = endpoint->sent = 0;
  endpoint->received = endpoint->bytes = 0;
  endpoint->due_first = endpoint->due_count = 0;
}

void endpoint_end(struct endpoint *endpoint) {
  static const uint8_t normal[] = {1000 >> 8, 1000 & 0xff};
  endpoint->ending = true;
  if (endpoint->framed) urge_frame(endpoint, OP_CLOSE, normal, sizeof normal);
  endpoint_flush(endpoint);
}

void endpoint_listen_to(struct endpoint *endpoint, bool reads) {
  endpoint->deaf = !reads;
  poller_await(endpoint, reads, endpoint->awaits_writing);
}
