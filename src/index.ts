/** The public face of Tidegate; re-exports only. */
export * from './receivers/index.js';
export type { AdmissionHooks, TcpVerdict } from './server/admission/admission-hooks.js';
export type { Ban } from './server/admission/bans.js';
export type { AdmissionPolicy, Denial, MessageFacts, Peer } from './server/admission/policy.js';
export type { RefusalSnapshot } from './server/admission/refusal-counts.js';
export type { BroadcastFilter, BroadcastReport } from './server/broadcast.js';
export { checkConfig, type FileProblem, jsonSchema, type LoadedConfig, loadConfig } from './server/config/load.js';
export type { ProxyConfig, ProxyConfigInput } from './server/config/options.js';
export type { ServerSnapshot, ServerState, StopOptions } from './server/connection-server.js';
export type { ReceiverFactory } from './server/connections/entrance.js';
export type { RejectedUpgrade, ServerEvents } from './server/events.js';
export type { BoundAddress } from './server/listener/listen-address.js';
export { ProxyServer, type ProxyServerOptions } from './server/proxy-server.js';
export { ReceiverServer, type ReceiverServerOptions } from './server/receiver-server.js';
export type { CertificateFacts } from './server/tls/certificate.js';
export type { CertificateReport } from './server/tls/server-certificates.js';
export type { TlsHooks, TlsPeer } from './server/tls/tls-hooks.js';
export type { LostListener, RestoredListener, WatchdogEvent, WatchdogHooks } from './server/watchdog/watchdog-hooks.js';
