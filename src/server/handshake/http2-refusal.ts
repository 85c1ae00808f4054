/**
 * Owns the answer to a client that begins with the preface of HTTP/2 (RFC 9113 section 3.4): in frames of HTTP/2 that it should come with
 * HTTP/1.1. Refuses to speak more of it than that.
 */
import { Buffer } from 'node:buffer';
import type { Wire } from '../wires/wire.js';
import { lingerAndTerminate } from './linger.js';

/** Our SETTINGS, which has to come first and says nothing. */
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const GOAWAY = 7;
const HTTP_1_1_REQUIRED = 0x0d;
const REASON = Buffer.from('WebSocket over HTTP/1.1 only');

/** SETTINGS, and GOAWAY with HTTP_1_1_REQUIRED: no stream was looked at. */
const HTTP2_REFUSAL: Buffer = Buffer.concat([
  SETTINGS,
  Buffer.from([0, 0, 8 + REASON.length, GOAWAY, 0, 0, 0, 0, 0]),
  Buffer.from([0, 0, 0, 0, 0, 0, 0, HTTP_1_1_REQUIRED]),
  REASON,
]);

/** Answers, and ends the connection politely. */
export function refuseHttp2(wire: Wire): void {
  wire.write(HTTP2_REFUSAL);
  lingerAndTerminate(wire);
}
