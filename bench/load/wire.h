/* Owns non-blocking sockets on loopback, with TLS on the client's side where OpenSSL was there to build with. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(WITHOUT_TLS)
#include <openssl/ssl.h>
#define HAS_TLS true
#else
typedef void SSL;
#define HAS_TLS false
#endif

struct wire {
  int fd;
  SSL *tls;
};

/* What reading and writing answer beside a number of bytes. */
enum { WIRE_WAIT = 0, WIRE_GONE = -1 };

/* A listening socket on a free port of 127.0.0.1. */
int wire_listen(uint16_t *port);

/* A socket that was accepted, or -1. */
int wire_accept(int listener);

/* Begins to connect to a port of 127.0.0.1. Source addresses take turns, so that ports last for many connections. */
bool wire_connect(struct wire *wire, uint16_t port, bool tls);

/* Whether it is connected, and TLS agreed on: 1, or WIRE_WAIT, or WIRE_GONE. */
int wire_ready(struct wire *wire);

long wire_read(struct wire *wire, void *to, size_t length);
long wire_write(struct wire *wire, const void *from, size_t length);
void wire_close(struct wire *wire);
