/** Holds that no secret of a balancer gets further than to where it is used, whoever shows it or asks for it. */
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { BackendAgent, LoadBalancer, type LoadBalancerOptions } from '../../../src/index.js';
import { logBalancerEvents } from '../../../src/server/cli/balancer-log.js';
import { createLogger } from '../../../src/server/telemetry/logger.js';
import { handshake, startUpstream } from '../stage.js';
import { printed, Told } from '../told.js';

it('no token, and nothing that cookies are signed with, is in logs, events, snapshots, errors and answers', async () => {
  const [CONTROL, AFFINITY, ADMIN] = [
    'c0ntrol-token-of-backends',
    'aff1nity-secret-of-cookies',
    'adm1n-token-of-16-letters',
  ];
  const target = await startUpstream();
  const record = new Told();
  const options: LoadBalancerOptions = {
    listen: '127.0.0.1:0',
    backends: [{ id: 'first', url: target.url }],
    health: { check: 'off' },
    control: { path: '/control', tokens: [CONTROL] },
    affinity: { by: 'cookie', secret: AFFINITY },
    admin: { listen: '127.0.0.1:0', token: ADMIN },
  };
  const server = new LoadBalancer(options);
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  record.watch(server);
  record.add(server);
  const destination = { write: (text: string) => record.text(text) };
  logBalancerEvents(server, createLogger({ format: 'json', level: 'trace', destination }));
  const [address] = await server.start();
  const url = server.adminUrl!;

  const answer = await handshake({ port: address!.port, path: '/chat' });
  expect(answer.status).toBe(101);
  record.text(answer.head);
  for (const token of [CONTROL, ADMIN]) {
    const agent = new BackendAgent({
      balancer: `ws://127.0.0.1:${address!.port}/control`,
      advertise: ['ws://127.0.0.1:9'],
      id: 'second',
      token,
      reconnect: { initial: 0 },
    });
    onTestFinished(() => agent.stop());
    agent.on('balancer.error', (...values) => record.add(...values));
    agent.on('balancer.connected', (...values) => record.add(...values));
    const told = once(server, token === CONTROL ? 'backend.ready' : 'registration.refused');
    record.add(agent);
    agent.start();
    record.add(await told, agent, agent.balancers);
  }
  for (const headers of [{}, { Authorization: `Bearer ${ADMIN}` }, { Authorization: `Bearer ${CONTROL}` }]) {
    for (const path of ['/api/v1/backends', '/api/v1/pool', '/readyz', '/nothing']) {
      record.text(await (await fetch(`${url}${path}`, { headers: headers as { Authorization: string } })).text());
    }
  }
  record.add(server, server.snapshot(), server.backends(), server.pool());
  record.text(printed(server));
  await server.stop({ drainTimeout: 0 });

  for (const wrong of [
    { control: { tokens: [CONTROL, 5] } },
    { control: { tokens: CONTROL } },
    { control: [{ tokens: [CONTROL] }] },
    { affinity: { secret: [AFFINITY] } },
    { affinity: AFFINITY },
    { admin: { listen: 'x', token: `${ADMIN} ` } },
    { admin: ADMIN },
  ]) {
    let problem: unknown;
    try {
      problem = new LoadBalancer(wrong as never);
    } catch (error) {
      problem = error;
    }
    expect(problem).toMatchObject({ code: 'INVALID_OPTION' });
    record.add(problem);
    record.text(String(problem));
  }
  const all = record.told.join('\n');
  for (const told of ['backend.ready', 'registration.refused', 'ADMIN_UNAUTHORIZED', 'control.tokens', 'tidegate='])
    expect(all).toContain(told);
  for (const secret of [CONTROL, AFFINITY, ADMIN]) expect(all).not.toContain(secret);
});
