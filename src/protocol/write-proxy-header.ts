/**
 * Owns writing the header of the PROXY protocol, versions 1 and 2, by which a proxy tells whose connection it carries (HAProxy's
 * proxy-protocol.txt, sections 2.1 and 2.2). Refuses to decide who is told.
 */
import { Buffer } from 'node:buffer';
import { asIpv6Bytes, formatAllGroups, ipAddressBytes } from './ip-address.js';

/** Which of the two forms: a line of text, or bytes that can say more. */
export type ProxyHeaderVersion = 'v1' | 'v2';

/** What a header says. Without addresses that can be written it says that the client is not known. */
export interface ProxiedConnection {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
  /** What TLS says about the client's connection; version 2 only. */
  readonly tls?: ProxiedTls | undefined;
}

/** What version 2 says about TLS (PP2_TYPE_SSL and its neighbours, section 2.2.6). */
export interface ProxiedTls {
  /** Such as `TLSv1.3`. */
  readonly version: string;
  readonly cipher: string;
  /** The name that the client asked for. */
  readonly servername: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** Whether the client's certificate was verified. */
  readonly verified: boolean;
  /** The common name of the client's certificate, if it sent one. */
  readonly commonName: string | undefined;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const VERSION_2_PROXY = 0x21;
const UNSPECIFIED = 0x00;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

const TLV = { alpn: 0x01, authority: 0x02, ssl: 0x20, sslVersion: 0x21, sslCommonName: 0x22, sslCipher: 0x23 } as const;
const CLIENT_SSL = 0x01;
const CLIENT_CERT_CONN = 0x02;

/** Writes the header of a connection. An IPv4 address beside an IPv6 one is written mapped, as a header has one family. */
export function encodeProxyHeader(version: ProxyHeaderVersion, connection: ProxiedConnection): Buffer {
  const ends = endsOf(connection);
  return version === 'v1' ? encodeText(connection, ends) : encodeBytes(connection, ends);
}

interface Ends {
  readonly source: Buffer;
  readonly destination: Buffer;
}

function endsOf({ sourceAddress, destinationAddress }: ProxiedConnection): Ends | undefined {
  const source = ipAddressBytes(sourceAddress);
  const destination = ipAddressBytes(destinationAddress);
  if (source === undefined || destination === undefined) return undefined;
  if (source.length === destination.length) return { source, destination };
  return { source: asIpv6Bytes(source), destination: asIpv6Bytes(destination) };
}

function encodeText({ sourcePort, destinationPort }: ProxiedConnection, ends: Ends | undefined): Buffer {
  if (ends === undefined) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  const family = ends.source.length === 4 ? 'TCP4' : 'TCP6';
  const words = ['PROXY', family, textOf(ends.source), textOf(ends.destination), sourcePort, destinationPort];
  return Buffer.from(`${words.join(' ')}\r\n`, 'latin1');
}

/** Written out: the specification asks for no shorter form, and some readers take none. */
function textOf(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join('.') : formatAllGroups(bytes);
}

function encodeBytes({ sourcePort, destinationPort, tls }: ProxiedConnection, ends: Ends | undefined): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(destinationPort, 2);
  const addresses = ends === undefined ? [] : [ends.source, ends.destination, ports];
  const family = ends === undefined ? UNSPECIFIED : ends.source.length === 4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6;
  const body = Buffer.concat([...addresses, ...(tls === undefined ? [] : encodeTls(tls))]);
  const head = Buffer.from([VERSION_2_PROXY, family, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([SIGNATURE, head, body]);
}

function encodeTls({ version, cipher, servername, alpnProtocol, verified, commonName }: ProxiedTls): Buffer[] {
  const parts: Buffer[] = [];
  if (alpnProtocol !== undefined) parts.push(tlv(TLV.alpn, Buffer.from(alpnProtocol)));
  if (servername !== undefined) parts.push(tlv(TLV.authority, Buffer.from(servername)));
  // Four bytes of "verify", which are 0 when the certificate was verified.
  const ssl: Buffer[] = [
    Buffer.from([commonName === undefined ? CLIENT_SSL : CLIENT_SSL | CLIENT_CERT_CONN, 0, 0, 0, verified ? 0 : 1]),
  ];
  ssl.push(tlv(TLV.sslVersion, Buffer.from(version)), tlv(TLV.sslCipher, Buffer.from(cipher)));
  if (commonName !== undefined) ssl.push(tlv(TLV.sslCommonName, Buffer.from(commonName)));
  parts.push(tlv(TLV.ssl, Buffer.concat(ssl)));
  return parts;
}

function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}
