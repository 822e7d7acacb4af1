import { secretObjectName, versionNumberOf } from '../../api/v1/embedded-name.ts';
import type { Consumer } from '../../api/v1/rollout.ts';
import type { ManagerRef } from '../../api/v1/secret-reference.ts';
import type { SecretUser } from '../../api/v1/versioned-secret.ts';
import { managerKey, managerLabel } from '../manager-key.ts';
import type { Reference } from '../secret-reference/reference.ts';
import type { VersionsInUse } from './history.ts';

/** At most so many references are named; `users` counts them all. */
const MOST_NAMED = 100;
/** Of each reference. */
const MOST_CONSUMERS = 20;

/** In which namespace a manager keeps its secrets for an asker's namespace; undefined where it is not an embedded one. */
export type KeepsIn = (ref: ManagerRef, namespace: string) => string | undefined;

/** What references ask of embedded managers: by namespace and object name of the secret. */
export function embeddedSecretsOf(reference: Reference, keepsIn: KeepsIn): ReadonlyMap<string, ReadonlySet<string>> {
  const { spec, metadata } = reference;
  const found = new Map<string, Set<string>>();
  const add = (ref: ManagerRef, secret: string | undefined, isHeld = false): void => {
    const namespace = keepsIn(ref, metadata.namespace);
    if (namespace === undefined || secret === undefined) return;
    // Of another namespace a reference may name what it is not granted: that must hold up nobody there.
    if (!isHeld && namespace !== metadata.namespace) return;
    const key = `${namespace}/${secretObjectName(secret)}`;
    found.set(key, (found.get(key) ?? new Set()).add(managerLabel(managerKey(ref, metadata.namespace))));
  };
  for (const entry of Object.values(spec.data ?? {})) add(entry.managerRef ?? spec.managerRef, entry.secret);
  for (const entry of spec.dataFrom ?? []) {
    add(entry.managerRef ?? spec.managerRef, entry.extract?.secret ?? entry.versions?.secret);
  }
  // Also what the target still holds of a former spec, and what a find brought.
  for (const held of reference.status.versions ?? []) add(refOf(held.manager), held.secret, true);
  return found;
}

function refOf(label: string): ManagerRef {
  const [kind = '', name = ''] = label.split('/');
  return { kind: kind === 'SecretManager' ? kind : 'ClusterSecretManager', name };
}

/** What one secret's references hold of it. */
export interface Usage extends VersionsInUse {
  readonly named: readonly SecretUser[];
  readonly count: number;
  /** How many references hold a version. */
  holders(version: number): number;
}

/** A reference that uses a secret, and by which managers. */
export interface SecretUse {
  readonly reference: Reference;
  readonly managers: ReadonlySet<string>;
}

/** `all` are those that use the secret `object` of `namespace`. */
export function usageOf(all: readonly SecretUse[], namespace: string, object: string): Usage {
  const uses = all
    .toSorted((a, b) => (a.reference.metadata.name < b.reference.metadata.name ? -1 : 1))
    .map((use) => ({ reference: use.reference, versions: versionsIn(use, object) }));
  const holders = (version: number): number =>
    uses.filter(({ versions }) => versions.held.has(version) || versions.pinned.has(version)).length;
  return {
    count: uses.length,
    holders,
    has: (version) => holders(version) > 0,
    named: uses
      .filter(({ reference }) => reference.metadata.namespace === namespace)
      .slice(0, MOST_NAMED)
      .map(({ reference, versions }) => ({
        reference: reference.metadata.name,
        versions: [...versions.held].toSorted((a, b) => a - b),
        pinned: versions.pinned.size > 0,
        consumers: (reference.status.consumers ?? [])
          .slice(0, MOST_CONSUMERS)
          .map((each) => runs(each, versions.sets, object)),
      })),
  };
}

/** What a reference does with the versions of one secret. */
interface VersionsOf {
  readonly held: ReadonlySet<number>;
  readonly pinned: ReadonlySet<number>;
  /** By content of the target: the versions that it is made from. */
  readonly sets: ReadonlyMap<string, readonly number[]>;
}

function versionsIn({ reference: { spec, status }, managers }: SecretUse, object: string): VersionsOf {
  const numbers = (all: readonly { readonly secret: string; readonly manager: string; readonly version: string }[]) =>
    all
      .filter(({ secret, manager }) => managers.has(manager) && secretObjectName(secret) === object)
      .flatMap(({ version }) => numberOf(version));
  const held = numbers(status.versions ?? []);
  // What a guarded rotation would go back to is in use as well.
  const others = [status.held?.good, status.held?.bad, status.guard?.good].filter((set) => set !== undefined);
  const kept = [status.held?.good, status.guard?.good].flatMap((set) => numbers(set?.versions ?? []));
  const content = status.target?.content;
  const selectors = [
    ...Object.values(spec.data ?? {}),
    ...(spec.dataFrom ?? []).flatMap(({ extract }) => extract ?? []),
  ];
  const pins = selectors.filter(({ secret }) => secretObjectName(secret) === object);
  return {
    held: new Set([...held, ...kept]),
    pinned: new Set(pins.flatMap(({ version }) => numberOf(version ?? ''))),
    sets: new Map([
      ...others.map((set) => [set.content, numbers(set.versions)] as const),
      ...(content === undefined ? [] : [[content, held] as const]),
    ]),
  };
}

/** Ids of another backend, which the manager had before, are no numbers. */
function numberOf(id: string): readonly number[] {
  const number = versionNumberOf(id);
  return number === undefined ? [] : [number];
}

/**
 * `Deployment/api@3`; `Deployment/api@2->3` while pods that run 2 may be left; `Deployment/api@?` where it runs what nobody knows.
 */
function runs({ kind, name, content, versions, replaces = [] }: Consumer, sets: VersionsOf['sets'], object: string) {
  const exactly = content === undefined ? undefined : sets.get(content);
  const now = versionsText(exactly ?? numbersIn(versions ?? '', object));
  const old = replaces.map((each) => versionsText(numbersIn(each, object))).filter((each) => each !== now);
  return `${kind}/${name}@${[...new Set(old), now].join('->')}`;
}

function versionsText(numbers: readonly number[]): string {
  return numbers.length === 0 ? '?' : numbers.join('+');
}

/** Of one secret, in what is told in short: `db.account@3, db.password@7 (+2)`. */
function numbersIn(text: string, object: string): readonly number[] {
  return text
    .replace(/ \(\+\d+\)$/u, '')
    .split(', ')
    .flatMap((each) => {
      const at = each.lastIndexOf('@');
      return at > 0 && secretObjectName(each.slice(0, at)) === object ? numberOf(each.slice(at + 1)) : [];
    });
}
