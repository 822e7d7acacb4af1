import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { awsRegion } from '../integration/world-aws.ts';
import { eventually } from '../operator/eventually.ts';
import type { EmbeddedRecords } from './embedded.ts';
import { openPeople, withEmbedded } from './embedded-run.ts';
import { FaultBook } from './fault-book.ts';
import type { Act, ApiRequest, BackendCall, BackendChange, History, Slot, Violation, Wait } from './history.ts';
import { OperatorSlot } from './operator-slot.ts';
import { judge } from './oracles/oracles.ts';
import type { Crew, Fault, Plan } from './plan.ts';
import { type ApiProxy, type Controlled, startApiProxy } from './proxy/api-proxy.ts';
import { startBackendProxy } from './proxy/backend-proxy.ts';
import type { Rig } from './rig.ts';
import { isEmbedded, scenarios } from './scenarios/scenarios.ts';
import { createStage, type Stage } from './stage.ts';
import { WaitedInVain } from './waited-in-vain.ts';

export interface Verdict {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  /** Faults whose moment never came. */
  readonly missed: readonly Fault[];
  /** Everything that could have gone wrong. */
  readonly seen: readonly { readonly on: Fault['on']; readonly at: string }[];
  readonly seconds: number;
  /** More than one where the machine was too busy before. */
  readonly tries: number;
  readonly history: History;
}

export interface RunOptions {
  readonly rig: Rig;
  /** Namespace of the leases of this run. */
  readonly lane: string;
  /** The bundle to run: by default that of the rig. */
  readonly entry?: string;
  /** Milliseconds in which all has to be well again. */
  readonly patience?: number;
  /** Milliseconds without a write that count as quiet. */
  readonly quiet?: number;
}

/** Runs one plan in a namespace of its own, with operators of its own, and judges what happened. */
export async function runPlan(plan: Plan, options: RunOptions): Promise<Verdict> {
  const scenario = scenarios[plan.scenario];
  if (scenario === undefined)
    throw new Error(`there is no scenario ${plan.scenario}: ${Object.keys(scenarios).join(', ')}`);
  const started = performance.now();
  const run = await openRun(plan, options);
  try {
    await run.ready();
    await scenario(run.stage);
    await run.stage.settle();
    await run.quiet();
  } catch (error) {
    if (!(error instanceof WaitedInVain)) throw error;
  } finally {
    await run.end();
  }
  const history = await run.history();
  options.rig.recorder.forget(history.namespace, history.manager);
  const seconds = (performance.now() - started) / 1000;
  return {
    plan,
    violations: judge(history),
    missed: run.book.missed(),
    seen: run.book.seen(),
    seconds,
    tries: 1,
    history,
  };
}

interface Run {
  readonly stage: Stage;
  readonly book: FaultBook;
  ready(): Promise<void>;
  quiet(): Promise<void>;
  end(): Promise<void>;
  history(): Promise<History>;
}

/** Milliseconds in which all has to be well again (L1); what is not answered at all takes the operator's own deadline before. */
const patience = 30_000;
const deadlineOfCalls = 16_000;
const longestUnrest = 25_000;
/** Longer than it takes until the backend is asked again. */
const shortQuiet = 1_300;

interface Records extends EmbeddedRecords {
  readonly requests: ApiRequest[];
  readonly calls: BackendCall[];
  readonly backend: BackendChange[];
  readonly acts: Act[];
  readonly waits: Wait[];
  readonly canaries: string[];
}

async function openRun(plan: Plan, options: RunOptions): Promise<Run> {
  const { rig, lane } = options;
  const namespace = `run-${String(rig.next()).padStart(5, '0')}`;
  const book = new FaultBook(plan, namespace);
  const records: Records = {
    requests: [],
    calls: [],
    backend: [],
    acts: [],
    waits: [],
    canaries: [],
    puts: [],
    refusals: [],
    keys: [],
  };
  const dir = await mkdtemp(join(tmpdir(), 'keyferry-faults-'));
  await rig.api.create({ kind: 'Namespace', metadata: { name: namespace } });
  await rig.api.delete('Lease', { namespace: lane, name: leaseName });
  const slots = new Map<Slot, OperatorSlot>();
  const backend = await startBackendProxy({
    url: rig.motoUrl,
    book,
    process: { kill: async () => slots.get('a')?.kill(), oversleep: () => Promise.resolve() },
    now: rig.now,
    record: (call) => records.calls.push(withoutPrefix(call, `${namespace}/`)),
  });
  const usesCluster = isEmbedded(plan.scenario);
  const people = await openPeople({
    rig,
    lane,
    namespace,
    book,
    records,
    dir,
    kill: async () => slots.get('a')?.kill(),
  });
  if (usesCluster) await people.openKeys();
  const crew = await openCrew({ plan, options, namespace, book, records, dir, endpoint: backend.url });
  for (const [slot, { operator }] of crew) slots.set(slot, operator);
  const live = (): History => ({
    ...records,
    namespace,
    manager: namespace,
    ownNamespaces: [lane],
    objects: rig.recorder.versions(namespace, namespace),
    logs: [],
  });
  const stage = createStage({
    rig,
    namespace,
    backend,
    embedded: people.stage,
    operators: Object.fromEntries(slots),
    patience:
      (options.patience ?? patience) + (plan.faults.some((fault) => fault.do.startsWith('hang')) ? deadlineOfCalls : 0),
    calm: plan.faults.length === 0,
    outages: { lasting: false },
    book: records,
    history: live,
  });
  return {
    stage,
    book,
    ready: () => startCrew(plan.crew, rig, lane, slots),
    quiet: () => untilQuiet(records, rig, options.quiet ?? shortQuiet),
    end: async () => {
      await Promise.all(Array.from(slots.values(), (slot) => slot.down()));
      await Promise.all(Array.from(crew.values(), ({ proxy }) => proxy.close()));
      await people.close();
      await backend.close();
      await rm(dir, { recursive: true, force: true });
    },
    history: async () => {
      await rig.recorder.caughtUp(namespace);
      const logs = await Promise.all(Array.from(slots.values(), (slot) => slot.logs()));
      const whole = { ...live(), logs: logs.flat() };
      return usesCluster ? withEmbedded(whole, records, rig) : whole;
    },
  };
}

