import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { keyferry } from '../../src/index.ts';
import { createAwsManager } from '../../src/managers/aws/manager.ts';
import { ManagerError } from '../../src/managers/errors.ts';
import type { AccessResult, SecretManager, Selector } from '../../src/managers/manager.ts';
import { SecretValue } from '../../src/managers/secret-value.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { type AwsServer, awsError, denying, forwardTo, startAwsServer } from '../contract/aws-server.ts';
import { describeManagerContract, expectReason, reasons } from '../contract/manager-contract.ts';

const cluster = inject('cluster');
const moto = inject('moto');
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const region = 'eu-west-1';
const never = new AbortController().signal;
const latest: Selector = { kind: 'latest' };
const run = `aws-${randomUUID().slice(0, 8)}`;

function createManager(endpoint: string): SecretManager {
  return createAwsManager({
    region,
    endpoint,
    keys: credentials,
    principal: 'the test keys',
    clock: systemClock,
    logger: silentLogger,
  });
}

describeManagerContract('AWS Secrets Manager', () => {
  const client = new SecretsManagerClient({ region, endpoint: moto.url, credentials });
  return Promise.resolve({
    manager: createManager(moto.url),
    unknownVersion: randomUUID(),
    previousStage: 'AWSPREVIOUS',
    tag: async (secret, tags) => {
      const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await client.send(new CreateSecretCommand({ Name: secret, Tags: list }));
    },
    allowOnly: async (_granted, denied) => {
      const server = await startAwsServer(denying(moto.url, denied));
      const manager = createManager(server.url);
      return {
        ...manager,
        close: () => {
          manager.close();
          void server.close();
        },
      };
    },
  });
});

