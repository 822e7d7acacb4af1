import { DescribeSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { ManagerError } from '../errors.ts';
import type { AccessResult, Selection, Selector } from '../manager.ts';
import { type AnsweredSecret, accessedVersion, secretSchema, valueSchema } from './answers.ts';
import type { Answer } from './calls.ts';
import type { Fault } from './fault.ts';
import { findAnswer } from './names.ts';
import { errorOf, isNotFound, missingSecret, noVersion, type Subject, scheduledForDeletion } from './refusal.ts';
import { type AwsSession, checked } from './session.ts';

/** What one read gave: for each of its selections a result, or a fault that ends the whole session's reading. */
export type ReadOutcome = { readonly results: readonly AccessResult[] } | { readonly session: ManagerError };

const LATEST = 'AWSCURRENT';

export function readSubject(session: AwsSession, selection: Selection): Subject {
  return { action: 'secretsmanager:GetSecretValue', ...selection, parties: session.parties };
}

/** Reads one selection by a call of its own. */
export async function readOne(session: AwsSession, selection: Selection, signal: AbortSignal): Promise<ReadOutcome> {
  const { secret, selector } = selection;
  const answer = await getValue(session, secret, selector, signal);
  if (answer.ok) return { results: [accessedVersion(secret, answer.value, session.parties)] };
  const { fault } = answer;
  if (fault.kind === 'session') return { session: fault.error };
  const error = errorOf(fault, readSubject(session, selection));
  if (selector.kind === 'latest' || error.reason !== 'SecretNotFound') return { results: [error] };
  return notFoundForSure(session, selection, error, signal);
}

/**
 * Reads several labels (latest, stages) of one secret from one moment: where each label stands is asked once, and then the versions are read by their ids,
 * which never change. Reading label by label could show both sides of a rotation.
 */
export async function readTogether(
  session: AwsSession,
  secret: string,
  selectors: readonly Selector[],
  signal: AbortSignal,
): Promise<ReadOutcome> {
  const described = await describeAnswer(session, secret, signal);
  if (!described.ok) return failAll(session, secret, selectors, described.fault);
  const answers = new Map<string, ReadOutcome>();
  const results: AccessResult[] = [];
  for (const selector of selectors) {
    const version = versionWith(described.value, labelOf(selector));
    if (described.value.DeletedDate instanceof Date) {
      results.push(scheduledForDeletion(secret));
    } else if (version === undefined) {
      results.push(noVersion({ secret, selector }, stagesOf(described.value)));
    } else {
      const outcome =
        answers.get(version) ?? (await readVersion(session, secret, described.value.ARN, version, signal));
      answers.set(version, outcome);
      if ('session' in outcome) return outcome;
      results.push(...outcome.results);
    }
  }
  return { results };
}

export async function describeAnswer(
  session: AwsSession,
  secret: string,
  signal: AbortSignal,
): Promise<Answer<AnsweredSecret>> {
  const call = (stop: AbortSignal): Promise<unknown> =>
    session.secrets.send(new DescribeSecretCommand({ SecretId: secret }), { abortSignal: stop });
  return aboutAsked(session, secret, checked(secretSchema, await session.ask(call, signal), session.parties));
}

async function getValue(session: AwsSession, secret: string, selector: Selector, signal: AbortSignal) {
  const input = {
    SecretId: secret,
    ...(selector.kind === 'version' ? { VersionId: selector.version } : {}),
    ...(selector.kind === 'stage' ? { VersionStage: selector.stage } : {}),
  };
  const call = (stop: AbortSignal): Promise<unknown> =>
    session.secrets.send(new GetSecretValueCommand(input), { abortSignal: stop });
  const answer = aboutAsked(session, secret, checked(valueSchema, await session.ask(call, signal), session.parties));
  if (answer.ok && selector.kind === 'version' && answer.value.VersionId !== selector.version)
    return elsewhere(session);
  return answer;
}

async function readVersion(
  session: AwsSession,
  secret: string,
  arn: string,
  version: string,
  signal: AbortSignal,
): Promise<ReadOutcome> {
  const answer = await getValue(session, secret, { kind: 'version', version }, signal);
  if (answer.ok && answer.value.ARN === arn) {
    return { results: [accessedVersion(secret, answer.value, session.parties)] };
  }
  if (answer.ok || isNotFound(answer.fault)) {
    return { results: [new ManagerError('ManagerUnavailable', 'a secret changed while it was read')] };
  }
  if (answer.fault.kind === 'session') return { session: answer.fault.error };
  const subject = readSubject(session, { secret, selector: { kind: 'version', version } });
  return { results: [errorOf(answer.fault, subject)] };
}

/**
 * Whether a version or the whole secret is missing stands only in the words of AWS, which may change. A key may be dropped when its
 * secret is not found, so the secret itself is looked at before that is said. Who may not look hears what AWS said.
 */
async function notFoundForSure(
  session: AwsSession,
  selection: Selection,
  said: ManagerError,
  signal: AbortSignal,
): Promise<ReadOutcome> {
  const described = await describeAnswer(session, selection.secret, signal);
  if (described.ok) return { results: [noVersion(selection, stagesOf(described.value))] };
  if (described.fault.kind === 'session') return { session: described.fault.error };
  if (isNotFound(described.fault))
    return { results: [missingSecret({ secret: selection.secret, parties: session.parties })] };
  return { results: [described.fault.kind === 'call' ? described.fault.error : said] };
}

function failAll(session: AwsSession, secret: string, selectors: readonly Selector[], fault: Fault): ReadOutcome {
  if (fault.kind === 'session') return { session: fault.error };
  const subject: Subject = {
    action: 'secretsmanager:DescribeSecret',
    secret,
    selector: undefined,
    parties: session.parties,
  };
  const error = errorOf(fault, subject);
  return { results: selectors.map(() => error) };
}

/** An answer about another secret than the asked one is worse than none. */
function aboutAsked<T extends { ARN: string; Name: string }>(
  session: AwsSession,
  secret: string,
  answer: Answer<T>,
): Answer<T> {
  return answer.ok && findAnswer(secret, [answer.value]) === undefined ? elsewhere(session) : answer;
}

function elsewhere(session: AwsSession): Answer<never> {
  const text = `${session.parties.service} answered about something else than was asked`;
  return { ok: false, fault: { kind: 'call', error: new ManagerError('ManagerUnavailable', text) } };
}

function labelOf(selector: Selector): string {
  return selector.kind === 'stage' ? selector.stage : LATEST;
}

function versionWith(secret: AnsweredSecret, label: string): string | undefined {
  return Object.entries(secret.VersionIdsToStages ?? {}).find(([, stages]) => stages.includes(label))?.[0];
}

function stagesOf(secret: AnsweredSecret): readonly string[] {
  return [...new Set(Object.values(secret.VersionIdsToStages ?? {}).flat())].toSorted();
}
