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
  await regionOf(session);
  const subject = subjectOf(session, 'secretsmanager:ListSecrets', undefined);
  const filters = filtersFor(query);
  const found = new Map<string, SecretSummary>();
  await allPages(session, async (token) => {
    const input = { MaxResults: PAGE_SIZE, IncludePlannedDeletion: false, Filters: filters, ...token };
    const call = (stop: AbortSignal): Promise<unknown> =>
      session.secrets.send(new ListSecretsCommand(input), { abortSignal: stop });
    const page = await askFor(session, secretPageSchema, call, subject, signal);
    for (const secret of page.SecretList) {
      if (matches(secret, query)) found.set(secret.Name, { secret: secret.Name, tags: tagsOf(secret) });
    }
    return page.NextToken;
  });
  return [...found.values()];
}

/** One secret without its value, under the name that was asked for. One that is scheduled for deletion is refused as a read of it would be. */
export async function describeSecret(session: AwsSession, secret: string, signal: AbortSignal): Promise<SecretSummary> {
  const region = await regionOf(session);
  const badName = nameError(secret, region);
  if (badName !== undefined) throw badName;
  const answer = await describeAnswer(session, secret, signal);
  if (!answer.ok) throw errorOf(answer.fault, subjectOf(session, 'secretsmanager:DescribeSecret', secret));
  if (answer.value.DeletedDate instanceof Date) throw scheduledForDeletion(secret);
  return { secret, tags: tagsOf(answer.value) };
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
