/**
 * Owns reading where one connection is from everything that shows it: the admin API, its explanation, the frames of the inspector (as a
 * stream, and by the relay of its own package) and the dashboard in Chromium. Refuses to know where it is.
 */
import type { Page } from 'playwright-core';
import { expect, onTestFinished, type TestContext } from 'vitest';
import { inspect, type ProxyServer } from '../../src/index.js';
import type { Frame } from '../../src/server/inspection/frames.js';
import { stateIds } from '../../src/server/observation/state-counts.js';
import { STATE_IDS } from '../../src/server/observation/state-ids.js';
import { askAdmin } from '../server/admin/ask-admin.js';
import { FrameReader } from '../server/inspection/read-frames.js';
import { RelayPage, startRelay } from '../server/inspection/relay.js';
import { deferred, eventually } from '../support/events.js';
import { findChromium } from '../support/services.js';
import type { TestBrowser } from './chromium.js';
import { openDashboard } from './dashboard-stage.js';

type Value = Parameters<typeof stateIds>[1];

interface Detail {
  readonly chart?: Value;
  readonly upstream?: { readonly chart?: Value };
  readonly history: ReadonlyArray<{ readonly side: string; readonly value: Value }>;
}

/** The states of both charts that have none in them. */
export const INNERMOST = STATE_IDS.filter((id) => !STATE_IDS.some((other) => other.startsWith(`${id}.`)));

/** States in which a chart has ended: such an actor is counted no more. */
const FINAL = new Set(['connection.closed', 'connection.rejected', 'upstream.closed', 'upstream.unreachable']);

/** Everyone who looks at the first connection of a server. */
export class Witnesses {
  readonly #server: ProxyServer;
  readonly #frames: FrameReader;
  readonly #relay: RelayPage;
  readonly #openPage: () => Promise<Page | undefined>;
  #page: Promise<Page | undefined> | undefined;

  private constructor(
    server: ProxyServer,
    frames: FrameReader,
    relay: RelayPage,
    openPage: () => Promise<Page | undefined>,
  ) {
    this.#server = server;
    this.#frames = frames;
    this.#relay = relay;
    this.#openPage = openPage;
  }

  /** Begins to look, before there is anything to be seen; by a dashboard, too, where there is a Chromium. */
  static async of(server: ProxyServer, browser: TestBrowser, context: TestContext): Promise<Witnesses> {
    const { url } = await startRelay();
    const relay = await RelayPage.open(url);
    const connected = deferred();
    const inspection = inspect(server, { stately: url, heartbeats: true, onConnected: () => connected.resolve() });
    onTestFinished(() => inspection.stop());
    await connected.promise;
    const frames = await FrameReader.open(server.adminUrl!, '?heartbeats=true');
    const openPage = async () => {
      if (findChromium().missing !== undefined) return undefined;
      return (await openDashboard(browser, context, server.adminUrl!, '#/connections/conn-1')).page;
    };
    return new Witnesses(server, frames, relay, openPage);
  }

  /**
   * Resolves when all of them say that the connection is in these states and in no other one.
   *
   * @param leaves the innermost states of both charts.
   */
  async agreeOn(leaves: readonly string[]): Promise<void> {
    const wanted = sorted(leaves.flatMap(withAbove));
    const isOver = leaves.some((id) => id.startsWith('connection.') && FINAL.has(id));
    await this.#expects('GET /api/v1/connections/{id}', wanted, () => this.#inDetail());
    const counted = sorted(leaves.filter((id) => !FINAL.has(id)).flatMap(withAbove));
    await this.#expects('the counts of GET /api/v1/stats', counted, () => this.#inStats());
    await this.#expects('GET /api/v1/connections?state=', isOver ? [] : sorted(leaves), () => this.#inLists());
    await this.#expects('GET /api/v1/connections/{id}/explain', wanted, () => this.#inExplanation());
    await this.#expects('the stream of frames', wanted, () => inFrames(this.#frames.frames));
    await this.#expects('the relay of the inspector', wanted, () => inFrames(this.#relay.frames));
    // Not before there is a connection: a page for one that there is not says so, and looks no more.
    this.#page ??= this.#openPage();
    const page = await this.#page;
    if (page !== undefined) await this.#expects('the dashboard', sorted(leaves), () => inPage(page));
  }

  async #expects(who: string, wanted: readonly string[], look: () => string[] | Promise<string[]>): Promise<void> {
    let seen: string[] = [];
    const isSo = async () => {
      seen = await look();
      return seen.join() === wanted.join();
    };
    // Compared once more, so that a failure shows the difference.
    await eventually(isSo, who, { within: 8000 }).catch(() => undefined);
    expect({ who, seen }).toEqual({ who, seen: wanted });
  }

  async #ask(path: string): Promise<unknown> {
    const { body } = await askAdmin(this.#server.adminUrl!, { path: `/api/v1/${path}` });
    return body;
  }

  async #inDetail(): Promise<string[]> {
    const { chart, upstream, history = [] } = (await this.#ask('connections/conn-1')) as Detail;
    // Of one that is over there is no chart any more, but what it did last.
    const last = (side: string) => history.findLast((entry) => entry.side === side)?.value;
    return idsOf(chart ?? last('connection'), upstream?.chart ?? last('upstream'));
  }

  async #inStats(): Promise<string[]> {
    const { states } = (await this.#ask('stats')) as { states: Record<string, number> };
    expect(Object.values(states).every((count) => count === 0 || count === 1)).toBe(true);
    return sorted(Object.keys(states).filter((id) => states[id] === 1));
  }

  /** Every innermost state is asked for: also those that it is not in. */
  async #inLists(): Promise<string[]> {
    const listed = await Promise.all(
      INNERMOST.map(async (id) => {
        const { connections } = (await this.#ask(`connections?state=${id}`)) as { connections: unknown[] };
        return connections.length === 1 ? [id] : [];
      }),
    );
    return sorted(listed.flat());
  }

  async #inExplanation(): Promise<string[]> {
    const { facts } = (await this.#ask('connections/conn-1/explain')) as { facts: Array<{ state: string }> };
    return sorted(facts.flatMap(({ state }) => withAbove(state)));
  }
}

/** The ids of a state and of all above it: `connection`, `connection.open`, … */
function withAbove(id: string): string[] {
  const parts = id.split('.');
  return parts.map((_, at) => parts.slice(0, at + 1).join('.'));
}

function sorted(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort();
}

function idsOf(connection: Value | undefined, upstream: Value | undefined): string[] {
  return sorted([
    ...(connection === undefined ? [] : stateIds('connection', connection)),
    ...(upstream === undefined ? [] : stateIds('upstream', upstream)),
  ]);
}

/** What the frames said last of each actor. */
function inFrames(frames: readonly Frame[]): string[] {
  const names = new Map<string, string>();
  const values = new Map<string, Value>();
  for (const frame of frames) {
    if (frame.type === '@xstate.actor') names.set(frame.sessionId, frame.name);
    if (frame.type !== '@xstate.actor' && frame.type !== '@xstate.snapshot') continue;
    values.set(names.get(frame.sessionId) ?? '', frame.snapshot.value);
  }
  return idsOf(values.get('conn-1'), values.get('upstream-1'));
}

/** The innermost states that are marked in the drawn charts, of those that can be seen. */
async function inPage(page: Page): Promise<string[]> {
  const marked = page.locator('.live:not([hidden]) :is(.atomic, .final)[data-state].active');
  return sorted(await marked.evaluateAll((groups) => groups.map((group) => group.getAttribute('data-state') ?? '')));
}
