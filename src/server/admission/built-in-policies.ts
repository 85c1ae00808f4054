/** Owns which policies the options of a server make, and in which order they are asked. Refuses to ask them. */
import { AddressSet } from '../../protocol/address-set.js';
import type { ProxyConfig } from '../config/options.js';
import { AddressCap } from './address-cap.js';
import { AddressList } from './address-list.js';
import { BanPolicy, type Bans } from './bans.js';
import { Census } from './census.js';
import { ConnectionRate } from './connection-rate.js';
import type { AdmissionPolicy } from './policy.js';
import { rateOf } from './token-bucket.js';
import type { TrustedProxies } from './trusted-proxies.js';

/** The options that decide about admission. */
export interface GatekeeperConfig extends Pick<ProxyConfig, 'admission' | 'trustedProxies' | 'forwardedHeader'> {
  readonly limits: Pick<
    ProxyConfig['limits'],
    'maxConnections' | 'reservedConnections' | 'maxConnectionsPerAddress' | 'maxConnectionsPerUser' | 'overflow'
  >;
}

/** What the options make. */
export interface BuiltInPolicies {
  readonly policies: readonly AdmissionPolicy[];
  /** Whether an address stands for many clients, so that it is neither counted nor banned for what one of them does. */
  isExempt(address: string): boolean;
}

/** Makes the policies of a configuration, the cheapest and most final first. One that would admit everyone is not made. */
export function builtInPolicies(
  { admission, limits }: GatekeeperConfig,
  bans: Bans,
  proxies: TrustedProxies,
  now: () => number,
): BuiltInPolicies {
  const { allow, deny, exempt, rate } = admission;
  const exemptions = new AddressSet(exempt);
  const isExempt = (address: string) => exemptions.has(address) || proxies.trusts(address);
  const perAddress = rateOf(rate.perAddress, rate.burst);
  const census = new Census({ rate: perAddress, isExempt, now });
  const policies: AdmissionPolicy[] = [];
  if (allow.length > 0 || deny.length > 0) policies.push(new AddressList(allow, deny));
  policies.push(new BanPolicy(bans));
  if (rate.perAddress > 0 || rate.total > 0) {
    policies.push(new ConnectionRate(census, perAddress, rateOf(rate.total, rate.burst)));
  }
  const { maxConnectionsPerAddress } = limits;
  if (maxConnectionsPerAddress > 0) policies.push(new AddressCap(census, maxConnectionsPerAddress));
  return { policies, isExempt };
}
