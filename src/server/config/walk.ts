/** Owns reading a schema back as a flat list of options, for flags, suggestions and the reference. Refuses to know which there are. */
import type { z } from 'zod';
import type { OptionKind } from './fields.js';

/** One option as its definition describes it. */
export interface OptionEntry {
  /** The path in steps, such as `['limits', 'maxConnections']`. */
  readonly steps: string[];
  /** The same, joined with dots. */
  readonly path: string;
  readonly kind: OptionKind;
  readonly description: string;
  /** As it would be written in a file; undefined when there is none. */
  readonly default: unknown;
  /** Says a default that depends on another option. */
  readonly defaultText: string | undefined;
  /** The name of the flag without dashes; undefined when there is none. */
  readonly flag: string | undefined;
  /** The name of the environment variable; undefined when there is none. */
  readonly env: string | undefined;
  /** What the value stands for, such as `<duration>`; empty for a switch. */
  readonly placeholder: string;
  /** The words a `choice` takes. */
  readonly choices: readonly string[];
}

interface Meta {
  readonly description?: string;
  readonly option?: { kind: OptionKind; flag?: string | false; defaultText?: string; placeholder?: string };
}

const PLACEHOLDERS: Readonly<Record<OptionKind, string>> = {
  duration: '<duration>',
  size: '<size>',
  count: '<number>',
  fraction: '<0..1>',
  boolean: '',
  choice: '<word>',
  text: '<text>',
  list: '<text>',
  group: '',
};

/** Lists every described option of a schema in the order of its definition, groups before what is in them. */
export function walkOptions(schema: z.ZodType): OptionEntry[] {
  const entries: OptionEntry[] = [];
  visit(schema, [], entries);
  return entries;
}

/** Turns an option path into the name of its flag: `heartbeat.interval` becomes `heartbeat-interval`. */
export function kebab(steps: readonly string[]): string {
  return steps.map((step) => step.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).join('-');
}

function visit(schema: z.ZodType, steps: string[], entries: OptionEntry[]): void {
  const found = unwrap(schema);
  const { option, description } = found.meta;
  if (option !== undefined && steps.length > 0) {
    const flag = option.kind === 'group' || option.flag === false ? undefined : (option.flag ?? kebab(steps));
    entries.push({
      steps,
      path: steps.join('.'),
      kind: option.kind,
      description: description ?? '',
      default: found.default,
      defaultText: option.defaultText,
      flag,
      env: flag === undefined ? undefined : `TIDEGATE_${flag.toUpperCase().replaceAll('-', '_')}`,
      placeholder: option.placeholder ?? PLACEHOLDERS[option.kind],
      choices: found.choices,
    });
  }
  // What is in the objects of a list is no option of its own: it has no name without a position.
  if (option?.kind === 'list') return;
  for (const [name, inner] of Object.entries(found.shape)) visit(inner, [...steps, name], entries);
}

interface Unwrapped {
  meta: Meta;
  default: unknown;
  choices: string[];
  shape: Record<string, z.ZodType>;
}

// Definitions are wrapped (default, optional, transform); what matters is spread over the layers.
function unwrap(schema: z.ZodType): Unwrapped {
  const found: Unwrapped = { meta: {}, default: undefined, choices: [], shape: {} };
  const queue: z.ZodType[] = [schema];
  for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) {
    found.meta = { ...(layer.meta() as Meta | undefined), ...found.meta };
    const definition = (layer as unknown as z.core.$ZodTypes)._zod.def;
    switch (definition.type) {
      case 'default':
      case 'prefault':
        found.default ??= definition.defaultValue;
        queue.push(definition.innerType as z.ZodType);
        break;
      case 'optional':
        queue.push(definition.innerType as z.ZodType);
        break;
      case 'pipe':
        // A preprocessing step has nothing to say itself.
        queue.push((isTransform(definition.in) ? definition.out : definition.in) as z.ZodType);
        break;
      case 'array':
        queue.push(definition.element as z.ZodType);
        break;
      case 'union':
        queue.push(...(definition.options as z.ZodType[]));
        break;
      case 'enum':
        found.choices = Object.values(definition.entries).map(String);
        break;
      case 'object':
        found.shape = definition.shape as Record<string, z.ZodType>;
        break;
      default:
    }
  }
  return found;
}

function isTransform(schema: z.core.$ZodType): boolean {
  return (schema as unknown as z.core.$ZodTypes)._zod.def.type === 'transform';
}
