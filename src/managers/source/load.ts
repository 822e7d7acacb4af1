import { ManagerError } from '../errors.ts';
import type { AccessResult, Selection } from '../manager.ts';
import type { Calls } from './calls.ts';
import type { Finder } from './find.ts';
import { find } from './find.ts';
import type { Batch } from './lanes.ts';
import type { Answer } from './outcomes.ts';
import type { Entry, Outcome, Unit } from './unit.ts';

/** What a call said: of each unit an answer or a transient error; or that nothing could be asked. */
export type Report =
  | { readonly asked: true; readonly units: ReadonlyMap<Unit, Answer | ManagerError> }
  | { readonly asked: false; readonly error: ManagerError };

/** Asks for a batch. `beforeCall` resolves when the limiter lets one more call through. Never rejects. */
export async function load(calls: Calls, batch: Batch, beforeCall: () => Promise<void>): Promise<Report> {
  // What is subscribed to while the call is under way has no part in its answer.
  const entries = batch.units.flatMap((unit) => [...unit.entries.values()]);
  try {
    return batch.access ? await loadValues(calls, entries) : await loadLists(calls, entries, beforeCall);
  } catch (error) {
    const known = calls.known(error);
    return known.transient ? { asked: false, error: known } : refused(entries, known);
  }
}

async function loadValues(calls: Calls, entries: readonly Entry[]): Promise<Report> {
  const results = await calls.access(entries.flatMap(selectionOf));
  const answers = new Map<Unit, Answer | ManagerError>();
  for (const [index, entry] of entries.entries()) {
    const result = results[index];
    if (result !== undefined) {
      answers.set(entry.unit, withResult(answers.get(entry.unit), entry, result));
    }
  }
  const transient = [...answers.values()].filter((answer) => answer instanceof ManagerError);
  const [first] = transient;
  // One secret may have a fault of its own; several at once, and nothing else, are the manager's.
  const managers = transient.length === answers.size && answers.size > 1 && !transient.some((each) => each.ofOneSecret);
  return first !== undefined && managers ? { asked: false, error: first } : { asked: true, units: answers };
}

/** A unit is answered whole or not at all: one label that could not be asked holds back the others, or they would tear. */
function withResult(
  before: Answer | ManagerError | undefined,
  entry: Entry,
  result: AccessResult,
): Answer | ManagerError {
  if (before instanceof ManagerError) {
    return before;
  }
  if (result instanceof ManagerError && result.transient) {
    return result;
  }
  return withOutcome(
    before,
    entry,
    result instanceof ManagerError ? { ok: false, error: result } : { ok: true, result },
  );
}

function withOutcome(before: Answer | undefined, entry: Entry, outcome: Outcome): Answer {
  return { outcomes: new Map([...(before?.outcomes ?? []), [entry, outcome]]), found: undefined };
}

async function loadLists(calls: Calls, entries: readonly Entry[], beforeCall: () => Promise<void>): Promise<Report> {
  const answers = new Map<Unit, Answer>();
  for (const entry of entries) {
    answers.set(entry.unit, await loadList(calls, entry, beforeCall));
  }
  return { asked: true, units: answers };
}

async function loadList(calls: Calls, entry: Entry, beforeCall: () => Promise<void>): Promise<Answer> {
  const { topic, unit } = entry;
  if (topic.kind === 'find') {
    const finder: Finder = {
      list: (query) => calls.list(query),
      describe: async (secret) => {
        await beforeCall();
        return calls.describe(secret);
      },
    };
    const found = await find(finder, topic.query, unit.found, knownNames(entry));
    return { outcomes: new Map([[entry, { ok: true, result: found.secrets }]]), found };
  }
  const result = await calls.versions(topic.secret);
  return { outcomes: new Map([[entry, { ok: true, result }]]), found: undefined };
}

/** A definite refusal of the whole call is the answer for everything in it. */
function refused(entries: readonly Entry[], error: ManagerError): Report {
  const answers = new Map<Unit, Answer>();
  for (const entry of entries) {
    answers.set(entry.unit, withOutcome(answers.get(entry.unit), entry, { ok: false, error }));
  }
  return { asked: true, units: answers };
}

function selectionOf({ topic }: Entry): Selection[] {
  return topic.kind === 'value' ? [{ secret: topic.secret, selector: topic.selector }] : [];
}

function knownNames(entry: Entry): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { topic } of entry.subscribers.values()) {
    if (topic.kind === 'find') {
      topic.known.forEach((name) => names.add(name));
    }
  }
  return names;
}
