/** The contract, in one place; re-exports only. */
export * from './close-code.js';
export * from './connection.js';
export * from './connection-receiver.js';
export * from './decision.js';
export * from './errors.js';
export * from './lifecycle-receiver.js';
export * from './principal.js';
export * from './upgrade-request.js';
