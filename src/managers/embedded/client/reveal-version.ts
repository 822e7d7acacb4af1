import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { secretReveals } from '../../../api/v1/resources.ts';
import { secretRevealStatusSchema } from '../../../api/v1/secret-reveal.ts';
import { findObject } from '../../../kube/find-object.ts';
import { objectMetaSchema } from '../../../kube/object.ts';
import { ManagerError, type ManagerErrorReason } from '../../errors.ts';
import type { SecretValue } from '../../secret-value.ts';
import { oneTimeKey } from '../sealing/one-time.ts';
import { SealError } from '../sealing/seal-error.ts';
import { nameOf, parsed, type SecretObject } from './objects.ts';
import { asking } from './refusal.ts';
import { type ClientSession, clientFieldManager, type ClientUser, defaultPatience, namedGroups } from './session.ts';
import { waitFor } from './wait-for.ts';

export interface RevealRequest {
  /** Default: latest. */
  readonly version?: number | undefined;
  /** Why, for the audit log. */
  readonly reason: string;
  /** Default: asks the API server. */
  readonly user?: ClientUser;
}

export interface Revealed {
  readonly version: number;
  readonly value: SecretValue;
}

const revealSchema = z.object({ metadata: objectMetaSchema, status: secretRevealStatusSchema.prefault({}) });

const reasons: Readonly<Record<string, ManagerErrorReason>> = {
  NotAllowed: 'AccessDenied',
  WriteOnly: 'AccessDenied',
  SecretNotFound: 'SecretNotFound',
  NoVersion: 'NoVersion',
  VersionNotFound: 'VersionNotFound',
  VersionDisabled: 'VersionDisabled',
};

/**
 * Asks the operator for one value, sealed to a key that only this process knows and that is used once.
 * @throws ManagerError where it is refused or the operator does not answer
 */
export async function revealVersion(
  session: ClientSession,
  secret: SecretObject,
  request: RevealRequest,
  signal: AbortSignal,
): Promise<Revealed> {
  const { client, namespace, clock, patience = defaultPatience } = session;
  const [key, user] = await Promise.all([oneTimeKey(), request.user ?? session.user(signal)]);
  const name = `reveal-${randomUUID()}`;
  const spec = {
    secret: secret.metadata.name,
    ...(request.version !== undefined && { version: request.version }),
    reason: request.reason,
    recipient: key.recipient,
    requestedBy: user.name,
    requestedByGroups: namedGroups(user),
  };
  const write = { fieldManager: clientFieldManager, signal };
  await asking(() => client.create(secretReveals, { metadata: { name, namespace }, spec }, write), spec.secret);
  const find = () => findObject(client, secretReveals, { namespace, name }, { signal });
  const answer = await waitFor(clock, patience, signal, async () => {
    const object = await asking(find, spec.secret);
    if (object === undefined)
      throw new ManagerError('ManagerUnavailable', 'the reveal was deleted before its answer was read: ask again');
    const { status } = parsed(revealSchema, object, 'SecretReveal');
    return status.state === undefined ? undefined : status;
  });
  if (answer === undefined) {
    const text = `the operator did not answer within ${Math.round(patience / 1000)} s: is it running? Nothing was revealed`;
    throw new ManagerError('ManagerUnavailable', text);
  }
  const { reason = '', message = reason, data, version } = answer;
  if (answer.state === 'Refused' || data === undefined || version === undefined) {
    throw new ManagerError(reasons[reason] ?? 'ManagerUnavailable', message);
  }
  return { version, value: await opened(secret, () => key.open(data)) };
}

async function opened(secret: SecretObject, open: () => Promise<SecretValue>): Promise<SecretValue> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    const text = `the answer for secret ${nameOf(secret)} can not be opened: it was not sealed for us, or altered. Ask again`;
    throw new ManagerError('ManagerUnavailable', text);
  }
}
