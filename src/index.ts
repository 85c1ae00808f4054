/** The public face of Tidegate; re-exports only. */
export * from './receivers/index.js';
export type { PasswordCredentials } from './server/authentication/credentials.js';
export type { DisconnectFilter, DisconnectOptions } from './server/authentication/disconnect.js';
export type { AuthenticationAnswer, AuthenticationHooks } from './server/authentication/hooks.js';
export { hashPassword } from './server/authentication/password-hash.js';
export type { BroadcastFilter, BroadcastReport } from './server/broadcast.js';
export { checkConfig, type FileProblem, jsonSchema, type LoadedConfig, loadConfig } from './server/config/load.js';
export type { ProxyConfig, ProxyConfigInput } from './server/config/options.js';
export type { ServerSnapshot, ServerState, StopOptions } from './server/connection-server.js';
export type { ReceiverFactory } from './server/connections/entrance.js';
export type { RejectedUpgrade, ServerEvents } from './server/events.js';
export type { BoundAddress } from './server/listener/listen-address.js';
export { ProxyServer, type ProxyServerOptions } from './server/proxy-server.js';
export { ReceiverServer, type ReceiverServerOptions } from './server/receiver-server.js';
