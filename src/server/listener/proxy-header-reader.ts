/**
 * Owns reading the PROXY protocol header that a connection begins with, or that it does not: who may send one, and who has to. Refuses
 * to know who is trusted.
 */
import { beginsWithProxyHeader, readProxyHeader } from '../../protocol/read-proxy-header.js';
import type { Peer } from '../admission/policy.js';
import type { Wire } from '../wires/wire.js';
import { PrefixReader } from './prefix-reader.js';

/** Who is told what came of it. One of these is called, once. */
export interface ProxyHeaderHost {
  /** The connection goes on; its wire is not read. Undefined: it stands for itself. */
  introduced(peer: Peer | undefined): void;
  mistrusted(message: string): void;
  left(): void;
}

/** Reads the header of one connection. */
export class ProxyHeaderReader extends PrefixReader {
  readonly #required: boolean;
  readonly #trusted: boolean;
  readonly #host: ProxyHeaderHost;

  /**
   * @param required whether a connection without a header is refused.
   * @param trusted whether a header of this peer is believed.
   */
  constructor(wire: Wire, required: boolean, trusted: boolean, host: ProxyHeaderHost) {
    super(wire);
    this.#required = required;
    this.#trusted = trusted;
    this.#host = host;
  }

  override start(): void {
    if (this.#required && !this.#trusted) {
      this.#host.mistrusted('only trusted proxies may connect here, with a PROXY protocol header');
    } else super.start();
  }

  protected override look(bytes: Buffer): void {
    const begins = beginsWithProxyHeader(bytes);
    if (begins === false && !this.#required) {
      this.finish(bytes, 0, () => this.#host.introduced(undefined));
    } else if (begins === true && !this.#trusted) {
      this.finish(bytes, 0, () => this.#host.mistrusted('a peer that is not trusted sent a PROXY protocol header'));
    } else if (begins !== undefined) {
      this.#read(bytes);
    }
  }

  protected override onShort(bytes: Buffer): void {
    if (!this.#required && bytes.length > 0) {
      this.finish(bytes, 0, () => this.#host.introduced(undefined));
    } else if (bytes.length > 0) {
      this.finish(bytes, 0, () => this.#host.mistrusted('the PROXY protocol header is cut off'));
    } else this.finish(bytes, 0, () => this.#host.left());
  }

  protected override onGone(): void {
    this.#host.left();
  }

  #read(bytes: Buffer): void {
    const header = readProxyHeader(bytes);
    if (header === undefined) return;
    if ('fault' in header) {
      this.finish(bytes, 0, () => this.#host.mistrusted(`the PROXY protocol header is not valid: ${header.fault}`));
      return;
    }
    const { endpoints, length } = header;
    const peer = endpoints && {
      remoteAddress: endpoints.source.address,
      remotePort: endpoints.source.port,
      localAddress: endpoints.destination.address,
      localPort: endpoints.destination.port,
    };
    this.finish(bytes, length, () => this.#host.introduced(peer));
  }
}
