/* Owns waiting: one epoll, the clients and the targets in it, and the input of the program. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "endpoint_events.h"

enum { MAX_EVENTS = 512 };

static int poller = -1;
static struct endpoint *gone;

uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void control(int operation, int fd, uint32_t events, void *data) {
  struct epoll_event event = {.events = events, .data.ptr = data};
  if (epoll_ctl(poller, operation, fd, &event) < 0) perror("epoll_ctl");
}

void poller_start(void) {
  poller = epoll_create1(EPOLL_CLOEXEC);
  control(EPOLL_CTL_ADD, STDIN_FILENO, 0, NULL);
}

void poller_await_input(void) {
  /* Once: while a command runs, nobody is interested in the next one. */
  control(EPOLL_CTL_MOD, STDIN_FILENO, EPOLLIN | EPOLLONESHOT, NULL);
}

static uint32_t events_of(const struct endpoint *endpoint) {
  return (endpoint->awaits_reading ? EPOLLIN : 0) | (endpoint->awaits_writing ? EPOLLOUT : 0);
}

void poller_add(struct endpoint *endpoint, bool reading, bool writing) {
  endpoint->awaits_reading = reading;
  endpoint->awaits_writing = writing;
  control(EPOLL_CTL_ADD, endpoint->wire.fd, events_of(endpoint), endpoint);
}

void poller_await(struct endpoint *endpoint, bool reading, bool writing) {
  if (endpoint->awaits_reading == reading && endpoint->awaits_writing == writing) return;
  endpoint->awaits_reading = reading;
  endpoint->awaits_writing = writing;
  control(EPOLL_CTL_MOD, endpoint->wire.fd, events_of(endpoint), endpoint);
}

void poller_forget(struct endpoint *endpoint) {
  endpoint->next_gone = gone;
  gone = endpoint;
}

/* Events of this turn may still point at an endpoint that went away in it, so memory is given back behind the turn. */
static void free_gone(void) {
  while (gone != NULL) {
    struct endpoint *endpoint = gone;
    gone = endpoint->next_gone;
    free(endpoint->head);
    free(endpoint->due);
    free(endpoint);
  }
}

bool poller_turn(int timeout_ms) {
  struct epoll_event events[MAX_EVENTS];
  bool input = false;
  int count = epoll_wait(poller, events, MAX_EVENTS, timeout_ms);
  for (int i = 0; i < count; i++) {
    struct endpoint *endpoint = events[i].data.ptr;
    if (endpoint == NULL) {
      input = true;
      continue;
    }
    if (endpoint->phase == PHASE_GONE) continue;
    if (events[i].events & EPOLLOUT) endpoint_on_writable(endpoint);
    if (endpoint->phase == PHASE_GONE) continue;
    /* A reset shows when reading, also to one that does not read. */
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) endpoint_on_readable(endpoint);
  }
  free_gone();
  return input;
}