const leaseName = 'keyferry-operator';

interface CrewOptions {
  readonly plan: Plan;
  readonly options: RunOptions;
  readonly namespace: string;
  readonly book: FaultBook;
  readonly records: Records;
  readonly dir: string;
  readonly endpoint: string;
}

type Member = { readonly operator: OperatorSlot; readonly proxy: ApiProxy };

async function openCrew(crew: CrewOptions): Promise<ReadonlyMap<Slot, Member>> {
  const slots: readonly Slot[] = crew.plan.crew === 'one' ? ['a'] : ['a', 'b'];
  const members = new Map<Slot, Member>();
  for (const slot of slots) members.set(slot, await openSlot(slot, crew));
  return members;
}

async function openSlot(
  slot: Slot,
  { plan, options, namespace, book, records, dir, endpoint }: CrewOptions,
): Promise<Member> {
  const { rig, lane, entry = rig.bundle } = options;
  const process: Controlled = { kill: () => operator.kill(), oversleep: () => operator.oversleep() };
  const proxy = await startApiProxy({
    server: rig.server,
    slot,
    id: namespace,
    book,
    process,
    now: rig.now,
    record: (request) => records.requests.push(request),
  });
  const kubeconfig = join(dir, `${slot}.kubeconfig`);
  await writeFile(kubeconfig, rig.kubeconfig.replace(rig.cluster.url, proxy.url), { mode: 0o600 });
  const operator = new OperatorSlot({
    slot,
    kubeconfig,
    entry,
    flags: [
      '--log-level=debug',
      `--embedded=${isEmbedded(plan.scenario)}`,
      `--namespace=${lane}`,
      `--watch-namespaces=${namespace}`,
      `--identity=${slot}`,
      '--rollout-min-interval=1s',
      ...leadership[plan.crew],
    ],
    env: {
      AWS_ACCESS_KEY_ID: 'operator',
      AWS_SECRET_ACCESS_KEY: 'operator',
      AWS_REGION: awsRegion,
      AWS_ENDPOINT_URL: endpoint,
    },
    awake: () => untilLeads(rig, lane, slot === 'a' ? 'b' : 'a'),
  });
  return { operator, proxy };
}

/** A leader that died has the lease for a while; one of the same name takes it back at once. */
const leadership: Readonly<Record<Crew, readonly string[]>> = {
  one: ['--lease-duration=10s', '--renew-deadline=8s', '--retry-period=2s'],
  standby: ['--lease-duration=5s', '--renew-deadline=4s', '--retry-period=500ms'],
  'two-leaders': ['--leader-election=false'],
};

async function startCrew(crew: Crew, rig: Rig, lane: string, slots: ReadonlyMap<Slot, OperatorSlot>): Promise<void> {
  await slots.get('a')?.up();
  if (crew === 'standby') await untilLeads(rig, lane, 'a').catch(() => undefined);
  await slots.get('b')?.up();
  await Promise.all(Array.from(slots.values(), (slot) => slot.ready(10_000)));
}

const leaseSchema = z.object({ spec: z.object({ holderIdentity: z.string().nullish() }) });

async function untilLeads(rig: Rig, lane: string, identity: string): Promise<void> {
  await eventually(`${identity} leads`, async () => {
    const lease = leaseSchema.parse(await rig.api.get('Lease', { namespace: lane, name: leaseName }));
    if (lease.spec.holderIdentity !== identity) throw new Error(`${lease.spec.holderIdentity ?? 'nobody'} does`);
  });
}

/** L2: once all is well, nothing is written any more. Leases are, and events tell of the past. */
async function untilQuiet({ requests, waits }: Records, rig: Rig, quiet: number): Promise<void> {
  const last = (): ApiRequest | undefined =>
    requests.findLast(
      ({ verb, resource, dryRun }) =>
        !['get', 'list', 'watch'].includes(verb) && !['leases', 'events'].includes(resource) && !dryRun,
    );
  const end = rig.now() + longestUnrest + quiet;
  const begin = rig.now();
  while (rig.now() - Math.max(begin, last()?.at ?? 0) < quiet) {
    if (rig.now() > end) {
      const { verb = '', resource = '', name = '' } = last() ?? {};
      waits.push({ law: 'L2', what: 'nothing is written any more', met: false, why: `${verb} ${resource} ${name}` });
      return;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

function withoutPrefix(call: BackendCall, prefix: string): BackendCall {
  return { ...call, secrets: call.secrets.map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name)) };
}
