/** Owns one attack in a process of its own: `attacker.mjs <name> <port> <milliseconds>`. Loopback only, and bounded. */
import { ATTACKS } from './attacks.mjs';

const [, , name, port, milliseconds] = process.argv;
const counts = { events: 0, bytes: 0 };
const until = performance.now() + Number(milliseconds);
process.on('disconnect', () => process.exit());
// It ends with whoever started it, and in any case.
setTimeout(() => process.exit(), Number(milliseconds));
ATTACKS[name].begin({ port: Number(port), counts, isOver: () => performance.now() >= until });
process.on('message', () => process.send(counts));
process.send({ port });
