/**
 * Owns the spans of one connection: its handshake, its dials and its life. Refuses to know where events come from.
 *
 * A handshake is a SERVER span, a child of whoever sent `traceparent`; each dial a CLIENT span below it. The life of a connection is the
 * root of a trace of its own, with a link to the handshake: a trace that is done in milliseconds is not to be held open for hours.
 */
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Refusal } from '../../../actors/connection.effects.js';
import { type CloseReport, ERRORS, type UpgradeRequest } from '../../../receivers/index.js';
import { closeAttributes, requestAttributes, targetAttributes } from './attributes.js';

/** The spans of one connection. */
export class ConnectionTrace {
  readonly #tracer: Tracer;
  readonly #id: string;
  readonly #request: UpgradeRequest;
  readonly #handshake: Span;
  /** What dials are below. */
  #above: Context;
  #life: Span | undefined;
  #dial: Span | undefined;

  /** @param caller what the client said of its trace. */
  constructor(tracer: Tracer, caller: Context, id: string, request: UpgradeRequest) {
    this.#tracer = tracer;
    this.#id = id;
    this.#request = request;
    const name = request.transport === 'tcp' ? 'tcp accept' : request.method;
    const options = { kind: SpanKind.SERVER, attributes: requestAttributes(id, request) };
    this.#handshake = tracer.startSpan(name, options, caller);
    this.#above = trace.setSpan(caller, this.#handshake);
  }

  /** What the target is to be told; undefined unless one is being dialled. */
  get carried(): Context | undefined {
    return this.#dial === undefined ? undefined : trace.setSpan(this.#above, this.#dial);
  }

  dialling(target: string | undefined): void {
    const options = {
      kind: SpanKind.CLIENT,
      attributes: { 'http.request.method': 'GET', ...targetAttributes(target) },
    };
    this.#dial = this.#tracer.startSpan('dial', options, this.#above);
  }

  /** @param target where the dial went in the end. */
  dialled(target: string | undefined): void {
    this.#dial?.setAttributes(targetAttributes(target));
    this.#endDial();
  }

  dialFailed(target: string | undefined, refusal: Refusal | undefined): void {
    const error = refusal?.error ?? 'DOWNSTREAM_GONE';
    this.#dial?.setAttributes({ ...targetAttributes(target), 'error.type': error });
    // Only then is it what the target has answered.
    if (error === 'UPSTREAM_REJECTED') this.#dial?.setAttribute('http.response.status_code', refusal?.status ?? 0);
    this.#dial?.setStatus({ code: SpanStatusCode.ERROR, message: refusal?.message ?? ERRORS[error].help });
    this.#endDial();
  }

  opened(subprotocol: string, target: string | undefined): void {
    if (this.#request.transport === 'websocket') this.#handshake.setAttribute('http.response.status_code', 101);
    this.#handshake.end();
    const name = 'websocket connection';
    this.#life = this.#tracer.startSpan(
      this.#request.transport === 'tcp' ? 'tcp connection' : name,
      {
        kind: SpanKind.INTERNAL,
        root: true,
        links: [{ context: this.#handshake.spanContext() }],
        attributes: {
          ...requestAttributes(this.#id, this.#request),
          'tidegate.subprotocol': subprotocol,
          'tidegate.target': target ?? '',
        },
      },
      ROOT_CONTEXT,
    );
  }

  refused({ status, error, message }: Refusal): void {
    this.#handshake.setAttributes({ 'http.response.status_code': status, 'error.type': error });
    // What a client did wrong is no error of ours (semantic conventions of HTTP servers).
    if (status >= 500) this.#handshake.setStatus({ code: SpanStatusCode.ERROR, message });
    this.#handshake.end();
  }

  throttled(is: boolean): void {
    this.#life?.addEvent(is ? 'throttled' : 'unthrottled');
  }

  closed(report: CloseReport): void {
    this.#life?.setAttributes(closeAttributes(report));
    if (report.cause in ERRORS) {
      this.#life?.setAttribute('error.type', report.cause);
      this.#life?.setStatus({ code: SpanStatusCode.ERROR, message: report.reason });
    }
    this.#life?.end();
  }

  #endDial(): void {
    this.#dial?.end();
    this.#dial = undefined;
  }
}
