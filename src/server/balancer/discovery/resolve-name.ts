/** Owns asking DNS for the backends that a name stands for. Refuses to say what becomes of those that are not among them any more. */
import type { Resolver } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import type { BackendSpec } from '../../../actors/backend.js';
import type { DiscoveryName } from './discovery-name.js';

/** Who is asked: a `Resolver` of `node:dns/promises`, or anything that answers as one. */
export type DnsResolver = Pick<Resolver, 'resolve4' | 'resolve6' | 'resolveSrv'>;

/** A backend that a name stands for. */
export interface FoundBackend {
  readonly spec: BackendSpec;
  /** Those with the lowest are used, the others are for when none of them serves (RFC 2782). */
  readonly priority: number;
}

/** The weight of a service with weight 0 beside others: nearly none (RFC 2782). */
const HARDLY = 0.01;

/**
 * The backends that a name stands for now; none when it is known that there are none.
 *
 * @throws what the resolver did; then it is not known which there are.
 */
export async function resolveName(name: DiscoveryName, resolver: DnsResolver): Promise<FoundBackend[]> {
  const services = name.by === 'service' ? await servicesOf(name, resolver) : [{ ...name, weight: 1, priority: 0 }];
  const found = await Promise.all(
    services.map(async ({ host, port, weight, priority }) => {
      const addresses = await addressesOf(host, resolver);
      return addresses.map((address) => ({ spec: specOf(name, { host, address, port, weight }), priority }));
    }),
  );
  const seen = new Set<string>();
  return found
    .flat()
    .sort((one, other) => one.priority - other.priority)
    .filter(({ spec: { id } }) => {
      // Two records may lead to the same place: the better one counts.
      const isNew = !seen.has(id);
      seen.add(id);
      return isNew;
    });
}

interface Service {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
}

async function servicesOf({ host }: DiscoveryName, resolver: DnsResolver): Promise<Service[]> {
  const records = await orNone(resolver.resolveSrv(host));
  const unweighted = records.every(({ weight }) => weight === 0);
  return records
    .filter(({ name }) => name !== '' && name !== '.')
    .map(({ name, port, weight, priority }) => ({
      host: name,
      port,
      weight: unweighted ? 1 : Math.max(weight, HARDLY),
      priority,
    }));
}

async function addressesOf(host: string, resolver: DnsResolver): Promise<string[]> {
  const answers = await Promise.all([orNone(resolver.resolve4(host)), orNone(resolver.resolve6(host))]);
  return [...new Set(answers.flat())].sort();
}

/** That there are none is an answer. */
async function orNone<Record>(answer: Promise<Record[]>): Promise<Record[]> {
  try {
    return await answer;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENODATA' || code === 'ENOTFOUND') return [];
    throw error;
  }
}

interface Place {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
}

function specOf(name: DiscoveryName, { host, address, port, weight }: Place): BackendSpec {
  const { scheme, path } = name;
  const at = isIPv6(address) ? `[${address}]` : address;
  return {
    id: `${name.host}@${address}:${port}`,
    url: `${scheme}://${at}:${port}${path}`,
    serverName: host,
    // Who goes there without us verifies the name, and finds one of them by it.
    bindings: scheme === 'wss' ? [`wss://${host}:${port}${path}`] : [],
    weight,
    capacity: 0,
    tags: [],
    source: 'dns',
  };
}
