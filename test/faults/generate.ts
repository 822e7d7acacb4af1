import { type Crew, callFaults, eventFaults, type Fault, type Plan, planName, requestFaults } from './plan.ts';
import { randomFrom, shuffled } from './random.ts';

/** Something that passed in a run without faults. */
export interface Sighting {
  readonly on: Fault['on'];
  readonly at: string;
}

/** A run without faults. */
export interface Lesson {
  readonly scenario: string;
  readonly crew: Crew;
  readonly seen: readonly Sighting[];
}

type RequestFault = (typeof requestFaults)[number];

const reads: readonly RequestFault[] = [
  'kill-before',
  'throttle',
  'error-500',
  'error-503',
  'timeout-before',
  'reset-before',
];
const oversleeping: readonly RequestFault[] = ['stop-before', 'stop-after'];
/** These take the operator's own deadline of 15 s each. */
const hanging: readonly RequestFault[] = ['hang-before', 'hang-after'];

/** A plan for each request, event and call of a run, and for each thing that can happen to it. */
export function plansOf(lesson: Lesson): readonly Plan[] {
  const { scenario, crew } = lesson;
  return lesson.seen
    .filter(matters)
    .flatMap((sighting) => faultsFor(sighting, crew))
    .map((fault) => ({ scenario, crew, faults: [fault] }));
}

/** What repeats as long as a run takes is looked at a few times. */
function matters({ at }: Sighting): boolean {
  const [, label = '', nth = ''] = /^(.*) #(\d+)$/.exec(at) ?? [];
  if (label.includes('leases')) return Number(nth) <= 2;
  if (label.includes(' events ')) return Number(nth) <= 1;
  return Number(nth) <= 4;
}

function faultsFor({ on, at }: Sighting, crew: Crew): readonly Fault[] {
  if (on === 'event') return eventFaults.map((fault) => ({ on, at, do: fault }));
  if (on === 'call') {
    const hasValues = at.includes('SecretValue');
    const possible = callFaults.filter((fault) => hasValues || !['empty-value', 'partial'].includes(fault));
    return possible.map((fault) => ({ on, at, do: fault }));
  }
  const isRead = /^[abp]: (get|list|watch) /.test(at);
  const usual = isRead ? reads : requestFaults.filter((fault) => !oversleeping.includes(fault));
  const asleep = crew === 'standby' && !isRead && at.startsWith('a: ') && !at.includes('leases') ? oversleeping : [];
  return [...usual, ...asleep].map((fault) => ({ on, at, do: fault }));
}

export interface Wish {
  readonly seed: number;
  /** How many. */
  readonly plans: number;
  /** Whether those that take long are among them. On by default. */
  readonly slow?: boolean;
}

/**
 * As many plans as wished, the same for the same seed: of one fault each, as long as there are any, spread over scenarios and faults; then of two, at random
 * places. Of those that take long there are few.
 */
export function choose(lessons: readonly Lesson[], { seed, plans, slow = true }: Wish): readonly Plan[] {
  const random = randomFrom(seed);
  const all = lessons.flatMap(plansOf);
  const lasting = slow ? shuffled(all.filter(isSlow), random).slice(0, Math.ceil(plans / 25)) : [];
  const single = [
    ...lasting,
    ...spread(
      all.filter((plan) => !isSlow(plan)),
      random,
    ),
  ];
  const chosen = single.slice(0, plans);
  const quick = all.filter((plan) => !isSlow(plan) && plan.crew !== 'standby');
  const names = new Set(chosen.map(planName));
  while (chosen.length < plans && quick.length > 1) {
    const plan = pairOf(quick, random);
    if (plan === undefined || names.has(planName(plan))) continue;
    names.add(planName(plan));
    chosen.push(plan);
  }
  return chosen;
}

function isSlow({ faults }: Plan): boolean {
  return faults.some(({ on, do: fault }) => on === 'request' && hanging.some((each) => each === fault));
}

/** Round by round one plan of each scenario, crew and kind of fault. */
function spread(plans: readonly Plan[], random: () => number): readonly Plan[] {
  const groups = Map.groupBy(shuffled(plans, random), ({ scenario, crew, faults }) =>
    [scenario, crew, ...faults.map(({ on, do: fault }) => `${on} ${fault}`)].join('/'),
  );
  const rounds = [...groups.values()].flatMap((group) => group.map((plan, round) => ({ plan, round })));
  return rounds.toSorted((a, b) => a.round - b.round).map(({ plan }) => plan);
}

function pairOf(plans: readonly Plan[], random: () => number): Plan | undefined {
  const one = plans[Math.floor(random() * plans.length)];
  const fitting = plans.filter((plan) => plan.scenario === one?.scenario && plan.crew === one.crew);
  const other = fitting[Math.floor(random() * fitting.length)];
  if (one === undefined || other === undefined) return undefined;
  const [first] = one.faults;
  const [second] = other.faults;
  if (first === undefined || second === undefined || first.at === second.at) return undefined;
  return { ...one, faults: [first, second] };
}
