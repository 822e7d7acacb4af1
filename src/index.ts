import { loadKubeServer } from './kube/config.ts';
import { createKubeClient } from './kube/rest-client.ts';
import { createTransport } from './kube/transport.ts';
import type { AwsKeys } from './managers/aws/keys.ts';
import { createAwsManager } from './managers/aws/manager.ts';
import { createClientManager } from './managers/embedded/client/client-manager.ts';
import { createSession } from './managers/embedded/client/session.ts';
import { ManagerError } from './managers/errors.ts';
import type { AccessedVersion, SecretManager, Selector } from './managers/manager.ts';
import { secretNameMistake } from './managers/secret-pattern.ts';
import { SecretValue } from './managers/secret-value.ts';
import { systemClock } from './runtime/clock.ts';
import { type Logger, silentLogger } from './runtime/logger.ts';
import { version } from './version.ts';

export { ManagerError, type ManagerErrorReason } from './managers/errors.ts';
export type { SecretManager } from './managers/manager.ts';
export { SecretValue } from './managers/secret-value.ts';

/** The most bytes that a version may have. */
const MAX_VALUE_BYTES = 65_536;
const MAX_NAME_LENGTH = 2048;

export interface CallOptions {
  /** Ends the call early; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A version of a secret that can be read, now or later. */
export interface VersionHandle {
  /** The value. Rejects with `ManagerError`. */
  access(options?: CallOptions): Promise<SecretValue>;
  /** The version's own id, which stays what it is when latest moves on, and its value. Rejects with `ManagerError`. */
  resolve(options?: CallOptions): Promise<ResolvedVersion>;
}

export interface ResolvedVersion {
  readonly secret: string;
  readonly version: string;
  readonly value: SecretValue;
}

export interface PutVersion {
  readonly secret: string;
  readonly version: string;
}

export interface SecretHandle {
  readonly name: string;
  /** Makes a new version, which becomes latest. The value has 1 byte to 64 KiB. Rejects with `ManagerError`. */
  put(value: string | Uint8Array | SecretValue, options?: CallOptions): Promise<PutVersion>;
  latest(): VersionHandle;
  version(id: string): VersionHandle;
  /** The version that has the manager's own label, for example `AWSPREVIOUS`. */
  stage(name: string): VersionHandle;
}

export interface Keyferry {
  /** A secret by its name. Throws `TypeError` where no secret can have that name; asks nothing. */
  readonly secret: (name: string) => SecretHandle;
}

/**
 * Secrets of one manager.
 *
 *     const { secret } = keyferry(awsManager({ region: 'eu-west-1' }));
 *     const { version } = await secret('db.password').put('correct horse');
 *     const password = (await secret('db.password').latest().access()).asString();
 */
export function keyferry(manager: SecretManager): Keyferry {
  return { secret: (name) => secretHandle(manager, name) };
}

export interface AwsManagerOptions {
  /** Default: `AWS_REGION`. */
  readonly region?: string;
  /** Default: environment variables, a web identity token (IRSA) or container credentials (EKS Pod Identity). */
  readonly credentials?: AwsKeys;
  /** Lets credentials come from instance metadata. */
  readonly instanceMetadata?: boolean;
  /** A role that is assumed with those credentials. */
  readonly role?: { readonly arn: string; readonly externalId?: string };
  /** The URL of both services, Secrets Manager and STS: VPC endpoints, test servers. */
  readonly endpoint?: string;
  readonly logger?: Logger;
}

/** AWS Secrets Manager. Makes no call by itself. */
export function awsManager(options: AwsManagerOptions = {}): SecretManager {
  const { region, credentials, instanceMetadata, role, endpoint, logger = silentLogger } = options;
  return createAwsManager({
    region,
    keys: credentials,
    instanceMetadata,
    role: role === undefined ? undefined : { arn: role.arn, externalId: role.externalId, tags: new Map() },
    endpoint,
    principal: credentials === undefined ? 'the identity of this process' : 'the given keys',
    clock: systemClock,
    logger,
  });
}

export interface EmbeddedManagerOptions {
  /** A kubeconfig file. Default: the service account of the pod. */
  readonly kubeconfig?: string;
  /** Default: the kubeconfig's current context. */
  readonly context?: string;
  /** The namespace whose secrets these are. Default: that of the context, or of the pod. */
  readonly namespace?: string;
  /** Stands in the audit log with each value that is read. Default: `read by the Keyferry library`. */
  readonly reason?: string;
}

/**
 * The secrets that Keyferry keeps in the cluster, in one namespace. Putting takes the verb `put` on them; reading takes `access`, and is noted in the audit log.
 * Makes no call by itself. Throws where the kubeconfig can't be used.
 */
export function embeddedManager(options: EmbeddedManagerOptions = {}): SecretManager {
  const { kubeconfig, context, namespace, reason = 'read by the Keyferry library' } = options;
  const server = loadKubeServer({ kubeconfig, context, clock: systemClock });
  const transport = createTransport({ server, clock: systemClock, random: Math.random, version });
  const client = createKubeClient(transport);
  const session = createSession({ client, namespace: namespace ?? server.namespace, clock: systemClock });
  return createClientManager(session, { reason, close: () => void transport.close() });
}

function secretHandle(manager: SecretManager, name: string): SecretHandle {
  const mistake =
    name.length > MAX_NAME_LENGTH ? `has more than ${MAX_NAME_LENGTH} characters` : secretNameMistake(name);
  if (mistake !== undefined) throw new TypeError(`no secret can have this name: it ${mistake}`);
  return {
    name,
    put: (value, options) => put(manager, name, value, options),
    latest: () => versionHandle(manager, name, { kind: 'latest' }),
    version: (id) => versionHandle(manager, name, { kind: 'version', version: id }),
    stage: (stage) => versionHandle(manager, name, { kind: 'stage', stage }),
  };
}

async function put(
  manager: SecretManager,
  secret: string,
  value: string | Uint8Array | SecretValue,
  options: CallOptions | undefined,
): Promise<PutVersion> {
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new ManagerError('InvalidValue', `the value for secret ${secret} is not valid text: put it as bytes`);
  }
  const bytes = secretValue(value);
  if (bytes.size === 0) throw new ManagerError('InvalidValue', `the value for secret ${secret} is empty`);
  if (bytes.size > MAX_VALUE_BYTES) {
    const text = `the value for secret ${secret} has ${bytes.size} bytes: at most ${MAX_VALUE_BYTES} are taken`;
    throw new ManagerError('LimitExceeded', text);
  }
  return { secret, version: await manager.put(secret, bytes, signalOf(options)) };
}

function versionHandle(manager: SecretManager, secret: string, selector: Selector): VersionHandle {
  const resolve = async (options?: CallOptions): Promise<ResolvedVersion> => {
    const { version, value } = await accessOne(manager, secret, selector, signalOf(options));
    return { secret, version, value };
  };
  return { resolve, access: async (options) => (await resolve(options)).value };
}

async function accessOne(
  manager: SecretManager,
  secret: string,
  selector: Selector,
  signal: AbortSignal,
): Promise<AccessedVersion> {
  const [result] = await manager.access([{ secret, selector }], signal);
  if (result === undefined)
    throw new ManagerError('ManagerUnavailable', `the manager left secret ${secret} out of its answer`);
  if (result instanceof ManagerError) throw result;
  return result;
}

function secretValue(value: string | Uint8Array | SecretValue): SecretValue {
  if (value instanceof SecretValue) return value;
  return typeof value === 'string' ? SecretValue.fromString(value) : SecretValue.fromBytes(value);
}

function signalOf(options: CallOptions | undefined): AbortSignal {
  return options?.signal ?? new AbortController().signal;
}
