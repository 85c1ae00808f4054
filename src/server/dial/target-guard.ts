/**
 * Owns the decision which targets a connection may have that somebody chose for it: by what the target says, and by the addresses
 * that its name turned out to have. Refuses to resolve names and to dial.
 */
import { posix } from 'node:path';
import { TidegateError } from '../../receivers/errors.js';
import { isForbidden, isPublic } from './address-range.js';
import type { Target } from './target.js';
import { parseTargetRule, type TargetRule } from './target-rule.js';

/** What the option `targets` says. */
export interface TargetLists {
  /** Undefined: all but what is denied, and addresses that nobody is meant to be sent to. */
  readonly allow?: readonly string[] | undefined;
  readonly deny: readonly string[];
}

/** Says which targets may be dialled. */
export class TargetGuard {
  readonly #allow: readonly TargetRule[] | undefined;
  readonly #deny: readonly TargetRule[];

  constructor({ allow, deny }: TargetLists) {
    this.#allow = allow === undefined ? undefined : rulesOf(allow);
    this.#deny = rulesOf(deny);
  }

  /**
   * Judges what the target says. A name may still lead to an address that {@link checkAddress} denies.
   *
   * @throws TidegateError `TARGET_DENIED`.
   */
  checkTarget(target: Target): void {
    if (target.kind === 'unix') this.#checkSocketFile(target, target.path);
    else if (target.family !== 0) this.#deniedUnless(target, this.faultOf(target, target.host));
    else this.#deniedUnless(target, this.#faultOfName(target));
  }

  /** Why an address may not be connected to for this target; undefined when it may. */
  faultOf(target: Target, address: string): string | undefined {
    const covers = (rule: TargetRule): boolean => rule.concerns(target) && (rule.range?.has(address) ?? false);
    const denied = this.#deny.find(
      (rule) => covers(rule) || (rule.concerns(target) && rule.names(target) !== undefined),
    );
    if (denied !== undefined) return `targets.deny has ${denied.text}`;
    if (this.#allow?.some(covers) === true) return undefined;
    if (isForbidden(address))
      return `${address} is an address of this machine, of one link, or of everybody, and targets.allow does not have it`;
    if (this.#allow === undefined) return undefined;
    const named = this.#allow.filter((rule) => rule.concerns(target)).map((rule) => rule.names(target));
    if (named.includes('exactly')) return undefined;
    if (!named.includes('by wildcard')) return `targets.allow does not have ${address}`;
    return isPublic(address) ? undefined : `${address} is not public, and targets.allow has it by a wildcard only`;
  }

  /**
   * Judges a name that somebody else resolves, so that its addresses are not known here: it must be in `targets.allow` by name.
   *
   * @throws TidegateError `TARGET_DENIED`.
   */
  checkUnresolved(target: Target): void {
    this.checkTarget(target);
    if (target.kind === 'unix' || target.family !== 0) return;
    const rules = this.#allow?.filter((rule) => rule.concerns(target)) ?? [];
    if (rules.some((rule) => rule.names(target) !== undefined)) return;
    this.#deniedUnless(
      target,
      'the proxy of dialThrough resolves its name, so that its addresses cannot be checked, and targets.allow does not have the name',
    );
  }

  #checkSocketFile(target: Target, path: string): void {
    const has = (rule: TargetRule): boolean => rule.concerns(target) && rule.names(target) !== undefined;
    const denied = this.#deny.find(has);
    if (denied !== undefined) this.#deniedUnless(target, `targets.deny has ${denied.text}`);
    // What `..` leads to depends on links, which no list can know.
    if (posix.normalize(path) !== path) this.#deniedUnless(target, 'its path is not in its shortest form');
    if (this.#allow?.some(has) === false) this.#deniedUnless(target, 'targets.allow does not have it');
  }

  #faultOfName(target: Target): string | undefined {
    const denied = this.#deny.find((rule) => rule.concerns(target) && rule.names(target) !== undefined);
    if (denied !== undefined) return `targets.deny has ${denied.text}`;
    if (this.#allow === undefined) return undefined;
    // A rule about addresses may turn out to have those of this name.
    const may = (rule: TargetRule): boolean =>
      rule.concerns(target) && (rule.range !== undefined || rule.names(target) !== undefined);
    return this.#allow.some(may) ? undefined : 'targets.allow does not have it';
  }

  #deniedUnless(target: Target, fault: string | undefined): void {
    if (fault !== undefined) throw new TidegateError('TARGET_DENIED', `${target.href} may not be dialled: ${fault}`);
  }
}

function rulesOf(texts: readonly string[]): TargetRule[] {
  return texts.map((text) => {
    const rule = parseTargetRule(text);
    if (rule === undefined) throw new TidegateError('INVALID_OPTION', `${JSON.stringify(text)} is no rule for targets`);
    return rule;
  });
}
