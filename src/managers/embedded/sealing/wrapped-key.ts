import { z } from 'zod';
import type { Kms, KmsContext } from '../../aws/kms.ts';
import { ManagerError } from '../../errors.ts';
import { SecretValue } from '../../secret-value.ts';
import { SealingKey } from './sealing-key.ts';

/** Behind the name of an entry whose key is wrapped: `1.agekey.kms` instead of `1.agekey`. */
export const wrappedSuffix = '.kms';

const FORMAT = 1;
const schema = z.strictObject({
  v: z.literal(FORMAT),
  publicKey: z.string().regex(/^age1[02-9ac-hj-np-z]{58}$/),
  kmsKey: z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,128}$/),
  ciphertext: z.base64().min(1).max(8192),
});

/** A sealing key that AWS KMS has encrypted. It holds nothing that opens a value. */
export type WrappedKey = Omit<z.infer<typeof schema>, 'v'>;

/** As it is kept. */
export function wrappedText({ publicKey, kmsKey, ciphertext }: WrappedKey): string {
  return `${JSON.stringify({ v: FORMAT, publicKey, kmsKey, ciphertext })}\n`;
}

/** Undefined for what is none. */
export function parseWrapped(text: string): WrappedKey | undefined {
  try {
    const { data } = schema.safeParse(JSON.parse(text));
    return data === undefined
      ? undefined
      : { publicKey: data.publicKey, kmsKey: data.kmsKey, ciphertext: data.ciphertext };
  } catch {
    // The parser's message could quote a key that stands here by mistake.
    return undefined;
  }
}

/** What KMS binds a wrapped key to, and shows in CloudTrail: in another cluster, or under another public key, it does not open. */
function contextOf(cluster: string, publicKey: string): KmsContext {
  return { 'keyferry:cluster': cluster, 'keyferry:public-key': publicKey };
}

/** Wraps a key for one cluster. @throws ManagerError */
export async function wrapKey(kms: Kms, key: SealingKey, cluster: string, signal: AbortSignal): Promise<WrappedKey> {
  const { publicKey } = key;
  const plain = SecretValue.fromString(key.reveal());
  const { ciphertext, key: kmsKey } = await kms.encrypt(plain, contextOf(cluster, publicKey), signal);
  return { publicKey, kmsKey, ciphertext };
}

/**
 * The key again.
 * @throws ManagerError, `InvalidValue` where it is of another cluster, belongs to another public key or was altered: trying again does not help
 */
export async function unwrapKey(
  kms: Kms,
  wrapped: WrappedKey,
  cluster: string,
  signal: AbortSignal,
): Promise<SealingKey> {
  const plain = await kms.decrypt(wrapped.ciphertext, contextOf(cluster, wrapped.publicKey), signal);
  const key = await SealingKey.parse(textOf(plain));
  if (key?.publicKey === wrapped.publicKey) return key;
  throw new ManagerError('InvalidValue', `what AWS KMS opened is not the key of ${wrapped.publicKey}`);
}

function textOf(value: SecretValue): string {
  try {
    return value.asString();
  } catch {
    return '';
  }
}
