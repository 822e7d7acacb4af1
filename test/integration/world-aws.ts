import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';

type Value = string | Uint8Array;

/** What people do in AWS Secrets Manager. */
export interface AwsSecrets {
  readonly client: SecretsManagerClient;
  /** A new version, of a new secret if need be; gives the id of the version. */
  put(name: string, value: Value): Promise<string>;
  /** A new secret; gives the id of its version: `version`, or a new one. */
  create(name: string, value: Value, tags?: Readonly<Record<string, string>>, version?: string): Promise<string>;
  /** A new version of a secret that exists; gives its id. */
  update(name: string, value: Value): Promise<string>;
  tag(name: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** Puts AWSCURRENT back on an older version. */
  moveCurrent(name: string, from: string, to: string): Promise<void>;
  /** At once, without recovery. */
  delete(name: string): Promise<void>;
  /** As the console does: it is gone in a week, and can be restored until then. */
  scheduleDeletion(name: string): Promise<void>;
  restore(name: string): Promise<void>;
}

export const awsRegion = 'eu-west-1';

export function createAwsSecrets(endpoint: string): AwsSecrets {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new SecretsManagerClient({ region: awsRegion, endpoint, credentials });
  const create: AwsSecrets['create'] = async (name, value, tags = {}, ClientRequestToken = randomUUID()) => {
    const Tags = tagList(tags);
    await client.send(new CreateSecretCommand({ Name: name, ...content(value), Tags, ClientRequestToken }));
    return ClientRequestToken;
  };
  const update: AwsSecrets['update'] = async (name, value) => {
    const ClientRequestToken = randomUUID();
    await client.send(new PutSecretValueCommand({ SecretId: name, ...content(value), ClientRequestToken }));
    return ClientRequestToken;
  };
  return {
    client,
    create,
    update,
    put: async (name, value) => {
      try {
        return await create(name, value);
      } catch (error) {
        if (!(error instanceof ResourceExistsException)) throw error;
        return update(name, value);
      }
    },
    tag: async (name, tags) => {
      await client.send(new TagResourceCommand({ SecretId: name, Tags: tagList(tags) }));
    },
    moveCurrent: async (name, from, to) => {
      const stage = { SecretId: name, VersionStage: 'AWSCURRENT' };
      await client.send(
        new UpdateSecretVersionStageCommand({ ...stage, RemoveFromVersionId: from, MoveToVersionId: to }),
      );
    },
    scheduleDeletion: async (name) => {
      await client.send(new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: 7 }));
    },
    restore: async (name) => {
      await client.send(new RestoreSecretCommand({ SecretId: name }));
    },
    delete: async (name) => {
      await client.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
    },
  };
}

function tagList(tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function content(value: Value): { SecretString: string } | { SecretBinary: Uint8Array } {
  return typeof value === 'string' ? { SecretString: value } : { SecretBinary: value };
}
