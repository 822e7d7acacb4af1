import { SecretValue } from '../../secret-value.ts';
import { encryptTo } from './age-file.ts';
import { paddedLength } from './envelope.ts';
import { SealError } from './seal-error.ts';
import { SealingKey } from './sealing-key.ts';

const LENGTH_BYTES = 4;

/**
 * Seals a value to the one-time key of somebody who asked to see it. Base64 of an age file with four bytes of length, the value, and zeros up to the next step
 * of `paddedLength`: the answer stands in a status for a minute, and in backups of etcd for longer.
 */
export async function sealForRecipient(value: SecretValue, recipient: string): Promise<string> {
  const plain = new Uint8Array(paddedLength(LENGTH_BYTES + value.size));
  new DataView(plain.buffer).setUint32(0, value.size);
  plain.set(value.asBytes(), LENGTH_BYTES);
  const sealed = await encryptTo(recipient, plain);
  plain.fill(0);
  return Buffer.from(sealed).toString('base64');
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
    open: async (data) => valueIn(await key.open(Buffer.from(data, 'base64'))),
  };
}

function valueIn(plain: Uint8Array): SecretValue {
  const length = plain.byteLength < LENGTH_BYTES ? Infinity : new DataView(plain.buffer, plain.byteOffset).getUint32(0);
  const end = LENGTH_BYTES + length;
  if (end > plain.byteLength || plain.subarray(end).some((byte) => byte !== 0)) {
    throw new SealError('InvalidSeal', 'the answer does not have the length that it says');
  }
  return SecretValue.fromBytes(plain.subarray(LENGTH_BYTES, end));
}
