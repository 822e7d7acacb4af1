import type { Store } from '../../kube/store.ts';
import { type Reference, targetName } from './reference.ts';

/** Another reference that was there first and wants the same target. References that only merge share one. */
export function findRival(reference: Reference, references: Store<Reference>): Reference | undefined {
  const { namespace, uid } = reference.metadata;
  const others = references.byIndex('target', `${namespace}/${targetName(reference)}`);
  return others.find(
    (other) => other.metadata.uid !== uid && isLive(other) && collide(reference, other) && isOlder(other, reference),
  );
}

function isLive(reference: Reference): boolean {
  return reference.metadata.deletionTimestamp === undefined;
}

function collide(a: Reference, b: Reference): boolean {
  return a.spec.target.ownership !== 'Merge' || b.spec.target.ownership !== 'Merge';
}

/**
 * Creation times have whole seconds. Between equals the one that has a target already keeps it, else the uid decides: the same way on every replica.
 */
function isOlder(a: Reference, b: Reference): boolean {
  const at = a.metadata.creationTimestamp ?? '';
  const bt = b.metadata.creationTimestamp ?? '';
  if (at !== bt) return at < bt;
  const [aHolds, bHolds] = [a, b].map((reference) => reference.status.target !== undefined);
  return aHolds === bHolds ? a.metadata.uid < b.metadata.uid : aHolds === true;
}
