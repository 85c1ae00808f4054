/**
 * Owns which connections of a server are recorded, from when to when. It watches the steps of the charts only where recordings have a
 * folder, and keeps those of a handshake until it is known whether they are wanted. Refuses to know what is in a file.
 */
import { STATUS_CODES } from 'node:http';
import type { AnyEventObject, StateValue } from 'xstate';
import type { Refusal } from '../../actors/connection.effects.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { StepObserver } from '../../actors/step-observer.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import { TidegateError } from '../../receivers/index.js';
import type { RecordingConfig } from '../config/recording.js';
import type { ServerEvents } from '../events.js';
import type { ObservedParts, Onlooker } from '../observation/onlooker.js';
import type { DataPath } from '../paths/data-path.js';
import { type Beginning, ConnectionRecording, type RecordingParts, type StepSide } from './connection-recording.js';
import type { EndLine, HeaderLine } from './format.js';
import { HandshakeRedaction } from './handshake-redaction.js';
import { PayloadRedaction, type RedactHook } from './payload-redaction.js';
import { RecordingFolder } from './recording-folder.js';
import type { RecordingPort, RecordingReport } from './recording-report.js';
import { RecordingRules } from './rules.js';

/** What a recorder is made of. */
export interface RecorderOptions {
  readonly config: RecordingConfig;
  /** The subprotocols that the server knows: no secrets. */
  readonly subprotocols: readonly string[];
  readonly redact: RedactHook | undefined;
  /** Told of each recording that begins, ends or fails. Must not throw. */
  tell(report: RecordingReport): void;
  /** Told of what the application's function threw. Must not throw. */
  exception(error: unknown): void;
}

/** A connection in its handshake, of which it is not known whether it is recorded. */
interface Candidate {
  readonly beginning: Beginning;
  readonly steps: { side: StepSide; event: AnyEventObject; value: StateValue; at: number }[];
  refusal: Refusal | undefined;
  /** Somebody asked for it. */
  wanted: boolean;
}

/** How long the end of a server waits for a disk. */
const CLOSE_WITHIN = 5000;

