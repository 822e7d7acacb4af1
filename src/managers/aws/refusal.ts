import { ManagerError } from '../errors.ts';
import type { Selector } from '../manager.ts';
import { type Fault, faultOf, type Parties } from './fault.ts';

/** What was asked when AWS refused. */
export interface Subject {
  /** The IAM action, for example `secretsmanager:GetSecretValue`. */
  readonly action: string;
  /** The secret as it was asked for; undefined where the call was not about one. */
  readonly secret: string | undefined;
  readonly selector: Selector | undefined;
  readonly parties: Parties;
}

const DENIED = /^(AccessDenied|NotAuthorized|UnauthorizedOperation|KMSAccessDenied)/;
const MALFORMED = /^(InvalidParameter|Validation)/;

/** The error for a fault, in words of ours. */
export function errorOf(fault: Fault, subject: Subject): ManagerError {
  return fault.kind === 'refused' ? refusal(fault.code, fault.text, subject) : fault.error;
}

/** An error that stands inside an answer, for one secret of a batch. It has the same codes as one that is the whole answer. */
export function itemError(code: string, text: string, subject: Subject): ManagerError {
  return errorOf(faultOf({ name: code, message: text, $metadata: { httpStatusCode: 400 } }, subject.parties), subject);
}

export function isDenied(fault: Fault): boolean {
  return fault.kind === 'refused' && DENIED.test(fault.code);
}

export function isNotFound(fault: Fault): boolean {
  return fault.kind === 'refused' && fault.code === 'ResourceNotFoundException';
}

function refusal(code: string, text: string, subject: Subject): ManagerError {
  if (code === 'ResourceNotFoundException') return notFound(text, subject);
  if (code === 'DecryptionFailure' || code === 'EncryptionFailure') return keyDenied(subject);
  if (DENIED.test(code)) return /kms/i.test(code + text) ? keyDenied(subject) : denied(subject);
  if (code === 'InvalidRequestException' && /delet/i.test(text)) return scheduledForDeletion(subject.secret ?? '');
  if (code === 'LimitExceededException') return beyondLimit(subject);
  if (MALFORMED.test(code) && isLabelled(subject)) return noVersion(subject);
  return new ManagerError('ManagerUnavailable', `${subject.parties.service} refuses ${subject.action} with ${code}`);
}

function isLabelled({ selector }: Subject): boolean {
  return selector !== undefined && selector.kind !== 'latest';
}

/** AWS says in words only whether the secret is missing or the version. */
function notFound(text: string, subject: Subject): ManagerError {
  return /value/i.test(text) ? noVersion(subject) : missingSecret(subject);
}

export function missingSecret(subject: Pick<Subject, 'secret' | 'parties'>): ManagerError {
  return new ManagerError('SecretNotFound', `there is no secret ${subject.secret ?? ''} in ${subject.parties.service}`);
}

export function noVersion(subject: Pick<Subject, 'secret' | 'selector'>, stages: readonly string[] = []): ManagerError {
  const { selector } = subject;
  const secret = `secret ${subject.secret ?? ''}`;
  if (selector?.kind === 'version') {
    return new ManagerError(
      'VersionNotFound',
      `${secret} has no version ${selector.version}: a label such as AWSPREVIOUS is a stage, not a version`,
    );
  }
  if (selector?.kind === 'stage') {
    const known = stages.length === 0 ? '' : `: it has ${stages.join(', ')}`;
    return new ManagerError('VersionNotFound', `no version of ${secret} has the stage ${selector.stage}${known}`);
  }
  return new ManagerError('NoVersion', `${secret} has no current version yet: put a value`);
}

export function scheduledForDeletion(secret: string): ManagerError {
  const text = `secret ${secret} is scheduled for deletion: restore it with "aws secretsmanager restore-secret", or stop using it`;
  return new ManagerError('VersionDisabled', text);
}

function beyondLimit(subject: Subject): ManagerError {
  const text = `${named(subject)} would go beyond a limit of AWS Secrets Manager: on secrets in the account, or on versions of one secret`;
  return new ManagerError('LimitExceeded', text);
}

function denied(subject: Subject): ManagerError {
  const { action, secret, parties } = subject;
  // AWS tells nobody that a secret is missing who may not read it.
  const doubt = secret === undefined ? '' : '. AWS also answers so where the secret does not exist: check its name';
  const text = `AWS refuses ${action}${secret === undefined ? '' : ` on ${secret}`} to ${parties.principal}: allow it in its IAM policy${doubt}`;
  return new ManagerError('AccessDenied', text);
}

function keyDenied(subject: Subject): ManagerError {
  const key = subject.action.includes(':Get') ? 'kms:Decrypt' : 'kms:GenerateDataKey and kms:Decrypt';
  const text = `AWS refuses to use the KMS key of ${named(subject)} for ${subject.parties.principal}: allow ${key} on it, and check that the key is enabled`;
  return new ManagerError('AccessDenied', text);
}

function named(subject: Subject): string {
  return subject.secret === undefined ? 'this' : `secret ${subject.secret}`;
}
