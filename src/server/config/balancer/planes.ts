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
      /** Whether requests that are no WebSocket handshake are forwarded to a backend, at the host and port of its `url` and the path that was asked for. */
      enabled: flag({
        description:
          'Whether requests that are no WebSocket handshake are forwarded to a backend, at the host and port of its `url` and the path that was asked for.',
        default: true,
        flag: 'http',
      }),
      /** The largest body of a request; a larger one is answered 413. 0 = any. */
      maxBodyBytes: size({
        description: 'The largest body of a request; a larger one is answered 413. 0 = any.',
        default: '64MiB',
        flag: 'http-max-body-bytes',
      }),
      /** How long a backend may take to begin its answer before the client gets 504. 0 = for ever. */
      timeout: duration({
        description: 'How long a backend may take to begin its answer before the client gets 504. 0 = for ever.',
        default: '60s',
        flag: 'http-timeout',
      }),
      /** How long a client may send nothing of a body before it gets 408, and a backend take nothing of it before the client gets 504. */
      bodyTimeout: duration({
        description:
          'How long a client may send nothing of a body before it gets 408, and a backend take nothing of it before the client gets 504.',
        default: '60s',
        min: 1,
        flag: 'http-body-timeout',
      }),
      /** How long a backend may send nothing of an answer that it has begun before the connection of the client is cut. 0 = for ever. */
      idleTimeout: duration({
        description:
          'How long a backend may send nothing of an answer that it has begun before the connection of the client is cut. 0 = for ever.',
        default: '5m',
        flag: 'http-idle-timeout',
      }),
      /** Whether plain requests have to show the credentials that `authentication` asks for. Off: they pass as they come, with what they show, and the backend sees to it. */
      authenticate: flag({
        description:
          'Whether plain requests have to show the credentials that `authentication` asks for. Off: they pass as they come, with what they show, and the backend sees to it.',
        default: true,
        flag: 'http-authenticate',
      }),
      /** How long a connection of a client is kept open between two requests. 0 = it is closed behind its first one. */
      keepAlive: duration({
        description:
          'How long a connection of a client is kept open between two requests. 0 = it is closed behind its first one.',
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
