/** Owns the part of the table of error codes that is about plain HTTP requests. Refuses to be used by itself. */

/** As in the table, which checks them. */
export const PLAIN_REQUEST_ERRORS = {
  BAD_REQUEST: {
    whose: 'downstream',
    status: 400,
    help: 'The request is not one that can be passed on; the message says what is wrong with it.',
  },
  BODY_TOO_BIG: {
    whose: 'downstream',
    status: 413,
    help: 'The body of the request is larger than `http.maxBodyBytes`.',
  },
  REQUEST_TIMEOUT: {
    whose: 'downstream',
    status: 408,
    help: 'The client sent nothing of its request for too long (`timeouts.handshake` for the head, `http.bodyTimeout` for the body).',
  },
  UPSTREAM_BAD_ANSWER: {
    whose: 'upstream',
    status: 502,
    help: 'What the backend answered to a plain request is not HTTP/1.1, or more than may be passed on.',
  },
  UPSTREAM_NO_ANSWER: {
    whose: 'upstream',
    status: 504,
    help: 'The backend did not begin its answer to a plain request within `http.timeout`, or did not read the request.',
  },
} as const;
