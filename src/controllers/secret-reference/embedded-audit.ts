import { secretObjectName } from '../../api/v1/embedded-name.ts';
import { requestKey } from '../../runtime/request.ts';
import type { AuditAction, AuditLog } from '../audit.ts';
import { managerLabel } from '../manager-key.ts';
import type { ManagerDirectory } from '../managers.ts';
import type { Reference } from './reference.ts';
import type { Origin, ResolvedKey } from './resolution.ts';

/** Notes what references do with secrets that are kept in the cluster. */
export interface EmbeddedAudit {
  /** A reference has these values now, and is about to show them. Rejects where that can't be noted: then it must not. */
  opened(reference: Reference, keys: readonly ResolvedKey[]): Promise<void>;
  /** Its target shows them. */
  synced(reference: Reference, keys: readonly ResolvedKey[], changed: boolean): Promise<void>;
  forget(subscriber: string): void;
}

export interface EmbeddedAuditOptions {
  readonly log: AuditLog;
  readonly managers: ManagerDirectory;
  /** The operator's own name: it does all this by itself. */
  readonly operator: () => string;
}

/** One version in a reference. */
interface Use {
  readonly id: string;
  readonly namespace: string;
  readonly object: string;
  readonly version: number;
}

export function createEmbeddedAudit({ log, managers, operator }: EmbeddedAuditOptions): EmbeddedAudit {
  /** Of each reference what was noted and is not in its status yet: a target that can't be written is tried again and again. */
  const noted = new Map<string, ReadonlySet<string>>();

  const record = async (action: AuditAction, { metadata }: Reference, use: Use): Promise<void> => {
    const { namespace, object: secret, version } = use;
    const whom = `SecretReference ${metadata.namespace}/${metadata.name}`;
    await log.record({ action, user: operator(), namespace, secret, version, for: whom, result: 'Allowed' });
  };

  return {
    opened: async (reference, keys) => {
      const subscriber = requestKey(reference.metadata);
      const before = noted.get(subscriber) ?? new Set<string>();
      const uses = freshOf(reference, usesOf(managers, reference, keys));
      for (const use of uses) if (!before.has(use.id)) await record('access', reference, use);
      if (uses.length === 0) noted.delete(subscriber);
      else noted.set(subscriber, new Set(uses.map(({ id }) => id)));
    },
    synced: async (reference, keys, changed) => {
      const uses = usesOf(managers, reference, keys);
      const fresh = freshOf(reference, uses);
      // A Secret that somebody deleted or changed is written anew with what it held.
      const told = fresh.length > 0 || !changed ? fresh : uses;
      for (const use of told) await record('sync', reference, use);
    },
    forget: (subscriber) => {
      noted.delete(subscriber);
    },
  };
}

/** The versions in the cluster that keys come from, each once, however often and in whatever spelling it is named. */
function usesOf(managers: ManagerDirectory, { metadata }: Reference, keys: readonly ResolvedKey[]): readonly Use[] {
  const uses = new Map<string, Use>();
  for (const { origin } of keys) {
    if (origin === undefined) continue;
    const manager = managers.lookup(origin.manager);
    const place = manager.state === 'ready' ? manager.names.embedded : undefined;
    if (place === undefined) continue;
    const id = idOf({ ...origin, manager: managerLabel(origin.manager) });
    const { secret, version } = origin;
    const object = secretObjectName(secret);
    uses.set(id, { id, namespace: place.home(metadata.namespace), object, version: Number(version) });
  }
  return [...uses.values()];
}

/** Those that the reference did not hold before. */
function freshOf({ status }: Reference, uses: readonly Use[]): readonly Use[] {
  const held = new Set((status.versions ?? []).map(idOf));
  return uses.filter(({ id }) => !held.has(id));
}

function idOf({ manager, secret, identity }: Pick<Origin, 'manager' | 'secret' | 'identity'>): string {
  return `${manager} ${secretObjectName(secret)} ${identity}`;
}
