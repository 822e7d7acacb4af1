import type { Fault, Plan } from './plan.ts';

type On = Fault['on'];

/**
 * Counts what passes by its own name (`a: apply secrets app #2`), and says which of it goes wrong. Operators work on many things at once: the n-th request of all
 * would be another one each time, the n-th of one kind to one object is the same.
 */
export class FaultBook {
  readonly #plan: Plan;
  readonly #id: string;
  readonly #counts = new Map<string, number>();
  readonly #seen = new Map<string, { readonly on: On; readonly at: string }>();
  readonly #fired = new Set<Fault>();

  /** `id` is what makes the names of this run unique: it is left out of the names that plans are made of. */
  constructor(plan: Plan, id: string) {
    this.#plan = plan;
    this.#id = id;
  }

  /** Counts one more of this name; gives what goes wrong with it. */
  take<T extends On>(on: T, what: string): Extract<Fault, { on: T }> | undefined {
    const label = what.replaceAll(this.#id, '*');
    const key = `${on} ${label}`;
    const nth = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, nth);
    const at = `${label} #${nth}`;
    this.#seen.set(`${on} ${at}`, { on, at });
    const fault = this.#plan.faults.find((candidate): candidate is Extract<Fault, { on: T }> => {
      return candidate.on === on && candidate.at === at && !this.#fired.has(candidate);
    });
    if (fault !== undefined) this.#fired.add(fault);
    return fault;
  }

  /** Everything that passed. */
  seen(): readonly { readonly on: On; readonly at: string }[] {
    return [...this.#seen.values()];
  }

  /** Faults that were never reached. */
  missed(): readonly Fault[] {
    return this.#plan.faults.filter((fault) => !this.#fired.has(fault));
  }
}
