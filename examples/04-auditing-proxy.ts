/** Stands between clients and a WebSocket application: sees, edits, drops and answers messages, both ways. */
import { type CloseStatus, ConnectionReceiver, DROP, type MessageReply, ProxyServer } from 'tidegate';

/** Writes one line of the audit. */
export type Audit = (line: string) => void;

const PASSWORD = /"password":"[^"]*"/g;
const CARD_NUMBER = /\b(?:\d[ -]?){12,15}(\d{4})\b/g;

class Auditor extends ConnectionReceiver {
  readonly #audit: Audit;

  constructor(audit: Audit) {
    super();
    this.#audit = audit;
  }

  /** From the client: nothing returned passes the message on, a text replaces it, DROP swallows it. */
  override onText(text: string): MessageReply {
    this.#audit(`${this.connection.id} > ${text.replace(PASSWORD, '"password":"***"')}`);
    if (text.startsWith('/admin')) {
      this.connection.send('not here');
      return DROP;
    }
    return text.replaceAll('<script', '&lt;script');
  }

  /** From the target, with the same three answers. */
  onUpstreamText(text: string): MessageReply {
    this.#audit(`${this.connection.id} < ${text.length} characters`);
    return text.replace(CARD_NUMBER, '**** $1');
  }

  /** Binary messages are not for this protocol: the client is sent away. */
  override onBinary(): MessageReply {
    this.connection.close(1003, 'text only');
    return DROP;
  }

  override onClosed(status: CloseStatus, reason: string): void {
    this.#audit(`${this.connection.id} ended with ${status} ${reason}`);
  }
}

export async function start(port: number, target: string, audit: Audit = console.log): Promise<ProxyServer> {
  const proxy = new ProxyServer({ listen: `127.0.0.1:${port}`, target, receiver: () => new Auditor(audit) });
  await proxy.start();
  return proxy;
}

if (process.argv[1] === import.meta.filename) {
  const target = process.env.TARGET ?? 'ws://127.0.0.1:3000';
  const proxy = await start(Number(process.env.PORT ?? 8080), target);
  console.log(`${proxy.addresses[0]?.url} audits what goes to ${target}`);
}
