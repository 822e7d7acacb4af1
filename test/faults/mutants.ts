import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../cluster/command.ts';
import { runPlans } from './batch.ts';
import type { Law } from './history.ts';
import type { Fault, Plan } from './plan.ts';
import type { Rig } from './rig.ts';

/** A mistake that others made, as a patch of the operator, and the plans that have to notice it. */
export interface Mutant {
  /** Of the patch, in `mutants`. */
  readonly name: string;
  readonly mistake: string;
  /** The invariants of which at least one is violated. */
  readonly laws: readonly Law[];
  readonly plans: readonly Plan[];
}

function plan(scenario: string, ...faults: readonly Fault[]): Plan {
  return { scenario, crew: 'one', faults: [...faults] };
}

export const mutants: readonly Mutant[] = [
  {
    name: 'time-stamp-as-marker',
    mistake: 'a restart is stamped with the time',
    laws: ['S6'],
    plans: [plan('consumers')],
  },
  {
    name: 'restart-at-start',
    mistake: 'whoever is not known counts as due',
    laws: ['S5'],
    plans: [plan('consumers-first')],
  },
  {
    name: 'ledger-settled-before-marker',
    mistake: 'the status says that a workload runs the new content before it is marked',
    laws: ['L1'],
    plans: [plan('consumers-while-down')],
  },
  {
    name: 'undo-is-answered',
    mistake: 'a marker that a person took away is put back',
    laws: ['S5'],
    plans: [plan('changed-by-people')],
  },
  {
    name: 'one-marker-deletes-another',
    mistake: 'the markers of two targets are applied one by one',
    laws: ['S5', 'L1'],
    plans: [plan('several-targets')],
  },
  {
    name: 'owner-by-name',
    mistake: 'an owner is told by its name',
    laws: ['S7'],
    plans: [plan('recreated-orphan')],
  },
  {
    name: 'missing-key-left-out',
    mistake: 'a Secret is written without the key that was not found',
    laws: ['S1'],
    plans: [plan('missing-key')],
  },
  {
    name: 'request-id-in-message',
    mistake: 'a condition tells the id of a request, so the status is written at each poll',
    laws: ['L2'],
    plans: [plan('never-there')],
  },
  {
    name: 'lease-with-three-digits',
    mistake: 'a lease has times of three fractional digits, so nobody ever leads',
    laws: ['L1'],
    plans: [plan('first-sync')],
  },
  {
    name: 'status-without-version',
    mistake: 'a status is written whatever it was decided on',
    laws: ['S7'],
    plans: [plan('rotation')],
  },
  {
    name: 'secret-without-version',
    mistake: 'a Secret is written whatever it was decided on',
    laws: ['S7'],
    plans: [plan('rotation')],
  },
  {
    name: 'globs-without-anchors',
    mistake: 'a rule for a name grants whatever contains it',
    laws: ['S8'],
    plans: [plan('never-granted')],
  },
  {
    name: 'doubt-deletes',
    mistake: 'a backend that is away counts as one that has nothing',
    laws: ['S2'],
    plans: [plan('backend-away')],
  },
  {
    name: 'watch-ends-for-good',
    mistake: 'a watch that broke is never opened again',
    laws: ['L1'],
    plans: [plan('rotation', { on: 'event', at: 'a: ADDED secretreferences app #1', do: 'gone' })],
  },
  {
    name: 'backoff-outlives-fault',
    mistake: 'after an error the next try is a thousand seconds away',
    laws: ['L1'],
    plans: [plan('rotation', { on: 'request', at: 'a: create secrets app #1', do: 'error-500' })],
  },
  {
    name: 'digest-of-value',
    mistake: 'a digest of the value stands in an annotation',
    laws: ['S9'],
    plans: [plan('rotation')],
  },
  {
    name: 'pinned-follows-latest',
    mistake: 'a pinned key follows the latest version',
    laws: ['S4'],
    plans: [plan('rotation')],
  },
  {
    name: 'value-in-log',
    mistake: 'a value stands in the log',
    laws: ['S9'],
    plans: [plan('rotation')],
  },
  {
    name: 'generation-ahead',
    mistake: 'a status speaks of a generation to come',
    laws: ['S12'],
    plans: [plan('first-sync')],
  },
  {
    name: 'stale-leader-takes-back',
    mistake: 'a leader that does not know that it was replaced writes what it last heard',
    laws: ['S3'],
    plans: [
      { scenario: 'rotation', crew: 'two-leaders', faults: [] },
      { scenario: 'two-rotations', crew: 'two-leaders', faults: [] },
      { scenario: 'label-moves-back', crew: 'two-leaders', faults: [] },
    ],
  },
  {
    name: 'trims-what-is-pinned',
    mistake: 'a version that a reference pins falls out of the history',
    laws: ['S11'],
    plans: [plan('embedded')],
  },
  {
    name: 'rollback-repeats-latest',
    mistake: 'a rollback has the value of another version than the one that was asked for',
    laws: ['S11'],
    plans: [plan('embedded-changes')],
  },
  {
    name: 'told-before-written',
    mistake: 'a putter hears that a version is accepted before the secret says so',
    laws: ['S11'],
    plans: [plan('embedded')],
  },
  {
    name: 'old-form-goes-first',
    mistake: 'a version is sealed to another key, and the form that its secret names is taken away at once',
    laws: ['S11'],
    plans: [plan('embedded-changes')],
  },
];

