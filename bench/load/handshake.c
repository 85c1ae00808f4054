/* Owns the HTTP of the two ends: the client's request and the target's answer. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint_events.h"
#include "sha1.h"

enum { MAX_HEAD = 4096, KEY_LENGTH = 24 };

#define CLIENT_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define CLIENT_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

void handshake_ask(struct endpoint *client) {
  static const char request[] =
      "GET /bench HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " CLIENT_KEY "\r\n\r\n";
  endpoint_urge(client, request, sizeof request - 1);
}

static bool answer(struct endpoint *target) {
  static const char name[] = "sec-websocket-key:";
  const char *key = strcasestr(target->head, name);
  if (key == NULL) return false;
  key += sizeof name - 1;
  while (*key == ' ') key++;
  if (strcspn(key, " \r\n") != KEY_LENGTH) return false;
  char accept[ACCEPT_SIZE], response[200];
  websocket_accept(key, accept);
  int length = snprintf(response, sizeof response,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n",
                        accept);
  endpoint_urge(target, response, (size_t)length);
  return true;
}

static bool is_accepted(const struct endpoint *client) {
  return strncmp(client->head, "HTTP/1.1 101 ", 13) == 0 && strstr(client->head, CLIENT_ACCEPT) != NULL;
}

long handshake_take(struct endpoint *endpoint, const uint8_t *bytes, size_t length) {
  if (endpoint->head == NULL) endpoint->head = calloc(1, MAX_HEAD + 1);
  size_t before = endpoint->head_length;
  size_t part = length < MAX_HEAD - before ? length : MAX_HEAD - before;
  memcpy(endpoint->head + before, bytes, part);
  endpoint->head_length += part;
  endpoint->head[endpoint->head_length] = 0;
  char *end = strstr(endpoint->head, "\r\n\r\n");
  if (end == NULL) return endpoint->head_length < MAX_HEAD ? (long)part : -1;
  end[4] = 0;
  size_t size = (size_t)(end + 4 - endpoint->head);
  if (endpoint->role == ROLE_TARGET ? !answer(endpoint) : !is_accepted(endpoint)) return -1;
  endpoint->phase = PHASE_GREETING;
  free(endpoint->head);
  endpoint->head = NULL;
  endpoint->head_length = 0;
  return (long)(size - before);
}
