/** Owns the counters of one direction. Plain numbers, outside every chart. */
import type { TrafficSum } from '../../actors/pair-sums.js';
import type { Traffic } from '../../receivers/index.js';

/** Messages and payload bytes of one direction, counted as they pass; frames only where there are more of them than messages. */
export class TrafficCounter implements Traffic, TrafficSum {
  messages = 0;
  bytes = 0;
  fragments = 0;
  controls = 0;

  toJSON(): Traffic {
    return { messages: this.messages, bytes: this.bytes };
  }
}

/** Counts one whole message. */
export function countMessage(traffic: TrafficCounter, bytes: number): void {
  traffic.messages += 1;
  traffic.bytes += bytes;
}
