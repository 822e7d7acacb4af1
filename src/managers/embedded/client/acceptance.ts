import { secretVersions } from '../../../api/v1/resources.ts';
import type { Rejection } from '../../../api/v1/versioned-secret.ts';
import { findObject } from '../../../kube/find-object.ts';
import { ManagerError, type ManagerErrorReason } from '../../errors.ts';
import { nameOf, type SecretObject, toVersion, type VersionObject } from './objects.ts';
import { asking } from './refusal.ts';
import { getSecret } from './secrets.ts';
import { type ClientSession, defaultPatience } from './session.ts';
import { waitFor } from './wait-for.ts';

/** `reused`: the number was used before, so that another may do. */
export type Acceptance = 'accepted' | 'reused';

const reasons: Readonly<Record<string, ManagerErrorReason>> = {
  NotAllowed: 'AccessDenied',
  InvalidSeal: 'InvalidValue',
  WrongPlace: 'InvalidValue',
  InvalidValue: 'InvalidValue',
  LimitExceeded: 'LimitExceeded',
  SourceMissing: 'VersionNotFound',
  PolicyMissing: 'AccessDenied',
};

/**
 * Waits until the operator has decided about a version.
 * @throws ManagerError with the operator's own words where it was refused
 */
export async function awaitAcceptance(
  session: ClientSession,
  secret: SecretObject,
  version: VersionObject,
  signal: AbortSignal,
): Promise<Acceptance> {
  const { clock, patience = defaultPatience } = session;
  let last = version;
  const decided = await waitFor(clock, patience, signal, async () => {
    const now = await read(session, version, signal);
    if (now === undefined) return afterwards(session, secret, version, signal);
    last = now;
    const { state, reason = '', message = '' } = now.status;
    if (state === 'Accepted') return 'accepted';
    return state === 'Rejected' ? refused(secret, { version: now.spec.version, reason, message }) : undefined;
  });
  if (decided !== undefined) return decided;
  throw new ManagerError('ManagerUnavailable', notYet(secret, last, patience));
}

/** The version object that we made; undefined where it is gone, also where another has its name now. */
async function read(
  { client }: ClientSession,
  { metadata }: VersionObject,
  signal: AbortSignal,
): Promise<VersionObject | undefined> {
  const object = await asking(() => findObject(client, secretVersions, metadata, { signal }));
  return object === undefined || object.metadata.uid !== metadata.uid ? undefined : toVersion(object);
}

/** What became of a version whose object is gone: a refused one is deleted at once, and noted in the status of its secret. */
async function afterwards(
  session: ClientSession,
  secret: SecretObject,
  { metadata, spec }: VersionObject,
  signal: AbortSignal,
): Promise<Acceptance> {
  const { status } = await getSecret(session, secret.metadata.name, signal);
  if (status.versions?.some(({ uid }) => uid === metadata.uid) === true) return 'accepted';
  const rejection = status.rejected?.find(({ version }) => version === spec.version);
  if (rejection !== undefined) return refused(secret, rejection);
  const text = `version ${spec.version} of secret ${nameOf(secret)} was deleted before the operator had accepted it: put again`;
  throw new ManagerError('ManagerUnavailable', text);
}

function refused(
  secret: SecretObject,
  { version, reason, message }: Pick<Rejection, 'version' | 'reason' | 'message'>,
): Acceptance {
  if (reason === 'VersionReused') return 'reused';
  const text = `version ${version} of secret ${nameOf(secret)} was refused (${reason}): ${message}`;
  throw new ManagerError(reasons[reason] ?? 'ManagerUnavailable', text);
}

function notYet(secret: SecretObject, { spec, status }: VersionObject, patience: number): string {
  const name = nameOf(secret);
  const what = `version ${spec.version} of secret ${name} is stored but not yet accepted`;
  const seconds = Math.round(patience / 1000);
  const why =
    status.state === undefined
      ? `the operator did not answer within ${seconds} s: is it running?`
      : (status.message ?? status.reason ?? 'the operator waits');
  return `${what}: ${why} It becomes latest once it is accepted, so do not put it again: keyferry show shows what became of it`;
}
