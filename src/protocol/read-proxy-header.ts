/**
 * Owns reading the header of the PROXY protocol, versions 1 and 2 (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt), from the
 * bytes a connection begins with. Refuses to decide whom to believe.
 */
import { Buffer } from 'node:buffer';
import { crc32c } from './crc32c.js';
import { formatIpAddress, ipAddressBytes } from './ip-address.js';

/** One end of the connection that a proxy speaks for. */
export interface ProxyEndpoint {
  readonly address: string;
  readonly port: number;
}

/** The two ends of the connection that a proxy speaks for. */
export interface ProxyEndpoints {
  /** The client. */
  readonly source: ProxyEndpoint;
  /** Where it connected to. */
  readonly destination: ProxyEndpoint;
}

/** A header that was read. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Undefined when the proxy speaks for itself (LOCAL), or for a client without an IP address: the ends of the connection itself count. */
  readonly endpoints: ProxyEndpoints | undefined;
  /** How many bytes it takes; the connection goes on behind them. */
  readonly length: number;
}

/** Tells why bytes are no valid header. */
export interface ProxyHeaderFault {
  readonly fault: string;
}

const V1_START = Buffer.from('PROXY ');
/** Of version 1, with CR and LF. */
const MAX_V1_BYTES = 107;
const CR = 13;

const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;
/** Addresses take at most 216 bytes; what proxies add about TLS takes some hundred, and a client's whole certificate a few thousand. */
const MAX_V2_BYTES = 16 * 1024;
const V2_CRC32C = 0x03;

/** How much of each family lies behind the fixed part of version 2; UDP and UNIX are only skipped. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 0: 0, 1: 12, 2: 36, 3: 216 };

/** Tells whether bytes begin as a header of either version does; undefined while they are too few to tell. */
export function beginsWithProxyHeader(bytes: Uint8Array): boolean | undefined {
  const start = bytes[0] === V2_SIGNATURE[0] ? V2_SIGNATURE : V1_START;
  const known = Math.min(bytes.length, start.length);
  for (let at = 0; at < known; at += 1) if (bytes[at] !== start[at]) return false;
  return known === start.length ? true : undefined;
}

/**
 * Reads the header that `bytes` begin with. Answers undefined while it is not complete; call again with all bytes when there are
 * more. A header that cannot become valid is told at the first byte that shows it, and none is waited for beyond 107 bytes
 * (version 1) or 16 KiB (version 2).
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | ProxyHeaderFault | undefined {
  const begins = beginsWithProxyHeader(bytes);
  if (begins === undefined) return undefined;
  if (!begins) return { fault: 'it does not begin with a PROXY protocol header' };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes[0] === V2_SIGNATURE[0] ? readVersion2(buffer) : readVersion1(buffer);
}

function readVersion1(bytes: Buffer): ProxyHeader | ProxyHeaderFault | undefined {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf('\r\n');
  if (end === -1) {
    const missing = bytes.at(-1) === CR ? 1 : 2;
    if (bytes.length + missing <= MAX_V1_BYTES) return undefined;
    return { fault: `its line is longer than ${MAX_V1_BYTES} bytes` };
  }
  const length = end + 2;
  const line = bytes.toString('latin1', 0, end);
  // Behind UNKNOWN anything may stand, and has to be ignored.
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { version: 1, endpoints: undefined, length };
  const [, family, source, destination, from, to] =
    /^PROXY TCP([46]) ([\da-fA-F.:]+) ([\da-fA-F.:]+) (\d+) (\d+)$/.exec(line) ?? [];
  const fault = { fault: `its line is malformed: ${JSON.stringify(line)}` };
  if (family === undefined) return fault;
  const addresses = [source, destination].map((text) => ipAddressBytes(text ?? ''));
  const size = family === '4' ? 4 : 16;
  if (addresses.some((address) => address?.length !== size)) return fault;
  if (![from, to].every(isPort)) return fault;
  const [client, server] = addresses.map((address) => formatIpAddress(address!));
  return {
    version: 1,
    endpoints: {
      source: { address: client!, port: Number(from) },
      destination: { address: server!, port: Number(to) },
    },
    length,
  };
}

/** Decimal, from 0 to 65535, without leading zeros. */
function isPort(text: string | undefined): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text ?? '') && Number(text) <= 65_535;
}

function readVersion2(bytes: Buffer): ProxyHeader | ProxyHeaderFault | undefined {
  if (bytes.length <= 12) return undefined;
  const command = bytes[12]!;
  if (command !== 0x20 && command !== 0x21) return { fault: `it has version and command ${shown(command)}` };
  if (bytes.length <= 13) return undefined;
  const family = bytes[13]! >> 4;
  const addressBytes = ADDRESS_BYTES[family];
  const transport = bytes[13]! & 0x0f;
  // LOCAL ignores the family, whatever it is.
  const known = addressBytes !== undefined && transport <= 2;
  if (command === 0x21 && !known) return { fault: `it has family and transport ${shown(bytes[13]!)}` };
  if (bytes.length < V2_FIXED_BYTES) return undefined;
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > MAX_V2_BYTES) return { fault: `it is ${length} bytes long, more than ${MAX_V2_BYTES}` };
  const rest = V2_FIXED_BYTES + (addressBytes ?? 0);
  if (command === 0x21 && length < rest) return { fault: `it is ${length} bytes long, too short for its addresses` };
  if (bytes.length < length) return undefined;
  const header = bytes.subarray(0, length);
  const ofStream = command === 0x21 && transport === 1 && (family === 1 || family === 2);
  const fault = command === 0x21 ? checkExtensions(header, rest) : undefined;
  if (fault !== undefined) return { fault };
  return { version: 2, endpoints: ofStream ? endpointsIn(header, family === 1 ? 4 : 16) : undefined, length };
}

function endpointsIn(header: Buffer, size: number): ProxyEndpoints {
  const at = V2_FIXED_BYTES;
  const ports = at + 2 * size;
  return {
    source: { address: formatIpAddress(header.subarray(at, at + size)), port: header.readUInt16BE(ports) },
    destination: { address: formatIpAddress(header.subarray(at + size, ports)), port: header.readUInt16BE(ports + 2) },
  };
}

/** Walks over type, length and value of what is behind the addresses. Answers what is wrong with it. */
function checkExtensions(header: Buffer, start: number): string | undefined {
  for (let at = start; at < header.length; ) {
    if (at + 3 > header.length) return 'its last extension is cut off';
    const value = at + 3;
    const end = value + header.readUInt16BE(at + 1);
    if (end > header.length) return `its extension ${shown(header[at]!)} is longer than the header`;
    if (header[at] === V2_CRC32C && !hasChecksum(header, value, end)) return 'its checksum is wrong';
    at = end;
  }
  return undefined;
}

/** The checksum counts its own four bytes as zero. */
function hasChecksum(header: Buffer, start: number, end: number): boolean {
  if (end - start !== 4) return false;
  const zeroed = Buffer.from(header).fill(0, start, end);
  return crc32c(zeroed) === header.readUInt32BE(start);
}

function shown(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
