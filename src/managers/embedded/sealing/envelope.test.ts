import { inspect } from 'node:util';
import { Decrypter, Encrypter } from 'age-encryption';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { SecretValue } from '../../secret-value.ts';
import { encryptTo } from './age-file.ts';
import type { SealContext } from './context.ts';
import { openSealed, paddedLength, seal } from './envelope.ts';
import { oneTimeKey, sealForRecipient } from './one-time.ts';
import { SealError } from './seal-error.ts';
import { SealingKey } from './sealing-key.ts';

const MAX = 65_536;
const canary = 'canary-3f9a77c1';
const here: SealContext = {
  cluster: 'cluster-uid',
  namespace: 'shop',
  secret: 'db.password',
  uid: 'secret-uid',
  version: 3,
  type: 'api-key',
};
let key: SealingKey;
let other: SealingKey;

beforeAll(async () => {
  [key, other] = await Promise.all([SealingKey.generate(), SealingKey.generate()]);
});

async function refusal(opened: Promise<unknown>): Promise<SealError> {
  const error = await opened.then(
    () => new Error('it was opened'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SealError);
  if (!(error instanceof SealError)) throw error;
  expect(inspect(error)).not.toContain(canary);
  return error;
}

/** Base64 of an age file with any text. */
async function sealedText(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await encryptTo(key.publicKey, bytes)).toString('base64');
}

function framed(header: string, rest: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(header));
  return Buffer.concat([length, Buffer.from(header), rest]);
}

describe('a sealed value', () => {
  it.each([
    ['one byte', Uint8Array.from([0])],
    ['text', new TextEncoder().encode('pässwörd')],
    ['bytes that end with zeros', Uint8Array.from([1, 0, 0])],
    ['64 KiB', new Uint8Array(MAX).fill(0xff)],
  ])('of %s is opened where it belongs', async (_what, bytes) => {
    const value = SecretValue.fromBytes(bytes);
    const opened = await openSealed(await seal(value, here, key.publicKey), key, here, MAX);
    expect(opened.equals(value)).toBe(true);
  });

  it.each([
    ['cluster', { cluster: 'another' }],
    ['cluster', { cluster: '' }],
    ['namespace', { namespace: 'cart' }],
    ['secret', { secret: 'db.password2' }],
    ['object', { uid: 'another' }],
    ['version number', { version: 4 }],
    ['type', { type: '' }],
  ])('security rule 18: is refused where the %s is another', async (field, change) => {
    const sealed = await seal(SecretValue.fromString(canary), here, key.publicKey);
    const error = await refusal(openSealed(sealed, key, { ...here, ...change }, MAX));
    expect([error.reason, error.message.includes(field)]).toEqual(['WrongPlace', true]);
  });

  // Each byte costs the calculation of a whole key exchange.
  it('security rule 18: is refused after any of its bytes was altered', async () => {
    const sealed = Buffer.from(await seal(SecretValue.fromString(canary), here, key.publicKey), 'base64');
    for (let index = 0; index < sealed.length; index += 1) {
      const altered = Buffer.from(sealed);
      altered[index] = (altered[index] ?? 0) ^ 1;
      const error = await refusal(openSealed(altered.toString('base64'), key, here, MAX));
      expect(error.reason).toBe('InvalidSeal');
    }
  }, 60_000);

  it('is refused cut short, empty, without form, or sealed to another key', async () => {
    const sealed = await seal(SecretValue.fromString(canary), here, key.publicKey);
    const foreign = await seal(SecretValue.fromString(canary), here, other.publicKey);
    for (const data of [sealed.slice(0, -20), sealed.slice(0, 100), '', 'AAAA', foreign]) {
      expect((await refusal(openSealed(data, key, here, MAX))).reason).toBe('InvalidSeal');
    }
  });

  it('security rule 19: is refused with more than one stanza, before anything is calculated', async () => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(key.publicKey);
    encrypter.addRecipient(other.publicKey);
    const two = Buffer.from(await encrypter.encrypt(canary)).toString('base64');
    const error = await refusal(openSealed(two, key, here, MAX));
    expect(error.message).toContain('exactly one');
  });

  it('security rule 19: is refused with 700 stanzas without a look at any', async () => {
    const stanza = `-> X25519 ${'A'.repeat(43)}\n${'B'.repeat(43)}\n`;
    const file = `age-encryption.org/v1\n${stanza.repeat(700)}--- ${'C'.repeat(43)}\n${canary}`;
    const open = vi.spyOn(Decrypter.prototype, 'decrypt');
    const error = await refusal(openSealed(Buffer.from(file).toString('base64'), key, here, MAX));
    expect([error.message.includes('exactly one'), open.mock.calls.length]).toEqual([true, 0]);
    open.mockRestore();
  });

  it.each([
    ['a stanza of another kind', '-> ssh-ed25519 abcd', 'B'.repeat(43)],
    ['an argument more', `-> X25519 ${'A'.repeat(43)} more`, 'B'.repeat(43)],
    ['a short body', `-> X25519 ${'A'.repeat(43)}`, 'BBBB'],
    ['a stanza for a body', `-> X25519 ${'A'.repeat(43)}`, `-> X25519 ${'A'.repeat(33)}`],
  ])('security rule 19: is refused with %s', async (_what, stanza, body) => {
    const file = `age-encryption.org/v1\n${stanza}\n${body}\n--- ${'C'.repeat(43)}\n${'x'.repeat(200)}`;
    const error = await refusal(openSealed(Buffer.from(file).toString('base64'), key, here, MAX));
    expect(error.message).toContain('exactly one');
  });

  it('is refused in any other spelling of the same base64', async () => {
    const sealed = await seal(SecretValue.fromString(canary), here, key.publicKey);
    for (const spelling of [`${sealed}\n`, ` ${sealed}`, `${sealed}!`, `${sealed}=`]) {
      expect((await refusal(openSealed(spelling, key, here, MAX))).message).toContain('base64');
    }
  });

  it('security rule 19: is refused sealed by a passphrase', async () => {
    const encrypter = new Encrypter();
    encrypter.setScryptWorkFactor(10);
    encrypter.setPassphrase('open');
    const sealed = Buffer.from(await encrypter.encrypt(canary)).toString('base64');
    expect((await refusal(openSealed(sealed, key, here, MAX))).message).toContain('exactly one');
  });

  it('security rule 19: is refused where it is larger than any value may be', async () => {
    const error = await refusal(openSealed('A'.repeat(140_000), key, here, MAX));
    expect(error.message).toContain('too large');
  });

  const header = (length: number): string => JSON.stringify({ v: 1, ...here, length });
  it.each([
    ['no header', new Uint8Array(3)],
    ['a header longer than the text', Uint8Array.from([0, 0, 1, 0, 1])],
    ['a header that is no JSON', framed(`{${canary}`, new Uint8Array(10))],
    ['a header of another format', framed(JSON.stringify({ v: 2, ...here, length: 1 }), new Uint8Array(10))],
    ['a length beyond the end', framed(header(11), new Uint8Array(10))],
    ['a length below the value', framed(header(1), new TextEncoder().encode(canary))],
    ['a negative length', framed(header(-1), new Uint8Array(10))],
    ['padding that is not zero', framed(header(1), Uint8Array.from([7, 0, 0, 1]))],
    ['a field more', framed(JSON.stringify({ v: 1, ...here, length: 1, value: canary }), new Uint8Array(1))],
  ])('security rule 18: is refused with %s', async (_what, plain) => {
    expect((await refusal(openSealed(await sealedText(plain), key, here, MAX))).reason).toBe('InvalidSeal');
  });

  it('security rule 18: does not show its length within a step', async () => {
    const lengths = await Promise.all(
      [1, 20, 60].map(
        async (size) => (await seal(SecretValue.fromString('x'.repeat(size)), here, key.publicKey)).length,
      ),
    );
    expect(new Set(lengths).size).toBe(1);
  });
});

