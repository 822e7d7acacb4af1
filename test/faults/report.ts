import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from './batch.ts';
import type { Violation } from './history.ts';
import { type Plan, planName } from './plan.ts';
import type { Verdict } from './run-plan.ts';

const root = join(import.meta.dirname, '..', '..');
/** Ignored by git. */
const folder = join(root, 'coverage', 'faults');

export interface Summary {
  readonly plans: number;
  /** Plans in which nothing went wrong as planned, since its moment never came. */
  readonly missed: number;
  /** Plans that were run again, because the machine was too busy to judge how long anything took. */
  readonly repeated: number;
  readonly seconds: number;
  readonly violations: readonly { readonly plan: Plan; readonly violations: readonly Violation[] }[];
}

export function summarize(outcomes: readonly Outcome[], seconds: number): Summary {
  return {
    plans: outcomes.length,
    missed: outcomes.filter(({ missed }) => missed.length > 0).length,
    repeated: outcomes.filter(({ tries }) => tries > 1).length,
    seconds: Math.round(seconds),
    violations: outcomes.flatMap(({ plan, violations }) => (violations.length === 0 ? [] : [{ plan, violations }])),
  };
}

export async function writeReport(name: string, report: unknown): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, `${JSON.stringify(report, undefined, 2)}\n`);
  return path;
}

/** Writes a plan that failed as a file that replays, with what happened beside it. Gives the words for it. */
export async function writeFailure({ plan, violations, history }: Verdict): Promise<string> {
  const name = planName(plan)
    .replaceAll(/[^\w]+/g, '-')
    .slice(0, 120);
  const path = await writeReport(`${name}.plan.json`, plan);
  const requests = history.requests.map(({ at, slot, verb, resource, subresource, name: object, status }) => {
    return `${at.toFixed(0)} ${slot} ${verb} ${resource} ${subresource} ${object} ${status ?? '-'}`;
  });
  await writeReport(`${name}.history.json`, {
    plan,
    violations,
    ...history,
    requests,
    objects: history.objects.map(brief),
  });
  const lines = violations.slice(0, 8).map(({ law, what }) => `    ${law}: ${what}`);
  return [planName(plan), ...lines, `    replay it: make faults REPLAY=${path}`].join('\n');
}

/** Without values, and without what says nothing here. */
function brief({
  kind,
  type,
  name,
  uid,
  revision,
  annotations,
  at,
  object,
}: Verdict['history']['objects'][number]): unknown {
  const what = { kind, type, name, uid, revision, at: Math.round(at), annotations };
  return kind === 'SecretReference' ? { ...what, spec: object['spec'], status: object['status'] } : what;
}
