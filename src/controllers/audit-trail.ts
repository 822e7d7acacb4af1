import type { AuditRecord } from '../api/v1/versioned-secret.ts';
import type { Clock } from '../runtime/clock.ts';
import type { AuditEntry, AuditLog } from './audit.ts';

/** The audit log, and of each secret what was lately done with it and does not stand in its status yet. Every record is plain text of one line. */
export interface AuditTrail extends AuditLog {
  /** Oldest first. */
  pending(namespace: string, secret: string): readonly AuditRecord[];
  /** They stand in the status now. */
  written(namespace: string, secret: string, records: readonly AuditRecord[]): void;
  onRecord(listener: (namespace: string, secret: string) => void): void;
}

/** Of each secret so many are remembered. */
const MOST_PENDING = 20;
/** So many secrets: of some nobody ever takes what is remembered, since they are not there. */
const MOST_SECRETS = 10_000;

export function createAuditTrail(log: AuditLog, clock: Clock): AuditTrail {
  const pending = new Map<string, readonly AuditRecord[]>();
  const listeners: ((namespace: string, secret: string) => void)[] = [];
  return {
    record: async (given) => {
      const entry = plain(given);
      await log.record(entry);
      const key = keyOf(entry.namespace, entry.secret);
      const records = [...(pending.get(key) ?? []), toRecord(entry, clock.now())].slice(-MOST_PENDING);
      // What was noted last stands last, so that the first to go is what nobody asked about for longest.
      pending.delete(key);
      pending.set(key, records);
      const [oldest] = pending.keys();
      if (pending.size > MOST_SECRETS && oldest !== undefined) pending.delete(oldest);
      for (const listener of listeners) listener(entry.namespace, entry.secret);
    },
    pending: (namespace, secret) => pending.get(keyOf(namespace, secret)) ?? [],
    written: (namespace, secret, records) => {
      const key = keyOf(namespace, secret);
      const left = (pending.get(key) ?? []).filter((record) => !records.includes(record));
      if (left.length === 0) pending.delete(key);
      else pending.set(key, left);
    },
    onRecord: (listener) => listeners.push(listener),
  };
}

function keyOf(namespace: string, secret: string): string {
  return `${namespace}/${secret}`;
}

/** What people wrote must not look like another record, nor move a terminal's cursor. The CRD refuses such characters; this holds without it. */
function plain(entry: AuditEntry): AuditEntry {
  const { user, for: whom, reason } = entry;
  return {
    ...entry,
    user: oneLine(user),
    ...(whom !== undefined && { for: oneLine(whom) }),
    ...(reason !== undefined && { reason: oneLine(reason) }),
  };
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

/** Who may see a secret need not know what other namespaces call theirs: of those the log alone has the names. */
function whomToTell({ for: whom, namespace }: AuditEntry): string | undefined {
  const [, kind, other] = /^(\w+) ([^/ ]+)\//.exec(whom ?? '') ?? [];
  return kind === undefined || other === namespace ? whom : `${kind} of another namespace`;
}

/** As it stands in a status. */
export function toRecord(entry: AuditEntry, now: number): AuditRecord {
  const { action, user, version, result, reason } = entry;
  const whom = whomToTell(entry);
  return {
    time: new Date(now).toISOString(),
    action,
    user,
    ...(version !== undefined && { version }),
    ...(whom !== undefined && { for: whom }),
    result,
    ...(reason !== undefined && { reason }),
  };
}
