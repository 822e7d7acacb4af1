import { secretObjectName } from '../../api/v1/embedded-name.ts';
import { secretVersions } from '../../api/v1/resources.ts';
import type { EmbeddedLimits } from '../../api/v1/secret-manager.ts';
import type { SecretVersionStatus } from '../../api/v1/secret-version.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { Store } from '../../kube/store.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { AuditEntry } from '../audit.ts';
import { Book } from './book.ts';
import { expired } from './history.ts';
import { judge, type JudgeScope, type Verdict } from './judge.ts';
import type { SecretFindings } from './next-status.ts';
import { isOurs, type SecretVersion } from './secret-version.ts';
import type { Usage } from './users.ts';
import { hasItsName, type VersionedSecret, writtenName } from './versioned-secret.ts';

export interface ExamineScope extends JudgeScope {
  readonly secrets: Store<VersionedSecret>;
  readonly usage: (namespace: string, object: string) => Usage;
  readonly limits: (namespace: string) => EmbeddedLimits;
  /** The operator's own name, for what it does by itself. */
  readonly operator: string;
  readonly clock: Clock;
}

export interface Look {
  readonly findings: SecretFindings;
  readonly notes: readonly AuditEntry[];
  readonly told: readonly (readonly [SecretVersion, SecretVersionStatus])[];
  readonly remove: readonly SecretVersion[];
  readonly latestAt: string | undefined;
}

/** Looks at every version of a secret: what is new is judged, what went is struck out, what is too old is marked for removal. */
export async function examine(
  scope: ExamineScope,
  secret: VersionedSecret,
  objects: readonly SecretVersion[],
  signal: AbortSignal,
): Promise<Look> {
  const { namespace, name } = secret.metadata;
  const limits = scope.limits(namespace);
  const problem = problemOf(scope, secret, limits);
  const book = new Book(secret);
  await strikeOut(scope, secret, book, objects, signal);
  switchStates(secret, book);
  const told: [SecretVersion, SecretVersionStatus][] = [];
  const remove: SecretVersion[] = [];
  if (problem?.reason !== 'NameMismatch') {
    for (const version of objects.toSorted((a, b) => a.spec.version - b.spec.version)) {
      const verdict = await decide(scope, secret, version, book, limits, problem?.message, signal);
      told.push([version, statusOf(verdict, version)]);
      if (verdict.state === 'Rejected' && isOurs(version)) remove.push(version);
    }
  }
  const usage = scope.usage(namespace, name);
  remove.push(...trim(scope, book, objects, usage, limits));
  const staying = told.filter(([version]) => !remove.includes(version));
  const latest = book.versions.toSorted((a, b) => b.version - a.version)[0];
  return {
    findings: {
      versions: book.versions,
      gone: book.gone,
      lastVersion: book.lastVersion,
      rejected: book.rejected,
      problem,
      usage,
    },
    notes: book.notes,
    told: staying.map(([version, status]) => [version, withUsers(status, usage.holders(version.spec.version))]),
    remove,
    latestAt: latest?.createdAt,
  };
}

function problemOf(scope: ExamineScope, secret: VersionedSecret, limits: EmbeddedLimits): SecretFindings['problem'] {
  const { namespace, name } = secret.metadata;
  if (!hasItsName(secret)) {
    const wanted = secretObjectName(writtenName(secret));
    const message = `the object of secret "${writtenName(secret)}" must be called ${wanted}: create it under that name, or by keyferry put --create`;
    return { reason: 'NameMismatch', message };
  }
  const before = scope.secrets.byIndex('namespace', namespace).filter((other) => ageOf(other) < ageOf(secret)).length;
  if (before < limits.secrets) return undefined;
  const message = `namespace ${namespace} has more than ${limits.secrets} secrets, and ${name} is beyond: delete others, or raise embedded.limits.secrets of the manager`;
  return { reason: 'LimitExceeded', message };
}

/** Accepted versions whose objects are gone: somebody destroyed them. Only the API server itself can say so. */
async function strikeOut(
  scope: ExamineScope,
  secret: VersionedSecret,
  book: Book,
  objects: readonly SecretVersion[],
  signal: AbortSignal,
): Promise<void> {
  const present = new Set(objects.map(({ metadata }) => metadata.uid));
  for (const { version, uid } of book.versions.filter((stored) => !present.has(stored.uid))) {
    if (await exists(scope, secret, version, uid, signal)) continue;
    book.strike([version]);
    book.note({ action: 'destroy', version });
  }
}

