import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { FindQuery, SecretManager } from '../manager.ts';
import { BATCH_SIZE, createAccess } from './access.ts';
import { callerSchema } from './answers.ts';
import { createAsk } from './calls.ts';
import { type ClientSettings, clientConfig, placeOf } from './client-config.ts';
import {
  type AssumedRole,
  assumedRole,
  type CredentialProvider,
  type CredentialTools,
  ownIdentity,
} from './credentials.ts';
import type { AwsKeys } from './keys.ts';
import {
  type AwsSecretDetails,
  describeSecret,
  listDetails,
  listSecrets,
  listVersions,
  secretDetails,
} from './listing.ts';
import { putSecret } from './put.ts';
import { type AwsSession, askFor, regionOf } from './session.ts';

/** Its endpoint is that of both services, Secrets Manager and STS. */
export interface AwsSettings extends ClientSettings {
  /** Static keys; undefined: the operator's own identity. */
  readonly keys?: AwsKeys | undefined;
  /** Instead of either. */
  readonly credentials?: CredentialProvider | undefined;
  /** Lets the own identity come from instance metadata. */
  readonly instanceMetadata?: boolean | undefined;
  /** A role that is assumed with those credentials. */
  readonly role?: AssumedRole | undefined;
  /** Who the credentials are, for messages: `the keys in Secret aws-keys`. */
  readonly principal: string;
  /** Milliseconds until a call must be answered; 10 s. */
  readonly requestTimeout?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

const REQUEST_TIMEOUT = 10_000;

/** AWS Secrets Manager, with what people want to know besides. */
export interface AwsManager extends SecretManager {
  /** All secrets that match, as `list` finds them. */
  details(query: FindQuery, signal: AbortSignal): Promise<readonly AwsSecretDetails[]>;
  /** One secret. Rejects with `SecretNotFound` where it does not exist. */
  detail(secret: string, signal: AbortSignal): Promise<AwsSecretDetails>;
}

/** AWS Secrets Manager, seen with one set of credentials. Makes no call by itself. */
export function createAwsManager(settings: AwsSettings): AwsManager {
  const session = createSession(settings);
  return {
    capabilities: { stages: true, tags: true, put: true, batchSize: BATCH_SIZE },
    access: createAccess(session),
    list: (query, signal) => listSecrets(session, query, signal),
    details: (query, signal) => listDetails(session, query, signal),
    detail: (secret, signal) => secretDetails(session, secret, signal),
    describe: (secret, signal) => describeSecret(session, secret, signal),
    versions: (secret, signal) => listVersions(session, secret, signal),
    put: (secret, value, signal) => putSecret(session, secret, value, signal),
    identity: (signal) => callerIdentity(session, signal),
    close: () => {
      session.secrets.destroy();
      session.sts.client.destroy();
    },
  };
}

function createSession(settings: AwsSettings): AwsSession {
  const { keys, role, clock, logger, requestTimeout = REQUEST_TIMEOUT } = settings;
  const shared = clientConfig(settings);
  const createSts = (provider: CredentialProvider): STSClient => new STSClient({ ...shared, credentials: provider });
  const where = placeOf(settings);
  const base = { service: `AWS STS${where}`, principal: settings.principal };
  const parties = {
    service: `AWS Secrets Manager${where}`,
    principal: role === undefined ? base.principal : `role ${role.arn}`,
  };
  // Credentials are fetched within a call, and a fault of theirs should be told as theirs: so they have less time than it.
  const tools = { createSts, parties: base, ask: createAsk(clock, base, requestTimeout / 2) };
  const own = settings.credentials ?? ownCredentials(keys, tools, settings.instanceMetadata);
  const credentials = role === undefined ? own : assumedRole(tools, own, role);
  const secrets = new SecretsManagerClient({ ...shared, credentials });
  const stsParties = { ...parties, service: base.service };
  const sts = {
    client: createSts(() => secrets.config.credentials()),
    parties: stsParties,
    ask: createAsk(clock, stsParties, requestTimeout),
  };
  return { secrets, sts, parties, ask: createAsk(clock, parties, requestTimeout), clock, logger };
}

function ownCredentials(
  keys: AwsKeys | undefined,
  tools: CredentialTools,
  instanceMetadata = false,
): CredentialProvider {
  return keys === undefined ? ownIdentity(tools, { instanceMetadata }) : () => Promise.resolve(keys);
}

async function callerIdentity(session: AwsSession, signal: AbortSignal): Promise<string> {
  await regionOf(session);
  const { client, parties } = session.sts;
  const call = (stop: AbortSignal): Promise<unknown> =>
    client.send(new GetCallerIdentityCommand({}), { abortSignal: stop });
  const subject = { action: 'sts:GetCallerIdentity', secret: undefined, selector: undefined, parties };
  return (await askFor(session.sts, callerSchema, call, subject, signal)).Arn;
}
