import { annotations, group, labels, version } from '../../api/v1/names.ts';
import type { HeldVersion, SecretReferenceSpec } from '../../api/v1/secret-reference.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import { definite, type Failure } from './failure.ts';
import { shortVersion } from './held-versions.ts';
import { mergedBy, type Reference, targetName } from './reference.ts';
import { type ContentNames, contentNames, fieldManagerOf, mergedAnnotation } from './target-secret.ts';

type Ownership = SecretReferenceSpec['target']['ownership'];

/** The target as it should be. `data` is base64, as the API server has it. */
export interface DesiredTarget {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly ownership: Ownership;
  readonly reference: { readonly name: string; readonly uid: string };
  readonly fieldManager: string;
  readonly data: Readonly<Record<string, string>>;
  /** The keys that the spec itself names. Others may stand inside a value, and are not told. */
  readonly spokenKeys: ReadonlySet<string>;
  readonly labels: Readonly<Record<string, string>>;
  /** Without those of the content, which depend on what the target holds now. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The name of what the data is made from (see `contentName`), and the annotations that say so. */
  readonly content: string;
  readonly contentNames: ContentNames;
  /** What the target was last said to hold: the content before of a Secret that is made anew. Empty at the first. */
  readonly claimed: string;
  /** What the Secret `uid` called these very inputs when it was last seen to hold them: other bytes in it are drift then. */
  readonly settled: { readonly uid: string; readonly content: string } | undefined;
}

/** The API server refuses Secrets over 1 MiB of data. */
const MAX_BYTES = 1024 * 1024;
const LISTED_VERSIONS = 20;

export function desiredTarget(
  reference: Reference,
  values: ReadonlyMap<string, SecretValue>,
  versions: readonly HeldVersion[],
  { inputs, content }: { readonly inputs: string; readonly content: string },
): DesiredTarget {
  const { spec, metadata } = reference;
  const merging = mergedBy(reference);
  const data = [...values].map(([key, value]) => [key, value.asBase64()] as const);
  return {
    namespace: metadata.namespace,
    name: targetName(reference),
    type: spec.target.type,
    ownership: spec.target.ownership,
    reference: { name: metadata.name, uid: metadata.uid },
    fieldManager: fieldManagerOf(metadata.uid),
    data: Object.fromEntries(data),
    spokenKeys: new Set(Object.keys(spec.template?.data ?? spec.data ?? {})),
    labels: { ...spec.template?.metadata?.labels, [labels.target]: merging === undefined ? 'owned' : 'merged' },
    annotations: { ...spec.template?.metadata?.annotations, ...ownAnnotations(reference, versions) },
    content,
    contentNames: contentNames(merging),
    claimed: reference.status.target?.content ?? '',
    settled: settledOn(reference, inputs),
  };
}

function ownAnnotations({ metadata, spec }: Reference, versions: readonly HeldVersion[]): Record<string, string> {
  if (spec.target.ownership === 'Merge') return { [mergedAnnotation(metadata.uid)]: metadata.name };
  return {
    [annotations.reference]: `${metadata.namespace}/${metadata.name}`,
    [annotations.referenceUid]: metadata.uid,
    [annotations.versions]: versionsText(versions),
  };
}

function settledOn({ status }: Reference, inputs: string): DesiredTarget['settled'] {
  const { target } = status;
  if (target?.content === undefined || target.inputs !== inputs) return undefined;
  return { uid: target.uid, content: target.content };
}

function versionsText(versions: readonly HeldVersion[]): string {
  const shown = versions.slice(0, LISTED_VERSIONS).map((held) => `${held.secret}@${shortVersion(held.version)}`);
  const more = versions.length - shown.length;
  return more === 0 ? shown.join(' ') : `${shown.join(' ')} (+${more})`;
}

export function ownerReference(reference: { readonly name: string; readonly uid: string }): Record<string, unknown> {
  return {
    apiVersion: `${group}/${version}`,
    kind: 'SecretReference',
    name: reference.name,
    uid: reference.uid,
    controller: true,
    // Deleting the reference in the foreground must not wait for the Secret.
    blockOwnerDeletion: false,
  };
}

const REQUIRED_KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'kubernetes.io/tls': [['tls.crt'], ['tls.key']],
  'kubernetes.io/dockerconfigjson': [['.dockerconfigjson']],
  'kubernetes.io/dockercfg': [['.dockercfg']],
  'kubernetes.io/basic-auth': [['username', 'password']],
  'kubernetes.io/ssh-auth': [['ssh-privatekey']],
};

/** What the API server would refuse of these values, said in words that name the keys. */
export function checkValues(type: string, values: ReadonlyMap<string, SecretValue>): Failure | undefined {
  const bytes = [...values.values()].reduce((sum, value) => sum + value.size, 0);
  if (bytes > MAX_BYTES) {
    // Rounded up: to the byte it would tell the length of a value that is known to have changed.
    const size = Math.ceil((bytes / MAX_BYTES) * 10) / 10;
    const message = `the Secret would have about ${size} MiB, more than the 1 MiB that Kubernetes allows: split the reference`;
    return definite('LimitExceeded', message);
  }
  const missing = (REQUIRED_KEYS[type] ?? []).filter((keys) => !keys.some((key) => values.has(key)));
  if (missing.length === 0) return undefined;
  const names = missing.map((keys) => keys.join(' or ')).join(' and the key ');
  const them = missing.length === 1 ? 'it' : 'them';
  const message = `a Secret of type ${type} needs the key ${names}: add ${them} to data or template.data`;
  return definite('InvalidValue', message);
}
