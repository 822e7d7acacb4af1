import { annotations } from '../../api/v1/names.ts';
import type { KubeBody } from '../../kube/client.ts';
import type { DesiredTarget } from './desired-target.ts';
import { planMerge } from './merge-plan.ts';
import { absent, differs, isSubset, pinned, targetBody, type TargetPlan } from './target-body.ts';
import { conflictWith } from './target-conflict.ts';
import { type ExistingSecret, mergedAnnotation, mergedUids, metadataWrittenBy } from './target-secret.ts';

/** Decides for a Secret that exists under the target's name. Pure. */
export function planTarget(desired: DesiredTarget, existing: ExistingSecret): TargetPlan {
  const conflict = conflictWith(desired, existing);
  if (conflict !== undefined) return { action: 'conflict', message: conflict };
  return desired.ownership === 'Merge' ? planMerge(desired, existing) : planWhole(desired, existing);
}

/** The Secret when it is first made. */
export function newTarget(desired: DesiredTarget): KubeBody {
  const contents = { [annotations.content]: desired.content, [annotations.previous]: '' };
  return targetBody(desired, { ...desired.annotations, ...contents });
}

function planWhole(desired: DesiredTarget, existing: ExistingSecret): TargetPlan {
  const bytesChange = differs(desired, existing);
  const wanted = { ...desired.annotations, ...contentAnnotations(desired, existing, bytesChange) };
  const remove = staleParts(desired, existing, wanted);
  const asItShouldBe =
    !bytesChange &&
    remove === undefined &&
    isSubset(wanted, existing.metadata.annotations) &&
    isSubset(desired.labels, existing.metadata.labels) &&
    isOwned(desired, existing);
  if (asItShouldBe) return { action: 'none' };
  return { action: 'write', bytesChange, remove, apply: targetBody(desired, wanted, pinned(existing)) };
}

/** The content moves only with the bytes: a new version with equal bytes restarts nothing. */
function contentAnnotations(
  desired: DesiredTarget,
  existing: ExistingSecret,
  bytesChange: boolean,
): Readonly<Record<string, string>> {
  const now = existing.metadata.annotations[annotations.content];
  const previous = existing.metadata.annotations[annotations.previous] ?? '';
  if (now === undefined) return { [annotations.content]: desired.content, [annotations.previous]: '' };
  const { settled } = desired;
  const drifted = settled?.uid === existing.metadata.uid && settled.content === now;
  if (!bytesChange || drifted || now === desired.content)
    return { [annotations.content]: now, [annotations.previous]: previous };
  return { [annotations.content]: desired.content, [annotations.previous]: now };
}

function isOwned(desired: DesiredTarget, existing: ExistingSecret): boolean {
  if (desired.ownership !== 'Owner') return true;
  return existing.metadata.ownerReferences.some((owner) => owner.uid === desired.reference.uid);
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
  const ours = metadataWrittenBy(existing, desired.fieldManager, 'annotations');
  // Whoever merged keys into it has none there any more.
  const merged = mergedUids(existing.metadata).map(mergedAnnotation);
  const oldAnnotations = absent([...ours, ...merged], wantedAnnotations);
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
