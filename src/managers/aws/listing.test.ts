import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AwsServer, awsError, ok, startAwsServer } from '../../../test/contract/aws-server.ts';
import { expectReason } from '../../../test/contract/manager-contract.ts';
import { systemClock } from '../../runtime/clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import type { SecretManager } from '../manager.ts';
import { SecretValue } from '../secret-value.ts';
import { createAwsManager } from './manager.ts';

const never = new AbortController().signal;

let server: AwsServer;
let manager: SecretManager;

beforeEach(async () => {
  server = await startAwsServer(() => ok({ SecretList: [] }));
  manager = createManager(server.url, undefined);
});
afterEach(async () => {
  manager.close();
  await server.close();
});

function createManager(endpoint: string, proxy: string | undefined): SecretManager {
  return createAwsManager({
    region: 'eu-west-1',
    endpoint,
    proxy,
    keys: { accessKeyId: 'KEY', secretAccessKey: 'test' },
    principal: 'the test keys',
    clock: systemClock,
    logger: silentLogger,
  });
}

function secret(name: string, tags: Record<string, string> = {}, more: object = {}) {
  const arn = `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`;
  return { ARN: arn, Name: name, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })), ...more };
}

async function find(prefix: string, tags: Record<string, string> = {}): Promise<readonly string[]> {
  const found = await manager.list({ prefix, tags: new Map(Object.entries(tags)) }, never);
  return found.map((summary) => summary.secret);
}

function version(id: string, stages: readonly string[], created: number): object {
  return { VersionId: id, VersionStages: stages, CreatedDate: created };
}

function put(value: SecretValue): Promise<string> {
  return manager.put('db', value, never);
}

describe('a list', () => {
  it('security rule 9: compares what AWS found again, exactly', async () => {
    const gold = { team: 'shop', tier: 'gold' };
    const list = [
      secret('app/a', gold),
      secret('app/b', { team: 'shopping', tier: 'gold' }),
      secret('app/c', { team: 'gold', tier: 'shop' }),
      secret('App/d', gold),
      secret('my/app/e', gold),
      secret('app/f', gold, { DeletedDate: 1_700_000_000 }),
      secret('app/g'),
    ];
    server.handle(() => ok({ SecretList: list }));
    expect(await find('app/', { team: 'shop', tier: 'gold' })).toEqual(['app/a']);
    expect(await find('app/')).toEqual(['app/a', 'app/b', 'app/c', 'app/g']);
  });

  it('lets AWS filter by what it can, and by nothing that it would take for something else', async () => {
    await find('app/', { team: 'shop', tier: 'gold' });
    await find('!app', { 'team!': '!shop' });
    await find('', { tëam: 'x', empty: '' });
    const filters = server.calls.map((call) => call.input['Filters']);
    expect(filters).toEqual([
      [
        { Key: 'name', Values: ['app/'] },
        { Key: 'tag-key', Values: ['team'] },
        { Key: 'tag-value', Values: ['shop'] },
      ],
      [],
      [],
    ]);
  });

  it('has all pages, each secret once', async () => {
    server.handle((call) => {
      const first = call.input['NextToken'] === undefined;
      return ok(first ? { SecretList: [secret('a')], NextToken: 'more' } : { SecretList: [secret('a'), secret('b')] });
    });
    expect(await find('')).toEqual(['a', 'b']);
  });

  it('is not given at all when a page is missing', async () => {
    server.handle((call) => {
      if (call.input['NextToken'] !== undefined) return awsError('ThrottlingException');
      return ok({ SecretList: [secret('a')], NextToken: 'more' });
    });
    await expect(find('')).rejects.toMatchObject({ reason: 'Throttled' });
  });

  it.each([
    ['pages that go in a circle', ok({ SecretList: [secret('a')], NextToken: 'again' })],
    ['an answer without a list', ok({})],
    ['an entry without a name', ok({ SecretList: [secret('a'), { ARN: 'arn:x' }] })],
    ['a page token that has expired', awsError('InvalidNextTokenException')],
  ])('is in doubt with %s', async (_, reply) => {
    server.handle(() => reply);
    await expect(find('')).rejects.toMatchObject({ reason: 'ManagerUnavailable' });
  });

  it('says which permission it needs', async () => {
    server.handle(() => awsError('AccessDeniedException'));
    await expect(find('')).rejects.toThrow(
      'AWS refuses secretsmanager:ListSecrets to the test keys: allow it in its IAM policy',
    );
  });
});

