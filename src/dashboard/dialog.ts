/** Owns asking a person before something is done: what would happen, in words, and what else has to be known. Refuses to do it. */
import { button, el } from './elements.js';

/** One thing to be filled in. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly value?: string | undefined;
  readonly type?: 'text' | 'number' | 'password' | undefined;
  /** A few words below it. */
  readonly hint?: string | undefined;
  readonly maxLength?: number | undefined;
}

/** A question. */
export interface Question {
  readonly title: string;
  /** What happens then. */
  readonly consequence: string;
  readonly fields?: readonly Field[] | undefined;
  /** What the button says that does it. */
  readonly confirm: string;
  /** Whether it harms somebody. */
  readonly harms?: boolean | undefined;
  /** Whether there is no way around it. */
  readonly required?: boolean | undefined;
}

let questions = 0;

/** Asks. Resolves with what was filled in, by name; undefined for no. The focus goes back to where it was. */
export function ask(question: Question): Promise<Record<string, string> | undefined> {
  questions += 1;
  const key = `question-${questions}`;
  const before = document.activeElement;
  const inputs = (question.fields ?? []).map((field) => inputOf(field, `${key}-${field.name}`));
  const cancel = button('Cancel', () => dialog.close());
  const form = el(
    'form',
    {},
    el('h2', { id: `${key}-title` }, question.title),
    el('p', { id: `${key}-text` }, question.consequence),
    ...inputs.map(({ row }) => row),
    el(
      'div',
      { class: 'choices' },
      ...(question.required ? [] : [cancel]),
      el('button', { type: 'submit', class: question.harms ? 'harm' : 'main' }, question.confirm),
    ),
  );
  const dialog = el(
    'dialog',
    { 'aria-labelledby': `${key}-title`, 'aria-describedby': `${key}-text` },
    form,
  ) as HTMLDialogElement;
  document.body.append(dialog);
  return new Promise((resolve) => {
    let answer: Record<string, string> | undefined;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      answer = Object.fromEntries(inputs.map(({ name, input }) => [name, input.value]));
      dialog.close();
    });
    dialog.addEventListener('cancel', (event) => {
      if (question.required) event.preventDefault();
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      resolve(answer);
    });
    dialog.showModal();
    // What harms is not where a key that was meant for something else lands.
    const [first] = inputs;
    if (first !== undefined) first.input.focus();
    else if (question.harms) cancel.focus();
  });
}

function inputOf({ name, label, value = '', type = 'text', hint, maxLength }: Field, id: string) {
  const input = el('input', {
    id,
    name,
    type,
    value,
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: maxLength === undefined ? undefined : String(maxLength),
    'aria-describedby': hint === undefined ? undefined : `${id}-hint`,
  });
  const row = el('div', { class: 'field' }, el('label', { for: id }, label), input);
  if (hint !== undefined) row.append(el('small', { id: `${id}-hint` }, hint));
  return { name, input, row };
}
