/** Owns how many connections a server takes, and the room in it that is kept for control channels. Refuses to count them. */

/** What a connection is: of a client, or a control channel, which has room of its own. */
export type ConnectionRole = 'client' | 'control';

/** How many connections there may be. */
export interface CapacityOptions {
  /** 0 for any number. */
  readonly maxConnections: number;
  /** Of those, so many are kept for control channels. Default: 0. */
  readonly reservedConnections?: number;
}

/** Whether there is room for one more, of so many connections of which so many are control channels. */
export function hasRoom(
  { maxConnections, reservedConnections = 0 }: CapacityOptions,
  role: ConnectionRole,
  size: number,
  controls: number,
): boolean {
  if (maxConnections <= 0) return true;
  // What control channels have taken of their room is not kept for them any more.
  const kept = role === 'control' ? 0 : Math.max(0, reservedConnections - controls);
  return size < maxConnections - kept;
}
