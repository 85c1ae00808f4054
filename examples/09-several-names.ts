/** Serves several names with a certificate each, and takes renewed ones while it runs. */
import { ConnectionReceiver, ReceiverServer } from 'tidegate';

class Greeter extends ConnectionReceiver {
  override onOpen(): void {
    this.connection.send(`this is ${this.connection.request.tls?.servername ?? 'nobody in particular'}`);
  }
}

/** The files of one certificate, such as `fullchain.pem` and `privkey.pem` of certbot. */
export interface Files {
  readonly cert: string;
  readonly key: string;
}

/** @param files the first is for clients that name no host, or one that no certificate has. */
export async function start(port: number, [first, ...others]: readonly [Files, ...Files[]]): Promise<ReceiverServer> {
  const server = new ReceiverServer({
    listen: `127.0.0.1:${port}`,
    // Names are those in the certificates; `*.example.org` is for one label. Files are watched.
    tls: { ...first, certificates: others },
    receiver: () => new Greeter(),
  });
  await server.start();
  server.on('certificates', ({ result, certificates, warnings, reason }) => {
    const names = certificates.flatMap((one) => one.names).join(', ');
    console.log(result === 'kept' ? `kept the certificates for ${names}: ${reason}` : `${result}: ${names}`);
    for (const warning of warnings) console.log(warning);
  });
  return server;
}

if (process.argv[1] === import.meta.filename) {
  // CERTS='first.pem:first.key,second.pem:second.key'; these are made for tests.
  const kept = 'test/support/certs';
  const { PORT = '8443', CERTS } = process.env;
  const list = (
    CERTS ?? `${kept}/localhost.cert.pem:${kept}/localhost.key.pem,${kept}/other.cert.pem:${kept}/other.key.pem`
  )
    .split(',')
    .map((pair) => ({ cert: pair.split(':')[0] ?? '', key: pair.split(':')[1] ?? '' }));
  const server = await start(Number(PORT), list as [Files, ...Files[]]);
  // For whoever renews and does not want to wait for the watch: connections and sessions stay as they are.
  process.on('SIGHUP', () => server.reloadCertificates());
  console.log(`${server.addresses[0]?.url} is ready`);
}
