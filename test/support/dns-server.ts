/**
 * Owns a DNS server on loopback that says what a test wants: A, AAAA and SRV records, that there are none, that it cannot say, or
 * nothing (RFC 1035, RFC 2782). Refuses everything else that DNS can do.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { onTestFinished } from 'vitest';
import { waitForEvent } from './events.js';

/** A record of a service. */
export interface ServiceRecord {
  readonly name: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

/** What a name has. */
export interface DnsRecords {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly srv?: readonly ServiceRecord[];
}

const TYPES: Readonly<Record<number, keyof DnsRecords>> = { 1: 'a', 28: 'aaaa', 33: 'srv' };
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** A server with a zone that may be changed at any time. */
export class DnsServer {
  /** By name, in lower case. A name that is not here does not exist. */
  readonly zone = new Map<string, DnsRecords>();
  /** Whether it answers, says that it cannot, or says nothing. */
  mood: 'answer' | 'servfail' | 'silent' = 'answer';
  /** How many questions came. */
  asked = 0;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (message, from) => this.#answer(message, from));
  }

  /** Starts a server that ends with the test. */
  static async start(zone: Readonly<Record<string, DnsRecords>> = {}): Promise<DnsServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await waitForEvent(socket, 'listening');
    const server = new DnsServer(socket);
    for (const [name, records] of Object.entries(zone)) server.zone.set(name, records);
    onTestFinished(() => void socket.close());
    return server;
  }

  /** A resolver that asks it, and does not wait long. */
  resolver(): Resolver {
    const resolver = new Resolver({ timeout: 300, tries: 1 });
    resolver.setServers([`127.0.0.1:${this.#socket.address().port}`]);
    return resolver;
  }

  #answer(message: Buffer, from: RemoteInfo): void {
    this.asked += 1;
    if (this.mood === 'silent') return;
    const { name, end } = nameAt(message, 12);
    const kind = TYPES[message.readUInt16BE(end)];
    const records = this.zone.get(name.toLowerCase());
    const answers = kind === undefined ? [] : (records?.[kind] ?? []).map((one) => recordOf(kind, one));
    const code = this.mood === 'servfail' ? SERVFAIL : records === undefined ? NXDOMAIN : 0;
    const counts = [1, code === 0 ? answers.length : 0, 0, 0];
    const head = Buffer.alloc(12);
    message.copy(head, 0, 0, 2);
    // An answer, with recursion wished and available.
    head.writeUInt16BE(0x8180 | code, 2);
    for (const [at, count] of counts.entries()) head.writeUInt16BE(count, 4 + 2 * at);
    const question = message.subarray(12, end + 4);
    this.#socket.send(Buffer.concat([head, question, ...(code === 0 ? answers : [])]), from.port, from.address);
  }
}

function nameAt(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}

/** One answer, about the name of the question, to be kept for no time. */
function recordOf(kind: keyof DnsRecords, record: string | ServiceRecord): Buffer {
  const data = typeof record === 'string' ? addressOf(record) : serviceOf(record);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(Number(Object.keys(TYPES).find((type) => TYPES[Number(type)] === kind)), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function addressOf(address: string): Buffer {
  if (address.includes('.')) return Buffer.from(address.split('.').map(Number));
  // `::1` and the like: what stands before the `::`, zeros, what stands behind it.
  const [before = [], behind = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const groups = [...before, ...Array(8 - before.length - behind.length).fill('0'), ...behind];
  const bytes = Buffer.alloc(16);
  for (const [at, group] of groups.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * at);
  return bytes;
}

function serviceOf({ name, port, priority = 0, weight = 0 }: ServiceRecord): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(priority, 0);
  head.writeUInt16BE(weight, 2);
  head.writeUInt16BE(port, 4);
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]);
  return Buffer.concat([head, ...labels, Buffer.from([0])]);
}
