/* Owns what is sent when, and what is counted. Every wait in here has an end. */
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const uint64_t MILLISECOND = 1000000;
/* How long everything that was sent may take to arrive. */
static const uint64_t ARRIVAL = 15000 * 1000000ull;
/* How far a flooding sender may be ahead: enough to fill a proxy's buffers, and an end to what anybody has to hold. */
static const uint64_t FLOOD_WINDOW = 256 * 1024;

struct clock {
  uint64_t begun;
  uint64_t cpu;
};

static uint64_t cpu_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static struct clock start_clock(void) {
  return (struct clock){now(), cpu_time()};
}

/* Answers with what every measurement has in common: its time, and the share of a core that this program used. */
static void answer(struct clock clock, const char *format, ...) {
  double seconds = (double)(now() - clock.begun) / 1e9;
  printf("{\"seconds\":%.6f,\"cpu\":%.6f", seconds, (double)(cpu_time() - clock.cpu) / 1e9);
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  printf("}\n");
}

static void answer_error(const struct pool *pool, const char *otherwise) {
  printf("{\"error\":\"%s\"}\n", pool != NULL && pool->error[0] != 0 ? pool->error : otherwise);
}

/* The pool that a command is about; answers the error itself when there is none. */
static struct pool *pool_of_command(void) {
  struct pool *pool = pool_by_id((uint32_t)setting("pool", -1));
  if (pool != NULL && pool->error[0] == 0) return pool;
  answer_error(pool, "there is no such pool");
  return NULL;
}

struct sums {
  uint64_t sent;
  uint64_t sent_bytes;
  uint64_t received;
  uint64_t owed;
};

static void add_up(struct endpoint *endpoint, void *argument) {
  struct sums *sums = argument;
  sums->received += endpoint->received;
  sums->owed += endpoint->owed;
  sums->sent_bytes += endpoint->sent;
  sums->sent += endpoint->sent / endpoint->cycle->unit;
}

static struct sums sums_of(const struct pool *pool, bool targets) {
  struct sums sums = {0};
  pool_each((struct pool *)pool, targets, add_up, &sums);
  return sums;
}

static bool all_came_back(const struct pool *pool) {
  struct sums clients = sums_of(pool, false);
  return clients.owed == 0 && clients.received == clients.sent;
}

static bool all_went_up(const struct pool *pool) {
  struct sums clients = sums_of(pool, false);
  return clients.owed == 0 && clients.sent == sums_of(pool, true).received;
}

static bool all_came_down(const struct pool *pool) {
  struct sums targets = sums_of(pool, true);
  return targets.owed == 0 && targets.sent == sums_of(pool, false).received;
}

static void begin_one(struct endpoint *endpoint, void *argument) {
  endpoint_begin(endpoint, argument);
}

static void owe_and_flush(struct endpoint *endpoint, void *argument) {
  endpoint_owe(endpoint, *(uint64_t *)argument);
  endpoint_flush(endpoint);
}

static void stop_one(struct endpoint *endpoint, void *argument) {
  (void)argument;
  endpoint_stop(endpoint);
}

static void listen_one(struct endpoint *endpoint, void *argument) {
  endpoint_listen_to(endpoint, *(bool *)argument);
}

/* Everybody starts at zero with the payload of the command. */
static bool begin(struct pool *pool, bool echoes) {
  const struct traffic *traffic = traffic_of((size_t)setting("size", 125));
  if (traffic == NULL) {
    answer_error(pool, "too many sizes, or none");
    return false;
  }
  pool->traffic = traffic;
  pool->echoes = echoes;
  pool->refills = false;
  pool_each(pool, false, begin_one, (void *)traffic);
  pool_each(pool, true, begin_one, (void *)traffic);
  return true;
}

static uint64_t duration(void) {
  return (uint64_t)setting("ms", 300) * MILLISECOND;
}

static bool connects_tls(void) {
  return setting("tls", 0) != 0;
}

void measure_open(void) {
  struct clock clock = start_clock();
  struct pool *pool = pool_new((uint16_t)setting("port", 0), !setting_is("client", "plain"), connects_tls(),
                               (size_t)setting("connections", 1));
  pool_connect(pool);
  if (pool_wait(pool, pool_is_open, now() + (uint64_t)setting("seconds", 60) * 1000 * MILLISECOND)) {
    answer(clock, ",\"pool\":%u", pool->id);
    return;
  }
  if (pool->error[0] == 0) {
    char why[100];
    snprintf(why, sizeof why, "only %zu of %zu connections opened in time", pool->ready, pool->size);
    pool_fail(pool, why);
  }
  pool_close(pool);
  answer_error(pool, "");
}

void measure_close(void) {
  struct clock clock = start_clock();
  struct pool *pool = pool_by_id((uint32_t)setting("pool", -1));
  if (pool != NULL) pool_close(pool);
  answer(clock, "");
}

/* `window` messages of each client are on their way all the time. */
void measure_echo(void) {
  struct pool *pool = pool_of_command();
  if (pool == NULL || !begin(pool, true)) return;
  uint64_t window = (uint64_t)setting("window", 1);
  struct clock clock = start_clock();
  pool->refills = true;
  pool_each(pool, false, owe_and_flush, &window);
  pool_run_until(pool, clock.begun + duration());
  pool->refills = false;
  if (pool_wait(pool, all_came_back, now() + ARRIVAL)) answer(clock, ",\"messages\":%lu", sums_of(pool, false).received);
  else answer_error(pool, "not all messages came back");
}

