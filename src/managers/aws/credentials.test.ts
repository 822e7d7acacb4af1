import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AwsReply, type AwsServer, ok, startAwsServer } from '../../../test/contract/aws-server.ts';
import { systemClock } from '../../runtime/clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { ManagerError } from '../errors.ts';
import { createAwsManager } from './manager.ts';

const canary = 'canary-words-of-aws';
const token = 'web-identity-token-canary';

let dir: string;
let server: AwsServer;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keyferry-credentials-'));
  server = await startAwsServer(answer);
  for (const name of [
    'AWS_ACCESS_KEY_ID',
    'AWS_REGION',
    'AWS_PROFILE',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_ROLE_ARN',
  ]) {
    vi.stubEnv(name, undefined);
  }
  for (const name of [
    'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    'AWS_DEFAULT_REGION',
  ]) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv('AWS_CONFIG_FILE', join(dir, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(dir, 'credentials'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
  await rm(dir, { recursive: true });
});

describe('the identity of the operator', () => {
  it('is taken from environment variables', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'ENVKEY');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    expect(await usedKey({})).toBe('ENVKEY');
  });

  it('is taken from a web identity token, by the endpoint of the manager (IRSA)', async () => {
    await webIdentity();
    expect(await usedKey({})).toBe('WEBKEY');
    expect(server.calls[0]).toMatchObject({
      action: 'AssumeRoleWithWebIdentity',
      input: { RoleArn: 'arn:aws:iam::123456789012:role/operator', WebIdentityToken: token },
    });
  });

  it('is taken from the pod identity agent, with the token of the pod', async () => {
    await writeFile(join(dir, 'agent-token'), 'pod-token');
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${server.url}/v1/credentials`);
    vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', join(dir, 'agent-token'));
    expect(await usedKey({})).toBe('PODKEY');
    expect(server.calls[0]?.headers['authorization']).toBe('pod-token');
  });

  it('is never taken from profile files', async () => {
    const profile = '[default]\naws_access_key_id = FILEKEY\naws_secret_access_key = secret\n';
    await writeFile(join(dir, 'credentials'), profile);
    await writeFile(join(dir, 'config'), profile);
    await expect(usedKey({})).rejects.toMatchObject({ reason: 'AccessDenied' });
  });

  it('is said to be missing where nothing is configured, which destroys nothing', async () => {
    const error = await failure(usedKey({}));
    expect([error.reason, error.message]).toEqual([
      'AccessDenied',
      expect.stringMatching(/^the operator has no AWS credentials: give its service account a role/),
    ]);
  });

  it('is in doubt where its source is configured and fails', async () => {
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${server.url}/v1/credentials`);
    server.handle(() => ({ status: 500, body: canary }));
    const error = await failure(usedKey({}));
    expect([error.reason, error.message]).toEqual([
      'ManagerUnavailable',
      expect.stringMatching(/gives no credentials/),
    ]);
    expect(error.message).not.toContain(canary);
  });

  it('is in doubt where the token file can not be read', async () => {
    await webIdentity();
    await rm(join(dir, 'token'));
    expect((await failure(usedKey({}))).reason).toBe('ManagerUnavailable');
  });

  it('is refused by AWS with what the role must trust, and without the token', async () => {
    await webIdentity();
    server.handle(() => denied);
    const error = await failure(usedKey({}));
    expect([error.reason, error.message]).toEqual(['AccessDenied', expect.stringMatching(/OIDC provider/)]);
    expect(error.message).not.toContain('canary');
  });
});