/** Records connections of one server. It outlives its restarts. */
export class Recorder implements Onlooker, StepObserver, RecordingPort {
  /** Undefined where nothing can be recorded. */
  readonly folder: RecordingFolder | undefined;
  readonly #options: RecorderOptions;
  readonly #rules: RecordingRules;
  readonly #handshake: HandshakeRedaction;
  readonly #payloads: PayloadRedaction;
  readonly #candidates = new Map<string, Candidate>();
  readonly #recordings = new Map<string, ConnectionRecording>();
  /** Recordings whose last lines are being written. */
  readonly #ending = new Set<Promise<void>>();
  #observed: ObservedParts | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { config, redact, subprotocols } = options;
    const { directory, maxFiles, redactHeaders: headers, redactQuery: query } = config;
    if (directory !== undefined) this.folder = new RecordingFolder(directory, maxFiles);
    this.#rules = new RecordingRules(config.rules);
    this.#payloads = new PayloadRedaction(config.redact, redact, (error) => options.exception(error));
    const { blot } = this.#payloads;
    this.#handshake = new HandshakeRedaction({ headers, query, subprotocols, blot });
  }

  /** Where a server tells what is done with connections; undefined where nothing can be recorded, so that it costs nothing. */
  get port(): RecordingPort | undefined {
    return this.folder === undefined ? undefined : this;
  }

  /** What is recorded now, by the id of the connection, with the name of the file. */
  get active(): { readonly id: string; readonly file: string }[] {
    return [...this.#recordings].map(([id, { fileName: file }]) => ({ id, file }));
  }

  began(parts: ObservedParts): void {
    if (this.folder === undefined) return;
    this.#observed = parts;
    parts.supervisor.steps.observe(this);
  }

  ended(): void {
    this.#observed = undefined;
    this.#candidates.clear();
  }

  told<Name extends keyof ServerEvents>(name: Name, values: ServerEvents[Name]): void {
    if (name !== 'disconnected' || this.#recordings.size === 0) return;
    const [{ id }, report] = values as ServerEvents['disconnected'];
    const recording = this.#recordings.get(id);
    recording?.closed(report);
    this.#endIfOver(recording);
  }

  /** Ends every recording. Resolves when all is written, but waits no longer than 5 s. */
  async close(): Promise<void> {
    for (const recording of [...this.#recordings.values()]) this.#end(recording, 'shutdown');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, CLOSE_WITHIN);
    });
    await Promise.race([Promise.all(this.#ending), late]);
    clearTimeout(timer);
  }

  /**
   * Records a connection: from its next frame on, or from its beginning when it is in its handshake. Answers with the name of its file;
   * undefined for one that has none yet, since it is in its handshake.
   *
   * @throws TidegateError `UNKNOWN_CONNECTION`, `RECORDING_OFF`, `RECORDING_LIMIT`, `RECORDING_NOT_OPEN`.
   */
  record(id: string): string | undefined {
    const connection = this.#observed?.supervisor.registry.client(id);
    if (this.folder === undefined) throw new TidegateError('RECORDING_OFF', 'recording.directory is not set');
    if (connection === undefined) throw unknownConnection(id);
    const running = this.#recordings.get(id);
    if (running !== undefined) return running.fileName;
    this.#assertRoom();
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) {
      candidate.wanted = true;
      return undefined;
    }
    const path = connection.port.path?.() as DataPath | undefined;
    if (path === undefined || path.down.wire.closed) {
      throw new TidegateError('RECORDING_NOT_OPEN', `${id} is ${connection.state}`);
    }
    const recording = this.#create(connection, { date: new Date(), at: performance.now() });
    // Whoever asks may be called by the data path, in the middle of a frame.
    queueMicrotask(() => {
      if (this.#recordings.get(id) !== recording) return;
      recording.begin(undefined, true);
      recording.watch(path);
    });
    return recording.fileName;
  }

  /** Ends the recording of a connection, which goes on. Answers whether there was one. */
  stopRecording(id: string): boolean {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) candidate.wanted = false;
    const recording = this.#recordings.get(id);
    if (recording !== undefined) this.#end(recording, 'stopped');
    return recording !== undefined;
  }

  // What the shell tells.

  accepted(connection: ConnectionActor, path: unknown, wanted: boolean | undefined, head: string | undefined): void {
    const candidate = this.#candidates.get(connection.id);
    this.#candidates.delete(connection.id);
    if (candidate === undefined || !this.#chooses(connection, candidate, wanted)) return;
    const recording = this.#begin(connection, candidate, head === undefined ? undefined : this.#answer(head));
    recording?.watch(path as DataPath);
  }

  refused({ id }: ConnectionActor, refusal: Refusal): void {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) candidate.refusal = refusal;
  }

  // What the charts tell.

  connectionStepped(connection: ConnectionActor, event: AnyEventObject, before: StateValue | undefined): void {
    const { id, chartValue } = connection;
    if (before === undefined && this.#observed?.supervisor.registry.isControl(connection) === false) {
      const beginning = { date: new Date(), at: performance.now() };
      this.#candidates.set(id, { beginning, steps: [], refusal: undefined, wanted: false });
    }
    this.#step(id, 'connection', event, chartValue);
    if (chartValue !== 'rejected') return;
    const candidate = this.#candidates.get(id);
    this.#candidates.delete(id);
    if (candidate === undefined || !this.#chooses(connection, candidate, undefined)) return;
    this.#endIfOver(this.#begin(connection, candidate, this.#refusal(candidate.refusal)));
  }

  upstreamStepped(upstream: UpstreamActor, event: AnyEventObject): void {
    this.#step(upstream.connection.id, 'upstream', event, upstream.chartValue);
  }

  #step(id: string, side: StepSide, event: AnyEventObject, value: StateValue): void {
    const recording = this.#recordings.get(id);
    if (recording === undefined) {
      this.#candidates.get(id)?.steps.push({ side, event, value, at: performance.now() });
      return;
    }
    recording.step(side, event, value);
    this.#endIfOver(recording);
  }

  #chooses(connection: ConnectionActor, candidate: Candidate, wanted: boolean | undefined): boolean {
    if (!candidate.wanted && !(wanted ?? this.#rules.choose(connection))) return false;
    return this.#recordings.size < this.#options.config.maxRecordings;
  }

  #begin(
    connection: ConnectionActor,
    { beginning, steps }: Candidate,
    response: HeaderLine['response'],
  ): ConnectionRecording {
    const recording = this.#create(connection, beginning);
    recording.begin(response, false);
    for (const { side, event, value, at } of steps) recording.step(side, event, value, at);
    return recording;
  }

  #create(connection: ConnectionActor, beginning: Beginning): ConnectionRecording {
    const parts: RecordingParts = {
      config: this.#options.config,
      folder: this.folder!,
      handshake: this.#handshake,
      payloads: this.#payloads,
      failed: (recording) => this.#end(recording, 'stopped'),
    };
    const recording = new ConnectionRecording(connection, beginning, parts);
    this.#recordings.set(connection.id, recording);
    this.#options.tell({ state: 'begun', id: connection.id, file: recording.fileName });
    return recording;
  }

  #endIfOver(recording: ConnectionRecording | undefined): void {
    if (recording?.isOver !== true) return;
    this.#end(recording, recording.connection.state === 'rejected' ? 'rejected' : 'closed');
  }

  #end(recording: ConnectionRecording, why: EndLine['why']): void {
    const { id } = recording.connection;
    if (this.#recordings.get(id) !== recording) return;
    this.#recordings.delete(id);
    const ending = Promise.resolve()
      .then(() => recording.end(why))
      .then(() => {
        this.#ending.delete(ending);
        const { fileName: file, failure: error } = recording;
        if (error === undefined) this.#options.tell({ state: 'ended', id, file });
        else this.#options.tell({ state: 'failed', id, file, error });
      });
    this.#ending.add(ending);
  }

  #assertRoom(): void {
    const { maxRecordings } = this.#options.config;
    if (this.#recordings.size < maxRecordings) return;
    throw new TidegateError('RECORDING_LIMIT', `${maxRecordings} connections are recorded (recording.maxRecordings)`);
  }

  /** @param head of a 101, as it was written. */
  #answer(head: string): HeaderLine['response'] {
    const [first = '', ...rest] = head.trimEnd().split('\r\n');
    const raw = rest.flatMap((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const [, status, statusText = ''] = /^HTTP\/1\.1 (\d+) ?(.*)$/.exec(first) ?? [];
    return { status: Number(status), statusText, headers: this.#handshake.fields(raw) };
  }

  #refusal(refusal: Refusal | undefined): HeaderLine['response'] {
    if (refusal === undefined) return undefined;
    const { status, statusText = STATUS_CODES[status] ?? '', headers = [] } = refusal;
    const raw = Array.isArray(headers)
      ? (headers as readonly string[])
      : Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((one: string) => [name, one]));
    return { status, statusText, headers: this.#handshake.fields(raw) };
  }
}

function unknownConnection(id: string): TidegateError {
  return new TidegateError('UNKNOWN_CONNECTION', `there is no connection ${JSON.stringify(id)}`);
}
