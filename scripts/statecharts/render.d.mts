/** Owns the types of `render.mjs`, which is plain JavaScript so that Node.js can run it without a build. */
import type { AnyStateMachine } from 'xstate';

/** Draws machines: for each one the text and the picture, by file name. */
export function renderStatecharts(machines: readonly AnyStateMachine[]): Promise<Map<string, string>>;
