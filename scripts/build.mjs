/** Owns `npm run build`: dist/ from scratch. */
import { build } from './workspace.mjs';

process.exitCode = await build({ force: true });
