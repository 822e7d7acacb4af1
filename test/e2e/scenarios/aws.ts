import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Moto, startMoto } from '../../cluster/moto.ts';
import { app, sees } from '../apps.ts';
import { release, rolledOut } from '../release.ts';
import { type World, within } from '../world.ts';

const namespace = 'shop';
const keys = { accessKeyId: 'test', secretAccessKey: 'test' };
const region = 'eu-west-1';

/** The same, from AWS: a server that answers as AWS does, outside the cluster. */
export function aws(world: World): void {
  let moto: Moto;

  beforeAll(async () => {
    moto = await startMoto({ address: world.cluster.hostAddress });
  });

  afterAll(() => moto.stop());

  test('a secret of AWS reaches the pods, and its rotation too', async () => {
    const secrets = new SecretsManagerClient({ region, endpoint: moto.url, credentials: keys });
    await secrets.send(new CreateSecretCommand({ Name: 'shop/payments', SecretString: 'first-from-aws' }));
    await world.apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'aws-keys', namespace: release.namespace },
        stringData: { 'access-key-id': keys.accessKeyId, 'secret-access-key': keys.secretAccessKey },
      },
      {
        apiVersion: 'keyferry.io/v1',
        kind: 'ClusterSecretManager',
        metadata: { name: 'aws' },
        spec: {
          aws: { region, endpoint: moto.url, auth: { secretRef: { name: 'aws-keys' } } },
          pollInterval: '2s',
          access: [{ namespaces: { names: [namespace] }, secrets: ['{namespace}/**'] }],
        },
      },
      {
        apiVersion: 'keyferry.io/v1',
        kind: 'SecretReference',
        metadata: { name: 'payments', namespace },
        spec: {
          managerRef: { kind: 'ClusterSecretManager', name: 'aws' },
          data: { password: { secret: 'shop/payments' } },
        },
      },
      ...app({ namespace, name: 'payments', secret: 'payments', takes: 'environment', replicas: 1 }),
    );
    await rolledOut(world, namespace, 'payments', 1);
    expect([...(await sees(world, namespace, 'payments')).values()]).toEqual(['first-from-aws']);

    await secrets.send(new PutSecretValueCommand({ SecretId: 'shop/payments', SecretString: 'second-from-aws' }));

    await within('the pod sees the new value', async () => {
      expect([...(await sees(world, namespace, 'payments')).values()]).toEqual(['second-from-aws']);
    });
    secrets.destroy();
  });
}
