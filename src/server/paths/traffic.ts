/** Owns the counters of one direction. Plain numbers, outside every chart. */
import type { Traffic } from '../../receivers/index.js';

/** Messages and payload bytes of one direction, counted as they pass. */
export class TrafficCounter implements Traffic {
  messages = 0;
  bytes = 0;

  toJSON(): Traffic {
    return { messages: this.messages, bytes: this.bytes };
  }
}