describe('the versions of a secret', () => {
  it('are those that can be read, with deprecated ones and without one that is only pending, newest first', async () => {
    const Versions = [
      version('old', [], 100),
      version('current', ['AWSCURRENT'], 300),
      version('pending', ['AWSPENDING'], 400),
      version('previous', ['AWSPREVIOUS'], 300),
      version('labelled', ['green', 'AWSPENDING'], 200),
      { VersionId: 'timeless' },
    ];
    server.handle(() => ok({ Versions }));
    const found = await manager.versions('db', never);
    expect(found.map((item) => item.version)).toEqual(['current', 'previous', 'labelled', 'old', 'timeless']);
    expect(found[1]).toEqual({ version: 'previous', stages: ['AWSPREVIOUS'], createdAt: new Date(300_000) });
    expect(server.calls[0]?.input).toMatchObject({ SecretId: 'db', IncludeDeprecated: true });
  });

  it('of a secret that does not exist are not found', async () => {
    server.handle(() => awsError('ResourceNotFoundException'));
    await expect(manager.versions('db', never)).rejects.toMatchObject({ reason: 'SecretNotFound' });
  });
});

describe('a look at a secret', () => {
  it('gives its tags under the name that was asked for', async () => {
    const found = secret('db', { team: 'shop' });
    server.handle(() => ok(found));
    expect(await manager.describe(found.ARN, never)).toEqual({ secret: found.ARN, tags: new Map([['team', 'shop']]) });
  });

  it.each([
    ['is in doubt when AWS answers about another', ok(secret('other')), 'ManagerUnavailable'],
    [
      'refuses one that is scheduled for deletion',
      ok(secret('db', {}, { DeletedDate: 1_700_000_000 })),
      'VersionDisabled',
    ],
    ['says when there is none', awsError('ResourceNotFoundException'), 'SecretNotFound'],
  ])('%s', async (_, reply, reason) => {
    server.handle(() => reply);
    await expect(manager.describe('db', never)).rejects.toMatchObject({ reason });
  });
});

describe('a put', () => {
  it('sends text as text and bytes as bytes, with a new token each time', async () => {
    server.handle((call) => ok({ VersionId: call.input['ClientRequestToken'] }));
    const first = await put(SecretValue.fromString('pässword'));
    const second = await put(SecretValue.fromBytes(Uint8Array.from([0, 255])));
    expect(server.calls.map(({ input }) => [input['SecretString'], input['SecretBinary']])).toEqual([
      ['pässword', undefined],
      [undefined, 'AP8='],
    ]);
    expect(first).not.toBe(second);
  });

  it('creates the secret where there is none, by the same token', async () => {
    server.handle((call) =>
      call.action === 'PutSecretValue'
        ? awsError('ResourceNotFoundException')
        : ok({ VersionId: call.input['ClientRequestToken'] }),
    );
    await put(SecretValue.fromString('x'));
    const tokens = new Set(server.calls.map((call) => call.input['ClientRequestToken']));
    expect([server.calls.map((call) => call.action), tokens.size]).toEqual([['PutSecretValue', 'CreateSecret'], 1]);
  });

  it('puts again where somebody else created the secret in between', async () => {
    server.handle((call) => {
      if (call.action === 'CreateSecret') return awsError('ResourceExistsException');
      return server.count('PutSecretValue') === 1 ? awsError('ResourceNotFoundException') : ok({ VersionId: 'v2' });
    });
    expect(await put(SecretValue.fromString('x'))).toBe('v2');
  });

  it('does not create where it is not known that there is none', async () => {
    server.handle(() => awsError('AccessDeniedException'));
    await expect(put(SecretValue.fromString('x'))).rejects.toThrow(/secretsmanager:PutSecretValue on db/);
    expect(server.calls.length).toBe(1);
  });

  it('refuses empty and too large values before any call', async () => {
    await expectReason(put(SecretValue.fromString('')), 'InvalidValue');
    await expectReason(put(SecretValue.fromBytes(new Uint8Array(65_537))), 'LimitExceeded');
    expect(server.calls).toEqual([]);
  });
});

describe('a proxy', () => {
  it('gets the calls for an endpoint', async () => {
    const proxied = createManager('http://secrets.invalid', server.url);
    await proxied.list({ prefix: '', tags: new Map() }, never);
    proxied.close();
    expect(server.calls.map((call) => call.headers['host'])).toEqual(['secrets.invalid']);
  });
});
