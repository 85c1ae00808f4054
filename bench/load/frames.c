/* Owns taking frames apart as they come, in pieces of any size. */
#include <string.h>

#include "endpoint_events.h"

/* How long the header is, as far as is known from its first bytes. */
static unsigned header_size(const struct endpoint *in) {
  if (in->header_length < 2) return 2;
  unsigned length = in->header[1] & 0x7f;
  return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + (in->header[1] & 0x80 ? 4 : 0);
}

static bool begin_frame(struct endpoint *in) {
  unsigned size = in->header_length;
  bool masked = in->header[1] & 0x80;
  /* Clients mask and servers do not: a proxy that gets this wrong is no WebSocket proxy. */
  if (masked != (in->role == ROLE_TARGET) || (in->header[0] & 0x70) != 0) return false;
  in->opcode = in->header[0] & 0x0f;
  uint64_t length = in->header[1] & 0x7f;
  if (length >= 126) {
    unsigned bytes = length == 126 ? 2 : 8;
    length = 0;
    for (unsigned i = 0; i < bytes; i++) length = length << 8 | in->header[2 + i];
  }
  memset(in->key, 0, 4);
  if (masked) memcpy(in->key, in->header + size - 4, 4);
  in->key_at = 0;
  in->left = length;
  in->header_length = 0;
  in->control_length = 0;
  return in->opcode < OP_CLOSE || length <= sizeof in->control;
}

static uint32_t turned_key(const struct endpoint *in) {
  uint8_t turned[4];
  for (unsigned i = 0; i < 4; i++) turned[i] = in->key[(in->key_at + i) & 3];
  uint32_t key;
  memcpy(&key, turned, 4);
  return key;
}

static bool take_part(struct endpoint *in, const uint8_t *bytes, size_t length) {
  bool fine = true;
  if (in->opcode < OP_CLOSE) {
    fine = endpoint_on_payload(in, bytes, length, turned_key(in));
  } else {
    for (size_t i = 0; i < length; i++) in->control[in->control_length++] = bytes[i] ^ in->key[(in->key_at + i) & 3];
  }
  in->key_at += length;
  in->left -= length;
  return fine;
}

bool frames_take(struct endpoint *in, const uint8_t *bytes, size_t length) {
  const uint8_t *end = bytes + length;
  while (bytes < end && in->phase != PHASE_GONE) {
    if (in->left == 0) {
      in->header[in->header_length++] = *bytes++;
      if (in->header_length < header_size(in)) continue;
      if (!begin_frame(in)) return false;
    } else {
      size_t part = in->left < (size_t)(end - bytes) ? in->left : (size_t)(end - bytes);
      if (!take_part(in, bytes, part)) return false;
      bytes += part;
    }
    if (in->left == 0 && in->header_length == 0 && in->opcode >= OP_CLOSE) endpoint_on_control(in);
  }
  return true;
}
