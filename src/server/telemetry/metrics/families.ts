/** Owns which metrics there are of a server. Refuses to know those of the process, which prom-client brings. */
import { balancerFamilies } from './balancer-families.js';
import { connectionFamilies } from './connection-families.js';
import type { Family } from './family.js';
import { serverFamilies } from './server-families.js';
import { timingFamilies } from './timing-families.js';
import { trafficFamilies } from './traffic-families.js';

/** In the order in which they are told. */
export const FAMILIES: readonly Family[] = [
  ...serverFamilies,
  ...connectionFamilies,
  ...trafficFamilies,
  ...timingFamilies,
  ...balancerFamilies,
];
