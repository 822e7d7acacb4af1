import type { Lane, Unit } from './unit.ts';

/** Labels and pinned versions fill batches of their own kind; everything else is a call by itself. */
type Kind = 'labels' | 'pinned' | 'lists';

export interface Batch {
  /** One `access` call for all of them; otherwise the one unit is a list or the versions of a secret. */
  readonly access: boolean;
  readonly units: readonly Unit[];
}

/** What may leave the lanes now. */
export interface Allowance {
  readonly access: boolean;
  readonly lists: boolean;
  /** Whether an urgent call that is no full batch may go; while more is likely to come it may not. */
  readonly partial: boolean;
}

/** So many urgent batches go in a row while a sweep waits: whoever asks without end keeps nobody's rotation from being seen. */
const URGENT_IN_A_ROW = 4;

const KINDS = ['labels', 'pinned', 'lists'] as const satisfies readonly Kind[];

/** Units that wait for a call, in two lanes: first syncs and people's wishes, then sweeps. */
export class Lanes {
  readonly #lanes = { urgent: emptyLane(), sweep: emptyLane() } as const satisfies Record<
    Lane,
    Record<Kind, Set<Unit>>
  >;
  /** Those that a person or a new reference waits for and that no failure was told of yet. */
  readonly #news = new Set<Unit>();
  readonly #batchSize: number;
  #urgentInARow = 0;

  constructor(batchSize: number) {
    this.#batchSize = batchSize;
  }

  get hasNews(): boolean {
    return this.#news.size > 0;
  }

  get size(): number {
    return KINDS.reduce((sum, kind) => sum + this.#lanes.urgent[kind].size + this.#lanes.sweep[kind].size, 0);
  }

  /** Queues a unit; what is urgent already stays so. */
  add(unit: Unit, lane: Lane, news: boolean): void {
    if (news) {
      this.#news.add(unit);
    }
    if (unit.queued === lane || unit.queued === 'urgent') {
      return;
    }
    this.#drop(unit);
    unit.queued = lane;
    this.#lanes[lane][kindOf(unit)].add(unit);
  }

  remove(unit: Unit): void {
    this.#news.delete(unit);
    this.#drop(unit);
  }

  /** What waited for a first answer has heard of a failure: from here on it waits like everything else. */
  settleNews(): void {
    this.#news.clear();
  }

  /** Takes the next batch that may go. */
  take(allowance: Allowance): Batch | undefined {
    const sweepFirst = this.#urgentInARow >= URGENT_IN_A_ROW;
    for (const lane of sweepFirst ? (['sweep', 'urgent'] as const) : (['urgent', 'sweep'] as const)) {
      for (const kind of KINDS) {
        const units = this.#pick(lane, kind, allowance);
        if (units.length > 0) {
          units.forEach((unit) => this.remove(unit));
          this.#urgentInARow = lane === 'urgent' ? this.#urgentInARow + 1 : 0;
          return { access: kind !== 'lists', units };
        }
      }
    }
    return undefined;
  }

  #pick(lane: Lane, kind: Kind, allowance: Allowance): readonly Unit[] {
    if (kind === 'lists') {
      const [first] = allowance.lists && (allowance.partial || lane === 'sweep') ? this.#lanes[lane].lists : [];
      return first === undefined ? [] : [first];
    }
    if (!allowance.access || this.#lanes[lane][kind].size === 0) {
      return [];
    }
    const picked: Unit[] = [];
    const full = fill(picked, this.#lanes[lane][kind], this.#batchSize);
    if (lane === 'urgent' && !full) {
      if (!allowance.partial) {
        return [];
      }
      fill(picked, this.#lanes.sweep[kind], this.#batchSize);
    }
    return picked;
  }

  #drop(unit: Unit): void {
    if (unit.queued !== undefined) {
      this.#lanes[unit.queued][kindOf(unit)].delete(unit);
      unit.queued = undefined;
    }
  }
}

/** Adds units while their selections fit; the labels of one secret are never split. True where the batch is full. */
function fill(picked: Unit[], from: Iterable<Unit>, batchSize: number): boolean {
  let selections = picked.reduce((sum, unit) => sum + unit.entries.size, 0);
  for (const unit of from) {
    if (picked.length > 0 && selections + unit.entries.size > batchSize) {
      return true;
    }
    picked.push(unit);
    selections += unit.entries.size;
    if (selections >= batchSize) {
      return true;
    }
  }
  return false;
}

function kindOf(unit: Unit): Kind {
  return unit.kind === 'labels' || unit.kind === 'pinned' ? unit.kind : 'lists';
}

function emptyLane(): Record<Kind, Set<Unit>> {
  return { labels: new Set(), pinned: new Set(), lists: new Set() };
}
