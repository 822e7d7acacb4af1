import { secretObjectName, versionObjectName } from '../../api/v1/embedded-name.ts';
import { labels } from '../../api/v1/names.ts';
import { secretVersions } from '../../api/v1/resources.ts';
import type { SecretVersionStatus } from '../../api/v1/secret-version.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { Store } from '../../kube/store.ts';
import type { AuditEntry } from '../audit.ts';
import { Book } from './book.ts';
import { type DecideScope, decide, type Question } from './decide.ts';
import { expired, stagesOf } from './history.ts';
import { isBeyond, type NamespaceLimits, tooManySecrets } from './limits.ts';
import type { SecretFindings } from './next-status.ts';
import { reseal } from './reseal.ts';
import type { SecretVersion } from './secret-version.ts';
import type { Usage } from './users.ts';
import { hasItsName, type VersionedSecret, writtenName } from './versioned-secret.ts';
import { excessNote, tooManyWait, tooManyWaiting } from './waiting.ts';

export interface ExamineScope extends DecideScope {
  readonly secrets: Store<VersionedSecret>;
  readonly usage: (namespace: string, object: string) => Usage;
  readonly limits: (namespace: string) => NamespaceLimits;
  /** The operator's own name, for what it does by itself. */
  readonly operator: () => string;
}

export interface Look {
  readonly findings: SecretFindings;
  readonly notes: readonly AuditEntry[];
  readonly told: readonly Told[];
  readonly remove: readonly SecretVersion[];
  readonly latestAt: string | undefined;
  /** There were too many new versions for one look. */
  readonly more: boolean;
  /** What could not be asked: everything else was done. */
  readonly failures: readonly Error[];
}

/** What an object's status is to say. */
export type Told = readonly [version: SecretVersion, status: SecretVersionStatus];

/** So many new versions are judged in one look: what it found is written before it takes too long. */
const MOST_JUDGED = 20;

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
  const look =
    problem?.reason === 'NameMismatch'
      ? waiting(objects, problem.message)
      : await decideAll(
          { ...scope, gate: confirmedOnce(scope.gate) },
          { secret, limits, full: problem?.message },
          objects,
          book,
          signal,
        );
  const excess = refuseExcess(scope, look.told, book);
  await reseal(scope, secret, objects, book, signal);
  const usage = scope.usage(namespace, name);
  const old = trim(scope, book, objects, usage, limits);
  const { latest } = stagesOf(book.versions);
  const { versions, gone, lastVersion, rejected, notes } = book;
  return {
    ...look,
    findings: { versions, gone, lastVersion, rejected, problem, usage },
    notes,
    told: look.told
      .filter(([version]) => !old.includes(version) && !excess.includes(version))
      .map(([version, status]) => [version, withUsers(status, usage.holders(version.spec.version))]),
    remove: [...look.remove, ...excess, ...old],
    latestAt: versions.find(({ version }) => version === latest)?.createdAt,
  };
}

/** One look at the policies for all that is judged in one look at a secret: each of its versions was there before. */
function confirmedOnce(gate: DecideScope['gate']): DecideScope['gate'] {
  let state: ReturnType<DecideScope['gate']['confirm']> | undefined;
  return { confirm: (signal) => (state ??= gate.confirm(signal)) };
}

type Decisions = Pick<Look, 'told' | 'remove' | 'more' | 'failures'>;

/** Lower numbers first, one after the other: each may be what the next one repeats. What fails holds back nobody else. */
async function decideAll(
  scope: ExamineScope,
  question: Question,
  objects: readonly SecretVersion[],
  book: Book,
  signal: AbortSignal,
): Promise<Decisions> {
  const told: Told[] = [];
  const remove: SecretVersion[] = [];
  const failures: Error[] = [];
  let judged = 0;
  for (const version of objects.toSorted((a, b) => a.spec.version - b.spec.version)) {
    if (judged >= MOST_JUDGED) return { told, remove, failures, more: true };
    try {
      const decision = await decide(scope, question, version, book, signal);
      if (decision.judged) judged += 1;
      if ('tell' in decision) told.push([version, decision.tell]);
      else remove.push(version);
    } catch (error) {
      if (signal.aborted || !(error instanceof Error)) throw error;
      judged += 1;
      failures.push(error);
    }
  }
  return { told, remove, failures, more: false };
}

/** What waits, and what git owns and was refused, stays: but not without end. Its number was never anybody's. */
function refuseExcess({ clock }: ExamineScope, told: readonly Told[], book: Book): readonly SecretVersion[] {
  const kept = told.filter(([, { state }]) => state !== 'Accepted').map(([version]) => version);
  const excess = tooManyWaiting(kept);
  for (const version of excess) {
    book.reject(version, 'LimitExceeded', tooManyWait, clock.now());
    book.note(excessNote(version));
  }
  return excess;
}

/** A secret that can't be found by its name takes no versions. */
function waiting(objects: readonly SecretVersion[], message: string): Decisions {
  const status = { state: 'Pending', reason: 'SecretMissing', message } as const;
  return { told: objects.map((version) => [version, status]), remove: [], more: false, failures: [] };
}

function problemOf(scope: ExamineScope, secret: VersionedSecret, limits: NamespaceLimits): SecretFindings['problem'] {
  const { namespace } = secret.metadata;
  if (!hasItsName(secret)) {
    const wanted = secretObjectName(writtenName(secret));
    const message = `the object of secret "${writtenName(secret)}" must be called ${wanted}: create it under that name, or by keyferry put --create`;
    return { reason: 'NameMismatch', message };
  }
  if (!isBeyond(secret, scope.secrets.byIndex('namespace', namespace), limits)) return undefined;
  return { reason: 'LimitExceeded', message: tooManySecrets(namespace, limits) };
}

/** Accepted versions whose objects are gone, or would be but for a finalizer: somebody destroyed them. Only the API server itself can say so. */
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
    const name = versionObjectName(metadata.name, version);
    const options = { signal, metadataOnly: true };
    const found = await client.get(secretVersions, { namespace: metadata.namespace, name }, options);
    return found.metadata.uid === uid && found.metadata.deletionTimestamp === undefined;
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

function withUsers(status: SecretVersionStatus, users: number): SecretVersionStatus {
  return status.state === 'Accepted' ? { ...status, users } : status;
}

/** Takes what is too old out of the book, so that it is noted as gone before it is. */
function trim(
  scope: ExamineScope,
  book: Book,
  objects: readonly SecretVersion[],
  usage: Usage,
  limits: NamespaceLimits,
): readonly SecretVersion[] {
  // A manager that is gone may come back, and its history does not.
  if (limits.manager === undefined) return [];
  const byNumber = new Map(objects.map((object) => [object.spec.version, object]));
  const mayTrim = (number: number): boolean => byNumber.get(number)?.metadata.labels[labels.trim] === 'true';
  const old = expired(book.versions, limits.versions, usage, mayTrim);
  if (old.length === 0) return [];
  book.strike(old);
  for (const version of old) book.note({ action: 'expire', version, user: scope.operator() });
  return old.flatMap((number) => byNumber.get(number) ?? []);
}
