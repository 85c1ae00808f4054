/** Adds who a client is: a page logs in over HTTP, and shows its token in a subprotocol, the one place a browser leaves. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { ConnectionReceiver, ReceiverServer } from 'tidegate';

/** Who is asked for a token. In earnest this is your login, and not a list. */
const PASSWORDS = new Map([['ada', 'lovelace']]);

class Greeter extends ConnectionReceiver {
  override onOpen() {
    // Nobody gets here without a principal.
    this.connection.send(`welcome, ${this.connection.principal?.name}`);
  }

  override onText(text: string) {
    this.connection.send(`${this.connection.principal?.name}: ${text}`);
  }
}

export interface Site {
  readonly page: Server;
  readonly pageUrl: string;
  readonly server: ReceiverServer;
  stop(): Promise<void>;
}

export async function start(port: number, pagePort: number, secret: string): Promise<Site> {
  let socketUrl = '';
  const page = createServer((request, response) => {
    if (request.method === 'POST' && request.url === '/login') {
      void login(request.headers.authorization, secret).then((token) => {
        response.writeHead(token === undefined ? 401 : 200, { 'Cache-Control': 'no-store' }).end(token);
      });
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(html(socketUrl));
  });
  await new Promise<void>((resolve) => page.listen(pagePort, '127.0.0.1', resolve));
  const pageUrl = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;

  const server = new ReceiverServer({
    listen: `127.0.0.1:${port}`,
    // A token that a page has to know is no invitation to other pages; naming ours is one lock more.
    origins: [pageUrl],
    authentication: {
      subprotocol: 'bearer',
      jwt: { secret, issuer: ['example'], audience: ['greeter'] },
    },
    receiver: () => new Greeter(),
  });
  await server.start();
  socketUrl = server.addresses[0]?.url ?? '';
  const stop = async () => {
    await server.stop();
    page.closeAllConnections();
    await new Promise((resolve) => page.close(resolve));
  };
  return { page, pageUrl, server, stop };
}

/** A token for ten minutes; the connection ends with it. */
async function login(authorization: string | undefined, secret: string): Promise<string | undefined> {
  const [name = '', password] = Buffer.from(authorization?.replace('Basic ', '') ?? '', 'base64')
    .toString()
    .split(':');
  if (password === undefined || PASSWORDS.get(name) !== password) return undefined;
  return new SignJWT({ sub: name })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('example')
    .setAudience('greeter')
    .setExpirationTime('10m')
    .sign(new TextEncoder().encode(secret));
}

function html(socketUrl: string): string {
  return `<!doctype html>
<title>who is there</title>
<form>
  <input name="user" value="ada"> <input name="password" type="password"> <button>connect</button>
</form>
<pre></pre>
<script>
  document.forms[0].onsubmit = async (event) => {
    event.preventDefault();
    const { user, password } = Object.fromEntries(new FormData(event.target));
    const login = await fetch('/login', { method: 'POST', headers: { Authorization: 'Basic ' + btoa(user + ':' + password) } });
    // The marker, then the token. The answer names the marker, and never the token.
    const socket = new WebSocket(${JSON.stringify(socketUrl)}, ['bearer', login.ok ? await login.text() : 'none']);
    const say = (line) => document.querySelector('pre').append(line + '\\n');
    socket.onopen = () => socket.send('hello');
    socket.onmessage = ({ data }) => say(data);
    socket.onclose = ({ code, reason }) => say('closed: ' + code + ' ' + reason);
  };
</script>
`;
}

if (process.argv[1] === import.meta.filename) {
  const secret = process.env.SECRET ?? 'thirty-two-bytes-that-nobody-else-has';
  const site = await start(Number(process.env.PORT ?? 8080), Number(process.env.PAGE_PORT ?? 0), secret);
  console.log(`${site.server.addresses[0]?.url} asks who you are; log in at ${site.pageUrl} as ada with lovelace`);
}
