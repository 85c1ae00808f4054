/** The public face of Tidegate; re-exports only. */
export type {
  BackendCheck,
  BackendHealth,
  BackendInfo,
  BackendSource,
  BackendSpec,
  BackendState,
} from './actors/backend.js';
export type { OwnPolicy } from './actors/selection/create-policy.js';
export type { Candidate, SelectionContext, SelectionPolicy } from './actors/selection/policy.js';
export type { GroupFilter } from './protocol/control/messages.js';
export * from './receivers/index.js';
export type { AdminServerOptions } from './server/admin/admin-options.js';
export { AdminServer } from './server/admin/admin-server.js';
export type { AdmissionHooks, TcpVerdict } from './server/admission/admission-hooks.js';
export type { Ban } from './server/admission/bans.js';
export type { AdmissionPolicy, Denial, MessageFacts, Peer } from './server/admission/policy.js';
export type { RefusalSnapshot } from './server/admission/refusal-counts.js';
export {
  type AgentUpdate,
  BackendAgent,
  type BackendAgentEvents,
  type BackendAgentOptions,
  type BalancerInfo,
} from './server/agent/backend-agent.js';
export type { BalancerState } from './server/agent/balancer-link.js';
export type { PasswordCredentials } from './server/authentication/credentials.js';
export type { DisconnectFilter, DisconnectOptions } from './server/authentication/disconnect.js';
export type { AuthenticationAnswer, AuthenticationHooks } from './server/authentication/hooks.js';
export { hashPassword } from './server/authentication/password-hash.js';
export type { LoadBalancerEvents, RefusedRegistration } from './server/balancer/balancer-events.js';
export type { BalancerHooks } from './server/balancer/balancer-hooks.js';
export type { RegistrationSnapshot } from './server/balancer/control/registration-counts.js';
export type { BackendChanges } from './server/balancer/known-backends.js';
export { LoadBalancer, type LoadBalancerOptions, type LoadBalancerSnapshot } from './server/balancer/load-balancer.js';
export type { PoolInfo } from './server/balancer/pool-info.js';
export type { BindingHook } from './server/balancer/redirect/directory.js';
export type { BroadcastFilter, BroadcastReport } from './server/broadcast.js';
export { type LogToOptions, logTo } from './server/cli/log-to.js';
export type { BackendInput, BackendPatch } from './server/config/balancer/backends.js';
export { checkConfig, type FileProblem, jsonSchema, type LoadedConfig, loadConfig } from './server/config/load.js';
export type { ProxyConfig, ProxyConfigInput } from './server/config/options.js';
export type { ReceiverFactory } from './server/connections/entrance.js';
export type { ConnectContext, ConnectHook, DialHooks, LookupHook } from './server/dial/dial-hooks.js';
export type { Target, TcpTarget, UnixTarget, WebSocketTarget } from './server/dial/target.js';
export type { RejectedUpgrade, ServerEvents } from './server/events.js';
export type {
  ExplainedBuffer,
  ExplainedDeadline,
  ExplainedState,
  ExplainedStep,
  Explanation,
} from './server/explain/explanation.js';
export type { Group, GroupReport, GroupSendResult } from './server/group/group.js';
export type { LocalClients } from './server/group/local-clients.js';
export type { FieldList } from './server/http/field-list.js';
export type {
  HttpAnswer,
  HttpHooks,
  HttpPlan,
  HttpReport,
  HttpRequest,
  HttpResponse,
} from './server/http/http-hooks.js';
export { type Inspection, type InspectOptions, inspect } from './server/inspection/inspect.js';
export type { BoundAddress } from './server/listener/listen-address.js';
export { ProxyServer, type ProxyServerOptions } from './server/proxy-server.js';
export { ReceiverServer, type ReceiverServerOptions } from './server/receiver-server.js';
export type { RecordedPayload, RedactHook } from './server/recording/payload-redaction.js';
export type { RecordingReport } from './server/recording/recording-report.js';
export type { ServerSnapshot, ServerState } from './server/server-snapshot.js';
export type { StopOptions } from './server/stop-options.js';
export type { DiagnosticsChannel, DiagnosticsMessages } from './server/telemetry/diagnostics/messages.js';
export type { EventLogger } from './server/telemetry/logger.js';
export type { CertificateFacts } from './server/tls/certificate.js';
export type { CertificateReport } from './server/tls/server-certificates.js';
export type { TlsHooks, TlsPeer } from './server/tls/tls-hooks.js';
export type { LostListener, RestoredListener, WatchdogEvent, WatchdogHooks } from './server/watchdog/watchdog-hooks.js';