it.each(['', 'age1', 'age1pq1qqqq', 'AGE-SECRET-KEY-1QQ', 'ssh-ed25519 AAAA'])(
  'a value is not sealed to %j, which is no public key of X25519',
  async (recipient) => {
    const error = await refusal(sealForRecipient(SecretValue.fromString(canary), recipient));
    expect(error.message).toBe('this is not the public half of one age key (X25519): age1 and 58 more characters');
  },
);

describe('the padded length', () => {
  it.each([
    [1, 256],
    [256, 256],
    [257, 512],
    [4096, 4096],
    [4097, 4608],
    [65_536, 65_536],
    [65_537, 73_728],
  ])('of %i is %i', (length, padded) => {
    expect(paddedLength(length)).toBe(padded);
  });
});

describe('a sealing key', () => {
  it('does not print its private half', () => {
    const texts = [
      inspect(key),
      String(key),
      JSON.stringify({ key }),
      inspect({ key }, { showHidden: true, depth: 9 }),
    ];
    expect(texts.filter((text) => text.includes('SECRET'))).toEqual([]);
  });

  it('is read from its own text, with comments as age-keygen writes them', async () => {
    const parsed = await SealingKey.parse(`# created: today\n# public key: ${key.publicKey}\n${key.reveal()}\n`);
    expect(parsed?.publicKey).toBe(key.publicKey);
  });

  it.each(['', 'AGE-SECRET-KEY-1', 'age1qqq', '# nothing'])('is not read from %j', async (text) => {
    expect(await SealingKey.parse(text)).toBeUndefined();
  });

  it('is not read from two keys, nor from one with a slip', async () => {
    const text = key.reveal();
    const slip = `${text.slice(0, -1)}${text.endsWith('Q') ? 'P' : 'Q'}`;
    expect(await SealingKey.parse(`${text}\n${other.reveal()}`)).toBeUndefined();
    expect(await SealingKey.parse(slip)).toBeUndefined();
  });
});

it('a value for one reveal is opened by its own key only', async () => {
  const [mine, theirs] = await Promise.all([oneTimeKey(), oneTimeKey()]);
  const data = await sealForRecipient(SecretValue.fromString(canary), mine.recipient);
  expect((await mine.open(data)).asString()).toBe(canary);
  expect((await refusal(theirs.open(data))).reason).toBe('InvalidSeal');
});

it('security rule 18: the answer to a reveal does not show its length within a step, and is not opened with another', async () => {
  const key = await oneTimeKey();
  const answers = await Promise.all(
    [1, 20, 252].map((size) => sealForRecipient(SecretValue.fromString('x'.repeat(size)), key.recipient)),
  );
  expect(new Set(answers.map((answer) => answer.length)).size).toBe(1);
  const forged = await encryptTo(key.recipient, Uint8Array.from([0, 0, 0, 9, 1, 2]));
  await expect(key.open(Buffer.from(forged).toString('base64'))).rejects.toThrow('the length that it says');
});
