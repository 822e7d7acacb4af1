import type { EmbeddedLimits } from '../../api/v1/secret-manager.ts';
import type { SecretVersionStatus, VersionReason } from '../../api/v1/secret-version.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Book } from './book.ts';
import { FOREIGN_KEY, type JudgeScope, judge, type Verdict } from './judge.ts';
import { tooManyVersions } from './limits.ts';
import { inRanges } from './number-ranges.ts';
import { isOurs, type SecretVersion } from './secret-version.ts';
import type { VersionedSecret } from './versioned-secret.ts';

/** What becomes of one object. */
export type Decision =
  /** Its status is to say this. `judged` where that took a look at it, which takes time. */
  | { readonly tell: SecretVersionStatus; readonly judged: boolean }
  /** It is to be deleted: the secret's status says why. */
  | { readonly remove: true; readonly judged: boolean };

export interface DecideScope extends JudgeScope {
  readonly clock: Clock;
}

export interface Question {
  readonly secret: VersionedSecret;
  readonly limits: EmbeddedLimits;
  /** Why the secret takes no value at all; undefined where it does. */
  readonly full: string | undefined;
}

/** Decides on one version and notes in the book what is new. Rejects where the API server can't be asked: then nothing is noted. */
export async function decide(
  scope: DecideScope,
  question: Question,
  version: SecretVersion,
  book: Book,
  signal: AbortSignal,
): Promise<Decision> {
  const { secret, limits } = question;
  if (book.has(version)) return { tell: acceptedStatus, judged: false };
  if (isLeftOver(version, book)) return { remove: true, judged: false };
  if (isFinal(version, limits)) return { tell: version.status, judged: false };
  const { versions: accepted, gone, lastVersion } = book;
  const full = question.full ?? tooManyVersions(accepted.length, limits);
  const given = { secret, version, accepted, gone, lastVersion, maxValueBytes: limits.valueBytes, full };
  const verdict = await judge(scope, given, signal);
  if (verdict.state === 'Accepted') {
    book.accept(version, verdict.stored, secret.spec.disabledVersions ?? []);
    return { tell: acceptedStatus, judged: true };
  }
  const { state, reason, message } = verdict;
  if (state === 'Pending') return { tell: { state, reason, message }, judged: false };
  return refuse(scope, version, verdict, book);
}

const acceptedStatus: SecretVersionStatus = {
  state: 'Accepted',
  reason: 'Accepted',
  message: 'references can have it',
};

/** What a putter made is removed, and its number is gone; what git owns stays and says why: removed, it would only be made again. */
function refuse(
  { clock }: DecideScope,
  version: SecretVersion,
  { reason, message }: Extract<Verdict, { readonly reason: VersionReason }>,
  book: Book,
): Decision {
  const tell = { state: 'Rejected', reason, message } as const;
  const { version: number, createdBy } = version.spec;
  const said = version.status.state === 'Rejected' && version.status.reason === reason;
  if (!said) {
    const user = createdBy === undefined ? {} : { user: createdBy };
    book.note({ action: 'reject', version: number, ...user, result: 'Rejected', reason });
  }
  if (!isOurs(version)) return { tell, judged: !said };
  book.reject(version, reason, message, clock.now());
  // A number far ahead was never anybody's: to note it would use up all those before it.
  if (reason !== 'NumberTooHigh') book.strike([number]);
  return { remove: true, judged: true };
}

/** Refused or trimmed by a look that ended before it removed the object. */
function isLeftOver(version: SecretVersion, { rejected, gone }: Book): boolean {
  if (!isOurs(version)) return false;
  const refused = rejected.some(({ uid }) => uid === version.metadata.uid);
  return refused || (version.status.state === 'Accepted' && inRanges(gone, version.spec.version));
}

/** Refused, and looking again would not help: no limit was raised, and it was not for want of a key that may come back. */
function isFinal({ status }: SecretVersion, limits: EmbeddedLimits): boolean {
  if (status.state !== 'Rejected') return false;
  if (status.reason === 'LimitExceeded')
    return status.message?.endsWith(`at most ${limits.valueBytes} are taken`) === true;
  return status.message !== FOREIGN_KEY;
}
