import { annotations, labels } from '../../api/v1/names.ts';
import type { KubeBody } from '../../kube/client.ts';
import type { DesiredTarget } from './desired-target.ts';
import { contentAnnotations } from './target-content.ts';
import { absent, differs, isSubset, pinned, targetBody, type TargetPlan } from './target-body.ts';
import { type ExistingSecret, keysWrittenBy, metadataWrittenBy, ownerUid } from './target-secret.ts';

/**
 * Decides for a Secret that consents to merged keys and has none of ours from others. What our field manager applied before and does not apply again,
 * the API server takes out in the same write.
 */
export function planMerge(desired: DesiredTarget, existing: ExistingSecret): TargetPlan {
  const owned = ownerUid(existing) !== undefined;
  const bytesChange = differs(desired, existing) || absentKeys(desired, existing).length > 0;
  const wanted = { ...desired.annotations, ...contentAnnotations(desired, existing, bytesChange) };
  if (!owned && !bytesChange && isMergedAlready(desired, wanted, existing)) return { action: 'none' };
  return {
    action: 'write',
    bytesChange,
    remove: owned ? shared(desired, existing) : undefined,
    apply: targetBody(desired, wanted, pinned(existing)),
  };
}

type Texts = Readonly<Record<string, string>>;

function isMergedAlready(desired: DesiredTarget, wantedAnnotations: Texts, existing: ExistingSecret): boolean {
  const ours = (field: 'labels' | 'annotations', wanted: Texts): Readonly<Record<string, null>> =>
    absent(metadataWrittenBy(existing, desired.fieldManager, field), wanted);
  const leftovers = { ...ours('labels', desired.labels), ...ours('annotations', wantedAnnotations) };
  if (Object.keys(leftovers).length > 0) return false;
  // What is there but not applied by us would stay when the reference goes.
  const applied = new Set(keysWrittenBy(existing, desired.fieldManager));
  return (
    Object.keys(desired.data).every((key) => applied.has(key)) &&
    isSubset(desired.labels, existing.metadata.labels) &&
    isSubset(wantedAnnotations, existing.metadata.annotations)
  );
}

/** Keys that this reference wrote before and no longer asks for. */
function absentKeys(desired: DesiredTarget, existing: ExistingSecret): readonly string[] {
  return Object.keys(absent(keysWrittenBy(existing, desired.fieldManager), desired.data));
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
