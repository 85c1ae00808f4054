/* Owns the measurements: each is one command of the line protocol. */
#pragma once

#include "pool.h"

/* How a measurement reads its settings, such as `size=125`. */
long setting(const char *name, long fallback);
bool setting_is(const char *name, const char *value);

/* Each answers by printing one line of JSON. */
void measure_open(void);
void measure_echo(void);
void measure_flood(void);
void measure_rate(void);
void measure_connects(void);
void measure_slow_reader(void);
void measure_close(void);
