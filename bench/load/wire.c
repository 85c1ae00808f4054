/* Owns every call to a socket. */
#define _GNU_SOURCE
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#if HAS_TLS
#include <openssl/err.h>
#endif

enum { SOURCE_ADDRESSES = 16 };

static struct sockaddr_in loopback(uint32_t offset, uint16_t port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK + offset)};
}

int wire_listen(uint16_t *port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = loopback(0, 0);
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 4096) < 0) return -1;
  getsockname(fd, (struct sockaddr *)&address, &length);
  *port = ntohs(address.sin_port);
  return fd;
}

static void no_delay(int fd) {
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

int wire_accept(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) no_delay(fd);
  return fd;
}

#if HAS_TLS
static SSL *new_session(int fd) {
  static SSL_CTX *context;
  if (context == NULL) {
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* The same cipher with every proxy, or the table would compare ciphers. */
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  }
  SSL *session = SSL_new(context);
  SSL_set_fd(session, fd);
  SSL_set_tlsext_host_name(session, "localhost");
  SSL_set_connect_state(session);
  return session;
}

/* Errors are queued for a thread: one that was left by another connection would be taken for one of this. */
static SSL *session_of(struct wire *wire) {
  ERR_clear_error();
  return wire->tls;
}

static long tls_result(struct wire *wire, int result) {
  if (result > 0) return result;
  int error = SSL_get_error(wire->tls, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? WIRE_WAIT : WIRE_GONE;
}
#endif

bool wire_connect(struct wire *wire, uint16_t port, bool tls) {
  static uint32_t turn;
  struct sockaddr_in source = loopback(1 + turn++ % SOURCE_ADDRESSES, 0);
  struct sockaddr_in address = loopback(0, port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  *wire = (struct wire){.fd = fd};
  if (fd < 0) return false;
  no_delay(fd);
  /* The port is chosen when connecting, where it only has to differ for the same destination. */
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
  if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0) return false;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) return false;
#if HAS_TLS
  if (tls) wire->tls = new_session(fd);
  return true;
#else
  return !tls;
#endif
}

int wire_ready(struct wire *wire) {
#if HAS_TLS
  if (wire->tls != NULL) return (int)tls_result(wire, SSL_do_handshake(session_of(wire)));
#endif
  int error = 0;
  getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
  return error == 0 ? 1 : WIRE_GONE;
}

static long result_of(long result) {
  if (result > 0) return result;
  if (result < 0 && (errno == EAGAIN || errno == ENOTCONN)) return WIRE_WAIT;
  return WIRE_GONE;
}

long wire_read(struct wire *wire, void *to, size_t length) {
#if HAS_TLS
  if (wire->tls != NULL) return tls_result(wire, SSL_read(session_of(wire), to, (int)length));
#endif
  return result_of(recv(wire->fd, to, length, 0));
}

long wire_write(struct wire *wire, const void *from, size_t length) {
#if HAS_TLS
  if (wire->tls != NULL) return tls_result(wire, SSL_write(session_of(wire), from, (int)length));
#endif
  return result_of(send(wire->fd, from, length, MSG_NOSIGNAL));
}

void wire_close(struct wire *wire) {
#if HAS_TLS
  if (wire->tls != NULL) SSL_free(wire->tls);
#endif
  if (wire->fd >= 0) close(wire->fd);
  *wire = (struct wire){.fd = -1};
}
