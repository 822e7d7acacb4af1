import { afterEach, describe, expect, it } from 'vitest';
import { type AwsServer, ok, startAwsServer } from '../../test/contract/aws-server.ts';
import { clusterSecretManagerSpecSchema, secretManagerSpecSchema } from '../api/v1/secret-manager.ts';
import { createFakeClock } from '../runtime/fake-clock.ts';
import { silentLogger } from '../runtime/logger.ts';
import { awsSettings } from './aws/factory.ts';
import type { SecretManager } from './manager.ts';
import { backendOf, createManager, credentialsSecretOf, type ManagerSettings, namesOf } from './registry.ts';
import { SecretValue } from './secret-value.ts';

const common = {
  name: 'aws',
  clusterUid: 'cluster-uid',
  managerUid: 'manager-uid',
  embedded: undefined,
  clock: createFakeClock(),
  logger: silentLogger,
};
const secretRef = { name: 'aws-keys' };
const keys = dataOf({ 'access-key-id': 'AKIA\n', 'secret-access-key': 'abc/+=' });
const signal = new AbortController().signal;

function dataOf(data: Record<string, string>): ReadonlyMap<string, SecretValue> {
  return new Map(Object.entries(data).map(([key, value]) => [key, SecretValue.fromString(value)]));
}

function cluster(aws: object, credentials?: ReadonlyMap<string, SecretValue>): ManagerSettings {
  const spec = clusterSecretManagerSpecSchema.parse({ aws, access: [] });
  return { ...common, kind: 'ClusterSecretManager', spec, credentials };
}

function namespaced(aws: object, credentials?: ReadonlyMap<string, SecretValue>): ManagerSettings {
  return { ...common, kind: 'SecretManager', spec: secretManagerSpecSchema.parse({ aws }), credentials };
}

describe('the registry of managers', () => {
  it('knows a backend by its field', () => {
    expect(backendOf(secretManagerSpecSchema.parse({ aws: {} }))).toBe('aws');
    expect(backendOf(secretManagerSpecSchema.parse({ embedded: {} }))).toBe('embedded');
    expect(backendOf(secretManagerSpecSchema.parse({}))).toBeUndefined();
  });

  it('says so where a spec names no backend', () => {
    const spec = secretManagerSpecSchema.parse({});
    expect(() => createManager({ ...common, kind: 'SecretManager', spec, credentials: undefined })).toThrow(
      /names no backend/,
    );
  });

  it('says so where this operator keeps no secrets in the cluster', () => {
    const spec = secretManagerSpecSchema.parse({ embedded: {} });
    expect(() => createManager({ ...common, kind: 'SecretManager', spec, credentials: undefined })).toThrow(
      /--embedded=false/,
    );
  });

  it('looks for embedded secrets in the namespace of whoever asks, of the manager, or in one for all', () => {
    const own = clusterSecretManagerSpecSchema.parse({ embedded: {} });
    const shared = clusterSecretManagerSpecSchema.parse({ embedded: { namespace: 'org' }, access: [] });
    expect(namesOf(own, '').full('DB', 'shop')).toBe('shop/db');
    expect(namesOf(shared, '').full('DB', 'shop')).toBe('org/db');
    expect(namesOf(secretManagerSpecSchema.parse({ embedded: {} }), 'bank').full('DB', 'bank')).toBe('bank/db');
  });

  it('security rule 8: a namespaced manager reaches no other namespace, whatever its spec says', () => {
    const smuggled = { ...clusterSecretManagerSpecSchema.parse({ embedded: { namespace: 'org' }, access: [] }) };
    expect(namesOf(smuggled, 'bank').full('DB', 'bank')).toBe('bank/db');
  });

  it('names the Secret with the credentials', () => {
    expect(credentialsSecretOf(secretManagerSpecSchema.parse({ aws: { auth: { secretRef } } }))).toBe('aws-keys');
    expect(credentialsSecretOf(secretManagerSpecSchema.parse({ aws: {} }))).toBeUndefined();
  });
});

