/* Owns the bytes that the load consists of: payloads, the frames around them, and comparing what comes back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opcode { OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

/* The largest header of a frame: two bytes, a length of eight, a mask of four. */
enum { MAX_HEADER = 14 };

/*
 * The same message many times over, each `unit` bytes long. A sender walks round and round in it, so that any number of
 * messages is a few large writes without copying.
 */
struct cycle {
  uint8_t *bytes;
  size_t unit;
  size_t length;
};

/* One payload size, in the three forms in which it travels. */
struct traffic {
  size_t size;
  uint8_t *payload;
  struct cycle from_client; /* masked, with another key in each frame */
  struct cycle from_target; /* not masked */
  struct cycle plain;       /* no frames at all */
};

/* The traffic of a payload size; built once and kept. */
const struct traffic *traffic_of(size_t size);

/* Writes one whole frame with a short payload, and answers its length. A key of zero means "not masked". */
size_t write_frame(uint8_t *to, enum opcode opcode, const void *payload, size_t length, uint32_t key);

/* Another mask for each call; never zero. */
uint32_t next_key(void);

/* Whether bytes are the expected ones once they are unmasked. The key is in the order of memory; its first byte is due. */
bool matches(const uint8_t *got, const uint8_t *expected, size_t length, uint32_t key);
