/* Owns what the poller and the endpoints know of each other, and nobody else. */
#pragma once

#include "endpoint.h"

void poller_add(struct endpoint *endpoint, bool reading, bool writing);
void poller_await(struct endpoint *endpoint, bool reading, bool writing);
void poller_forget(struct endpoint *endpoint);

void endpoint_on_readable(struct endpoint *endpoint);
void endpoint_on_writable(struct endpoint *endpoint);

/* Takes the HTTP head away from the front of what was read: answers how many bytes it was, or -1 when it is wrong. */
long handshake_take(struct endpoint *endpoint, const uint8_t *bytes, size_t length);
void handshake_ask(struct endpoint *endpoint);

/* Reads frames; answers false when they are against the rules. */
bool frames_take(struct endpoint *endpoint, const uint8_t *bytes, size_t length);

/* What was read of a payload, and a control frame that is whole. */
bool endpoint_on_payload(struct endpoint *endpoint, const uint8_t *bytes, size_t length, uint32_t key);
void endpoint_on_control(struct endpoint *endpoint);

/* Puts one short thing before everything else that is to be sent, at the next border between messages. */
void endpoint_urge(struct endpoint *endpoint, const void *bytes, size_t length);
