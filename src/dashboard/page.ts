/** Owns the page as a whole: where it is, what is asked for when, and what is said when nobody answers. Refuses to know what views show. */
import { Api, ApiFailure } from './api/api.js';
import type { ServerInfo, Stats } from './api/contract.js';
import { TokenKeeper } from './api/token-keeper.js';
import { ask } from './dialog.js';
import { el } from './elements.js';
import { Header } from './header.js';
import { Notices } from './notices.js';
import { hashOf, type Place, placeOf } from './place.js';
import { Poller } from './poller.js';
import { Samples } from './samples.js';
import type { View, ViewContext } from './view.js';
import { createView } from './views/create-view.js';
import { duration, printable } from './words.js';

/** Milliseconds between two looks at which servers there are. */
const SERVERS_EVERY = 5000;

/** The page. */
export class Page {
  readonly #token = new TokenKeeper();
  readonly #api = new Api(this.#token);
  readonly #notices = new Notices();
  readonly #header = new Header({
    chosen: (server) => {
      location.hash = hashOf({ view: this.#place.view === 'connection' ? 'connections' : this.#place.view, server });
    },
    stopped: (stopped) => {
      this.#poller.stopped = stopped;
      this.#notices.tell(stopped ? 'Updates are paused.' : 'Updates go on.');
    },
    forgotten: () => {
      this.#token.value = '';
      this.#poller.wake();
    },
  });
  readonly #main = el('main', { id: 'main' });
  readonly #poller = new Poller({
    look: (signal) => this.#look(signal),
    answered: () => this.#answered(),
    failed: (error, nextIn) => this.#failed(error, nextIn),
  });
  #place: Place = placeOf('');
  #view: View | undefined;
  #samples = new Samples();
  #state = '';
  #isAsking = false;
  #servers: readonly ServerInfo[] = [];
  #serversAt = Number.NEGATIVE_INFINITY;
  #countdown: ReturnType<typeof setInterval> | undefined;

  /** Puts it on the screen, and goes on until the tab is closed. */
  start(): void {
    const skip = el('a', { class: 'skip', href: '#main' }, 'Skip to content');
    skip.addEventListener('click', (event) => {
      // The address says which view it is.
      event.preventDefault();
      this.#focusHeading();
    });
    document.body.append(skip, this.#header.element, this.#notices.element, this.#main);
    addEventListener('hashchange', () => this.#go(true));
    this.#go(false);
  }

  #go(focuses: boolean): void {
    const place = placeOf(location.hash);
    if (place.server !== this.#place.server) this.#samples = new Samples();
    this.#place = place;
    this.#api.server = place.server;
    this.#header.showPlace(place);
    this.#view?.close?.();
    this.#view = createView(place, this.#context());
    this.#main.replaceChildren(this.#view.element);
    document.title = `${this.#view.title} · Tidegate`;
    if (focuses) this.#focusHeading();
    this.#poller.wake();
  }

  #focusHeading(): void {
    const heading = this.#main.querySelector('h1');
    heading?.setAttribute('tabindex', '-1');
    heading?.focus();
  }

  #context(): ViewContext {
    const { server } = this.#place;
    return {
      api: this.#api,
      notices: this.#notices,
      samples: this.#samples,
      hrefOf: (place) => hashOf({ server, ...place }),
      rename: (query) => {
        this.#place = { ...this.#place, query };
        history.replaceState(null, '', hashOf(this.#place));
      },
      lookNow: () => this.#poller.wake(),
    };
  }

  async #look(signal: AbortSignal): Promise<void> {
    const samples = this.#samples;
    const stats = this.#api.get<Stats>('/api/v1/stats', {}, signal).then((numbers) => {
      samples.add(numbers);
      return numbers;
    });
    const [servers, numbers] = await Promise.all([
      this.#askForServers(signal),
      stats,
      this.#view?.refresh(stats, signal),
    ]);
    if (signal.aborted) return;
    this.#header.showServers(servers, this.#place.server);
    this.#header.showStats(numbers);
    this.#header.showToken(this.#token.value !== '');
    if (this.#state !== '' && this.#state !== numbers.state) this.#notices.tell(`The server is ${numbers.state}.`);
    this.#state = numbers.state;
  }

  /** They seldom change. */
  async #askForServers(signal: AbortSignal): Promise<readonly ServerInfo[]> {
    if (performance.now() - this.#serversAt < SERVERS_EVERY) return this.#servers;
    const { servers } = await this.#api.get<{ servers: readonly ServerInfo[] }>('/api/v1/servers', {}, signal);
    this.#servers = servers;
    this.#serversAt = performance.now();
    return servers;
  }

  #answered(): void {
    clearInterval(this.#countdown);
    if (this.#notices.isWarning) this.#notices.tell('The server answers again.');
    this.#notices.clear();
  }

  #failed(error: unknown, nextIn: number | undefined): void {
    clearInterval(this.#countdown);
    if (error instanceof ApiFailure && error.status === 401) {
      void this.#askForToken();
      return;
    }
    const isOutage = error instanceof ApiFailure && error.isOutage;
    const what = isOutage ? 'The server does not answer.' : `The server said no: ${printable(textOf(error), 500)}`;
    const until = Date.now() + (nextIn ?? 0);
    const show = () => {
      const left = Math.max(0, Math.ceil((until - Date.now()) / 1000)) * 1000;
      this.#notices.warn(`${what} What is shown is old. The next attempt is in ${duration(left)}.`, what);
    };
    show();
    this.#countdown = setInterval(show, 1000);
  }

  async #askForToken(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const isWrong = this.#token.value !== '';
    this.#token.value = '';
    const answer = await ask({
      title: 'This server asks for its token',
      consequence: isWrong
        ? 'The token was another one. It is the value of the option admin.token.'
        : 'It is the value of the option admin.token, and is kept in this tab only.',
      fields: [{ name: 'token', label: 'Token', type: 'password' }],
      confirm: 'Look',
      required: true,
    });
    this.#isAsking = false;
    this.#token.value = answer?.token?.trim() ?? '';
    this.#poller.wake();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
