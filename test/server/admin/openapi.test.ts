/** Holds that the admin API is what its OpenAPI description says: the routes of every kind of server, and what they answer. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { LoadBalancer, ProxyServer } from '../../../src/index.js';
import { CHARTS } from '../../../src/server/inspection/frames.js';
import { folderForTest } from '../../support/folder.js';
import { openClient, startUpstream } from '../../support/for-one-test.js';
import { type AdminAnswer, askAdmin } from './ask-admin.js';
import { createServer, KINDS, routesOf } from './stage.js';

interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, Response>>;
  readonly security?: readonly object[];
  readonly requestBody?: object;
}

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: 'path' | 'query';
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>> & { parameters?: readonly Parameter[] }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

const text = readFileSync(new URL('../../../docs/reference/admin-api.openapi.json', import.meta.url), 'utf8');
const api = JSON.parse(text) as OpenApi;

function operations(): [string, Operation, readonly Parameter[]][] {
  return Object.entries(api.paths).flatMap(([path, { parameters = [], ...methods }]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation, readonly Parameter[]] => [
      `${method.toUpperCase()} ${path}`,
      operation,
      [...parameters, ...(operation.parameters ?? [])],
    ]),
  );
}

describe('what is described', () => {
  it('is what the servers have: every route, its parameters, its body, and whether it needs the token', () => {
    const described = new Map(operations().map(([name, ...rest]) => [name, rest]));
    const had = new Set<string>();
    for (const kind of KINDS) {
      for (const { method, path, query = [], open = false } of routesOf(createServer(kind))) {
        const name = `${method} ${path}`;
        had.add(name);
        const [operation, parameters] = described.get(name) ?? [];
        expect(operation, `${name} is described`).toBeDefined();
        const named = (where: string) => parameters!.filter((one) => one.in === where).map((one) => one.name);
        expect(named('query').sort(), name).toEqual([...query].sort());
        expect(named('path'), name).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, one]) => one));
        expect(operation!.security?.length === 0, `${name} needs the token`).toBe(open);
        const changes = method !== 'GET' && method !== 'DELETE';
        expect(Object.hasOwn(operation!.responses, '415'), `${name} wants JSON`).toBe(changes);
      }
    }
    expect([...described.keys()].filter((name) => !had.has(name))).toEqual([]);
  });

  it('names charts as the stream of their frames does', () => {
    const [, , parameters] = operations().find(([name]) => name === 'GET /api/v1/inspect')!;
    const { description } = parameters.find(({ name }) => name === 'charts') as Parameter & { description: string };
    for (const chart of CHARTS) expect(description).toContain(chart);
  });

  it('refers to nothing that is not there, and has nothing that nobody refers to', () => {
    const said = new Set(
      [...text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)].map(([, kind, name]) => `${kind}/${name}`),
    );
    const there = Object.entries(api.components)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, all]) => Object.keys(all).map((name) => `${kind}/${name}`));
    expect([...said].sort()).toEqual(there.sort());
  });
});

/** Of what an object has by name, nothing else is told. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  const isOpen = 'properties' in schema && 'type' in schema && !('additionalProperties' in schema);
  return isOpen ? { ...inner, additionalProperties: false } : inner;
}

/** Asks, and holds the answer to its description. */
function asker(url: string) {
  const seen = new Set<string>();
  const ask = async (method: string, path: string, template = path, body?: unknown): Promise<AdminAnswer> => {
    const answer = await askAdmin(url, { method, path, body });
    const name = `${method} ${template}`;
    const operation = operations().find(([one]) => one === name)?.[1];
    const said = operation?.responses[answer.status];
    expect(said, `${name} ${answer.status} ${answer.text}`).toBeDefined();
    const { content = {} } =
      said!.$ref === undefined ? said! : api.components.responses[said!.$ref.split('/').at(-1)!]!;
    seen.add(name);
    const type = answer.headers['content-type']?.split(';')[0] ?? '';
    if (answer.status !== 302) expect(Object.keys(content), name).toContain(type);
    if (type !== 'application/json' || answer.status === 302) return answer;
    const schema = { ...content[type]!.schema, $defs: api.components.schemas };
    const local = closed(JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/')));
    const { error } = z.fromJSONSchema(local as Parameters<typeof z.fromJSONSchema>[0]).safeParse(answer.body);
    expect(error, `${name} ${answer.status} ${answer.text}`).toBeUndefined();
    return answer;
  };
  return { ask, seen };
}

describe('every answer', () => {
  it('of a proxy is as it is described, nothing more and nothing less', async () => {
    const upstream = await startUpstream();
    const server = new ProxyServer({
      listen: '127.0.0.1:0',
      target: upstream.url,
      admin: { listen: '127.0.0.1:0' },
      recording: { directory: folderForTest() },
      inspection: { ended: 10 },
    });
    onTestFinished(() => server.stop({ drainTimeout: 0 }));
    const [address] = await server.start();
    const { port } = address!;
    const { ask, seen } = asker(server.adminUrl!);
    const clients = [await openClient({ port }), await openClient({ port }), await openClient({ port })];
    const v1 = '/api/v1';
    for (const path of ['/', '/dashboard', '/healthz', '/readyz', '/metrics', `${v1}/servers`, `${v1}/stats`]) {
      await ask('GET', path);
    }
    await ask('GET', `${v1}/connections?limit=2`, `${v1}/connections`);
    await ask('GET', `${v1}/connections?limit=x`, `${v1}/connections`);
    const one = `${v1}/connections/{id}`;
    const on = (id: string, verb: string, body?: unknown) =>
      ask('POST', `${v1}/connections/${id}/${verb}`, `${one}/${verb}`, body);
    for (const rest of ['', '/explain']) {
      await ask('GET', `${v1}/connections/conn-1${rest}`, `${one}${rest}`);
      await ask('GET', `${v1}/connections/nobody${rest}`, `${one}${rest}`);
    }
    await on('conn-1', 'record');
    await on('conn-1', 'ping');
    await on('conn-1', 'send', { text: 'x' });
    await on('conn-1', 'send', {});
    await on('conn-1', 'throttle', { read: '1Mbit' });
    await on('conn-1', 'record', { record: false });
    await expect
      .poll(async () => ((await ask('GET', `${v1}/recordings`)).body as { recordings: object[] }).recordings.length)
      .toBe(1);
    const { body } = await ask('GET', `${v1}/recordings`);
    const { name } = (body as { recordings: { name: string }[] }).recordings[0]!;
    const file = `${v1}/recordings/{name}`;
    await expect.poll(() => server.connection('conn-1') !== undefined).toBe(true);
    await ask('GET', `${v1}/recordings/${name}`, file);
    await ask('GET', `${v1}/recordings/${name}/har`, `${file}/har`);
    await ask('DELETE', `${v1}/recordings/${name}`, file);
    await ask('DELETE', `${v1}/recordings/nothing`, file);
    await on('conn-1', 'close', { code: 4000 });
    await on('conn-1', 'ping');
    await on('conn-2', 'terminate');
    await clients[1]!.waitForEnd();
    await expect.poll(() => server.connection('conn-2')).toBeUndefined();
    for (const rest of ['', '/explain']) await ask('GET', `${v1}/connections/conn-2${rest}`, `${one}${rest}`);
    await on('conn-2', 'terminate');
    for (const verb of ['disconnect-all', 'terminate-all', 'reload']) await ask('POST', `${v1}/${verb}`);
    await ask('GET', `${v1}/log-level`);
    await ask('PUT', `${v1}/log-level`, undefined, { level: 'debug' });
    await ask('PUT', `${v1}/log-level`, undefined, { level: 'loud' });
    await ask('GET', `${v1}/inspect?charts=x`, `${v1}/inspect`);
    await ask('POST', `${v1}/drain`, undefined, { now: true });
    const all = routesOf(server).map(({ method, path }) => `${method} ${path}`);
    expect(all.filter((route) => !seen.has(route))).toEqual([]);
    await ask('POST', `${v1}/drain`);
  });

  it('about the backends of a balancer is as it is described', async () => {
    const upstream = await startUpstream();
    const server = new LoadBalancer({
      listen: '127.0.0.1:0',
      backends: [{ id: 'a', url: upstream.url }],
      health: { check: 'off' },
      admin: { listen: '127.0.0.1:0' },
    });
    onTestFinished(() => server.stop({ drainTimeout: 0 }));
    await server.start();
    const { ask, seen } = asker(server.adminUrl!);
    const all = '/api/v1/backends';
    const one = `${all}/{id}`;
    await ask('GET', '/api/v1/stats');
    await ask('GET', '/api/v1/pool');
    await ask('GET', all);
    const body = { id: 'x', url: 'ws://127.0.0.1:9', weight: 2, capacity: 5, tags: ['eu'], bindings: ['ws://b:1'] };
    await ask('POST', all, all, body);
    await ask('POST', all, all, body);
    await ask('POST', all, all, {});
    await ask('GET', `${all}/x`, one);
    await ask('PATCH', `${all}/x`, one, { weight: 3 });
    await ask('POST', `${all}/x/drain`, `${one}/drain`);
    await ask('GET', `${all}/x`, one);
    await ask('POST', `${all}/x/resume`, `${one}/resume`);
    await ask('DELETE', `${all}/x`, one);
    await ask('GET', `${all}/x`, one);
    await ask('POST', `${all}/a/drain`, `${one}/drain`);
    await ask('GET', '/readyz');
    const own = routesOf(server).map(({ method, path }) => `${method} ${path}`);
    const common = new Set(routesOf(createServer('receiver')).map(({ method, path }) => `${method} ${path}`));
    expect(own.filter((route) => !common.has(route) && !seen.has(route))).toEqual([]);
  });
});
