import type { AwsSecretRef } from '../../api/v1/secret-manager.ts';
import { ManagerError } from '../errors.ts';
import type { SecretManager } from '../manager.ts';
import type { ManagerSettings } from '../registry.ts';
import type { SecretValue } from '../secret-value.ts';
import type { AssumedRole } from './credentials.ts';
import type { AwsKeys } from './keys.ts';
import { type AwsSettings, createAwsManager } from './manager.ts';

/**
 * The AWS manager of a manager object.
 * @throws ManagerError where its credentials are missing, or it is a namespaced one without its own.
 */
export function awsManagerFactory(settings: ManagerSettings): SecretManager {
  return createAwsManager(awsSettings(settings));
}

/** What the manager is made from. Throws as `awsManagerFactory` does. */
export function awsSettings(settings: ManagerSettings): AwsSettings {
  const { aws } = settings.spec;
  const secretRef = aws?.auth?.secretRef;
  if (settings.kind === 'SecretManager' && secretRef === undefined) {
    const text =
      'a SecretManager needs credentials of its own: set aws.auth.secretRef to a Secret of its namespace with an access key';
    throw new ManagerError('AccessDenied', text);
  }
  return {
    ...clusterOnly(settings),
    region: aws?.region,
    keys: secretRef === undefined ? undefined : keysFrom(secretRef, settings.credentials),
    principal: secretRef === undefined ? "the operator's own identity" : `the keys in Secret ${secretRef.name}`,
    clock: settings.clock,
    logger: settings.logger,
  };
}

/** Read from the cluster kind alone, whatever a namespaced object that slipped past the API server may hold. */
function clusterOnly(settings: ManagerSettings): Partial<AwsSettings> {
  if (settings.kind !== 'ClusterSecretManager' || settings.spec.aws === undefined) return {};
  const { auth, endpoint, caBundle, proxy, roleArn } = settings.spec.aws;
  const role = roleArn === undefined ? undefined : roleOf(roleArn, settings);
  return { instanceMetadata: auth?.instanceMetadata, endpoint, caBundle, proxy, role };
}

/** The external id is ours, so that no one who can write a manager can use another's role. */
function roleOf(arn: string, settings: ManagerSettings): AssumedRole {
  return {
    arn,
    externalId: `keyferry:${settings.clusterUid}:${settings.managerUid}`,
    tags: new Map([
      ['keyferry-cluster', settings.clusterUid],
      ['keyferry-manager', settings.name],
    ]),
  };
}

function keysFrom(ref: AwsSecretRef, data: ReadonlyMap<string, SecretValue> | undefined): AwsKeys {
  if (data === undefined) {
    throw new ManagerError(
      'AccessDenied',
      `there is no Secret ${ref.name} with the access key of this manager: create it`,
    );
  }
  return {
    accessKeyId: keyFrom(ref.name, ref.accessKeyIdKey, data),
    secretAccessKey: keyFrom(ref.name, ref.secretAccessKeyKey, data),
    ...(ref.sessionTokenKey === undefined ? {} : { sessionToken: keyFrom(ref.name, ref.sessionTokenKey, data) }),
  };
}

function keyFrom(secret: string, key: string, data: ReadonlyMap<string, SecretValue>): string {
  const value = data.get(key);
  // A file or an editor often leaves a newline at the end, which no AWS key has.
  const text = value === undefined ? '' : textOf(value).trim();
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  const problem =
    value === undefined ? 'has no key' : text === '' ? 'has no value in the key' : 'has no AWS key in the key';
  throw new ManagerError('AccessDenied', `Secret ${secret} with the access key of this manager ${problem} ${key}`);
}

function textOf(value: SecretValue): string {
  try {
    return value.asString();
  } catch {
    return '\u0000';
  }
}