describe('an assumed role', () => {
  const role = { arn: 'arn:aws:iam::123456789012:role/x', externalId: 'keyferry:a:b', tags: new Map([['a', 'b']]) };
  const keys = { accessKeyId: 'BASEKEY', secretAccessKey: 'test' };

  it('is assumed once, by the base credentials', async () => {
    const manager = createManager({ keys, role });
    await manager.list({ prefix: '', tags: new Map() }, never);
    await manager.list({ prefix: '', tags: new Map() }, never);
    manager.close();
    expect(server.calls.map((call) => [call.action, keyOf(call.headers)])).toEqual([
      ['AssumeRole', 'BASEKEY'],
      ['ListSecrets', 'ROLEKEY'],
      ['ListSecrets', 'ROLEKEY'],
    ]);
  });

  it('that may not be assumed is named with the external id that it must trust', async () => {
    server.handle(() => denied);
    const error = await failure(usedKey({ keys, role }));
    expect([error.reason, error.message]).toEqual([
      'AccessDenied',
      expect.stringMatching(/role\/x: .* external id keyferry:a:b$/),
    ]);
    expect(error.message).not.toContain(canary);
  });

  it('is in doubt where STS does not answer well', async () => {
    server.handle((call) => (call.action === 'AssumeRole' ? { status: 500, body: canary } : answer(call)));
    const error = await failure(usedKey({ keys, role }));
    expect([error.reason, error.message]).toEqual([
      'ManagerUnavailable',
      expect.stringMatching(/^AWS STS .* internal failure/),
    ]);
  });

  it('says whose credentials were not accepted: those that assume it', async () => {
    server.handle(() => stsError('InvalidClientTokenId'));
    const error = await failure(usedKey({ keys, role }));
    expect([error.reason, error.message]).toEqual([
      'AccessDenied',
      expect.stringMatching(/credentials of the test keys/),
    ]);
  });
});

describe('the region', () => {
  it('must be known', async () => {
    const error = await failure(usedKey({ region: undefined }));
    expect([error.reason, error.message]).toEqual([
      'ManagerUnavailable',
      expect.stringMatching(/^no AWS region is known/),
    ]);
  });

  it('may come from the environment', async () => {
    vi.stubEnv('AWS_REGION', 'ap-southeast-2');
    await usedKey({ region: undefined, keys: { accessKeyId: 'KEY', secretAccessKey: 'test' } });
    expect(server.calls[0]?.headers['authorization']).toContain('/ap-southeast-2/secretsmanager/');
  });
});

const never = new AbortController().signal;

function createManager(more: Partial<Parameters<typeof createAwsManager>[0]>) {
  return createAwsManager({
    region: 'eu-west-1',
    endpoint: server.url,
    principal: 'the test keys',
    clock: systemClock,
    logger: silentLogger,
    ...more,
  });
}

/** The key that a call to Secrets Manager was signed with. */
async function usedKey(more: Partial<Parameters<typeof createAwsManager>[0]>): Promise<string | undefined> {
  const manager = createManager(more);
  try {
    await manager.list({ prefix: '', tags: new Map() }, never);
  } finally {
    manager.close();
  }
  const call = server.calls.find(({ action }) => action === 'ListSecrets');
  return call === undefined ? undefined : keyOf(call.headers);
}

function keyOf(headers: Readonly<Record<string, string>>): string | undefined {
  return /Credential=([A-Z]+)\//.exec(headers['authorization'] ?? '')?.[1];
}

async function failure(call: Promise<unknown>): Promise<ManagerError> {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof ManagerError) return thrown;
  throw new TypeError('it did not fail with a ManagerError');
}

async function webIdentity(): Promise<void> {
  await writeFile(join(dir, 'token'), token);
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(dir, 'token'));
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/operator');
}

function answer(call: { readonly action: string }): AwsReply {
  if (call.action === 'AssumeRole') return assumed('AssumeRole', 'ROLEKEY');
  if (call.action === 'AssumeRoleWithWebIdentity') return assumed('AssumeRoleWithWebIdentity', 'WEBKEY');
  if (call.action === 'ListSecrets') return ok({ SecretList: [] });
  const Expiration = '2099-01-01T00:00:00Z';
  return ok({ AccessKeyId: 'PODKEY', SecretAccessKey: 'secret', Token: 'session', Expiration });
}

function assumed(action: string, key: string): AwsReply {
  const keys = `<AccessKeyId>${key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>s</SessionToken>`;
  const credentials = `<Credentials>${keys}<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>`;
  return xml(
    200,
    `<${action}Response ${namespace}><${action}Result>${credentials}</${action}Result></${action}Response>`,
  );
}

function stsError(code: string): AwsReply {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${canary}</Message></Error>`;
  return xml(403, `<ErrorResponse ${namespace}>${error}<RequestId>${canary}</RequestId></ErrorResponse>`);
}

function xml(status: number, body: string): AwsReply {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

const namespace = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';
const denied = stsError('AccessDenied');
