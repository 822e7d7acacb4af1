import { beforeAll, describe, expect, it } from 'vitest';
import type { Kms } from '../../aws/kms.ts';
import { ManagerError } from '../../errors.ts';
import { SecretValue } from '../../secret-value.ts';
import { SealingKey } from './sealing-key.ts';
import { parseWrapped, unwrapKey, type WrappedKey, wrapKey, wrappedText } from './wrapped-key.ts';

const never = new AbortController().signal;
const kmsKey = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
let one: SealingKey;
let two: SealingKey;
let wrapped: WrappedKey;

/** Binds to its context as KMS does, and hides nothing. */
const kms: Kms = {
  encrypt: async (plain, context) => {
    const text = JSON.stringify([plain.asBase64(), context]);
    return { ciphertext: Buffer.from(text).toString('base64'), key: kmsKey };
  },
  decrypt: async (ciphertext, context) => {
    const text = Buffer.from(ciphertext, 'base64').toString();
    const [plain, bound]: [string, unknown] = JSON.parse(text);
    if (JSON.stringify(bound) !== JSON.stringify(context)) throw new ManagerError('InvalidValue', 'another context');
    return SecretValue.fromBytes(Buffer.from(plain, 'base64'));
  },
  close: () => undefined,
};

beforeAll(async () => {
  [one, two] = await Promise.all([SealingKey.generate(), SealingKey.generate()]);
  wrapped = await wrapKey(kms, one, 'cluster', never);
});

describe('a wrapped sealing key', () => {
  it('is the same after it was kept as text and opened', async () => {
    const kept = parseWrapped(wrappedText(wrapped));
    expect(kept).toEqual({ publicKey: one.publicKey, kmsKey, ciphertext: wrapped.ciphertext });
    expect((await unwrapKey(kms, wrapped, 'cluster', never)).reveal()).toBe(one.reveal());
  });

  it('does not open in another cluster, nor under another public key', async () => {
    await expect(unwrapKey(kms, wrapped, 'other', never)).rejects.toThrow('another context');
    await expect(unwrapKey(kms, { ...wrapped, publicKey: two.publicKey }, 'cluster', never)).rejects.toThrow(
      'another context',
    );
  });

  it.each([
    ['another key', () => two.reveal()],
    ['what is no key', () => 'x'],
    ['what is no text', () => Uint8Array.of(0xff)],
  ])('is refused where KMS opens %s, and that is not shown', async (_what, inside) => {
    const text = inside();
    const value = typeof text === 'string' ? SecretValue.fromString(text) : SecretValue.fromBytes(text);
    const opens: Kms = { ...kms, decrypt: () => Promise.resolve(value) };
    const error: unknown = await unwrapKey(opens, wrapped, 'cluster', never).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ManagerError);
    expect(error).toMatchObject({ reason: 'InvalidValue', message: expect.stringContaining(one.publicKey) });
    expect(String(error)).not.toContain('AGE-SECRET');
  });

  it.each<[string, (text: string) => string]>([
    ['a plain key', () => one.reveal()],
    ['another format', (text) => text.replace('"v":1', '"v":2')],
    ['no ARN', (text) => text.replace('arn:aws:kms', 'arn:aws:s3')],
    ['no public key', (text) => text.replace('age1', 'age2')],
    ['a field more', (text) => text.replace('{', '{"x":1,')],
    ['no ciphertext', (text) => text.replace(/"ciphertext":"[^"]*"/, '"ciphertext":""')],
    ['half of it', (text) => text.slice(0, 40)],
  ])('is not %s', (_what, change) => {
    expect(parseWrapped(change(wrappedText(wrapped)))).toBeUndefined();
  });
});
