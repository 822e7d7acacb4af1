import { annotations } from '../../api/v1/names.ts';
import type { Guard, Held, VersionSet } from '../../api/v1/rollout.ts';
import { managerLabel } from '../manager-key.ts';
import { fallbackOf } from '../rollout/guard.ts';
import { createHeldReader } from './held-reader.ts';
import { contentName } from './identity.ts';
import type { Reader } from './reader.ts';
import type { Reference } from './reference.ts';
import type { Resolution } from './resolution.ts';
import { resolveReference } from './resolve.ts';

/** Which versions a reference is to have. */
export interface Choice {
  readonly resolution: Resolution;
  /** Set while a failed rollout keeps it from the latest. */
  readonly held: Held | undefined;
  /** Where it would go back to if the rollout of these versions failed. */
  readonly guard: Guard | undefined;
}

type Resolved = Extract<Resolution, { state: 'resolved' }>;

/** The latest, unless a guarded rollout of them failed: then those that rolled out before, until there are others, or a person asks. */
export function chooseVersions(reference: Reference, reader: Reader): Choice {
  const latest = resolveReference(reference, reader);
  const none = { resolution: latest, held: undefined, guard: undefined };
  if (reference.spec.rollout.onFailure !== 'Revert') return none;
  const held = stillHeld(reference, latest);
  if (held !== undefined) {
    const resolution = resolveReference(reference, createHeldReader(reader, held.good));
    if (!isOutOfReach(reference, held, resolution)) return { resolution, held, guard: undefined };
  }
  return latest.state === 'resolved' ? guarded(reference, latest, reader) : none;
}

/** Doubt keeps it held: only versions that are known to be others than those that failed end it. A change of the recipe is not one. */
function stillHeld(reference: Reference, latest: Resolution): Held | undefined {
  const { held } = reference.status;
  if (held === undefined || held.retry !== reference.metadata.annotations[annotations.retry]) return undefined;
  if (latest.state !== 'resolved') return held;
  return wantsTheBad(held, latest) ? held : undefined;
}

type Version = VersionSet['versions'][number];

/** Whether the latest versions are still those that failed, where those differ from the good ones. */
function wantsTheBad({ bad, good }: Held, latest: Resolved): boolean {
  const origins = latest.keys.flatMap(({ origin }) => origin ?? []);
  const changed = bad.versions.filter((version) => find(good.versions, version)?.identity !== version.identity);
  const now = changed.flatMap((version) => {
    const same = origins.filter((origin) =>
      isSameSelector({ ...origin, manager: managerLabel(origin.manager) }, version),
    );
    return same.length === 0 ? [] : [same.every(({ identity }) => identity === version.identity)];
  });
  return now.length > 0 && now.every((isBad) => isBad);
}

function find(versions: readonly Version[], version: Version): Version | undefined {
  return versions.find((other) => isSameSelector(other, version));
}

type Selected = Pick<Version, 'manager' | 'secret' | 'requested'>;

function isSameSelector(a: Selected, b: Selected): boolean {
  return a.manager === b.manager && a.secret === b.secret && a.requested === b.requested;
}

/** There is no way back to versions that were disabled or destroyed meanwhile; what the Secret holds already, it keeps. */
function isOutOfReach({ status }: Reference, { good }: Held, resolution: Resolution): boolean {
  const holds = status.target?.inputs === good.inputs;
  return !holds && resolution.state === 'failed' && !resolution.failure.transient;
}

/** Before new versions are written, those that they replace must be there to go back to. */
function guarded(reference: Reference, latest: Resolved, reader: Reader): Choice {
  const { status, spec } = reference;
  const inputs = contentName(spec, latest.keys);
  const unguarded = { resolution: latest, held: undefined, guard: undefined };
  const changes = status.target !== undefined && status.target.inputs !== inputs;
  const fallback = changes || status.guard !== undefined ? fallbackOf(status) : undefined;
  if (fallback === undefined) return unguarded;
  // Asked for as long as the rollout goes on, so that the values are at hand when it fails.
  const old = resolveReference(reference, createHeldReader(reader, fallback.good));
  if (!isKnown(old)) {
    return changes ? { ...unguarded, resolution: { state: 'pending' } } : { ...unguarded, guard: status.guard };
  }
  const refusal = fallback.refusal ?? whyNoWayBack(reference, fallback.good.inputs, old);
  const content = changes ? inputs : (status.guard?.content ?? inputs);
  const guard = { good: fallback.good, content, ...(refusal === undefined ? {} : { refusal }) };
  return { resolution: latest, held: undefined, guard };
}

type Known = Exclude<Resolution, { state: 'pending' }>;

function isKnown(old: Resolution): old is Known {
  return old.state === 'resolved' || (old.state === 'failed' && !old.failure.transient);
}

function whyNoWayBack(reference: Reference, inputs: string, old: Known): string | undefined {
  if (old.state === 'failed') return `the versions before can't be read any more: ${old.failure.message}`;
  const same = contentName(reference.spec, old.keys) === inputs;
  return same ? undefined : 'the reference itself was changed along with the versions';
}
