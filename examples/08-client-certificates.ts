/** Lets in who has a certificate of your own authority (mutual TLS), and decides by its name what it may do. */
import { accept, ConnectionReceiver, ProxyServer, reject, type UpgradeDecision, type UpgradeRequest } from 'tidegate';

class Doorman extends ConnectionReceiver {
  readonly #target: string;

  constructor(target: string) {
    super();
    this.#target = target;
  }

  /** `clientAuth: 'require'` has let in nobody else: here it is decided what each may do. */
  override onUpgradeRequest({ tls, path }: UpgradeRequest): UpgradeDecision {
    const client = tls?.peerCertificate;
    if (client === undefined || tls?.authorized !== true) return reject(403);
    if (path.startsWith('/admin') && client.commonName !== 'admin') return reject(403, { body: 'for admin only\n' });
    return accept({ target: this.#target, headers: { 'X-Known-As': client.commonName ?? '' } });
  }
}

/** Files of the listener, and what to think of clients. */
export interface Doors {
  readonly cert: string;
  readonly key: string;
  /** The authority that signs the certificates of clients. */
  readonly ca: string;
  /** Fingerprints (SHA-256) that are let in no more, though the authority has signed them. */
  readonly revoked?: ReadonlySet<string>;
}

export async function start(port: number, target: string, { cert, key, ca, revoked }: Doors): Promise<ProxyServer> {
  const proxy = new ProxyServer({
    listen: `127.0.0.1:${port}`,
    tls: { cert, key, ca, clientAuth: 'require' },
    receiver: () => new Doorman(target),
    // Asked after the TLS handshake and before anything is read; may be asynchronous. Nothing: as clientAuth says.
    onVerifyPeer: (certificate) => {
      if (certificate !== undefined && revoked?.has(certificate.fingerprint256) === true) return false;
    },
  });
  await proxy.start();
  return proxy;
}

if (process.argv[1] === import.meta.filename) {
  // Made for tests, and its own authority: a client with the same certificate and key is let in.
  const kept = 'test/support/certs/localhost';
  const { PORT = '8443', TARGET = 'tcp://127.0.0.1:5900', CERT, KEY, CA, REVOKED = '' } = process.env;
  const cert = CERT ?? `${kept}.cert.pem`;
  const doors = { cert, key: KEY ?? `${kept}.key.pem`, ca: CA ?? cert, revoked: new Set(REVOKED.split(',')) };
  const proxy = await start(Number(PORT), TARGET, doors);
  proxy.on('rejected', ({ status, message }) => console.log(`refused with ${status}: ${message}`));
  console.log(`${proxy.addresses[0]?.url} forwards to ${TARGET} for clients with a certificate`);
}
