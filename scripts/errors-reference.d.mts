/** Owns the types of `errors-reference.mjs`, which is plain JavaScript so that Node.js can run it without a build. */

/** Renders the reference page of the error codes as Markdown. */
export function renderErrors(
  errors: Readonly<
    Record<string, { readonly whose: string; readonly status?: number; readonly close?: number; readonly help: string }>
  >,
): string;
