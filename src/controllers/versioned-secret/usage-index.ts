import type { Store } from '../../kube/store.ts';
import type { Reference } from '../secret-reference/reference.ts';
import { embeddedSecretsOf, type KeepsIn, type SecretUse } from './users.ts';

/** Which references use which embedded secret. */
export interface UsageIndex {
  usesOf(namespace: string, object: string): readonly SecretUse[];
  /** A manager changed: where it keeps secrets may be elsewhere now. */
  rebuild(): void;
}

type Uses = ReadonlyMap<string, ReadonlySet<string>>;

/** `onUse` hears of each secret (`namespace/object`) whose users, or what they hold, may have changed. */
export function createUsageIndex(
  references: Store<Reference>,
  keepsIn: KeepsIn,
  onUse: (secret: string) => void,
): UsageIndex {
  /** By reference: what it uses. By secret: who uses it. */
  const byReference = new Map<string, { readonly reference: Reference; readonly uses: Uses }>();
  const bySecret = new Map<string, Set<string>>();

  const drop = (key: string): Uses => {
    const before = byReference.get(key)?.uses ?? new Map<string, ReadonlySet<string>>();
    byReference.delete(key);
    for (const secret of before.keys()) {
      const users = bySecret.get(secret);
      users?.delete(key);
      if (users?.size === 0) bySecret.delete(secret);
    }
    return before;
  };
  const put = (key: string, reference: Reference): Uses => {
    const uses = embeddedSecretsOf(reference, keepsIn);
    if (uses.size === 0) return uses;
    byReference.set(key, { reference, uses });
    for (const secret of uses.keys()) bySecret.set(secret, (bySecret.get(secret) ?? new Set()).add(key));
    return uses;
  };
  const update = (reference: Reference, gone: boolean): void => {
    const key = `${reference.metadata.namespace}/${reference.metadata.name}`;
    const before = drop(key);
    const after: Uses = gone ? new Map() : put(key, reference);
    for (const secret of new Set([...before.keys(), ...after.keys()])) onUse(secret);
  };

  references.onChange(({ type, object }) => update(object, type === 'deleted'));
  return {
    usesOf: (namespace, object) => {
      const secret = `${namespace}/${object}`;
      const entries = [...(bySecret.get(secret) ?? [])].flatMap((key) => byReference.get(key) ?? []);
      return entries.map(({ reference, uses }) => ({ reference, managers: uses.get(secret) ?? new Set() }));
    },
    rebuild: () => {
      for (const reference of references.list()) update(reference, false);
    },
  };
}
