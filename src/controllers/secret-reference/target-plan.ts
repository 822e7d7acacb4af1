import { annotations } from '../../api/v1/names.ts';
import type { KubeBody } from '../../kube/client.ts';
import { type DesiredTarget, ownerReference } from './desired-target.ts';
import { type ExistingSecret, metadataWrittenBy, ownerUid } from './target-secret.ts';

/** What to do about a target that exists: decided from what was read, before anything is written. */
export type TargetPlan =
  | { readonly action: 'none' }
  | { readonly action: 'conflict'; readonly message: string }
  | {
      readonly action: 'write';
      readonly bytesChange: boolean;
      readonly apply: KubeBody;
      readonly remove: KubeBody | undefined;
    };

/** Decides for a Secret that exists under the target's name. Pure. */
export function planTarget(desired: DesiredTarget, existing: ExistingSecret): TargetPlan {
  const conflict = conflictWith(desired, existing);
  if (conflict !== undefined) return { action: 'conflict', message: conflict };
  const bytesChange = differs(desired, existing);
  const contents = contentAnnotations(desired, existing, bytesChange);
  const wanted = { ...desired.annotations, ...contents };
  const stale = desired.ownership === 'Merge' ? undefined : staleParts(desired, existing, wanted);
  if (
    !bytesChange &&
    stale === undefined &&
    isSubset(wanted, existing.metadata.annotations) &&
    sameShape(desired, existing)
  ) {
    return { action: 'none' };
  }
  const apply = targetBody(desired, wanted, pinned(existing));
  return { action: 'write', bytesChange, apply, remove: stale };
}

/** The Secret when it is first made. */
export function newTarget(desired: DesiredTarget): KubeBody {
  const contents = { [annotations.content]: desired.content, [annotations.previous]: '' };
  return targetBody(desired, { ...desired.annotations, ...contents }, {});
}

function targetBody(
  desired: DesiredTarget,
  withAnnotations: Readonly<Record<string, string>>,
  precondition: Readonly<Record<string, string>>,
): KubeBody {
  return {
    metadata: {
      name: desired.name,
      namespace: desired.namespace,
      ...precondition,
      labels: desired.labels,
      annotations: withAnnotations,
      ...(desired.ownership === 'Owner' ? { ownerReferences: [ownerReference(desired.reference)] } : {}),
    },
    ...(desired.ownership === 'Merge' ? {} : { type: desired.type }),
    data: desired.data,
  };
}

function pinned(existing: ExistingSecret): Record<string, string> {
  return { uid: existing.metadata.uid, resourceVersion: existing.metadata.resourceVersion };
}

function conflictWith(desired: DesiredTarget, existing: ExistingSecret): string | undefined {
  const title = `Secret ${desired.name}`;
  if (desired.ownership === 'Merge') return mergeConflict(desired, existing, title);
  const owner = ownerUid(existing);
  const ours = owner === desired.reference.uid;
  if (!ours && existing.metadata.annotations[annotations.adopt] !== 'true') {
    return `${title} exists and belongs to ${ownerText(existing)}: choose another target.name, or let this reference take it over (its other keys are removed): kubectl annotate secret ${desired.name} ${annotations.adopt}=true`;
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
  if (ownerUid(existing) !== undefined) {
    return `${title} belongs whole to ${ownerText(existing)}: nothing can be merged into it`;
  }
  if (existing.metadata.annotations[annotations.merge] !== 'true') {
    return `${title} does not consent to merged keys: kubectl annotate secret ${desired.name} ${annotations.merge}=true`;
  }
  if (existing.immutable && differs(desired, existing)) return `${title} is immutable: nothing can be merged into it`;
  return undefined;
}

/** Who has a Secret, as far as it says so itself. */
function ownerText(existing: ExistingSecret): string {
  const { metadata } = existing;
  const reference = metadata.annotations[annotations.reference];
  if (ownerUid(existing) !== undefined && reference !== undefined) {
    return `SecretReference ${reference} (uid ${ownerUid(existing)})`;
  }
  const owner = metadata.ownerReferences.find((item) => item.controller === true) ?? metadata.ownerReferences[0];
  if (owner !== undefined) return `${owner.kind} ${owner.name}`;
  const tool = metadata.labels['app.kubernetes.io/managed-by'] ?? metadata.managedFields[0]?.manager;
  return tool === undefined ? 'somebody else' : `somebody else (written by ${tool})`;
}

/** True where the bytes that this reference answers for are not what they should be. */
function differs(desired: DesiredTarget, existing: ExistingSecret): boolean {
  if (!isSubset(desired.data, existing.data)) return true;
  return desired.ownership !== 'Merge' && Object.keys(existing.data).length !== Object.keys(desired.data).length;
}

/** The content moves only with the bytes: a new version with equal bytes restarts nothing. */
function contentAnnotations(
  desired: DesiredTarget,
  existing: ExistingSecret,
  bytesChange: boolean,
): Readonly<Record<string, string>> {
  if (desired.ownership === 'Merge') return {};
  const now = existing.metadata.annotations[annotations.content];
  const previous = existing.metadata.annotations[annotations.previous] ?? '';
  if (now === undefined) return { [annotations.content]: desired.content, [annotations.previous]: '' };
  if (!bytesChange || now === desired.content) return { [annotations.content]: now, [annotations.previous]: previous };
  return { [annotations.content]: desired.content, [annotations.previous]: now };
}

function sameShape(desired: DesiredTarget, existing: ExistingSecret): boolean {
  const owned = existing.metadata.ownerReferences.some((owner) => owner.uid === desired.reference.uid);
  if (desired.ownership === 'Owner' && !owned) return false;
  return isSubset(desired.labels, existing.metadata.labels);
}

/**
 * Keys of others, and labels and annotations of ours that the reference no longer asks for: an apply alone would leave them. In one patch with
 * the new data, so that nobody sees old and new keys side by side.
 */
function staleParts(
  desired: DesiredTarget,
  existing: ExistingSecret,
  wantedAnnotations: Readonly<Record<string, string>>,
): KubeBody | undefined {
  const data = absent(Object.keys(existing.data), desired.data);
  const oldLabels = absent(metadataWrittenBy(existing, desired.fieldManager, 'labels'), desired.labels);
  const oldAnnotations = absent(metadataWrittenBy(existing, desired.fieldManager, 'annotations'), wantedAnnotations);
  const owners = existing.metadata.ownerReferences;
  const others = owners.filter((owner) => owner.uid !== desired.reference.uid);
  const letGo = desired.ownership === 'Orphan' && others.length < owners.length;
  if (!letGo && [data, oldLabels, oldAnnotations].every((part) => Object.keys(part).length === 0)) return undefined;
  return {
    metadata: {
      name: desired.name,
      namespace: desired.namespace,
      ...pinned(existing),
      labels: { ...desired.labels, ...oldLabels },
      annotations: { ...wantedAnnotations, ...oldAnnotations },
      ...(letGo ? { ownerReferences: others } : {}),
    },
    data: { ...desired.data, ...data },
  };
}

/** `null` for each name that is not wanted: a merge patch removes it. */
function absent(names: readonly string[], wanted: Readonly<Record<string, string>>): Record<string, null> {
  return Object.fromEntries(names.filter((name) => !Object.hasOwn(wanted, name)).map((name) => [name, null]));
}

function isSubset(part: Readonly<Record<string, string>>, whole: Readonly<Record<string, string>>): boolean {
  return Object.entries(part).every(([name, value]) => Object.hasOwn(whole, name) && whole[name] === value);
}
