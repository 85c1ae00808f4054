/**
 * Owns a WebSocket on which a client is told where to go: one message, and a Close frame. Asks the receiver of the application whether
 * the client may come in; refuses to give it the connection, which is over before anything could be said on it.
 */
import { decisionOf } from '../../../actors/refusals.js';
import {
  accept,
  type Connection,
  ConnectionReceiver,
  type LifecycleReceiver,
  type UpgradeAnswer,
  type UpgradeRequest,
} from '../../../receivers/index.js';
import { joinedFields } from '../../handshake/answer.js';
import { directionText } from './directions.js';
import type { Direction, Directory, NoDirection } from './directory.js';

/** The receiver of a client that offered the subprotocol of bindings. */
export class BindingReceiver extends ConnectionReceiver {
  readonly #application: LifecycleReceiver;
  readonly #directory: Directory;
  readonly #subprotocol: string;
  #found: Direction | NoDirection | undefined;

  constructor(application: LifecycleReceiver, directory: Directory, subprotocol: string) {
    super();
    this.#application = application;
    this.#directory = directory;
    this.#subprotocol = subprotocol;
  }

  override attach(connection: Connection): void {
    super.attach(connection);
    this.#application.attach?.(connection);
  }

  /** The application's decision counts, but for a target: the client came for an address. */
  override async onUpgradeRequest(request: UpgradeRequest): Promise<UpgradeAnswer> {
    const decision = decisionOf(await this.#application.onUpgradeRequest(request));
    if (decision.kind === 'reject' || request.signal.aborted) return decision;
    const found = await this.#directory.find(request, request.url);
    this.#found = found;
    const headers = joinedFields(decision.headers, 'url' in found ? found.headers : undefined);
    return accept({ target: null, subprotocol: this.#subprotocol, headers });
  }

  override onOpen(): void {
    const found = this.#found;
    if (found === undefined) return;
    this.connection.send(directionText(found));
    if ('url' in found) this.connection.close(1000);
    else this.connection.close(1013, JSON.stringify({ retryAfterMs: found.retryAfterMs }));
  }
}
