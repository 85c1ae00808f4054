/** Owns putting something before the wire of a link while it is in use. Refuses to know what passes. */
import { PacedWire } from '../shaping/paced-wire.js';
import type { Pacer } from '../shaping/pacer.js';
import type { Wire, WireReader } from '../wires/wire.js';
import type { Link } from './links.js';

/**
 * Puts a pace before the wire of a link, if there is none yet.
 *
 * @param reader who reads the wire now.
 * @param ahead at which rate that is written what is read here.
 */
export function paceLink(link: Link, reader: WireReader, pacer: Pacer, ahead?: PacedWire): PacedWire {
  if (link.paced !== undefined) return link.paced;
  const { wire, intake, outlet } = link;
  const now = { reading: intake.reading, full: outlet.blocked };
  const paced = new PacedWire({ wire, reader, owner: outlet, pacer, ahead: ahead?.writes, now });
  outlet.pace(paced);
  intake.rewire(paced);
  link.paced = paced;
  return paced;
}

/** Puts another wire in the place of that of a link, which is attached to it already. Not while bytes are dealt with. */
export function rewireLink({ paced, outlet, intake }: Link, wire: Wire): void {
  if (paced !== undefined) {
    paced.rewire(wire);
    return;
  }
  outlet.wire = wire;
  intake.rewire(wire);
}
