/*
 * The load of the benchmark: every client and every target, in one process and one thread.
 *
 * It says on its first line where its targets listen, and then answers each line of input, such as
 * `echo pool=0 size=125 window=16 ms=300`, with one line of JSON. It ends with its input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "measure.h"

enum { MAX_LINE = 512, WANTED_FILES = 65536 };

static char line[MAX_LINE];

static const char *value_of(const char *name) {
  size_t length = strlen(name);
  for (const char *at = strchr(line, ' '); at != NULL; at = strchr(at + 1, ' ')) {
    if (strncmp(at + 1, name, length) == 0 && at[1 + length] == '=') return at + 2 + length;
  }
  return NULL;
}

long setting(const char *name, long fallback) {
  const char *value = value_of(name);
  return value == NULL ? fallback : strtol(value, NULL, 10);
}

bool setting_is(const char *name, const char *value) {
  const char *is = value_of(name);
  return is != NULL && strncmp(is, value, strlen(value)) == 0;
}

static const struct {
  const char *name;
  void (*measure)(void);
} commands[] = {
    {"open", measure_open},   {"echo", measure_echo},         {"flood", measure_flood},
    {"rate", measure_rate},   {"connects", measure_connects}, {"slow-reader", measure_slow_reader},
    {"close", measure_close},
};

static void obey(void) {
  size_t length = strcspn(line, " ");
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (strlen(commands[i].name) == length && strncmp(commands[i].name, line, length) == 0) {
      commands[i].measure();
      return;
    }
  }
  printf("{\"error\":\"there is no such command\"}\n");
}

/* Takes as many files as it may, and answers how many. */
static unsigned long raise_files(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  struct rlimit wanted = {.rlim_cur = WANTED_FILES, .rlim_max = WANTED_FILES};
  if (limit.rlim_max < WANTED_FILES && setrlimit(RLIMIT_NOFILE, &wanted) == 0) return WANTED_FILES;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

int main(void) {
  unsigned long files = raise_files();
  uint16_t websocket, plain;
  setvbuf(stdin, NULL, _IONBF, 0);
  setvbuf(stdout, NULL, _IOLBF, 0);
  poller_start();
  if (!endpoints_listen(&websocket, &plain)) {
    perror("listen");
    return 1;
  }
  printf("{\"websocket\":%u,\"plain\":%u,\"tls\":%s,\"files\":%lu}\n", websocket, plain, HAS_TLS ? "true" : "false",
         files);
  for (;;) {
    /* Between two commands pings still want their pongs. */
    poller_await_input();
    while (!poller_turn(1000)) continue;
    if (fgets(line, sizeof line, stdin) == NULL) return 0;
    line[strcspn(line, "\n")] = 0;
    obey();
  }
}
