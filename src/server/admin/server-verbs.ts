/** Owns what the admin API can be told to do to a whole server, or to the process it runs in. Refuses to know HTTP, and what the verbs do. */
import { z } from 'zod';
import { TidegateError } from '../../receivers/index.js';
import { LOG_LEVELS } from '../config/log-levels.js';
import { readBody } from './admin-input.js';
import type { AdminAnswer, AdminRequest, AdminRoute } from './admin-route.js';
import type { Administration } from './administration.js';
import type { ReloadReport } from './process-control.js';

const nothing = z.strictObject({});
const levels = z.strictObject({
  level: z.enum(LOG_LEVELS, { error: `expected one of ${LOG_LEVELS.join(', ')}` }),
});

const LOG_LEVEL = '/api/v1/log-level';

/** The routes that do something to one server, or to its process. */
export function serverVerbs(server: Administration): AdminRoute[] {
  const verb = (name: string, carryOut: () => AdminAnswer | Promise<AdminAnswer>): AdminRoute => ({
    method: 'POST',
    path: `/api/v1/${name}`,
    query: [],
    answer: (request: AdminRequest) => {
      readBody(nothing, request.body);
      return carryOut();
    },
  });
  return [
    verb('disconnect-all', () => {
      assertRunning(server);
      const connections = clientsOf(server);
      // A batch at a time: nobody waits for the last of them.
      void server.verbs.disconnectAll();
      return { status: 202, body: { connections } };
    }),
    verb('terminate-all', () => {
      assertRunning(server);
      return { status: 200, body: { connections: server.verbs.terminateAll() } };
    }),
    verb('drain', () => {
      assertRunning(server);
      // Behind the answer: the API goes with its server.
      return { status: 202, body: { state: 'draining' }, sent: () => drain(server) };
    }),
    verb('reload', () => reload(server)),
    {
      method: 'GET',
      path: LOG_LEVEL,
      query: [],
      answer: () => ({ status: 200, body: { level: processOf(server).logLevel } }),
    },
    {
      method: 'PUT',
      path: LOG_LEVEL,
      query: [],
      answer: ({ body }) => {
        const { level } = readBody(levels, body);
        processOf(server).logLevel = level;
        return { status: 200, body: { level } };
      },
    },
  ];
}

function clientsOf({ observation }: Administration): number {
  return observation.parts?.supervisor.registry.clientCount ?? 0;
}

function assertRunning({ verbs: { state } }: Administration): void {
  if (state === 'running' || state === 'draining') return;
  throw new TidegateError('NOT_RUNNING', `the server is ${state}`);
}

function drain({ process, verbs }: Administration): void {
  if (process === undefined) void verbs.stop();
  else process.drain();
}

async function reload({ process, verbs }: Administration): Promise<AdminAnswer> {
  const report: ReloadReport = (await process?.reload()) ?? { certificates: verbs.reloadCertificates() };
  const { certificates, file } = report;
  if (certificates.length === 0 && file === undefined) {
    throw new TidegateError('NOTHING_TO_RELOAD', 'there is no configuration file, and no listener with a certificate');
  }
  if (file?.result === 'invalid') throw new TidegateError('INVALID_CONFIG', file.problems.join('; '));
  return { status: 200, body: report };
}

/** @throws TidegateError `NO_LOG_LEVEL` in a process that offers none. */
function processOf({ process }: Administration): NonNullable<Administration['process']> {
  if (process !== undefined) return process;
  throw new TidegateError('NO_LOG_LEVEL', 'the log is that of the application, which this server is a part of');
}
