/* Owns building payloads and frames, and the comparison that looks at every byte without being the bottleneck. */
#include "traffic.h"

#include <stdlib.h>
#include <string.h>

/* Long enough for a full write of small messages, short enough to stay in the cache of the processor. */
static const size_t CYCLE_BYTES = 256 * 1024;

enum { MAX_SIZES = 32 };

uint32_t next_key(void) {
  static uint32_t state = 0x9e3779b9;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static size_t write_header(uint8_t *to, enum opcode opcode, size_t length, uint32_t key) {
  size_t at = 0;
  uint8_t masked = key == 0 ? 0 : 0x80;
  to[at++] = 0x80 | opcode;
  if (length < 126) {
    to[at++] = masked | (uint8_t)length;
  } else {
    int bytes = length < 65536 ? 2 : 8;
    to[at++] = masked | (bytes == 2 ? 126 : 127);
    for (int i = bytes - 1; i >= 0; i--) to[at++] = (uint8_t)(length >> (8 * i));
  }
  if (key != 0) {
    memcpy(to + at, &key, 4);
    at += 4;
  }
  return at;
}

size_t write_frame(uint8_t *to, enum opcode opcode, const void *payload, size_t length, uint32_t key) {
  const uint8_t *from = payload;
  uint8_t mask[4];
  memcpy(mask, &key, 4);
  size_t header = write_header(to, opcode, length, key);
  for (size_t i = 0; i < length; i++) to[header + i] = from[i] ^ mask[i & 3];
  return header + length;
}

static struct cycle cycle_of(const struct traffic *traffic, bool framed, bool masked) {
  uint8_t header[MAX_HEADER];
  struct cycle cycle = {.unit = traffic->size};
  if (framed) cycle.unit += write_header(header, OP_BINARY, traffic->size, masked ? 1 : 0);
  size_t count = CYCLE_BYTES / cycle.unit;
  if (count < 2) count = 2;
  cycle.length = count * cycle.unit;
  cycle.bytes = malloc(cycle.length);
  for (uint8_t *at = cycle.bytes; at < cycle.bytes + cycle.length; at += cycle.unit) {
    if (framed) write_frame(at, OP_BINARY, traffic->payload, traffic->size, masked ? next_key() : 0);
    else memcpy(at, traffic->payload, traffic->size);
  }
  return cycle;
}

const struct traffic *traffic_of(size_t size) {
  static struct traffic known[MAX_SIZES];
  static size_t count;
  for (size_t i = 0; i < count; i++) {
    if (known[i].size == size) return &known[i];
  }
  if (size == 0 || count == MAX_SIZES) return NULL;
  struct traffic *traffic = &known[count++];
  traffic->size = size;
  traffic->payload = malloc(size);
  /* Seven is coprime to 256, and the second term breaks the period: a byte that is missing or moved shows. */
  for (size_t i = 0; i < size; i++) traffic->payload[i] = (uint8_t)(i * 7 + (i >> 8) * 13);
  traffic->from_client = cycle_of(traffic, true, true);
  traffic->from_target = cycle_of(traffic, true, false);
  traffic->plain = cycle_of(traffic, false, false);
  return traffic;
}

typedef uint32_t lanes __attribute__((vector_size(16)));

bool matches(const uint8_t *got, const uint8_t *expected, size_t length, uint32_t key) {
  if (key == 0) return memcmp(got, expected, length) == 0;
  lanes keys = {key, key, key, key};
  lanes wrong = {0};
  size_t at = 0;
  for (; at + sizeof(lanes) <= length; at += sizeof(lanes)) {
    lanes one, other;
    memcpy(&one, got + at, sizeof one);
    memcpy(&other, expected + at, sizeof other);
    wrong |= one ^ other ^ keys;
  }
  uint8_t mask[4];
  memcpy(mask, &key, 4);
  uint8_t rest = 0;
  for (; at < length; at++) rest |= got[at] ^ expected[at] ^ mask[at & 3];
  return (wrong[0] | wrong[1] | wrong[2] | wrong[3] | rest) == 0;
}
