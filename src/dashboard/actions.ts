/** Owns doing something at the server that a person has agreed to, and telling how it went. Refuses to know what. */
import type { Field } from './dialog.js';
import { ask } from './dialog.js';
import type { ViewContext } from './view.js';
import { printable } from './words.js';

/** Something that can be done. */
export interface Action {
  readonly title: string;
  /** What happens then, in words. */
  readonly consequence: string;
  readonly confirm: string;
  readonly harms?: boolean | undefined;
  readonly fields?: readonly Field[] | undefined;
  readonly path: string;
  /** What is sent, of what was filled in. Throws an Error that says what is wrong with it. */
  body?(values: Record<string, string>): object;
  /** What is told when it is done. */
  readonly done: string;
}

/** Asks, does it, and tells how it went. */
export async function perform({ api, notices, lookNow }: ViewContext, action: Action): Promise<void> {
  const values = await ask(action);
  if (values === undefined) return;
  try {
    await api.post(action.path, action.body?.(values) ?? {});
    notices.tell(action.done);
  } catch (error) {
    notices.tell(`That did not work: ${printable(error instanceof Error ? error.message : String(error), 500)}`);
  }
  lookNow();
}
