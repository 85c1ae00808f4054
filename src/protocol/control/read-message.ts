/**
 * Owns reading control messages, and writing them: strict about what matters, tolerant of fields and types that a later version may
 * add. Refuses to decide what follows from one.
 */
import { z } from 'zod';
import { groupCommand, groupResult } from './group-fields.js';
import {
  BACKEND_ID,
  BACKEND_ID_ERROR,
  bindings,
  capacity,
  count,
  nonce,
  proof,
  tags,
  weight,
} from './message-fields.js';
import { type BackendMessage, type BalancerMessage, CONTROL_VERSION } from './messages.js';

/** The largest control message, in bytes, beside those that carry messages for clients. */
export const MAX_CONTROL_BYTES = 64 * 1024;

/** A message that was read, one of a type that this version does not know, or what is wrong with it. */
export type ReadResult<Message> =
  | { readonly message: Message }
  | { readonly unknown: string }
  | { readonly fault: string; readonly why: 'malformed' | 'too-large' | 'unsupported' };

const word = z.string().min(1).max(128);

const challenge = z.object({ type: z.literal('challenge'), version: count, nonce, balancer: word });
const registered = z.object({
  type: z.literal('registered'),
  generation: count,
  leaseMs: count,
  maxBytes: z.int().min(0).optional(),
  proof: proof.optional(),
});
const refused = z.object({ type: z.literal('refused'), why: word, message: z.string().max(4096) });
const state = z.object({ type: z.literal('state'), state: z.enum(['ready', 'draining']) });

const advertisement = { bindings, weight: weight.optional(), capacity: capacity.optional(), tags: tags.optional() };

const register = z.object({
  type: z.literal('register'),
  version: count,
  id: z.string({ error: BACKEND_ID_ERROR }).regex(BACKEND_ID, { error: BACKEND_ID_ERROR }),
  nonce,
  proof: proof.optional(),
  ready: z.boolean({ error: 'expected true or false' }),
  features: z.array(z.string().max(64)).max(16).optional(),
  ...advertisement,
});
const load = z.object({ type: z.literal('load'), connections: count });
const update = z.object({ type: z.literal('update'), ...advertisement, bindings: bindings.optional() });
const intent = z.object({ type: z.enum(['ready', 'drain', 'resume', 'leave']) });

type Schemas<Message extends { readonly type: string }> = {
  readonly [Type in Message['type']]: z.ZodType<Extract<Message, { type: Type }>, unknown>;
};

const FROM_BACKEND = {
  register,
  load,
  update,
  ready: intent,
  drain: intent,
  resume: intent,
  leave: intent,
  command: groupCommand,
  result: groupResult,
} as unknown as Schemas<BackendMessage>;

const FROM_BALANCER = {
  challenge,
  registered,
  refused,
  state,
  command: groupCommand,
  result: groupResult,
} as unknown as Schemas<BalancerMessage>;

/** Those that carry messages for clients are as large as those may be. */
const LARGE: ReadonlySet<string> = new Set(['command', 'result']);

/** Those that say which version the rest of them is in. */
const VERSIONED: ReadonlySet<string> = new Set(['challenge', 'register']);

/** The names of the fields of each message, for whoever describes them. */
export function fieldsByType(): Readonly<Record<string, readonly string[]>> {
  const all = Object.entries({ ...FROM_BACKEND, ...FROM_BALANCER });
  return Object.fromEntries(all.map(([type, schema]) => [type, Object.keys((schema as unknown as z.ZodObject).shape)]));
}

/** Reads what a backend says. */
export function readBackendMessage(text: string): ReadResult<BackendMessage> {
  return read(text, FROM_BACKEND as Readonly<Record<string, z.ZodType<BackendMessage, unknown>>>);
}

/** Reads what a balancer says. */
export function readBalancerMessage(text: string): ReadResult<BalancerMessage> {
  return read(text, FROM_BALANCER as Readonly<Record<string, z.ZodType<BalancerMessage, unknown>>>);
}

/** Writes a control message, to be sent as text. */
export function writeControlMessage(message: BackendMessage | BalancerMessage): string {
  return JSON.stringify(message);
}

function read<Message>(
  text: string,
  schemas: Readonly<Record<string, z.ZodType<Message, unknown>>>,
): ReadResult<Message> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: 'expected a JSON object, got what is no JSON', why: 'malformed' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: `expected a JSON object, got ${shown(value)}`, why: 'malformed' };
  }
  const { type, version } = value as { type?: unknown; version?: unknown };
  if (typeof type !== 'string') return { fault: `type: expected text, got ${shown(type)}`, why: 'malformed' };
  if (!LARGE.has(type) && Buffer.byteLength(text) > MAX_CONTROL_BYTES) return tooLarge(text);
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema === undefined) return { unknown: type.slice(0, 128) };
  if (VERSIONED.has(type) && version !== CONTROL_VERSION) {
    return { fault: `version: expected ${CONTROL_VERSION}, got ${shown(version)}`, why: 'unsupported' };
  }
  const result = schema.safeParse(value);
  return result.success
    ? { message: result.data }
    : { fault: `${type}: ${worded(result.error, value)}`, why: 'malformed' };
}

/** What is said of a message that is too large to be looked at. */
export function tooLarge(text: string): { readonly fault: string; readonly why: 'too-large' } {
  return { fault: `expected at most ${MAX_CONTROL_BYTES} bytes, got ${Buffer.byteLength(text)}`, why: 'too-large' };
}

function worded({ issues }: z.ZodError, value: unknown): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => {
      const name = path.map(String).join('.');
      // A proof is nobody's business, not even when it is wrong.
      const got = name === 'proof' || name === '' ? '' : `, got ${shown(lookUp(value, path))}`;
      return `${name === '' ? '' : `${name}: `}${message}${got}`;
    })
    .join('; ');
}

function lookUp(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Record<PropertyKey, unknown>)[step];
  }
  return found;
}

const MAX_SHOWN = 60;

/** One that holds others is not written out: it may be deeper than the stack. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
