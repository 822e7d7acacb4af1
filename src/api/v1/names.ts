/** The words that stand in objects: group, labels, annotations. Changing one breaks what is installed. */
export const group = 'keyferry.io';
export const version = 'v1';

export const labels = {
  /** On every Secret that Keyferry writes: `owned` (Owner, Orphan) or `merged`. Its watches select on it. */
  target: 'keyferry.io/target',
  /** On a SecretVersion that the CLI or the library put ("true"): it may be deleted when it falls out of the history. What git owns does not have it. */
  trim: 'keyferry.io/trim',
} as const;

export const annotations = {
  /** On a Secret that exists: lets a reference with ownership Owner or Orphan take it over ("true"). */
  adopt: 'keyferry.io/adopt',
  /** On a Secret that exists: lets references with ownership Merge add their keys ("true"). */
  merge: 'keyferry.io/merge',
  /** On a SecretReference: a new value asks for a sync now, past every cache. */
  sync: 'keyferry.io/sync',
  /** On a SecretReference: suspends it until this time (RFC 3339). */
  suspendUntil: 'keyferry.io/suspend-until',
  /** On a target: `namespace/name` of the reference it comes from. */
  reference: 'keyferry.io/reference',
  /** On a target: uid of the reference that owns it. Ownership is decided by it. */
  referenceUid: 'keyferry.io/reference-uid',
  /** On a target: `secret@version` of each version that it holds. */
  versions: 'keyferry.io/versions',
  /** On a target: the content that it holds now, and the one before (empty at the first). */
  content: 'keyferry.io/content',
  previous: 'keyferry.io/previous',
  /** On a merged target, one per reference: prefix of `keyferry.io/merged.<uid>`, whose value is the reference's name. */
  merged: 'keyferry.io/merged.',
  /** The same on a merged target, one pair per reference: prefixes of `keyferry.io/content.<uid>` and `keyferry.io/previous.<uid>`. */
  mergedContent: 'keyferry.io/content.',
  mergedPrevious: 'keyferry.io/previous.',
  /** In a pod template, one per target: prefix of the marker that says which content the workload was last rolled out for. */
  marker: 'keyferry.io/content.',
  /** On a workload: "false" leaves it out of rollouts. On a CronJob: "true" lets its template be marked. */
  rollout: 'keyferry.io/rollout',
  /** On a SecretReference that holds an older version after a failed rollout: a new value tries the newer one again. */
  retry: 'keyferry.io/retry',
  /** On one of our CRDs: lets it be deleted, with all that hangs on it. On a SecretVersion: lets it be destroyed although references hold it. */
  allowDelete: 'keyferry.io/allow-delete',
  /** On the Secret with the sealing keys: the entry whose key new values are sealed to. */
  currentKey: 'keyferry.io/current-key',
  /** On the same: the public key that all versions are to be sealed to. In effect while it is the key in use. */
  reseal: 'keyferry.io/reseal',
  /** On the same: when all of its keys were last backed up. A key that is added takes it away. */
  backedUp: 'keyferry.io/backed-up',
} as const;

/** Field manager of the markers in pod templates. */
export const rolloutFieldManager = 'keyferry-rollout';

/** The Secret in the operator's namespace with the keys that values are sealed to. */
export const sealingKeysSecret = 'keyferry-sealing-keys';
