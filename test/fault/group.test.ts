/** Owns what is told of a group when the process of one backend hangs or dies midway. Needs the build. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Client, inState, TOKEN } from '../server/control/stage.js';
import { each, everyWay, groupOf, Listener, type RunningGroup, startGroup, whatCame } from '../server/group-stage.js';

const PROGRAM = fileURLToPath(new URL('./group-backend.mjs', import.meta.url));

/** A group, and a backend `child` in it that is a process of its own, with one client. */
async function startWithChild(options: Parameters<typeof startGroup>[0] = {}) {
  const running = await startGroup(options);
  const child = spawn(process.execPath, [PROGRAM, running.control, 'child', TOKEN], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  await inState(running.balancer, 'child', 'ready');
  const atChild = new Listener(await Client.open(String(line).trim()));
  return { running, child, atChild, clients: await everyWay(running) };
}

function speakers({ balancer, members }: RunningGroup) {
  return [balancer.group, groupOf(members[0].server)];
}

/** Sends a signal that stops a process, which is not there before it has been. */
function stop(child: ChildProcess): void {
  child.kill('SIGSTOP');
  onTestFinished(() => void child.kill('SIGCONT'));
}

describe('a backend whose process', () => {
  it('hangs is lost at the deadline; when it goes on, its clients get what they missed, once and in order', async () => {
    const { running, child, atChild, clients } = await startWithChild({ control: { groupTimeout: 300, lease: '60s' } });
    stop(child);
    const texts: string[] = [];
    for (const [n, group] of speakers(running).entries()) {
      texts.push(`while it hangs ${n}`);
      const before = performance.now();
      const report = await group.broadcast(texts[n]!);
      expect(performance.now() - before).toBeLessThan(3000);
      expect(report).toMatchObject({ matched: 7, accepted: 7, lost: ['child'], complete: false });
      expect(report.reached).toHaveLength(4);
    }
    child.kill('SIGCONT');
    texts.push('afterwards');
    await expect.poll(() => running.balancer.group.ping('back').then(({ complete }) => complete)).toBe(true);
    expect(await running.balancer.group.broadcast('afterwards')).toMatchObject({ matched: 8, complete: true });
    expect(await atChild.all()).toEqual(texts);
    expect(await whatCame(clients)).toEqual(each(clients, texts));
  });

  it('is killed midway is lost at once, and the others are told', async () => {
    const { running, child, clients } = await startWithChild({ control: { groupTimeout: '60s', lease: '60s' } });
    stop(child);
    const reports = speakers(running).map((group, n) => group.broadcast(`${n}`));
    // Who has this has what was said before; only the child has not answered.
    await running.balancer.group.send('b3/conn-1', 'last');
    child.kill('SIGKILL');
    for (const report of reports) expect(await report).toMatchObject({ matched: 7, lost: ['child'], complete: false });
    for (const got of Object.values(await whatCame(clients))) {
      expect(got.filter((text) => text !== 'last').sort()).toEqual(['0', '1']);
    }
    await inState(running.balancer, 'child', 'none');
    expect(await running.balancer.group.broadcast('afterwards')).toMatchObject({
      matched: 7,
      lost: [],
      complete: true,
    });
  });
});
