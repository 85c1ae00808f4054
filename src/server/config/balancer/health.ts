/** Owns the options of the health checks. Refuses to check. */
import { z } from 'zod';
import { choice, count, described, duration, fraction } from '../fields.js';

const PATH_ERROR = "expected a path such as '/health', without spaces";

/** How it is found out that a backend is not well. */
export const health = described(
  z
    .strictObject({
      /** How every backend is asked whether it is well: not at all, by a TCP connection, an HTTP request, or a WebSocket handshake with a ping. */
      check: choice(['off', 'tcp', 'http', 'websocket'], {
        description:
          'How every backend is asked whether it is well: not at all, by a TCP connection, an HTTP request, or a WebSocket handshake with a ping.',
        default: 'tcp',
        flag: 'health-check',
      }),
      /** What an HTTP or WebSocket check asks for. Left out: the path of the backend. */
      path: described(
        z
          .string({ error: PATH_ERROR })
          .regex(/^\/[!-~]*$/, { error: PATH_ERROR })
          .optional(),
        'text',
        {
          description: 'What an HTTP or WebSocket check asks for. Left out: the path of the backend.',
          flag: 'health-path',
          placeholder: '<path>',
        },
      ),
      /** How often each backend is checked. */
      interval: duration({
        description: 'How often each backend is checked.',
        default: '5s',
        min: 100,
        flag: 'health-interval',
      }),
      /** How long a check may take. */
      timeout: duration({
        description: 'How long a check may take.',
        default: '2s',
        min: 10,
        flag: 'health-timeout',
      }),
      /** Checks that have to pass in a row before an unhealthy backend is healthy. */
      rise: count({
        description: 'Checks that have to pass in a row before an unhealthy backend is healthy.',
        default: 2,
        min: 1,
        flag: 'health-rise',
      }),
      /** Checks that have to fail in a row before a healthy backend is unhealthy. */
      fall: count({
        description: 'Checks that have to fail in a row before a healthy backend is unhealthy.',
        default: 3,
        min: 1,
        flag: 'health-fall',
      }),
      /** Failures in a row, of clients' connections, after which a backend is ejected: dials that failed, and connections that broke early. 0 = never. */
      maxFailures: count({
        description:
          "Failures in a row, of clients' connections, after which a backend is ejected: dials that failed, and connections that broke early. 0 = never.",
        default: 5,
      }),
      /** A connection that breaks within this time after it was opened counts as a failure. */
      earlyClose: duration({
        description: 'A connection that breaks within this time after it was opened counts as a failure.',
        default: '1s',
      }),
      /** How long a backend is ejected for the first time; doubled each time again. */
      ejection: duration({
        description: 'How long a backend is ejected for the first time; doubled each time again.',
        default: '10s',
        min: 1,
      }),
      /** The longest ejection. */
      maxEjection: duration({ description: 'The longest ejection.', default: '5m', min: 1 }),
      /** Which part of the pool may be ejected at a time. At least one backend may, if there are others. */
      maxEjected: fraction({
        description: 'Which part of the pool may be ejected at a time. At least one backend may, if there are others.',
        default: 0.5,
      }),
      /** How many connections a backend gets after an ejection, to find out whether it is well again. */
      trials: count({
        description: 'How many connections a backend gets after an ejection, to find out whether it is well again.',
        default: 1,
        min: 1,
      }),
    })
    .prefault({}),
  'group',
  { description: 'How it is found out that a backend is not well.' },
);
