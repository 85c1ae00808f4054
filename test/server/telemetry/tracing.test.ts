/** Owns that handshakes, dials and connections are spans for a real SDK of OpenTelemetry, and that the context goes on to the target. */
import { propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, onTestFinished } from 'vitest';
import { everySetup, Stage, type StageOptions } from '../../promises/setups.js';
import { handshake } from '../stage.js';

const frames = everySetup[0]!;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const traceparent = `00-${TRACE}-${CALLER}-01`;

/** Gives the process an SDK for this test. */
function withSdk(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  onTestFinished(async () => {
    trace.disable();
    propagation.disable();
    await provider.shutdown();
  });
  return exporter;
}

async function stage(options: StageOptions = {}) {
  const exporter = withSdk();
  const started = await Stage.start(frames, options);
  const span = (name: string): ReadableSpan | undefined =>
    exporter.getFinishedSpans().find((finished) => finished.name === name);
  return { stage: started, exporter, span };
}

describe('with an SDK', () => {
  it('a handshake is a span of the server below that of its caller, and the dial a span of a client below it', async () => {
    const { stage: it_, span } = await stage();
    const { client, target } = await it_.open({
      path: '/room/7?token=secret',
      headers: { traceparent, tracestate: 'vendor=1' },
    });
    const accepted = span('GET')!;
    expect(accepted.kind).toBe(SpanKind.SERVER);
    expect(accepted.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: CALLER });
    expect(accepted.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': 101,
      'url.path': '/room/7',
      'url.scheme': 'http',
      'network.peer.address': '127.0.0.1',
      'server.address': '127.0.0.1',
      'tidegate.connection.id': 'conn-1',
    });
    expect(JSON.stringify(accepted.attributes)).not.toContain('secret');
    const dial = span('dial')!;
    expect(dial.kind).toBe(SpanKind.CLIENT);
    expect(dial.parentSpanContext?.spanId).toBe(accepted.spanContext().spanId);
    expect(dial.attributes).toMatchObject({ 'server.address': '127.0.0.1', 'server.port': it_.upstream!.port });
    // The target is told of the dial, and of nothing that the client claimed.
    const told = target.ws!.headers;
    expect(told.traceparent).toBe(`00-${TRACE}-${dial.spanContext().spanId}-01`);
    expect(told.tracestate).toBe('vendor=1');
    client.destroy();
    await it_.nextReport();
  });

  it('the life of a connection is a trace of its own that names its handshake, and says how it ended', async () => {
    const { stage: it_, span } = await stage();
    const { client, target } = await it_.open({ headers: { traceparent } });
    client.sendText('hello');
    await target.read(5);
    expect(span('websocket connection')).toBeUndefined();
    client.destroy();
    await it_.nextReport();
    const life = span('websocket connection')!;
    expect(life.parentSpanContext).toBeUndefined();
    expect(life.spanContext().traceId).not.toBe(TRACE);
    expect(life.links.map(({ context }) => context.spanId)).toEqual([span('GET')!.spanContext().spanId]);
    expect(life.attributes).toMatchObject({
      'tidegate.close.initiator': 'downstream',
      'tidegate.close.code': 1006,
      'tidegate.received.messages': 1,
      'tidegate.received.bytes': 5,
    });
  });

  it('a dial that fails is an error, and so is the handshake that it fails', async () => {
    const { stage: it_, span } = await stage();
    await it_.upstream!.close();
    expect((await handshake({ port: it_.port })).status).toBe(502);
    for (const name of ['dial', 'GET']) {
      expect(span(name)).toMatchObject({
        status: { code: SpanStatusCode.ERROR },
        attributes: { 'error.type': 'UPSTREAM_REFUSED' },
      });
    }
    expect(span('GET')!.attributes['http.response.status_code']).toBe(502);
  });

  it('a handshake that the client got wrong is no error of the server', async () => {
    const { stage: it_, span } = await stage({ callbacks: { onUpgradeRequest: () => false } });
    expect((await handshake({ port: it_.port })).status).toBe(403);
    expect(span('GET')).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'http.response.status_code': 403, 'error.type': 'REJECTED' },
    });
  });

  it('nothing is done where it is switched off', async () => {
    const { stage: it_, exporter } = await stage({ tracing: { enabled: false } });
    const { client, target } = await it_.open({ headers: { traceparent } });
    expect(target.ws!.headers.traceparent).toBe(traceparent);
    client.destroy();
    await it_.nextReport();
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('an SDK that throws is reported, and disturbs nobody', async () => {
    const { stage: it_ } = await stage();
    propagation.disable();
    propagation.setGlobalPropagator({
      inject: () => {
        throw new Error('inject');
      },
      extract: (context) => context,
      fields: () => [],
    });
    const { client, target } = await it_.open({ headers: { traceparent } });
    expect(target.ws!.headers.traceparent).toBe(traceparent);
    expect(it_.told.exceptions.map(String)).toContain('Error: inject');
    client.destroy();
    await it_.nextReport();
  });
});

it('without an SDK what the client says of its trace goes on as it came', async () => {
  const started = await Stage.start(frames);
  const { client, target } = await started.open({ headers: { traceparent, tracestate: 'vendor=1' } });
  expect(target.ws!.headers).toMatchObject({ traceparent, tracestate: 'vendor=1' });
  client.destroy();
  await started.nextReport();
});
