/**
 * Owns the recording of one connection: what passes on the client's wire, the steps of both charts, and its end, as lines of a file.
 * Refuses to choose connections.
 */
import type { AnyEventObject, StateValue } from 'xstate';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { UpstreamActor } from '../../actors/upstream-actor.js';
import type { CloseReport, TidegateError } from '../../receivers/index.js';
import type { RecordingConfig } from '../config/recording.js';
import type { DataPath } from '../paths/data-path.js';
import { rewireLink } from '../paths/link-wires.js';
import { BytesCapture, type Capture, type CapturedLine, type CaptureOptions, FrameCapture } from './capture.js';
import { recordedEvent } from './chart-event.js';
import { type BodyLine, type EndLine, formatLine, type HeaderLine, RECORDING_VERSION, type Sender } from './format.js';
import { AT_START } from './frame-splitter.js';
import type { HandshakeRedaction } from './handshake-redaction.js';
import type { PayloadRedaction } from './payload-redaction.js';
import { RecordingFile } from './recording-file.js';
import type { RecordingFolder } from './recording-folder.js';
import { RecordingWire, type WireWitness } from './recording-wire.js';

/** Whose chart took a step. */
export type StepSide = 'connection' | 'upstream';

/** What recordings of one server have in common. */
export interface RecordingParts {
  readonly config: RecordingConfig;
  readonly folder: RecordingFolder;
  readonly handshake: HandshakeRedaction;
  readonly payloads: PayloadRedaction;
  /** The file of a recording cannot be written: nothing more is recorded. */
  failed(recording: ConnectionRecording): void;
}

/** When a recording began: both clocks. */
export interface Beginning {
  readonly date: Date;
  /** Of `performance.now()`. */
  readonly at: number;
}

/** One connection, recorded. */
export class ConnectionRecording implements WireWitness {
  readonly connection: ConnectionActor;
  readonly name: string;
  readonly beginning: Beginning;
  readonly #parts: RecordingParts;
  readonly #file: RecordingFile;
  #midway = false;
  #response: HeaderLine['response'];
  readonly #charts: { connection?: StateValue; upstream?: StateValue } = {};
  #begun = false;
  #wire: RecordingWire | undefined;
  #path: DataPath | undefined;
  #received: Capture | undefined;
  #sent: Capture | undefined;
  #lost = { frames: 0, bytes: 0, steps: 0 };
  #report: CloseReport | undefined;
  #ended: Promise<void> | undefined;

