/** Owns the options that say what a balancer does for WebSocket clients and for plain HTTP requests. Refuses to do it. */
import { z } from 'zod';
import { choice, count, described, duration, flag, optionalText, size } from '../fields.js';

/** The option `mode`. */
export const mode = choice(['relay', 'redirect', 'off'], {
  description:
    'What WebSocket clients get: `relay` carries them to a backend, `redirect` tells them the address of one, `off` refuses them.',
});

/** How clients are told where to go. */
export const redirect = described(
  z
    .strictObject({
      /** The path that answers a plain HTTP request with the address of a backend as JSON. Left out: none but in redirect mode, where it is every path. */
      path: optionalText({
        description:
          'The path that answers a plain HTTP request with the address of a backend as JSON. Left out: none but in redirect mode, where it is every path.',
        flag: 'redirect-path',
      }),
      /** The subprotocol by which a WebSocket client is told the address of a backend in one message. */
      subprotocol: described(
        z.string({ error: 'expected the name of a subprotocol' }).min(1).default('tidegate.binding.v1'),
        'text',
        {
          description: 'The subprotocol by which a WebSocket client is told the address of a backend in one message.',
          flag: 'redirect-subprotocol',
        },
      ),
    })
    .prefault({}),
  'group',
  { description: 'How clients are told where to go.' },
);

/** What is done for plain HTTP requests. */
export const http = described(
  z
    .strictObject({
      /** Whether requests that are no WebSocket handshake are forwarded to a backend. */
      enabled: flag({
        description: 'Whether requests that are no WebSocket handshake are forwarded to a backend.',
        default: true,
        flag: 'http',
      }),
      /** The largest body of a request; a larger one is answered 413. 0 = any. */
      maxBodyBytes: size({
        description: 'The largest body of a request; a larger one is answered 413. 0 = any.',
        default: '64MiB',
        flag: 'http-max-body-bytes',
      }),
      /** How long a backend may take to begin its answer before the client gets 504. */
      timeout: duration({
        description: 'How long a backend may take to begin its answer before the client gets 504.',
        default: '60s',
        flag: 'http-timeout',
      }),
      /** How long a connection of a client is kept open between two requests. */
      keepAlive: duration({
        description: 'How long a connection of a client is kept open between two requests.',
        default: '5s',
        flag: 'http-keep-alive',
      }),
      /** How many connections to each backend there may be for HTTP requests. */
      connections: count({
        description: 'How many connections to each backend there may be for HTTP requests.',
        default: 128,
        min: 1,
        flag: 'http-connections',
      }),
      /** How many times a request that may be repeated is tried on another backend when nothing was answered. */
      retries: count({
        description:
          'How many times a request that may be repeated is tried on another backend when nothing was answered.',
        default: 2,
        flag: 'http-retries',
      }),
    })
    .prefault({}),
  'group',
  { description: 'What is done for plain HTTP requests.' },
);
