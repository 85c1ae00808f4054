/** Owns which events come again and again while all is well, of every connection and every upstream. Refuses to say what follows. */

const ROUTINE: ReadonlySet<string> = new Set(['heartbeat.due', 'peer.heard', 'write.progressed']);

/** Whether an event of this type comes again and again while all is well. */
export function isRoutine(type: string): boolean {
  return ROUTINE.has(type);
}
