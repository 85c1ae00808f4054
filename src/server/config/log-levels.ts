/** Owns the names of the levels of a log. Refuses to log. */

/** From everything to nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The level of a log. */
export type LogLevel = (typeof LOG_LEVELS)[number];
