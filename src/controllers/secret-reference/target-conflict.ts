import { annotations } from '../../api/v1/names.ts';
import type { DesiredTarget } from './desired-target.ts';
import { differs } from './target-body.ts';
import { type ExistingSecret, fieldManagerOf, mergedUids, ownerUid, writersOf } from './target-secret.ts';

/** Why a Secret that exists can't be the target, and what to do; undefined where it can. */
export function conflictWith(desired: DesiredTarget, existing: ExistingSecret): string | undefined {
  const title = `Secret ${desired.name}`;
  if (desired.ownership === 'Merge') return mergeConflict(desired, existing, title);
  if (ownerUid(existing) === desired.reference.uid) return shapeConflict(desired, existing, title);
  if (existing.metadata.annotations[annotations.adopt] !== 'true') {
    return `${title} exists and belongs to ${ownerText(existing, desired)}: choose another target.name, or let this reference take it over (its other keys are removed): kubectl annotate secret -n ${desired.namespace} ${desired.name} ${annotations.adopt}=true`;
  }
  const controller = existing.metadata.ownerReferences.find((owner) => owner.controller === true);
  if (desired.ownership === 'Owner' && controller !== undefined && controller.uid !== desired.reference.uid) {
    return `${title} goes with its controller, ${controller.kind} ${controller.name}, and can have only one: remove that owner reference, or use ownership Orphan`;
  }
  return shapeConflict(desired, existing, title);
}

function shapeConflict(desired: DesiredTarget, existing: ExistingSecret, title: string): string | undefined {
  if (existing.immutable && differs(desired, existing)) {
    return `${title} is immutable and holds other values: delete it, and it is made anew`;
  }
  if (existing.type !== desired.type) {
    return `${title} has type ${existing.type}, not ${desired.type}, and a type can't change: delete the Secret, and it is made anew`;
  }
  return undefined;
}

function mergeConflict(desired: DesiredTarget, existing: ExistingSecret, title: string): string | undefined {
  const owner = ownerUid(existing);
  if (owner !== undefined && owner !== desired.reference.uid) {
    return `${title} belongs whole to ${ownerText(existing, desired)}: nothing can be merged into it`;
  }
  if (existing.metadata.annotations[annotations.merge] !== 'true') {
    return `${title} does not consent to merged keys: kubectl annotate secret -n ${desired.namespace} ${desired.name} ${annotations.merge}=true`;
  }
  if (existing.immutable && differs(desired, existing)) return `${title} is immutable: nothing can be merged into it`;
  return takenKeys(desired, existing, title);
}

/** Keys that others answer for, even where they have the bytes that we would write: the next version would differ. */
function takenKeys(desired: DesiredTarget, existing: ExistingSecret, title: string): string | undefined {
  const taken = Object.entries(desired.data).flatMap(([key, value]) => {
    const writers = writersOf(existing, key);
    const others = writers.filter((writer) => writer !== desired.fieldManager);
    const ours = others.length < writers.length;
    if (others.length === 0 || (ours && existing.data[key] === value)) return [];
    const who = others.map((writer) => writerText(existing, writer)).join(' and ');
    return [`${desired.spokenKeys.has(key) ? `key ${key}` : 'a key'} from ${who}`];
  });
  if (taken.length === 0) return undefined;
  return `${title} has ${[...new Set(taken)].join(', ')}: give it another name here, or remove it there`;
}

function writerText(existing: ExistingSecret, writer: string): string {
  const uid = mergedUids(existing.metadata).find((item) => fieldManagerOf(item) === writer);
  if (uid === undefined) return writer;
  return `SecretReference ${existing.metadata.annotations[`${annotations.merged}${uid}`]}`;
}

/** Who has a Secret, as far as it says so itself. */
function ownerText(existing: ExistingSecret, desired: DesiredTarget): string {
  const { metadata } = existing;
  const reference = metadata.annotations[annotations.reference];
  if (ownerUid(existing) !== undefined && reference === `${desired.namespace}/${desired.reference.name}`) {
    return `an earlier SecretReference ${reference}, which is gone (uid ${ownerUid(existing)})`;
  }
  if (ownerUid(existing) !== undefined && reference !== undefined) {
    return `SecretReference ${reference} (uid ${ownerUid(existing)})`;
  }
  const owner = metadata.ownerReferences.find((item) => item.controller === true) ?? metadata.ownerReferences[0];
  if (owner !== undefined) return `${owner.kind} ${owner.name}`;
  const tool = metadata.labels['app.kubernetes.io/managed-by'] ?? metadata.managedFields[0]?.manager;
  return tool === undefined ? 'somebody else' : `somebody else (written by ${tool})`;
}
