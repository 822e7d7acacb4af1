import { annotations } from '../../api/v1/names.ts';
import type { Guard, Held } from '../../api/v1/rollout.ts';
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

/** The latest, unless a guarded rollout of them failed: then those that rolled out before, until there are others, or a person asks. */
export function chooseVersions(reference: Reference, reader: Reader): Choice {
  const latest = resolveReference(reference, reader);
  const none = { resolution: latest, held: undefined, guard: undefined };
  if (reference.spec.rollout.onFailure !== 'Revert') return none;
  const held = stillHeld(reference, latest);
  if (held !== undefined) {
    return { resolution: resolveReference(reference, createHeldReader(reader, held.good)), held, guard: undefined };
  }
  return latest.state === 'resolved' ? guarded(reference, latest, reader) : none;
}

/** Doubt keeps it held: only versions that are known to be others than those that failed end it. */
function stillHeld(reference: Reference, latest: Resolution): Held | undefined {
  const { held } = reference.status;
  if (held === undefined || held.retry !== reference.metadata.annotations[annotations.retry]) return undefined;
  const differs = latest.state === 'resolved' && contentName(reference.spec, latest.keys) !== held.bad.inputs;
  return differs ? undefined : held;
}

/** Before new versions are written, those that they replace must be there to go back to. */
function guarded(reference: Reference, latest: Extract<Resolution, { state: 'resolved' }>, reader: Reader): Choice {
  const { status, spec } = reference;
  const content = contentName(spec, latest.keys);
  const unguarded = { resolution: latest, held: undefined, guard: undefined };
  const changes = status.target !== undefined && status.target.inputs !== content;
  const fallback = changes || status.guard !== undefined ? fallbackOf(status) : undefined;
  if (fallback === undefined) return unguarded;
  // Asked for as long as the rollout goes on, so that the values are at hand when it fails.
  const old = resolveReference(reference, createHeldReader(reader, fallback.good));
  if (!changes) return { ...unguarded, guard: status.guard };
  if (old.state === 'pending' || (old.state === 'failed' && old.failure.transient)) {
    return { ...unguarded, resolution: { state: 'pending' } };
  }
  const refusal = fallback.refusal ?? whyNoWayBack(reference, fallback.good.inputs, old);
  const guard = { good: fallback.good, content, ...(refusal === undefined ? {} : { refusal }) };
  return { resolution: latest, held: undefined, guard };
}

function whyNoWayBack(
  reference: Reference,
  inputs: string,
  old: Exclude<Resolution, { state: 'pending' }>,
): string | undefined {
  if (old.state === 'failed') return `the versions before can't be read any more: ${old.failure.message}`;
  const same = contentName(reference.spec, old.keys) === inputs;
  return same ? undefined : 'the reference itself was changed along with the versions';
}
