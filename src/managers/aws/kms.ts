import { DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { STSClient } from '@aws-sdk/client-sts';
import { z } from 'zod';
import type { Clock } from '../../runtime/clock.ts';
import { ManagerError, type ManagerErrorReason } from '../errors.ts';
import { SecretValue } from '../secret-value.ts';
import { createAsk } from './calls.ts';
import { clientConfig, placeOf } from './client-config.ts';
import { type CredentialProvider, ownIdentity } from './credentials.ts';
import type { Fault, Parties } from './fault.ts';
import { checked, type Service } from './session.ts';

/** What a ciphertext is bound to: it does not open with another. Stands in CloudTrail in clear. */
export type KmsContext = Readonly<Record<string, string>>;

/** One key of AWS KMS. Every call rejects with `ManagerError`, or with the signal's reason. */
export interface Kms {
  /** At most 4 KiB. `ciphertext` is base64; `key` is the ARN of the key that was used. */
  encrypt(
    plain: SecretValue,
    context: KmsContext,
    signal: AbortSignal,
  ): Promise<{ readonly ciphertext: string; readonly key: string }>;
  /** Opens what this key encrypted with exactly this context; anything else is `InvalidValue`. */
  decrypt(ciphertext: string, context: KmsContext, signal: AbortSignal): Promise<SecretValue>;
  close(): void;
}

export interface KmsSettings {
  /** Id, ARN or alias of the key. */
  readonly keyId: string;
  /** The URL of KMS. */
  readonly endpoint?: string | undefined;
  /** Default: the operator's own identity. */
  readonly credentials?: CredentialProvider | undefined;
  /** Who the credentials are, for messages. */
  readonly principal: string;
  /** Milliseconds until a call must be answered; 10 s. */
  readonly requestTimeout?: number | undefined;
  readonly clock: Clock;
}

const REQUEST_TIMEOUT = 10_000;

const encryptedSchema = z.object({
  CiphertextBlob: z.instanceof(Uint8Array),
  KeyId: z.string().regex(/^arn:aws[a-z-]*:kms:/),
});
const decryptedSchema = z.object({ Plaintext: z.instanceof(Uint8Array) });

/** The region that stands in an ARN. */
function regionOf(keyId: string): string | undefined {
  return /^arn:aws[a-z-]*:kms:(?<region>[a-z0-9-]+):/.exec(keyId)?.groups?.['region'];
}

/** Makes no call by itself. */
export function createKms(settings: KmsSettings): Kms {
  const { keyId, endpoint, principal, clock, requestTimeout = REQUEST_TIMEOUT } = settings;
  const region = regionOf(keyId);
  const where = { region, endpoint };
  const credentials = settings.credentials ?? identityOf(settings, region);
  const client = new KMSClient({ ...clientConfig(where), credentials });
  const parties: Parties = { service: `AWS KMS${placeOf(where)}`, principal };
  const service: Service = { ask: createAsk(clock, parties, requestTimeout), parties };
  return {
    encrypt: async (plain, context, signal) => {
      await knownRegion(client);
      const command = new EncryptCommand({
        KeyId: keyId,
        Plaintext: plain.asBytes(),
        EncryptionContext: { ...context },
      });
      const send = (stop: AbortSignal): Promise<unknown> => client.send(command, { abortSignal: stop });
      const { CiphertextBlob, KeyId } = await asked(service, encryptedSchema, send, 'kms:Encrypt', keyId, signal);
      return { ciphertext: Buffer.from(CiphertextBlob).toString('base64'), key: KeyId };
    },
    decrypt: async (ciphertext, context, signal) => {
      await knownRegion(client);
      const command = new DecryptCommand({
        KeyId: keyId,
        CiphertextBlob: Buffer.from(ciphertext, 'base64'),
        EncryptionContext: { ...context },
      });
      const send = (stop: AbortSignal): Promise<unknown> => client.send(command, { abortSignal: stop });
      const { Plaintext } = await asked(service, decryptedSchema, send, 'kms:Decrypt', keyId, signal);
      return SecretValue.fromBytes(Plaintext);
    },
    close: () => client.destroy(),
  };
}

/** As a manager without keys of its own signs in. The endpoint is that of KMS alone. */
function identityOf({ principal, clock, requestTimeout = REQUEST_TIMEOUT }: KmsSettings, region: string | undefined) {
  const parties: Parties = { service: `AWS STS${placeOf({ region })}`, principal };
  const createSts = (credentials: CredentialProvider): STSClient =>
    new STSClient({ ...clientConfig({ region }), credentials });
  const tools = { createSts, parties, ask: createAsk(clock, parties, requestTimeout / 2) };
  return ownIdentity(tools, { instanceMetadata: false });
}

async function knownRegion(client: KMSClient): Promise<void> {
  try {
    await client.config.region();
  } catch {
    throw new ManagerError(
      'ManagerUnavailable',
      'no AWS region is known: give the KMS key as an ARN, or set AWS_REGION',
    );
  }
}

async function asked<S extends z.ZodType>(
  service: Service,
  schema: S,
  call: (signal: AbortSignal) => Promise<unknown>,
  action: string,
  keyId: string,
  signal: AbortSignal,
): Promise<z.infer<S>> {
  const answer = checked(schema, await service.ask(call, signal), service.parties);
  if (answer.ok) return answer.value;
  throw errorOf(answer.fault, action, keyId, service.parties);
}

/** KMS' own codes. */
const refusals: readonly (readonly [code: RegExp, reason: ManagerErrorReason, text: string])[] = [
  [/^InvalidCiphertext/, 'InvalidValue', 'does not open it: it was made for another cluster or public key, or altered'],
  [/^IncorrectKey/, 'AccessDenied', 'is not the one that it was encrypted by'],
  [/^NotFound/, 'AccessDenied', 'does not exist: correct the key id, the account or the region'],
  [/^(Disabled|KMSInvalidState)/, 'AccessDenied', 'is disabled or about to be deleted: enable it'],
  [/^InvalidKeyUsage/, 'AccessDenied', 'is not one that encrypts: it has to be symmetric'],
  [/^(KeyUnavailable|DependencyTimeout)/, 'ManagerUnavailable', 'is not available at the moment'],
];

function errorOf(fault: Fault, action: string, keyId: string, { service, principal }: Parties): ManagerError {
  if (fault.kind !== 'refused') return fault.error;
  const { code } = fault;
  if (code.startsWith('AccessDenied')) {
    const text = `AWS refuses ${action} with KMS key ${keyId} to ${principal}: allow it in its IAM policy and in the policy of the key, or correct the key id`;
    return new ManagerError('AccessDenied', text);
  }
  const known = refusals.find(([form]) => form.test(code));
  if (known === undefined) return new ManagerError('ManagerUnavailable', `${service} refuses ${action} with ${code}`);
  const [, reason, text] = known;
  return new ManagerError(reason, `KMS key ${keyId} ${text}`);
}