describe('the AWS manager of a manager object', () => {
  let server: AwsServer | undefined;
  let manager: SecretManager | undefined;
  afterEach(async () => {
    manager?.close();
    await server?.close();
  });

  const serve = async (): Promise<AwsServer> => {
    server = await startAwsServer((call) => (call.action === 'AssumeRole' ? assumed : ok({ SecretList: [] })));
    return server;
  };

  it('security rule 8: never uses the identity of the operator for a namespaced manager', () => {
    expect(() => createManager(namespaced({ region: 'eu-west-1' }))).toThrow(/needs credentials of its own/);
  });

  it('security rule 8: takes endpoint, role, CA, proxy and instance metadata from the cluster kind only', () => {
    const more = { endpoint: 'https://evil.test', roleArn: 'arn:x', caBundle: 'PEM', proxy: 'http://evil.test' };
    const own = secretManagerSpecSchema.parse({ aws: { region: 'eu-west-1', auth: { secretRef } } });
    const spec = { ...own, aws: { ...own.aws, ...more } };
    const smuggled: ManagerSettings = { ...common, kind: 'SecretManager', spec, credentials: keys };
    const { endpoint, role, caBundle, proxy, instanceMetadata, region } = awsSettings(smuggled);
    expect([endpoint, role, caBundle, proxy, instanceMetadata]).toEqual(Array.from({ length: 5 }));
    expect(region).toBe('eu-west-1');
    expect(awsSettings(cluster(more))).toMatchObject({ endpoint: 'https://evil.test', caBundle: 'PEM' });
  });

  it('security rule 8: assumes a role with the external id of this manager and no other', async () => {
    const { url, calls } = await serve();
    const aws = {
      region: 'eu-west-1',
      endpoint: url,
      roleArn: 'arn:aws:iam::123456789012:role/x',
      auth: { secretRef },
    };
    manager = createManager(cluster(aws, keys));
    await manager.list({ prefix: '', tags: new Map() }, signal);
    expect(calls.map((call) => call.action)).toEqual(['AssumeRole', 'ListSecrets']);
    expect(calls[0]?.input).toMatchObject({
      ExternalId: 'keyferry:cluster-uid:manager-uid',
      RoleSessionName: 'keyferry',
      'Tags.member.1.Key': 'keyferry-cluster',
      'Tags.member.1.Value': 'cluster-uid',
      'Tags.member.2.Key': 'keyferry-manager',
      'Tags.member.2.Value': 'aws',
    });
    expect(calls[1]?.headers['authorization']).toContain('Credential=ROLEKEY/');
  });

  it('signs with the keys of its Secret, without the newline that an editor left', async () => {
    const { url, calls } = await serve();
    manager = createManager(cluster({ region: 'eu-west-1', endpoint: url, auth: { secretRef } }, keys));
    await manager.list({ prefix: '', tags: new Map() }, signal);
    expect(calls[0]?.headers['authorization']).toContain('Credential=AKIA/');
  });

  it('takes the session token from its key where one is named', async () => {
    const { url, calls } = await serve();
    const ref = { ...secretRef, sessionTokenKey: 'token' };
    const data = new Map([...keys, ...dataOf({ token: 'TOKEN' })]);
    manager = createManager(cluster({ region: 'eu-west-1', endpoint: url, auth: { secretRef: ref } }, data));
    await manager.list({ prefix: '', tags: new Map() }, signal);
    expect(calls[0]?.headers['x-amz-security-token']).toBe('TOKEN');
  });

  it.each([
    ['there is no Secret', undefined, /there is no Secret aws-keys/],
    ['a key is missing', dataOf({ 'access-key-id': 'AKIA' }), /has no key secret-access-key$/],
    ['a key is empty', dataOf({ 'access-key-id': '\n' }), /has no value in the key access-key-id$/],
    [
      'a key holds something else',
      dataOf({ 'access-key-id': 'AK IA canary' }),
      /has no AWS key in the key access-key-id$/,
    ],
  ])('says what to do when %s', (_, data, message) => {
    expect(() => createManager(cluster({ auth: { secretRef } }, data))).toThrow(message);
  });
});

const assumed = {
  status: 200,
  headers: { 'content-type': 'text/xml' },
  body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
    <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
};
