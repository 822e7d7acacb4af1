import { BatchGetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { ManagerError } from '../errors.ts';
import type { AccessResult, Selection, Selector } from '../manager.ts';
import { type AnsweredError, type AnsweredValue, accessedVersion, batchSchema } from './answers.ts';
import type { Fault } from './fault.ts';
import { findAnswer, nameError, selectorError } from './names.ts';
import { type ReadOutcome, readOne, readSubject, readTogether } from './reads.ts';
import { isDenied, itemError } from './refusal.ts';
import { type AwsSession, checked, regionOf } from './session.ts';

/** The most names that AWS takes in one batch. */
export const BATCH_SIZE = 20;
const PARALLEL = 4;
/** How long the batch call is left alone after AWS refused it, in milliseconds. */
const BATCH_PAUSE = 3_600_000;

/** Whether the batch call may be used; remembered between reads of one manager. */
export interface BatchPermission {
  /** Monotonic milliseconds; undefined: as far as we know it may. */
  deniedUntil: number | undefined;
  said: boolean;
}

type Access = (selections: readonly Selection[], signal: AbortSignal) => Promise<readonly AccessResult[]>;

/** One or several selections of one secret that are read together. */
interface Job {
  readonly secret: string;
  readonly selectors: readonly Selector[];
}

/** What is known so far, by selection; `session` ends the reading. */
interface Progress {
  readonly results: Map<string, AccessResult>;
  /** Whether AWS answered any call. */
  heard: boolean;
  session: ManagerError | undefined;
}

/** The manager's `access`: latest in batches, anything else by calls of its own, each distinct selection once. */
export function createAccess(session: AwsSession): Access {
  const permission: BatchPermission = { deniedUntil: undefined, said: false };
  return async (selections, signal) => {
    if (selections.length === 0) return [];
    const region = await regionOf(session);
    const progress: Progress = { results: new Map(), heard: false, session: undefined };
    const heedful = listening(session, progress);
    const { batched, single } = plan(selections, region, progress);
    const useBatch = batched.length > 1 && session.clock.monotonic() >= (permission.deniedUntil ?? 0);
    const batches = useBatch ? chunks(batched, BATCH_SIZE) : [];
    const rest = useBatch ? [] : [...batched];
    await inParallel(batches, progress, async (names) => {
      rest.push(...(await readBatch(heedful, permission, names, progress, signal)));
    });
    const jobs = [...rest.map((secret): Job => ({ secret, selectors: [{ kind: 'latest' }] })), ...single];
    await inParallel(jobs, progress, async (job) => record(progress, job, await run(heedful, job, signal)));
    return collect(selections, progress);
  };
}

function listening(session: AwsSession, progress: Progress): AwsSession {
  return {
    ...session,
    ask: async (call, signal) => {
      const answer = await session.ask(call, signal);
      if (answer.ok || answer.fault.kind === 'refused') progress.heard = true;
      return answer;
    },
  };
}

function plan(
  selections: readonly Selection[],
  region: string,
  progress: Progress,
): { readonly batched: readonly string[]; readonly single: readonly Job[] } {
  const batched: string[] = [];
  const single: Job[] = [];
  for (const [secret, wanted] of Map.groupBy(selections, (selection) => selection.secret)) {
    const distinct = new Map(wanted.map(({ selector }) => [keyOf(secret, selector), selector]));
    const good = [...distinct].filter(([key, selector]) => {
      const error = nameError(secret, region) ?? selectorError(secret, selector);
      if (error !== undefined) progress.results.set(key, error);
      return error === undefined;
    });
    const labels = good.map(([, selector]) => selector).filter((selector) => selector.kind !== 'version');
    const pinned = good.map(([, selector]) => selector).filter((selector) => selector.kind === 'version');
    if (labels.length === 1 && labels[0]?.kind === 'latest') batched.push(secret);
    else if (labels.length > 0) single.push({ secret, selectors: labels });
    single.push(...pinned.map((selector): Job => ({ secret, selectors: [selector] })));
  }
  return { batched, single };
}

function run(session: AwsSession, job: Job, signal: AbortSignal): Promise<ReadOutcome> {
  const [selector, ...others] = job.selectors;
  if (selector === undefined || others.length > 0) return readTogether(session, job.secret, job.selectors, signal);
  return readOne(session, { secret: job.secret, selector }, signal);
}

function record(progress: Progress, job: Job, outcome: ReadOutcome): void {
  if ('session' in outcome) {
    progress.session ??= outcome.session;
    return;
  }
  for (const [index, selector] of job.selectors.entries()) {
    const result = outcome.results[index];
    if (result !== undefined) progress.results.set(keyOf(job.secret, selector), result);
  }
}

/** Reads up to 20 secrets by one call. Resolves to the names that must be read one by one instead. */
async function readBatch(
  session: AwsSession,
  permission: BatchPermission,
  names: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { values, errors, fault } = await batchPages(session, names, signal);
  const open = names.filter((secret) => {
    const result = resultFor(session, secret, values, errors);
    if (result !== undefined) progress.results.set(keyOf(secret, { kind: 'latest' }), result);
    return result === undefined;
  });
  if (fault?.kind === 'session') progress.session ??= fault.error;
  if (fault?.kind === 'refused') {
    if (isDenied(fault)) noteDenied(session, permission);
    // Whatever AWS has against the batch as a whole may be the fault of one name in it, which must not become that of the others.
    return open;
  }
  for (const secret of fault?.kind === 'session' ? [] : open) {
    progress.results.set(keyOf(secret, { kind: 'latest' }), fault?.error ?? leftOut(session));
  }
  return [];
}

interface BatchAnswers {
  readonly values: AnsweredValue[];
  readonly errors: AnsweredError[];
  readonly fault: Fault | undefined;
}

/** All pages of a batch's answer, up to the first fault. */
async function batchPages(session: AwsSession, names: readonly string[], signal: AbortSignal): Promise<BatchAnswers> {
  const values: AnsweredValue[] = [];
  const errors: AnsweredError[] = [];
  let token: string | undefined;
  // AWS may answer in pages; more of them than names would be a circle.
  for (let page = 0; page <= names.length; page += 1) {
    const input = { SecretIdList: [...names], ...(token === undefined ? {} : { NextToken: token }) };
    const call = (stop: AbortSignal): Promise<unknown> =>
      session.secrets.send(new BatchGetSecretValueCommand(input), { abortSignal: stop });
    const answer = checked(batchSchema, await session.ask(call, signal), session.parties);
    if (!answer.ok) return { values, errors, fault: answer.fault };
    values.push(...(answer.value.SecretValues ?? []));
    errors.push(...(answer.value.Errors ?? []));
    token = answer.value.NextToken ?? '';
    if (token === '') break;
  }
  return { values, errors, fault: undefined };
}

function resultFor(
  session: AwsSession,
  secret: string,
  values: readonly AnsweredValue[],
  errors: readonly AnsweredError[],
): AccessResult | undefined {
  const value = findAnswer(secret, values);
  if (value !== undefined) return accessedVersion(secret, value, session.parties);
  const error = errors.find((item) => findAnswer(secret, [{ ARN: item.SecretId, Name: item.SecretId }]) !== undefined);
  if (error === undefined) return undefined;
  return itemError(
    error.ErrorCode,
    error.Message ?? '',
    readSubject(session, { secret, selector: { kind: 'latest' } }),
  );
}

function leftOut(session: AwsSession): ManagerError {
  return new ManagerError('ManagerUnavailable', `${session.parties.service} left a secret out of its answer`);
}

function noteDenied(session: AwsSession, permission: BatchPermission): void {
  permission.deniedUntil = session.clock.monotonic() + BATCH_PAUSE;
  if (permission.said) return;
  permission.said = true;
  session.logger.warn('AWS refuses batch reads, so secrets are read one by one: 20 times as many calls', {
    principal: session.parties.principal,
    allow: 'secretsmanager:BatchGetSecretValue on resource *',
  });
}

/** The results in the order of the selections. Where no call was answered there are none, and the fault is that of the whole reading. */
function collect(selections: readonly Selection[], progress: Progress): readonly AccessResult[] {
  const { results, heard, session } = progress;
  if (session !== undefined && results.size === 0) throw session;
  const missing = session ?? new ManagerError('ManagerUnavailable', 'AWS was not asked');
  const all = selections.map(({ secret, selector }) => results.get(keyOf(secret, selector)) ?? missing);
  const [first] = all;
  const unheard = !heard && all.every((result) => result instanceof ManagerError && result.transient);
  if (unheard && first instanceof ManagerError) throw first;
  return all;
}

/** A few at a time; stops where the session's fault shows that no other call would do better. */
async function inParallel<T>(items: readonly T[], progress: Progress, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && progress.session === undefined; item = queue.shift()) {
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, queue.length) }, worker));
}

function chunks(names: readonly string[], size: number): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(names.length / size) }, (_, index) =>
    names.slice(index * size, (index + 1) * size),
  );
}

function keyOf(secret: string, selector: Selector): string {
  return JSON.stringify([secret, selector]);
}
