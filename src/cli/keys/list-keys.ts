import { annotations } from '../../api/v1/names.ts';
import { fingerprintOf } from '../known-keys.ts';
import type { Column } from '../table.ts';
import { type KeySecret, publicKeyOf } from './key-secret.ts';
import type { KeyUsage } from './usage.ts';

/** One line of `keyferry keys list`. */
export interface KeyRow {
  /** The entry of the Secret; empty for a key that versions are sealed to and that is gone. */
  readonly entry: string;
  readonly publicKey: string;
  /** As `keyferry put` tells it, and `keys trust` takes it; empty without a public key. */
  readonly fingerprint: string;
  readonly state: 'current' | 'old' | 'broken' | 'missing';
  /** How many accepted versions are sealed to it; undefined where they may not be listed. */
  readonly versions: number | undefined;
  /** ARN of the key of AWS KMS that wraps it, where one does. */
  readonly wrappedBy?: string;
}

export interface KeyList {
  readonly keys: readonly KeyRow[];
  /** When all of them were last backed up. */
  readonly backedUp: string | undefined;
}

export function keyList(secret: KeySecret, usage: KeyUsage | undefined): KeyList {
  const count = (key: string): number | undefined => (usage === undefined ? undefined : (usage.get(key) ?? 0));
  const present = secret.entries.map((entry): KeyRow => {
    const { name, key, wrapped } = entry;
    const publicKey = publicKeyOf(entry);
    if (publicKey === undefined)
      return { entry: name, publicKey: '', fingerprint: '', state: 'broken', versions: undefined };
    const state = name === secret.current?.name ? 'current' : 'old';
    const kept = key === undefined && wrapped !== undefined ? { wrappedBy: wrapped.kmsKey } : {};
    return {
      entry: name,
      publicKey,
      fingerprint: fingerprintOf(publicKey),
      state,
      versions: count(publicKey),
      ...kept,
    };
  });
  const known = new Set(present.map(({ publicKey }) => publicKey));
  const gone = [...(usage ?? [])]
    .filter(([key]) => !known.has(key))
    .map(([publicKey, versions]): KeyRow => {
      const fingerprint = fingerprintOf(publicKey);
      return { entry: '', publicKey, fingerprint, state: 'missing', versions };
    });
  return { keys: [...present, ...gone], backedUp: secret.metadata.annotations[annotations.backedUp] };
}

export const keyColumns: readonly Column<KeyRow>[] = [
  { header: 'KEY', value: ({ entry }) => entry },
  {
    header: 'STATE',
    value: ({ state }) => state,
    colour: ({ state }) => (state === 'current' ? 'green' : state === 'old' ? undefined : 'red'),
  },
  { header: 'VERSIONS', value: ({ versions }) => (versions === undefined ? '?' : String(versions)) },
  { header: 'PUBLIC-KEY', value: ({ publicKey }) => publicKey },
  { header: 'FINGERPRINT', value: ({ fingerprint }) => fingerprint },
  { header: 'WRAPPED-BY', value: ({ wrappedBy = '' }) => wrappedBy, wide: true },
];

/** What there is to do about the keys. */
export function keyNotes({ keys, backedUp }: KeyList): readonly string[] {
  const missing = keys.filter(({ state }) => state === 'missing');
  const broken = keys.filter(({ state }) => state === 'broken').map(({ entry }) => entry);
  const unused = keys.filter(({ state, versions }) => state === 'old' && versions === 0).map(({ entry }) => entry);
  const used = keys.some(({ state, versions }) => state === 'old' && (versions ?? 0) > 0);
  return [
    backedUp === undefined
      ? 'warning: these keys were not backed up yet: keyferry keys backup --file FILE'
      : `backed up: ${backedUp}`,
    ...(broken.length === 0 ? [] : [`warning: ${broken.join(', ')} is no key: keyferry keys restore FILE`]),
    ...(missing.length === 0
      ? []
      : ['warning: versions are sealed to keys that are gone, and can not be read: keyferry keys restore FILE']),
    ...(used ? ['versions are still sealed to an old key: keyferry keys reseal'] : []),
    ...unused.map((entry) => `nothing is sealed to ${entry} any more: keyferry keys retire ${entry}`),
  ];
}
