import { ListSecretsCommand, ListSecretVersionIdsCommand } from '@aws-sdk/client-secrets-manager';
import type { FindQuery, SecretSummary, VersionSummary } from '../manager.ts';
import {
  type AnsweredSecret,
  type AnsweredVersion,
  incomplete,
  secretPageSchema,
  tagsOf,
  versionPageSchema,
} from './answers.ts';
import { nameError } from './names.ts';
import { describeAnswer } from './reads.ts';
import { errorOf, type Subject, scheduledForDeletion } from './refusal.ts';
import { type AwsSession, askFor, regionOf } from './session.ts';

const PAGE_SIZE = 100;
/** What AWS lets a filter's value hold. */
const FILTERABLE = /^[a-zA-Z0-9 :_@/+=.-][a-zA-Z0-9 :_@/+=.!-]{0,511}$/;

interface Filter {
  readonly Key: 'name' | 'tag-key' | 'tag-value';
  readonly Values: string[];
}

/**
 * All secrets that match, complete or not at all. AWS' filters only make the answer smaller: they compare beginnings, take `!` for "not", and do not
 * pair a tag's key with its value, so everything is compared again here.
 */
export async function listSecrets(
  session: AwsSession,
  query: FindQuery,
  signal: AbortSignal,
): Promise<readonly SecretSummary[]> {
  const found = await allSecrets(session, query, signal);
  return found.map((secret) => ({ secret: secret.Name, tags: tagsOf(secret) }));
}

/** Everything of a secret but its values. */
export interface AwsSecretDetails extends SecretSummary {
  readonly arn: string;
  readonly description: string | undefined;
  readonly created: Date | undefined;
  /** When it, or a value of it, was last changed. */
  readonly changed: Date | undefined;
  /** Id of the version with the stage AWSCURRENT. */
  readonly latest: string | undefined;
  /** The KMS key of one's own that it is encrypted with. */
  readonly kmsKey: string | undefined;
  /** The AWS service that manages it. */
  readonly owner: string | undefined;
}

/** The same with everything that AWS tells of them. */
export async function listDetails(
  session: AwsSession,
  query: FindQuery,
  signal: AbortSignal,
): Promise<readonly AwsSecretDetails[]> {
  return (await allSecrets(session, query, signal)).map((secret) => detailsOf(secret.Name, secret));
}

/** One secret. One that is scheduled for deletion is refused as a read of it would be. */
export async function secretDetails(
  session: AwsSession,
  secret: string,
  signal: AbortSignal,
): Promise<AwsSecretDetails> {
  return detailsOf(secret, await described(session, secret, signal));
}

function detailsOf(secret: string, answer: AnsweredSecret): AwsSecretDetails {
  const versions = Object.entries(answer.VersionIdsToStages ?? answer.SecretVersionsToStages ?? {});
  return {
    secret,
    tags: tagsOf(answer),
    arn: answer.ARN,
    description: textOf(answer.Description),
    created: answer.CreatedDate ?? undefined,
    changed: answer.LastChangedDate ?? answer.CreatedDate ?? undefined,
    latest: versions.find(([, stages]) => stages.includes('AWSCURRENT'))?.[0],
    kmsKey: textOf(answer.KmsKeyId),
    owner: textOf(answer.OwningService),
  };
}

function textOf(text: string | null | undefined): string | undefined {
  return text === null || text === '' ? undefined : text;
}

async function allSecrets(
  session: AwsSession,
  query: FindQuery,
  signal: AbortSignal,
): Promise<readonly AnsweredSecret[]> {
  await regionOf(session);
  const subject = subjectOf(session, 'secretsmanager:ListSecrets', undefined);
  const filters = filtersFor(query);
  const found = new Map<string, AnsweredSecret>();
  await allPages(session, async (token) => {
    const input = { MaxResults: PAGE_SIZE, IncludePlannedDeletion: false, Filters: filters, ...token };
    const call = (stop: AbortSignal): Promise<unknown> =>
      session.secrets.send(new ListSecretsCommand(input), { abortSignal: stop });
    const page = await askFor(session, secretPageSchema, call, subject, signal);
    for (const secret of page.SecretList) {
      if (matches(secret, query)) found.set(secret.Name, secret);
    }
    return page.NextToken;
  });
  return [...found.values()];
}

