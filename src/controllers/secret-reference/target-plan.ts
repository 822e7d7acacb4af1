import type { KubeBody } from '../../kube/client.ts';
import type { DesiredTarget } from './desired-target.ts';
import { planMerge } from './merge-plan.ts';
import { absent, differs, isSubset, pinned, targetBody, type TargetPlan } from './target-body.ts';
import { conflictWith } from './target-conflict.ts';
import { contentAnnotations } from './target-content.ts';
import { type ExistingSecret, mergedAnnotations, mergedUids, metadataWrittenBy } from './target-secret.ts';

/** Decides for a Secret that exists under the target's name. Pure. */
export function planTarget(desired: DesiredTarget, existing: ExistingSecret): TargetPlan {
  const conflict = conflictWith(desired, existing);
  if (conflict !== undefined) return { action: 'conflict', message: conflict };
  return desired.ownership === 'Merge' ? planMerge(desired, existing) : planWhole(desired, existing);
}

/** The Secret when it is first made. */
export function newTarget(desired: DesiredTarget): KubeBody {
  const { content, contentNames } = desired;
  // Put back as it was, it changed nothing.
  const previous = desired.claimed === content ? '' : desired.claimed;
  const contents = { [contentNames.content]: content, [contentNames.previous]: previous };
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
  const merged = mergedUids(existing.metadata).flatMap(mergedAnnotations);
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
