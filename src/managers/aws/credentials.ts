import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { fromEnv, fromHttp, fromInstanceMetadata, fromTokenFile } from '@aws-sdk/credential-providers';
import { z } from 'zod';
import { ManagerError } from '../errors.ts';
import type { Ask } from './calls.ts';
import type { Parties } from './fault.ts';
import type { AwsKeys } from './keys.ts';
import { errorOf, isDenied } from './refusal.ts';

/** What the SDK takes as credentials: it keeps them until shortly before they expire. */
export type CredentialProvider = () => Promise<AwsKeys & { readonly expiration?: Date }>;

export interface AssumedRole {
  readonly arn: string;
  readonly externalId: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
}

/** How credentials are got: the STS client is made with the same endpoint and connection as everything else. */
export interface CredentialTools {
  readonly ask: Ask;
  readonly parties: Parties;
  readonly createSts: (credentials: CredentialProvider) => STSClient;
}

const SESSION_NAME = 'keyferry';

const keysSchema = z.object({
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  SessionToken: z.string().min(1),
  Expiration: z.date(),
});
const thrownSchema = z.object({ name: z.string(), message: z.string() });

/** How a link of the chain says that nobody has configured it. Any other failure of a link is a source that is there and does not work. */
const NOT_CONFIGURED =
  /^(Unable to find environment variable|Web identity configuration not specified|No HTTP credential provider host)/;

/**
 * The operator's own identity: environment variables, a web identity token (IRSA), container credentials (EKS Pod Identity, ECS), and instance metadata
 * only where it is enabled. Profile files are never read.
 */
export function ownIdentity(
  tools: CredentialTools,
  options: { readonly instanceMetadata: boolean },
): CredentialProvider {
  const links: readonly CredentialProvider[] = [
    fromEnv(),
    fromTokenFile({ roleAssumerWithWebIdentity: webIdentityAssumer(tools) }),
    fromHttp({ timeout: 2000, maxRetries: 0 }),
    ...(options.instanceMetadata ? [fromInstanceMetadata({ timeout: 2000, maxRetries: 0 })] : []),
  ];
  return async () => {
    for (const link of links) {
      try {
        return await link();
      } catch (thrown) {
        if (thrown instanceof ManagerError) throw thrown;
        const error = thrownSchema.safeParse(thrown);
        if (!error.success || !NOT_CONFIGURED.test(error.data.message)) throw brokenSource(tools.parties);
      }
    }
    throw new ManagerError(
      'AccessDenied',
      'the operator has no AWS credentials: give its service account a role (IRSA or EKS Pod Identity), or the manager an auth.secretRef',
    );
  };
}

/** The credentials of a role that the base credentials may assume. */
export function assumedRole(tools: CredentialTools, base: CredentialProvider, role: AssumedRole): CredentialProvider {
  const sts = tools.createSts(base);
  return async () => {
    const command = new AssumeRoleCommand({
      RoleArn: role.arn,
      RoleSessionName: SESSION_NAME,
      ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
      ...(role.tags.size === 0 ? {} : { Tags: Array.from(role.tags, ([Key, Value]) => ({ Key, Value })) }),
    });
    const answer = await tools.ask(
      (signal) => sts.send(command, { abortSignal: signal }),
      new AbortController().signal,
    );
    if (answer.ok) return keysOf(answer.value.Credentials, tools.parties);
    if (isDenied(answer.fault)) throw roleDenied(role);
    const subject = { action: 'sts:AssumeRole', secret: undefined, selector: undefined, parties: tools.parties };
    throw errorOf(answer.fault, subject);
  };
}

type WebIdentityAssumer = (params: {
  RoleArn: string | undefined;
  WebIdentityToken: string | undefined;
}) => ReturnType<CredentialProvider>;

function webIdentityAssumer(tools: CredentialTools): WebIdentityAssumer {
  return async (params) => {
    const sts = tools.createSts(() => Promise.reject(brokenSource(tools.parties)));
    const command = new AssumeRoleWithWebIdentityCommand({
      RoleArn: params.RoleArn,
      RoleSessionName: SESSION_NAME,
      WebIdentityToken: params.WebIdentityToken,
    });
    const answer = await tools.ask(
      (signal) => sts.send(command, { abortSignal: signal }),
      new AbortController().signal,
    );
    if (answer.ok) return keysOf(answer.value.Credentials, tools.parties);
    if (isDenied(answer.fault)) throw tokenDenied();
    const subject = {
      action: 'sts:AssumeRoleWithWebIdentity',
      secret: undefined,
      selector: undefined,
      parties: tools.parties,
    };
    throw errorOf(answer.fault, subject);
  };
}

function keysOf(credentials: unknown, parties: Parties): AwsKeys & { readonly expiration: Date } {
  const parsed = keysSchema.safeParse(credentials);
  if (!parsed.success)
    throw new ManagerError('ManagerUnavailable', `${parties.service} gave no credentials for the role`);
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = parsed.data;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}

function brokenSource(parties: Parties): ManagerError {
  const text = `the source of ${parties.principal} gives no credentials: its token file, the pod identity agent or the instance metadata service fails`;
  return new ManagerError('ManagerUnavailable', text);
}

function roleDenied(role: AssumedRole): ManagerError {
  const id = role.externalId === undefined ? '' : ` with the external id ${role.externalId}`;
  const text = `AWS does not let the manager assume ${role.arn}: its trust policy must allow sts:AssumeRole and sts:TagSession${id}`;
  return new ManagerError('AccessDenied', text);
}

function tokenDenied(): ManagerError {
  const text =
    "AWS does not let the operator's service account assume its role: the role's trust policy must name the cluster's OIDC provider, the namespace and the service account";
  return new ManagerError('AccessDenied', text);
}
