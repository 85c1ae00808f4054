/** Owns what is known about clients beyond the stop of a server: bans, and the counts of refusals. Refuses to use it. */
import type { ProxyConfig } from '../config/options.js';
import { type Ban, Bans } from './bans.js';
import { RefusalCounts } from './refusal-counts.js';

/** Made once for each server object. Holds no timer. */
export class AdmissionRecord {
  readonly bans: Bans;
  readonly refusals = new RefusalCounts();

  /** @param banned called for each ban that is given for offences. Must not throw. */
  constructor(config: Pick<ProxyConfig, 'admission'>, banned?: (ban: Ban) => void, now?: () => number) {
    this.bans = new Bans({ ...config.admission.bans, banned, now });
  }
}
