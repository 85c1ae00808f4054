/**
 * Owns a piece of memory in which masking costs little more than reading: WebAssembly works on it, sixteen bytes at a time, and a
 * payload can be moved in the same pass. Refuses to know what lies where in it.
 *
 * The module is small enough to be written out, so that nothing has to be built or loaded. In the text format:
 *
 *   (module
 *     (memory (export "memory") 5 5)
 *     (func (export "move") (param $to i32) (param $from i32) (param $end i32) (param $key i32) (param $offset i32)
 *       (local $wide v128)
 *       ;; The key as seen from the first byte, then its bytes turned round: memory is little-endian.
 *       (local.set $key (i32.rotl (local.get $key) (i32.shl (local.get $offset) (i32.const 3))))
 *       (local.set $key (i32.or (i32.and (i32.rotl (local.get $key) (i32.const 8)) (i32.const 0x00ff00ff))
 *                               (i32.and (i32.rotr (local.get $key) (i32.const 8)) (i32.const 0xff00ff00))))
 *       (local.set $wide (i32x4.splat (local.get $key)))
 *       ;; Four times: 64 bytes a turn, then 16, then 4, then single ones, each while so many are left.
 *       (block (loop
 *         (br_if 1 (i32.gt_u (i32.add (local.get $from) (i32.const 16)) (local.get $end)))
 *         (v128.store align=1 (local.get $to) (v128.xor (v128.load align=1 (local.get $from)) (local.get $wide)))
 *         (local.set $to (i32.add (local.get $to) (i32.const 16)))
 *         (local.set $from (i32.add (local.get $from) (i32.const 16)))
 *         (br 0)))
 *       ;; … of 64: the same with offset=0, 16, 32 and 48. Of 4: i32.load, i32.xor with $key, i32.store. Of 1: i32.load8_u,
 *       ;; i32.xor with $key, i32.store8, and $key is rotated to the right by 8.
 *     ))
 */
import { Buffer } from 'node:buffer';

/** Memory of a fixed size and place, all of it as one buffer. */
export interface MaskMemory {
  readonly bytes: Buffer;
  /**
   * Moves `bytes[from, end)` to `to`, which must not be behind `from`, and masks or unmasks it on the way (RFC 6455 section 5.3).
   * `maskKey` is the four bytes of the key as a big-endian number; 0 moves only. `payloadOffset` is the position of
   * `bytes[from]` in the payload of its frame. What is written outside of the memory throws.
   */
  move(to: number, from: number, end: number, maskKey: number, payloadOffset: number): void;
}

/** As much of the WebAssembly of the language as this takes; the types of Node.js do not have it. */
export interface WebAssemblyLike {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** How large the memory is: five pages of WebAssembly. */
export const MASK_MEMORY_BYTES = 5 * 64 * 1024;

const MODULE = [
  'AGFzbQEAAAABCQFgBX9/f39/AAMCAQAFBAEBBQUHEQIGbWVtb3J5AgAEbW92ZQAACqACAZ0CAQF7IAMgBEEDdHciA0EId0H/gfwHcSADQQh4QYD+',
  'g3hxciID/REhBQJAA0AgAUHAAGogAksNASAAIAH9AAAAIAX9Uf0LAAAgACAB/QAAECAF/VH9CwAQIAAgAf0AACAgBf1R/QsAICAAIAH9AAAwIAX9',
  'Uf0LADAgAEHAAGohACABQcAAaiEBDAALCwJAA0AgAUEQaiACSw0BIAAgAf0AAAAgBf1R/QsAACAAQRBqIQAgAUEQaiEBDAALCwJAA0AgAUEEaiAC',
  'Sw0BIAAgASgAACADczYAACAAQQRqIQAgAUEEaiEBDAALCwJAA0AgAUEBaiACSw0BIAAgAS0AACADczoAACAAQQFqIQAgAUEBaiEBIANBCHghAwwA',
  'CwsL',
].join('');

/** Makes the memory; undefined where there is no WebAssembly, or none with wide registers. */
export function createMaskMemory(engine: WebAssemblyLike | undefined): MaskMemory | undefined {
  if (engine === undefined) return undefined;
  try {
    const { exports } = new engine.Instance(new engine.Module(Buffer.from(MODULE, 'base64')));
    const { memory, move } = exports as { memory: { buffer: ArrayBuffer }; move: MaskMemory['move'] };
    return { bytes: Buffer.from(memory.buffer), move };
  } catch {
    return undefined;
  }
}

/** The one that is there for all; V8 without its compilers has no WebAssembly. */
export const MASK_MEMORY = createMaskMemory((globalThis as { WebAssembly?: WebAssemblyLike }).WebAssembly);
