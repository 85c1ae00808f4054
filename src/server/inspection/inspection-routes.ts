/** Owns what the admin API answers about the charts of a server as they move. Refuses to watch them itself. */
import { TidegateError } from '../../receivers/index.js';
import type { AdminAnswer, AdminRequest, AdminRoute } from '../admin/admin-route.js';
import type { Administration } from '../admin/administration.js';
import { FrameStream } from './frame-stream.js';
import { CHARTS, type ChartName } from './frames.js';
import { MAX_WATCHERS } from './inspection-hub.js';
import type { WatchOptions } from './watch.js';

const PARAMETERS = ['connection', 'charts', 'heartbeats'];

/** The route `/api/v1/inspect`. */
export function inspectionRoutes(server: Administration): AdminRoute[] {
  return [{ method: 'GET', path: '/api/v1/inspect', query: PARAMETERS, answer: (request) => answer(server, request) }];
}

function answer({ verbs, observation }: Administration, { query }: AdminRequest): AdminAnswer {
  const options = readOptions(query);
  const { connection } = options;
  if (connection !== undefined && verbs.connection(connection) === undefined) {
    throw new TidegateError('UNKNOWN_CONNECTION', `there is no connection ${JSON.stringify(connection)}`);
  }
  const hub = observation.inspection;
  if (hub.watchers >= MAX_WATCHERS) {
    throw new TidegateError('TOO_MANY_WATCHERS', `there are ${MAX_WATCHERS} already`);
  }
  return { status: 200, type: 'text/event-stream; charset=utf-8', stream: new FrameStream(hub, options) };
}

/** @throws TidegateError `ADMIN_BAD_REQUEST` for what is no parameter, or no value of it. */
function readOptions(query: URLSearchParams): WatchOptions {
  const connection = query.get('connection') ?? undefined;
  const heartbeats = query.get('heartbeats');
  if (heartbeats !== null && heartbeats !== 'true' && heartbeats !== 'false') {
    throw bad('heartbeats', `got ${JSON.stringify(heartbeats)}; expected true or false`);
  }
  if (connection !== undefined && query.has('charts')) {
    throw bad('charts', 'expected none beside `connection`, which shows that and its upstream');
  }
  const charts = query.get('charts')?.split(',').map(readChart);
  return {
    connection,
    charts: charts && new Set(charts),
    heartbeats: heartbeats === null ? undefined : heartbeats === 'true',
  };
}

function readChart(text: string): ChartName {
  const chart = CHARTS.find((name) => name === text);
  if (chart !== undefined) return chart;
  throw bad('charts', `got ${JSON.stringify(text)}; expected some of ${CHARTS.join(', ')}, separated by commas`);
}

function bad(name: string, message: string): TidegateError {
  return new TidegateError('ADMIN_BAD_REQUEST', `${name}: ${message}`);
}