  constructor(connection: ConnectionActor, beginning: Beginning, parts: RecordingParts) {
    this.connection = connection;
    this.beginning = beginning;
    this.#parts = parts;
    const { folder, config } = parts;
    this.name = folder.newName(connection.id, beginning.date);
    this.#file = new RecordingFile({
      folder,
      name: this.name,
      maxFileBytes: config.maxFileBytes,
      bufferBytes: config.bufferBytes,
      turn: (nextPart) => ({
        last: formatLine({ type: 'end', t: this.#now(), why: 'continued' }),
        first: formatLine(this.#header(nextPart)),
      }),
      failed: () => parts.failed(this),
    });
  }

  /** The name of the file that is written to. */
  get fileName(): string {
    return this.#file.name;
  }

  /** Why it could not be written; undefined when it could. */
  get failure(): TidegateError | undefined {
    return this.#file.failure;
  }

  /** Both charts are at their end, and the report about it is there, if there is to be one. */
  get isOver(): boolean {
    const { connection, upstream } = this.#charts;
    const upstreamOver = upstream === undefined || upstream === 'closed' || upstream === 'unreachable';
    return upstreamOver && (connection === 'rejected' || (connection === 'closed' && this.#report !== undefined));
  }

  /** Writes the first line. @param response what the client was answered; undefined where that is not known. */
  begin(response: HeaderLine['response'], midway: boolean): void {
    this.#begun = true;
    this.#midway = midway;
    this.#response = response;
    if (midway) this.#noteCharts();
    this.#file.add(formatLine(this.#header(1)));
  }

  /** Shows itself what passes from now on. Not while bytes are dealt with. */
  watch(path: DataPath): void {
    if (path.down.wire.closed) return;
    this.#path = path;
    const { speaksWebSocket, paced } = path.down;
    const fromClient = this.#midway ? path.placeFromClient() : AT_START;
    const fromServer = this.#midway ? { ...AT_START, skip: path.skipToClient() } : AT_START;
    const capture = (from: Sender, place: typeof AT_START) =>
      speaksWebSocket
        ? new FrameCapture(this.#captureOptions(from), place, this.#midway)
        : new BytesCapture(this.#captureOptions(from));
    this.#received = capture('client', fromClient);
    this.#sent = capture('server', fromServer);
    const below = paced?.wire ?? path.down.wire;
    this.#wire = new RecordingWire(below, path.downReader(), this);
    rewireLink(path.down, this.#wire);
  }

  step(side: StepSide, event: AnyEventObject, value: StateValue, at = performance.now()): void {
    this.#charts[side] = value;
    if (!this.#begun) return;
    if (this.#file.overfull) {
      this.#lost.steps += 1;
      return;
    }
    const t = this.#time(at);
    this.#add({ type: 'step', t, side, event: recordedEvent(event, this.#parts.payloads.blot), value });
  }

  closed(report: CloseReport): void {
    this.#report = report;
  }

  received(bytes: Buffer, start: number, end: number): void {
    this.#received?.push(bytes, start, end);
  }

  sent(bytes: Buffer, start: number, end: number): void {
    this.#sent?.push(bytes, start, end);
  }

  /** Ends the recording, and leaves the connection as it was. Not while bytes are dealt with. */
  end(why: EndLine['why']): Promise<void> {
    this.#ended ??= this.#end(why);
    return this.#ended;
  }

  #end(why: EndLine['why']): Promise<void> {
    this.#unwatch();
    this.#received?.finish();
    this.#sent?.finish();
    if (this.#begun) this.#add({ type: 'end', t: this.#now(), why, ...this.#reported() });
    return this.#file.end();
  }

  #unwatch(): void {
    const wire = this.#wire;
    const path = this.#path;
    this.#wire = undefined;
    this.#path = undefined;
    if (wire === undefined || path === undefined || wire.closed) return;
    wire.wire.attach(wire.reader);
    rewireLink(path.down, wire.wire);
  }

  #reported(): Pick<EndLine, 'report'> {
    const report = this.#report;
    if (report === undefined) return {};
    return { report: { ...report, reason: this.#parts.payloads.blot(report.reason) } };
  }

  #captureOptions(from: Sender): CaptureOptions {
    const { config, payloads } = this.#parts;
    return {
      connection: this.connection.id,
      from,
      payloads: config.payloads,
      maxPayloadBytes: config.maxPayloadBytes,
      redaction: payloads,
      full: () => this.#file.full,
      write: (line, bytes, frames) => this.#capture(line, bytes, frames),
    };
  }

  #capture(line: CapturedLine, bytes: number, frames: number): void {
    if (this.#file.full) {
      this.#lost.frames += frames;
      this.#lost.bytes += bytes;
      return;
    }
    const { type, ...rest } = line;
    this.#add({ type, t: this.#now(), ...rest } as BodyLine);
  }

  /** What was lost stands where it is missing. */
  #add(line: BodyLine): void {
    const { frames, steps } = this.#lost;
    if (frames > 0 || steps > 0) {
      this.#file.add(formatLine({ type: 'lost', t: line.t, ...this.#lost }));
      this.#lost = { frames: 0, bytes: 0, steps: 0 };
    }
    this.#file.add(formatLine(line));
  }

  #now(): number {
    return this.#time(performance.now());
  }

  #time(at: number): number {
    return Math.max(0, Math.round((at - this.beginning.at) * 1000) / 1000);
  }

  #noteCharts(): void {
    const { chartValue, counterpart } = this.connection;
    this.#charts.connection = chartValue;
    if (counterpart instanceof UpstreamActor) this.#charts.upstream = counterpart.chartValue;
  }

  #header(part: number): HeaderLine {
    const { connection, beginning } = this;
    const { request, port, principal } = connection;
    const { handshake } = this.#parts;
    const midway = this.#midway || part > 1;
    const line: HeaderLine = {
      type: 'recording',
      version: RECORDING_VERSION,
      id: connection.id,
      began: beginning.date.toISOString(),
      part,
      midway,
      transport: request.transport,
      request: {
        method: request.method,
        url: handshake.url(request.url),
        headers: handshake.fields(request.rawHeaders),
        remoteAddress: request.remoteAddress,
        remotePort: request.remotePort,
        localAddress: request.localAddress,
        localPort: request.localPort,
        secure: request.tls !== undefined,
      },
      subprotocol: handshake.subprotocol(port.subprotocol),
      // The steps of a first file begin with the first one of all.
      charts: midway ? { ...this.#charts } : {},
    };
    if (this.#response !== undefined) line.response = this.#response;
    if (port.target !== undefined) line.target = handshake.url(port.target);
    if (port.dataPath !== undefined) line.dataPath = port.dataPath;
    if (principal !== undefined) line.user = principal.name;
    return line;
  }
}