export interface MutantVerdict {
  readonly mutant: string;
  readonly mistake: string;
  readonly caught: boolean;
  /** What was found, the expected and the other. */
  readonly found: readonly string[];
}

/** Each in a lane of its own, as long as there are any. */
export async function runMutants(rig: Rig, chosen: readonly Mutant[]): Promise<readonly MutantVerdict[]> {
  const waiting = [...chosen];
  const verdicts: MutantVerdict[] = [];
  const work = async (lane: string): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      verdicts.push(await runMutant({ ...rig, lanes: [lane] }, next));
    }
  };
  await Promise.all(rig.lanes.map(work));
  return verdicts;
}

/** Milliseconds: what must never be shows at once, and what is missing then is of no interest. */
const impatience = 8_000;

/** Builds the operator with one mistake in it, and looks whether its plans notice. */
async function runMutant(rig: Rig, mutant: Mutant): Promise<MutantVerdict> {
  const dir = await mkdtemp(join(tmpdir(), 'keyferry-mutant-'));
  try {
    const entry = await buildMutant(mutant.name, dir);
    const outcomes = await runPlans(rig, mutant.plans, {
      entry,
      ...(mutant.laws.every((law) => law.startsWith('S')) ? { patience: impatience } : {}),
    });
    const violations = outcomes.flatMap((outcome) => outcome.violations);
    const { name, mistake, laws } = mutant;
    const caught = violations.some(({ law }) => laws.includes(law));
    const found = violations.slice(0, 5).map(({ law, what }) => `${law}: ${what}`);
    return { mutant: name, mistake, caught, found };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const root = join(import.meta.dirname, '..', '..');

/**
 * Puts a mistake into the sources in `dir`, or only looks whether it could be.
 * @throws where the patch does not fit any more
 */
export async function applyPatch(name: string, dir: string, args: readonly string[] = []): Promise<void> {
  const patch = join(import.meta.dirname, 'mutants', `${name}.patch`);
  await runCommand('git', ['apply', ...args, patch], { cwd: dir });
}

async function buildMutant(name: string, dir: string): Promise<string> {
  for (const part of ['src', 'scripts', 'package.json'])
    await cp(join(root, part), join(dir, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
  await applyPatch(name, dir);
  await runCommand(process.execPath, [join(dir, 'scripts', 'build.ts')]);
  return join(dir, 'dist', 'operator.mjs');
}
