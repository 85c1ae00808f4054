/** What tests of applications and of the charts use; re-exports only. */
export type { ConnectionEffects, ConnectionTimeouts, Refusal } from './actors/connection.effects.js';
export { type ConnectionEvent, connectionMachine, type DialOrder } from './actors/connection.machine.js';
export { type Ending, relayed, reportedStatus } from './actors/ending.js';
export type { SupervisorEffects } from './actors/supervisor.effects.js';
export { type SupervisorEvent, supervisorMachine } from './actors/supervisor.machine.js';
export type { UpstreamEffects, UpstreamTimeouts } from './actors/upstream.effects.js';
export { type UpstreamEvent, upstreamMachine } from './actors/upstream.machine.js';
