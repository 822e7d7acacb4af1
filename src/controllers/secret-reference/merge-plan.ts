import { annotations, labels } from '../../api/v1/names.ts';
import type { KubeBody } from '../../kube/client.ts';
import type { DesiredTarget } from './desired-target.ts';
import { absent, differs, isSubset, pinned, targetBody, type TargetPlan } from './target-body.ts';
import { type ExistingSecret, keysWrittenBy, metadataWrittenBy, ownerUid } from './target-secret.ts';

/**
 * Decides for a Secret that consents to merged keys and has none of ours from others. What our field manager applied before and does not apply again,
 * the API server takes out in the same write.
 */
export function planMerge(desired: DesiredTarget, existing: ExistingSecret): TargetPlan {
  const owned = ownerUid(existing) !== undefined;
  const bytesChange = differs(desired, existing) || leftovers(desired, existing).data.length > 0;
  if (!owned && !bytesChange && isMergedAlready(desired, existing)) return { action: 'none' };
  return {
    action: 'write',
    bytesChange,
    remove: owned ? shared(desired, existing) : undefined,
    apply: targetBody(desired, desired.annotations, pinned(existing)),
  };
}

function isMergedAlready(desired: DesiredTarget, existing: ExistingSecret): boolean {
  const { labels: oldLabels, annotations: oldAnnotations } = leftovers(desired, existing);
  if (oldLabels.length > 0 || oldAnnotations.length > 0) return false;
  // What is there but not applied by us would stay when the reference goes.
  const applied = new Set(keysWrittenBy(existing, desired.fieldManager));
  return (
    Object.keys(desired.data).every((key) => applied.has(key)) &&
    isSubset(desired.labels, existing.metadata.labels) &&
    isSubset(desired.annotations, existing.metadata.annotations)
  );
}

/** What this reference wrote before and no longer asks for. */
function leftovers(
  desired: DesiredTarget,
  existing: ExistingSecret,
): Readonly<Record<'data' | 'labels' | 'annotations', readonly string[]>> {
  const { fieldManager } = desired;
  return {
    data: Object.keys(absent(keysWrittenBy(existing, fieldManager), desired.data)),
    labels: Object.keys(absent(metadataWrittenBy(existing, fieldManager, 'labels'), desired.labels)),
    annotations: Object.keys(absent(metadataWrittenBy(existing, fieldManager, 'annotations'), desired.annotations)),
  };
}

/**
 * Opens a Secret that this reference owned whole. What it wrote is put down as applied: an apply takes back only what an apply gave, so the create
 * that it once made would hold on to its keys for ever.
 */
function shared(desired: DesiredTarget, existing: ExistingSecret): KubeBody {
  const { ownerReferences, managedFields } = existing.metadata;
  const ours = [annotations.reference, annotations.referenceUid, annotations.versions];
  const contents = [annotations.content, annotations.previous];
  return {
    metadata: {
      name: desired.name,
      namespace: desired.namespace,
      ...pinned(existing),
      labels: { [labels.target]: null },
      annotations: absent([...ours, ...contents], {}),
      ownerReferences: ownerReferences.filter((owner) => owner.uid !== desired.reference.uid),
      managedFields: [
        ...managedFields.filter((entry) => entry.manager !== desired.fieldManager),
        appliedEntry(existing, desired.fieldManager),
      ],
    },
  };
}

function appliedEntry(existing: ExistingSecret, fieldManager: string): object {
  const fieldsV1 = {
    'f:data': fieldSet(keysWrittenBy(existing, fieldManager)),
    'f:metadata': {
      'f:labels': fieldSet(metadataWrittenBy(existing, fieldManager, 'labels')),
      'f:annotations': fieldSet(metadataWrittenBy(existing, fieldManager, 'annotations')),
    },
  };
  return { manager: fieldManager, operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 };
}

function fieldSet(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
}
