/** What tests of applications and of the charts use; re-exports only. */
export type { ConnectionEffects, ConnectionTimeouts, Refusal } from './actors/connection.effects.js';
export { type ConnectionEvent, connectionMachine, type DialOrder } from './actors/connection.machine.js';
export { type Ending, relayed, reportedStatus } from './actors/ending.js';
export type { SupervisorEffects } from './actors/supervisor.effects.js';
export { type SupervisorEvent, supervisorMachine } from './actors/supervisor.machine.js';
export type { UpstreamEffects, UpstreamTimeouts } from './actors/upstream.effects.js';
export { type UpstreamEvent, upstreamMachine } from './actors/upstream.machine.js';
export type {
  BodyLine,
  BytesLine,
  EndLine,
  FrameLine,
  HeaderLine,
  LostLine,
  StepLine,
} from './server/recording/format.js';
export { type Har, type HarEntry, type HarWebSocketMessage, toHar } from './server/recording/har.js';
export { parseRecording, type Recording, readRecording } from './server/recording/read-recording.js';
export { type RecordedMessage, recordedMessages } from './server/recording/recorded-messages.js';
export { type ReplayedChart, type ReplayedStep, replayChart } from './server/recording/replay-chart.js';
export type { ReplayDifference, ReplayOptions, ReplayReport } from './server/replay/play.js';
export {
  type ClientReplayOptions,
  replayAsClient,
  replayAsTarget,
  type TargetReplay,
  type TargetReplayOptions,
} from './server/replay/replay.js';
export {
  type AdmissionConformanceOptions,
  admissionCases,
  admissionConformance,
} from './testing/conformance/admission-cases.js';
export type { ConformanceCase, RegisterTest } from './testing/conformance/conformance-case.js';
export {
  type ReceiverConformanceOptions,
  receiverCases,
  receiverConformance,
} from './testing/conformance/receiver-cases.js';
export {
  type ConnectionPath,
  type ConnectionPathsOptions,
  connectionPaths,
  type PathEvent,
  pathOf,
} from './testing/connection-paths.js';
export { type Driven, type DrivenStep, type DriveOptions, driveAlongPath } from './testing/drive-along-path.js';
export {
  type MemoryAnswer,
  MemoryClient,
  type MemoryRequest,
} from './testing/memory-client.js';
export type { MemoryClosed, MemoryEnd, Received } from './testing/memory-end.js';
export { type MemoryConnectOptions, MemoryServer, type MemoryServerOptions } from './testing/memory-server.js';
export type { MemoryTarget } from './testing/memory-target.js';
export type { MemoryTargets, TargetManners } from './testing/memory-targets.js';
export type { MemoryManners, MemoryWebSocket, SentFrame } from './testing/memory-web-socket.js';
export { type OpenedInMemory, type OpenInMemoryOptions, openInMemory } from './testing/open-in-memory.js';
export {
  type CallbackName,
  type RecordedCall,
  type RecordingOptions,
  RecordingReceiver,
} from './testing/recording-receiver.js';
export { SimulatedClock } from './testing/simulated-clock.js';
