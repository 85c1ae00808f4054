/* Owns SHA-1 (FIPS 180-4) of one short text, and base64 of its digest. */
#include "sha1.h"

#include <stdint.h>
#include <string.h>

enum { KEY = 24, GUID = 36, BLOCKS = 2, BLOCK = 64 };

static uint32_t rotate(uint32_t value, int by) {
  return value << by | value >> (32 - by);
}

static void add_block(uint32_t state[5], const uint8_t *block) {
  uint32_t words[80];
  for (int i = 0; i < 16; i++) {
    const uint8_t *at = block + 4 * i;
    words[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
  }
  for (int i = 16; i < 80; i++) words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);

  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  for (int i = 0; i < 80; i++) {
    uint32_t mixed, constant;
    if (i < 20) mixed = (b & c) | (~b & d), constant = 0x5a827999;
    else if (i < 40) mixed = b ^ c ^ d, constant = 0x6ed9eba1;
    else if (i < 60) mixed = (b & c) | (b & d) | (c & d), constant = 0x8f1bbcdc;
    else mixed = b ^ c ^ d, constant = 0xca62c1d6;
    uint32_t next = rotate(a, 5) + mixed + e + constant + words[i];
    e = d, d = c, c = rotate(b, 30), b = a, a = next;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void websocket_accept(const char *key, char accept[ACCEPT_SIZE]) {
  /* A key with the GUID is 60 bytes, which with padding and length are always two blocks. */
  uint8_t text[BLOCKS * BLOCK] = {0};
  memcpy(text, key, KEY);
  memcpy(text + KEY, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", GUID);
  text[KEY + GUID] = 0x80;
  unsigned bits = 8 * (KEY + GUID);
  text[sizeof text - 2] = (uint8_t)(bits >> 8);
  text[sizeof text - 1] = (uint8_t)bits;

  uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (int i = 0; i < BLOCKS; i++) add_block(state, text + i * BLOCK);

  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint8_t digest[21] = {0};
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
  for (int i = 0; i < 7; i++) {
    uint32_t three = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 | digest[3 * i + 2];
    for (int j = 0; j < 4; j++) accept[4 * i + j] = digits[three >> (18 - 6 * j) & 63];
  }
  /* Twenty bytes are two short of a multiple of three by one. */
  accept[27] = '=';
  accept[28] = 0;
}
