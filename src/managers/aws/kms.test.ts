import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AwsReply, type AwsServer, awsError, ok, startAwsServer } from '../../../test/contract/aws-server.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { ManagerError } from '../errors.ts';
import { SecretValue } from '../secret-value.ts';
import { createKms, type Kms } from './kms.ts';

const never = new AbortController().signal;
const keyId = 'arn:aws:kms:eu-west-1:111122223333:alias/keyferry';
const arn = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const canary = 'AGE-SECRET-KEY-CANARY';
const context = { cluster: 'c', key: 'k' };

let server: AwsServer;
let kms: Kms;

beforeEach(async () => {
  server = await startAwsServer(() => awsError('InternalServiceError'));
  kms = createKms({
    keyId,
    endpoint: server.url,
    credentials: () => Promise.resolve({ accessKeyId: 'AKIATEST', secretAccessKey: 'test' }),
    principal: 'the test keys',
    clock: createFakeClock(),
  });
});
afterEach(async () => {
  kms.close();
  await server.close();
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function failure(call: Promise<unknown>): Promise<ManagerError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ManagerError) return error;
  throw new Error('it did not fail as managers do');
}

describe('a key of AWS KMS', () => {
  it('encrypts with the context, and tells the ARN of the key behind an alias', async () => {
    server.handle(() => ok({ CiphertextBlob: base64('sealed'), KeyId: arn }));

    const encrypted = await kms.encrypt(SecretValue.fromString(canary), context, never);

    expect(encrypted).toEqual({ ciphertext: base64('sealed'), key: arn });
    expect(server.calls.map(({ action, input }) => [action, input])).toEqual([
      ['Encrypt', { KeyId: keyId, Plaintext: base64(canary), EncryptionContext: context }],
    ]);
  });

  it('decrypts by this key and with this context only', async () => {
    server.handle(() => ok({ Plaintext: base64(canary), KeyId: arn }));

    const value = await kms.decrypt(base64('sealed'), context, never);

    expect(value.asString()).toBe(canary);
    expect(server.calls.map(({ action, input }) => [action, input])).toEqual([
      ['Decrypt', { KeyId: keyId, CiphertextBlob: base64('sealed'), EncryptionContext: context }],
    ]);
  });

  it.each<[string, AwsReply, string, string]>([
    ['of another context', awsError('InvalidCiphertextException'), 'InvalidValue', 'made for another cluster'],
    ['by another key', awsError('IncorrectKeyException'), 'AccessDenied', 'is not the one that it was encrypted by'],
    ['without the right to', awsError('AccessDeniedException'), 'AccessDenied', 'AWS refuses kms:Decrypt with KMS key'],
    ['by a key that is not there', awsError('NotFoundException'), 'AccessDenied', 'correct the key id'],
    ['by a disabled key', awsError('DisabledException'), 'AccessDenied', 'is disabled'],
    ['by a key that is to be deleted', awsError('KMSInvalidStateException'), 'AccessDenied', 'about to be deleted'],
    ['while it throttles', awsError('ThrottlingException'), 'Throttled', 'throttles the calls of the test keys'],
    ['while it is broken', { status: 500, body: {} }, 'ManagerUnavailable', 'has an internal failure'],
    ['with what is new', awsError('BrandNewException'), 'ManagerUnavailable', 'refuses kms:Decrypt with BrandNew'],
    ['with an answer that has no key in it', ok({}), 'ManagerUnavailable', 'gave an incomplete answer'],
  ])('says why where nothing is decrypted %s, in words of ours', async (_what, reply, reason, words) => {
    server.handle(() => reply);

    const error = await failure(kms.decrypt(base64('sealed'), context, never));

    expect([error.reason, error.message]).toEqual([reason, expect.stringContaining(words)]);
    expect(error.message).not.toContain('words of AWS');
  });

  it('passes the reason of an abort on', async () => {
    server.handle(() => 'hang');
    const stop = new AbortController();
    const call = kms.decrypt(base64('sealed'), context, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(call).rejects.toThrow('stopped');
  });
});
