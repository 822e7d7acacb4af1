import type { VersionReason } from '../../api/v1/secret-version.ts';
import type { Rejection, StoredVersion } from '../../api/v1/versioned-secret.ts';
import type { AuditEntry } from '../audit.ts';
import { type NumberRange, parseRanges, withNumbers } from './number-ranges.ts';
import type { SecretVersion } from './secret-version.ts';
import type { VersionedSecret } from './versioned-secret.ts';

/** What is known of a secret's numbers, as it changes during a look, and what there is to tell of that. */
export class Book {
  versions: readonly StoredVersion[];
  gone: readonly NumberRange[];
  lastVersion: number;
  rejected: readonly Rejection[];
  /** For the audit log, once the status is written. */
  readonly notes: AuditEntry[] = [];
  readonly #secret: VersionedSecret;

  constructor(secret: VersionedSecret) {
    const { status } = secret;
    this.#secret = secret;
    this.versions = status.versions ?? [];
    this.gone = parseRanges(status.gone);
    this.lastVersion = status.lastVersion ?? 0;
    this.rejected = status.rejected ?? [];
  }

  /** Whether this very object was accepted. */
  has({ metadata, spec }: SecretVersion): boolean {
    return this.versions.some(({ version, uid }) => version === spec.version && uid === metadata.uid);
  }

  accept({ spec }: SecretVersion, stored: StoredVersion, disabled: readonly number[]): void {
    const { version, from, createdBy } = spec;
    this.versions = [...this.versions, { ...stored, state: disabled.includes(version) ? 'Disabled' : 'Enabled' }];
    this.use([version]);
    const user = createdBy === undefined ? {} : { user: createdBy };
    this.note({ action: from === undefined ? 'put' : 'rollback', version, ...user });
  }

  /** What is refused and removed: its putter reads here why. */
  reject({ metadata, spec }: SecretVersion, reason: VersionReason, message: string, now: number): void {
    const { version, createdBy } = spec;
    const user = createdBy === undefined ? {} : { createdBy };
    const time = new Date(now).toISOString();
    this.rejected = [{ version, uid: metadata.uid, reason, message, ...user, time }, ...this.rejected];
  }

  /** These numbers are gone for good. */
  strike(numbers: readonly number[]): void {
    this.versions = this.versions.filter(({ version }) => !numbers.includes(version));
    this.use(numbers);
    this.gone = withNumbers(this.gone, numbers);
  }

  use(numbers: readonly number[]): void {
    this.lastVersion = Math.max(this.lastVersion, ...numbers);
  }

  /** Who deleted or disabled something, only the API server's own audit log knows: then `user` is not given. */
  note(entry: Pick<AuditEntry, 'action' | 'version'> & Partial<AuditEntry>): void {
    const { namespace, name } = this.#secret.metadata;
    this.notes.push({ result: 'Allowed', ...entry, user: entry.user ?? 'not named', namespace, secret: name });
  }
}
