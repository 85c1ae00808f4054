/* Owns the answer to Sec-WebSocket-Key, so that the generator also builds where there is no OpenSSL. */
#pragma once

/* A key, its answer, and a terminating zero. */
enum { ACCEPT_SIZE = 29 };

/* Writes the Sec-WebSocket-Accept that answers a key of 24 characters. */
void websocket_accept(const char *key, char accept[ACCEPT_SIZE]);