async function exists(
  { client }: ExamineScope,
  { metadata }: VersionedSecret,
  version: number,
  uid: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const name = `${metadata.name}-${version}`;
    const options = { signal, metadataOnly: true };
    const found = await client.get(secretVersions, { namespace: metadata.namespace, name }, options);
    return found.metadata.uid === uid;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** What people disabled or enabled since. */
function switchStates(secret: VersionedSecret, book: Book): void {
  const disabled = new Set(secret.spec.disabledVersions ?? []);
  const changed = book.versions.filter(({ version, state }) => disabled.has(version) !== (state === 'Disabled'));
  for (const { version } of changed) book.note({ action: disabled.has(version) ? 'disable' : 'enable', version });
  book.versions = book.versions.map((stored) => ({
    ...stored,
    state: disabled.has(stored.version) ? 'Disabled' : 'Enabled',
  }));
}

async function decide(
  scope: ExamineScope,
  secret: VersionedSecret,
  version: SecretVersion,
  book: Book,
  limits: EmbeddedLimits,
  full: string | undefined,
  signal: AbortSignal,
): Promise<Verdict> {
  const { version: number, createdBy } = version.spec;
  const known = book.versions.find((stored) => stored.version === number && stored.uid === version.metadata.uid);
  if (known !== undefined) return { state: 'Accepted', stored: known };
  const { versions: accepted, gone, lastVersion } = book;
  const given = { secret, version, accepted, gone, lastVersion, maxValueBytes: limits.valueBytes, full };
  const verdict = await judge(scope, given, signal);
  if (verdict.state === 'Accepted') {
    const disabled = (secret.spec.disabledVersions ?? []).includes(number);
    book.versions = [...accepted, { ...verdict.stored, state: disabled ? 'Disabled' : 'Enabled' }];
    book.use([number]);
    const action = version.spec.from === undefined ? 'put' : 'rollback';
    book.note({ action, version: number, ...(createdBy !== undefined && { user: createdBy }) });
  }
  if (verdict.state === 'Rejected' && verdict.reason !== 'VersionReused') {
    const entry = {
      version: number,
      reason: verdict.reason,
      message: verdict.message,
      ...(createdBy !== undefined && { createdBy }),
    };
    book.rejected = [{ ...entry, time: new Date(scope.clock.now()).toISOString() }, ...book.rejected];
    // A number far ahead was never anybody's: to note it would use up all those before it.
    if (verdict.reason !== 'NumberTooHigh') book.strike([number]);
    const { reason } = verdict;
    const user = createdBy === undefined ? {} : { user: createdBy };
    book.note({ action: 'reject', version: number, ...user, result: 'Rejected', reason });
  }
  return verdict;
}

/** What was refused before is told in the words of then. */
function statusOf(verdict: Verdict, version: SecretVersion): SecretVersionStatus {
  if (verdict.state === 'Accepted') return { state: 'Accepted', reason: 'Accepted', message: 'it can be had' };
  if (verdict.state === 'Rejected' && version.status.state === 'Rejected') {
    const { state, reason, message } = version.status;
    return { state, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) };
  }
  return { state: verdict.state, reason: verdict.reason, message: verdict.message };
}

function withUsers(status: SecretVersionStatus, users: number): SecretVersionStatus {
  return status.state === 'Accepted' ? { ...status, users } : status;
}

/** Takes what is too old out of the book, so that it is noted as gone before it is. */
function trim(
  scope: ExamineScope,
  book: Book,
  objects: readonly SecretVersion[],
  usage: Usage,
  limits: EmbeddedLimits,
): readonly SecretVersion[] {
  const byNumber = new Map(objects.map((object) => [object.spec.version, object]));
  const mayTrim = (number: number): boolean => {
    const object = byNumber.get(number);
    return object !== undefined && isOurs(object);
  };
  const old = expired(book.versions, limits.versions, usage, mayTrim);
  book.strike(old);
  for (const version of old) book.note({ action: 'expire', version, user: scope.operator });
  return old.flatMap((number) => byNumber.get(number) ?? []);
}

/** Sorts by age. */
function ageOf({ metadata }: VersionedSecret): string {
  return `${metadata.creationTimestamp}/${metadata.name}`;
}