/** One secret without its value, under the name that was asked for. One that is scheduled for deletion is refused as a read of it would be. */
export async function describeSecret(session: AwsSession, secret: string, signal: AbortSignal): Promise<SecretSummary> {
  return { secret, tags: tagsOf(await described(session, secret, signal)) };
}

async function described(session: AwsSession, secret: string, signal: AbortSignal): Promise<AnsweredSecret> {
  const region = await regionOf(session);
  const badName = nameError(secret, region);
  if (badName !== undefined) throw badName;
  const answer = await describeAnswer(session, secret, signal);
  if (!answer.ok) throw errorOf(answer.fault, subjectOf(session, 'secretsmanager:DescribeSecret', secret));
  if (answer.value.DeletedDate instanceof Date) throw scheduledForDeletion(secret);
  return answer.value;
}

/**
 * The versions of a secret that can be read by id, newest first. Those without any stage are among them: AWS calls them deprecated and hands them out until
 * it removes them, which is what a reader of old signatures needs. One that is only pending was never handed out and is left out.
 */
export async function listVersions(
  session: AwsSession,
  secret: string,
  signal: AbortSignal,
): Promise<readonly VersionSummary[]> {
  const region = await regionOf(session);
  const badName = nameError(secret, region);
  if (badName !== undefined) throw badName;
  const subject = subjectOf(session, 'secretsmanager:ListSecretVersionIds', secret);
  const versions: AnsweredVersion[] = [];
  await allPages(session, async (token) => {
    const input = { SecretId: secret, MaxResults: PAGE_SIZE, IncludeDeprecated: true, ...token };
    const call = (stop: AbortSignal): Promise<unknown> =>
      session.secrets.send(new ListSecretVersionIdsCommand(input), { abortSignal: stop });
    const page = await askFor(session, versionPageSchema, call, subject, signal);
    versions.push(...page.Versions);
    return page.NextToken;
  });
  return newestFirst(versions.filter((version) => !isOnlyPending(version)));
}

type Token = { readonly NextToken?: string };

async function allPages(
  session: AwsSession,
  read: (token: Token) => Promise<string | null | undefined>,
): Promise<void> {
  const seen = new Set<string>();
  let token = (await read({})) ?? '';
  while (token !== '') {
    if (seen.has(token)) throw incomplete(session.parties);
    seen.add(token);
    token = (await read({ NextToken: token })) ?? '';
  }
}

function filtersFor(query: FindQuery): Filter[] {
  const filters: Filter[] = [];
  if (FILTERABLE.test(query.prefix)) filters.push({ Key: 'name', Values: [query.prefix] });
  const tag = [...query.tags].find(([key, value]) => FILTERABLE.test(key) && FILTERABLE.test(value));
  if (tag !== undefined) filters.push({ Key: 'tag-key', Values: [tag[0]] }, { Key: 'tag-value', Values: [tag[1]] });
  return filters;
}

function matches(secret: AnsweredSecret, query: FindQuery): boolean {
  if (secret.DeletedDate instanceof Date || !secret.Name.startsWith(query.prefix)) return false;
  const tags = tagsOf(secret);
  return [...query.tags].every(([key, value]) => tags.get(key) === value);
}

function isOnlyPending(version: AnsweredVersion): boolean {
  const stages = version.VersionStages ?? [];
  return stages.length > 0 && stages.every((stage) => stage === 'AWSPENDING');
}

/** By time of making; within one instant by AWS' own labels, then the one that AWS lists later. */
function newestFirst(versions: readonly AnsweredVersion[]): readonly VersionSummary[] {
  return versions
    .toReversed()
    .toSorted((a, b) => timeOf(b) - timeOf(a) || rankOf(a) - rankOf(b))
    .map((version) => ({
      version: version.VersionId,
      stages: version.VersionStages ?? [],
      createdAt: version.CreatedDate ?? undefined,
    }));
}

function timeOf(version: AnsweredVersion): number {
  return version.CreatedDate?.getTime() ?? 0;
}

function rankOf(version: AnsweredVersion): number {
  const rank = ['AWSCURRENT', 'AWSPREVIOUS'].findIndex((stage) => (version.VersionStages ?? []).includes(stage));
  return rank === -1 ? 2 : rank;
}

function subjectOf(session: AwsSession, action: string, secret: string | undefined): Subject {
  return { action, secret, selector: undefined, parties: session.parties };
}