/* One side sends all the time, and the other takes everything. */
void measure_flood(void) {
  struct pool *pool = pool_of_command();
  if (pool == NULL || !begin(pool, false)) return;
  bool down = setting_is("way", "down");
  pool->window = FLOOD_WINDOW / pool->traffic->size < 2 ? 2 : FLOOD_WINDOW / pool->traffic->size;
  struct clock clock = start_clock();
  pool->floods = pool->refills = true;
  pool_each(pool, down, owe_and_flush, &pool->window);
  pool_run_until(pool, clock.begun + duration());
  pool->refills = false;
  pool_each(pool, down, stop_one, NULL);
  bool fine = pool_wait(pool, down ? all_came_down : all_went_up, now() + ARRIVAL);
  pool->floods = false;
  if (fine) {
    answer(clock, ",\"messages\":%lu", sums_of(pool, !down).received);
  } else {
    answer_error(pool, "not all messages arrived");
  }
}

static int compare_samples(const void *one, const void *other) {
  uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return (a > b) - (a < b);
}

static double percentile(const struct pool *pool, double share) {
  size_t rank = (size_t)(share * (double)pool->sample_count);
  if (rank >= pool->sample_count) rank = pool->sample_count - 1;
  return (double)pool->samples[rank] / 1000;
}

static bool send_due(struct endpoint *client, uint64_t due) {
  if (client == NULL) return true;
  if (client->due == NULL) client->due = calloc(MAX_DUE, sizeof *client->due);
  if (client->due_count == MAX_DUE) return false;
  client->due[(client->due_first + client->due_count++) % MAX_DUE] = due;
  endpoint_owe(client, 1);
  endpoint_flush(client);
  return true;
}

/*
 * Messages are due at even distances, whatever the proxy does, and their time counts from when they were due: one that
 * makes others wait is not let off. Nothing sleeps in here, as waking up takes longer than what is measured.
 */
void measure_rate(void) {
  struct pool *pool = pool_of_command();
  if (pool == NULL || !begin(pool, true)) return;
  double distance = 1e9 / (double)setting("rate", 1000);
  uint64_t count = (uint64_t)((double)duration() / distance), skipped = 0;
  pool->samples = malloc((count + 1) * sizeof *pool->samples);
  pool->sample_room = count;
  pool->sample_count = 0;
  struct clock clock = start_clock();
  for (uint64_t i = 0; i < count && pool->error[0] == 0; i++) {
    uint64_t due = clock.begun + (uint64_t)((double)i * distance);
    while (now() < due) poller_turn(0);
    if (!send_due(pool->clients[i % pool->size], due)) skipped += 1;
  }
  bool fine = pool_wait(pool, all_came_back, now() + ARRIVAL) && pool->sample_count > 0;
  if (fine) {
    qsort(pool->samples, pool->sample_count, sizeof *pool->samples, compare_samples);
    answer(clock, ",\"samples\":%zu,\"skipped\":%lu,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f",
           pool->sample_count, skipped, percentile(pool, 0.5), percentile(pool, 0.99), percentile(pool, 0.999),
           percentile(pool, 1));
  } else {
    answer_error(pool, "not all messages came back");
  }
  free(pool->samples);
  pool->samples = NULL;
}

static bool is_empty(const struct pool *pool) {
  return pool->connecting == 0 && pool->ready == 0;
}

/* Connect, upgrade, one message there and back, close, in a number of slots. */
void measure_connects(void) {
  struct pool *pool = pool_new((uint16_t)setting("port", 0), !setting_is("client", "plain"), connects_tls(),
                               (size_t)setting("slots", 50));
  struct clock clock = start_clock();
  pool->churns = pool->refills = true;
  pool_connect(pool);
  pool_run_until(pool, clock.begun + duration());
  pool->refills = false;
  bool fine = pool_wait(pool, is_empty, now() + ARRIVAL);
  uint64_t finished = pool->finished;
  char why[100];
  snprintf(why, sizeof why, "%zu connections did not open in time and %zu did not close", pool->connecting, pool->ready);
  /* Also the proxy's side towards the targets is over before its CPU time is read. */
  pool_close(pool);
  if (fine) answer(clock, ",\"connections\":%lu", finished);
  else answer_error(pool, why);
}

/* One side reads nothing while the other may send what is offered; over when nothing more is taken for a while. */
void measure_slow_reader(void) {
  struct pool *pool = pool_of_command();
  if (pool == NULL || !begin(pool, false)) return;
  bool down = setting_is("way", "down");
  uint64_t quiet = (uint64_t)setting("quiet", 500) * MILLISECOND;
  uint64_t offered = (uint64_t)setting("offered", 400000000) / pool->traffic->size / pool->size;
  struct clock clock = start_clock();
  pool_each(pool, !down, listen_one, &(bool){false});
  pool_each(pool, down, owe_and_flush, &offered);
  uint64_t taken = 0, changed = now(), end = clock.begun + duration();
  while (pool->error[0] == 0 && now() < end && now() - changed < quiet) {
    poller_turn(10);
    uint64_t bytes = sums_of(pool, down).sent_bytes;
    if (bytes != taken) changed = now();
    taken = bytes;
  }
  if (pool->error[0] == 0) answer(clock, ",\"taken\":%lu", taken);
  else answer_error(pool, "");
}
