import { randomUUID } from 'node:crypto';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { ManagerError } from '../errors.ts';
import type { SecretValue } from '../secret-value.ts';
import { putSchema } from './answers.ts';
import type { Answer } from './calls.ts';
import { nameError } from './names.ts';
import { errorOf, isNotFound, type Subject } from './refusal.ts';
import { type AwsSession, checked, regionOf } from './session.ts';

/** The most that AWS keeps in one version, in bytes. */
const MAX_VALUE_BYTES = 65_536;

type Content = { readonly SecretString: string } | { readonly SecretBinary: Uint8Array };

/** Makes a new version, which becomes latest; creates the secret where there is none. Resolves to the version's id. */
export async function putSecret(
  session: AwsSession,
  secret: string,
  value: SecretValue,
  signal: AbortSignal,
): Promise<string> {
  const refused = nameError(secret, await regionOf(session)) ?? sizeError(secret, value);
  if (refused !== undefined) throw refused;
  // The token becomes the version's id, and makes the two tries below one: a put that was lost on its way back is not made twice.
  const input = { ClientRequestToken: randomUUID(), ...contentOf(value) };
  const put = (stop: AbortSignal): Promise<unknown> =>
    session.secrets.send(new PutSecretValueCommand({ SecretId: secret, ...input }), { abortSignal: stop });
  const create = (stop: AbortSignal): Promise<unknown> =>
    session.secrets.send(new CreateSecretCommand({ Name: secret, ...input }), { abortSignal: stop });
  const ask = async (call: (stop: AbortSignal) => Promise<unknown>): Promise<Answer<{ VersionId: string }>> =>
    checked(putSchema, await session.ask(call, signal), session.parties);

  let action = 'secretsmanager:PutSecretValue';
  let answer = await ask(put);
  if (!answer.ok && isNotFound(answer.fault) && !secret.startsWith('arn:')) {
    action = 'secretsmanager:CreateSecret';
    answer = await ask(create);
    // Somebody created it in between.
    if (!answer.ok && answer.fault.kind === 'refused' && answer.fault.code === 'ResourceExistsException') {
      action = 'secretsmanager:PutSecretValue';
      answer = await ask(put);
    }
  }
  if (answer.ok) return answer.value.VersionId;
  const subject: Subject = { action, secret, selector: undefined, parties: session.parties };
  throw errorOf(answer.fault, subject);
}

/** Undefined where AWS takes a value of this size. */
export function sizeError(secret: string, value: SecretValue): ManagerError | undefined {
  if (value.size === 0) return new ManagerError('InvalidValue', `the value for secret ${secret} is empty`);
  if (value.size <= MAX_VALUE_BYTES) return undefined;
  const text = `the value for secret ${secret} has ${value.size} bytes: AWS Secrets Manager takes at most ${MAX_VALUE_BYTES}`;
  return new ManagerError('LimitExceeded', text);
}

/** Text is put as text, so that it can be read in AWS' console; anything else as bytes. */
function contentOf(value: SecretValue): Content {
  try {
    return { SecretString: value.asString() };
  } catch {
    return { SecretBinary: value.asBytes() };
  }
}