describe('the AWS manager', () => {
  let server: AwsServer;
  let manager: SecretManager;
  const client = new SecretsManagerClient({ region, endpoint: moto.url, credentials });

  beforeAll(async () => {
    server = await startAwsServer(forwardTo(moto.url));
    manager = createManager(server.url);
  });
  beforeEach(() => {
    server.handle(forwardTo(moto.url));
    server.forget();
  });
  afterAll(async () => {
    manager.close();
    client.destroy();
    await server.close();
  });

  const put = (secret: string, value: string): Promise<string> =>
    manager.put(secret, SecretValue.fromString(value), never);
  const readAll = (secrets: readonly string[]): Promise<readonly AccessResult[]> =>
    manager.access(
      secrets.map((secret) => ({ secret, selector: latest })),
      never,
    );
  const arnOf = async (name: string, value: string): Promise<string> => {
    const { ARN } = await client.send(new CreateSecretCommand({ Name: name, SecretString: value }));
    return ARN ?? '';
  };

  it('reads 45 secrets by 3 calls', async () => {
    const names = Array.from({ length: 45 }, (_, index) => `${run}/batch-${index}`);
    for (const name of names) await put(name, name);
    server.forget();
    const found = await readAll(names);
    expect(reasons(found)).toEqual(names);
    expect([server.count('BatchGetSecretValue'), server.calls.length]).toEqual([3, 3]);
  });

  it('asks once for what is asked for several times', async () => {
    await put(`${run}/twice`, 'one');
    server.forget();
    await readAll([`${run}/twice`, `${run}/twice`]);
    expect(server.calls.length).toBe(1);
  });

  it('reads one by one where batches are not permitted, and does not ask for a batch again', async () => {
    const names = [`${run}/single-a`, `${run}/single-b`, `${run}/single-c`];
    for (const name of names) await put(name, name);
    const forward = forwardTo(moto.url);
    server.handle((call) =>
      call.action === 'BatchGetSecretValue' ? awsError('AccessDeniedException') : forward(call),
    );
    const fresh = createManager(server.url);
    server.forget();
    const first = reasons(
      await fresh.access(
        names.map((secret) => ({ secret, selector: latest })),
        never,
      ),
    );
    const second = reasons(
      await fresh.access(
        names.map((secret) => ({ secret, selector: latest })),
        never,
      ),
    );
    fresh.close();
    expect([first, second]).toEqual([names, names]);
    expect([server.count('BatchGetSecretValue'), server.count('GetSecretValue')]).toEqual([1, 6]);
  });

  it('finds secrets by ARN and by an ARN without its last six characters, beside their names', async () => {
    const name = `${run}/by-arn`;
    const arn = await arnOf(name, 'value');
    const other = await arnOf(`${name}-other`, 'other');
    const found = await readAll([arn, arn.slice(0, -7), name, other, `${arn.slice(0, -7)}-none`]);
    expect(reasons(found)).toEqual(['value', 'value', 'value', 'other', 'SecretNotFound']);
  });

  it('gives a re-created secret another identity, even for the same version id', async () => {
    const name = `${run}/recreated`;
    const id = randomUUID();
    const create = (): Promise<unknown> =>
      client.send(new CreateSecretCommand({ Name: name, SecretString: 'same', ClientRequestToken: id }));
    await create();
    const [before] = await readAll([name]);
    await client.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
    await create();
    const [after] = await readAll([name]);
    expect([versionOf(before), versionOf(after)]).toEqual([id, id]);
    expect(identityOf(before)).not.toBe(identityOf(after));
  });

  it('says that a secret is scheduled for deletion, and leaves it out of finds', async () => {
    const name = `${run}/doomed`;
    await put(name, 'value');
    await client.send(new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: 7 }));
    const [alone] = await readAll([name]);
    const [, batched] = await readAll([`${run}/twice`, name]);
    const [, , together] = await manager.access(
      [latest, { kind: 'stage', stage: 'X' } as const, latest].map((selector) => ({ secret: name, selector })),
      never,
    );
    for (const result of [alone, batched, together]) {
      expect(messageOf(result)).toMatch(/^VersionDisabled: secret \S+ is scheduled for deletion/);
    }
    await expectReason(manager.describe(name, never), 'VersionDisabled');
    expect(await manager.list({ prefix: name, tags: new Map() }, never)).toEqual([]);
  });

  it('follows a rollback of AWSCURRENT to an older version', async () => {
    const name = `${run}/rollback`;
    const [first, second] = [await put(name, 'one'), await put(name, 'two')];
    const pinned: Selector = { kind: 'version', version: second };
    const before = await manager.access([{ secret: name, selector: pinned }], never);
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: name,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: first,
        RemoveFromVersionId: second,
      }),
    );
    const [now] = await manager.access([{ secret: name, selector: { kind: 'stage', stage: 'AWSCURRENT' } }], never);
    expect([versionOf(now), reasons(before)]).toEqual([first, ['two']]);
  });

  it('serves the library', async () => {
    const { secret } = keyferry(manager);
    const handle = secret(`${run}/library`);
    const { version } = await handle.put('one');
    await handle.put(Uint8Array.from([1, 2, 255]));
    expect((await handle.version(version).access()).asString()).toBe('one');
    expect((await handle.stage('AWSPREVIOUS').resolve()).version).toBe(version);
    expect([...(await handle.latest().access()).asBytes()]).toEqual([1, 2, 255]);
    await expectReason(secret(`${run}/library-missing`).latest().access(), 'SecretNotFound');
  });

  it('trusts the given authority for the endpoint, and no other', async () => {
    const reason = async (caBundle: string | undefined): Promise<string> => {
      const settings = { region, endpoint: cluster.url, caBundle, keys: credentials, principal: 'the test keys' };
      const secure = createAwsManager({ ...settings, clock: systemClock, logger: silentLogger });
      const error: unknown = await secure.describe('db', never).catch((thrown: unknown) => thrown);
      secure.close();
      return error instanceof ManagerError ? error.message : 'no error';
    };
    expect(await reason(undefined)).toMatch(/^the certificate of .* is not trusted/);
    expect(await reason(cluster.ca)).toMatch(/is not one of AWS/);
  });

  it('knows who it is, also as an assumed role', async () => {
    const role = {
      arn: 'arn:aws:iam::123456789012:role/reader',
      externalId: 'keyferry:a:b',
      tags: new Map([['a', 'b']]),
    };
    const assumed = createAwsManager({
      region,
      endpoint: server.url,
      keys: credentials,
      role,
      principal: 'the test keys',
      clock: systemClock,
      logger: silentLogger,
    });
    server.forget();
    const identity = await assumed.identity(never);
    assumed.close();
    expect(identity).toBe('arn:aws:sts::123456789012:assumed-role/reader/keyferry');
    expect(server.calls[0]?.input).toMatchObject({ ExternalId: 'keyferry:a:b', RoleSessionName: 'keyferry' });
  });
});

function versionOf(result: AccessResult | undefined): string | undefined {
  return result === undefined || result instanceof ManagerError ? undefined : result.version;
}

function identityOf(result: AccessResult | undefined): string | undefined {
  return result === undefined || result instanceof ManagerError ? undefined : result.identity;
}

function messageOf(result: AccessResult | undefined): string {
  return result instanceof ManagerError ? `${result.reason}: ${result.message}` : 'no error';
}
