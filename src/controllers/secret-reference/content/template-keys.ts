import type { SecretValue } from '../../../managers/secret-value.ts';
import { quoted } from './content-error.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';

const MAX_LISTED = 20;

export type Lookup =
  | { readonly kind: 'found'; readonly value: SecretValue }
  /** A key that the spec declares and that has no value now. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly problem: string };

/** The keys that a template can name, exactly or else without regard to case. Only listable ones are ever told. */
export class TemplateKeys {
  readonly #values: ReadonlyMap<string, SecretValue>;
  readonly #listable: ReadonlySet<string>;
  readonly #names: ReadonlySet<string>;
  readonly #folded: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, SecretValue>, listable: ReadonlySet<string>) {
    this.#values = values;
    this.#listable = listable;
    this.#names = new Set([...values.keys(), ...listable]);
    this.#folded = Map.groupBy(this.#names, folded);
  }

  find(name: string): Lookup {
    if (this.#names.has(name)) return this.#known(name);
    const [candidate, ...others] = this.#folded.get(folded(name)) ?? [];
    if (candidate === undefined) return { kind: 'failed', problem: this.#unknown(name) };
    if (others.length > 0) return { kind: 'failed', problem: this.#ambiguous(name, [candidate, ...others]) };
    return this.#known(candidate);
  }

  #known(name: string): Lookup {
    const value = this.#values.get(name);
    return value === undefined ? { kind: 'absent' } : { kind: 'found', value };
  }

  #ambiguous(name: string, candidates: readonly string[]): string {
    const listed = candidates.filter((candidate) => this.#listable.has(candidate)).toSorted();
    const which = listed.length === candidates.length ? ` (${listed.join(', ')})` : '';
    return `Secrets has ${candidates.length} keys that differ from ${quoted(name)} only in upper and lower case${which}: write the name exactly`;
  }

  #unknown(name: string): string {
    const nearest = nearestName(name, this.#listable);
    const hint = nearest === undefined ? '' : `, did you mean ${quoted(nearest)}?`;
    return `Secrets has no key ${quoted(name)}${hint} (${this.#listed()})`;
  }

  #listed(): string {
    const names = [...this.#listable].toSorted();
    const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
    const listed = names.length === 0 ? '' : `keys: ${names.slice(0, MAX_LISTED).join(', ')}${more}`;
    const hidden = [...this.#values.keys()].filter((name) => !this.#listable.has(name)).length;
    if (hidden === 0) return listed === '' ? 'it has no keys' : listed;
    const unnamed = 'keys that come out of values are not told';
    return listed === '' ? unnamed : `${listed}; ${unnamed}`;
  }
}

/** ASCII only: other letters have look-alikes that fold to ASCII ones. */
function folded(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase());
}
