import { SecretValue } from '../../secret-value.ts';
import { encryptTo } from './age-file.ts';
import { SealingKey } from './sealing-key.ts';

/** Seals a value to the one-time key of somebody who asked to see it. Base64. */
export async function sealForRecipient(value: SecretValue, recipient: string): Promise<string> {
  return Buffer.from(await encryptTo(recipient, value.asBytes())).toString('base64');
}

/** A key for one reveal. */
export interface OneTimeKey {
  readonly recipient: string;
  /** @throws SealError */
  open(data: string): Promise<SecretValue>;
}

export async function oneTimeKey(): Promise<OneTimeKey> {
  const key = await SealingKey.generate();
  return {
    recipient: key.publicKey,
    open: async (data) => SecretValue.fromBytes(await key.open(Buffer.from(data, 'base64'))),
  };
}
