/** Owns finding out whether the process has an OpenTelemetry SDK. Refuses to bring one. */
import { type Tracer, type TracerProvider, trace } from '@opentelemetry/api';

const NAME = 'tidegate';

/** What stands in the place of a provider until there is one: it says so, and hands on when there is. */
type Standin = TracerProvider & { getDelegateTracer?(name: string): Tracer | undefined };

/** Makes spans that somebody wants to have; undefined without an SDK. Asked for each connection, as one may come late. */
export function findTracer(): Tracer | undefined {
  const provider: Standin = trace.getTracerProvider();
  return provider.getDelegateTracer === undefined ? provider.getTracer(NAME) : provider.getDelegateTracer(NAME);
}
