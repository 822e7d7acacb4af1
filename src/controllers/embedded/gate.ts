import { secretReveals, secretVersions } from '../../api/v1/resources.ts';
import type { KubeBody, KubeClient } from '../../kube/client.ts';
import { isForbidden, KubeError } from '../../kube/errors.ts';
import type { Resource } from '../../kube/resource.ts';
import { whenAborted } from '../../runtime/abort.ts';
import { type Clock, sleep } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';

/**
 * Whether new versions and reveals may be taken. `unsure`: the API server could not be asked; soon it will be known. `unguarded`: a false name was let
 * through, so that what came meanwhile may be anybody's, also when the policies are back.
 */
export type GateState =
  | { readonly open: true }
  | { readonly open: false; readonly message: string; readonly unsure?: boolean; readonly unguarded?: boolean };

/** Knows whether the admission policies are in force: without them anybody could say to be anybody. */
export interface PolicyGate {
  state(): GateState;
  /**
   * The same after a look that began after this call: a policy that was taken away a moment ago is noticed. Those who ask while one is under way share the
   * next one. Rejects only where `signal` aborts.
   */
  confirm(signal: AbortSignal): Promise<GateState>;
  /** Calls `listener` when the state changed. */
  onChange(listener: () => void): void;
  /** Probes until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface GateOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The operator's own namespace: nothing is ever stored there, the probes are dry runs. */
  readonly namespace: string;
}

/** Milliseconds. A verdict counts for a minute. */
const VALID = 60_000;
const INTERVAL = 20_000;
const INTERVAL_UNSETTLED = 2_000;
/** A look that others wait for ends without having learned anything. */
const LONGEST_LOOK = 10_000;

const unseen = 'the admission policies of Keyferry were not seen in force yet: it is being looked at';
const tooLongAgo =
  'the API server could not be asked for a minute whether the admission policies of Keyferry are in force';

/** Somebody that nobody is: no user of the API server has this name. */
const nobody = 'keyferry:probe';
/** It only has the form of a key: nothing is sealed to it. */
const key = `age1${'q'.repeat(58)}`;

interface Probe {
  readonly policy: string;
  readonly resource: Resource;
  readonly body: (namespace: string) => KubeBody;
}

const probes: readonly Probe[] = [
  {
    policy: 'keyferry-secret-versions',
    resource: secretVersions,
    body: (namespace) => ({
      metadata: { name: 'keyferry-probe-1', namespace },
      spec: { secret: 'keyferry-probe', version: 1, sealed: [{ key, data: 'AAAA' }], createdBy: nobody },
    }),
  },
  {
    policy: 'keyferry-secret-reveals',
    resource: secretReveals,
    body: (namespace) => ({
      metadata: { name: 'keyferry-probe', namespace },
      spec: { secret: 'keyferry-probe', reason: 'probe', recipient: key, requestedBy: nobody },
    }),
  },
];

export function createPolicyGate({ client, clock, logger, namespace }: GateOptions): PolicyGate {
  const listeners: (() => void)[] = [];
  let seen: { readonly at: number; readonly problem: Problem | undefined } | undefined;
  let told: string | undefined = unseen;

  const state = (): GateState => {
    if (seen === undefined) return { open: false, message: unseen, unsure: true };
    if (seen.problem !== undefined) return { open: false, ...seen.problem };
    if (clock.monotonic() - seen.at < VALID) return { open: true };
    return { open: false, message: tooLongAgo, unsure: true };
  };
  const tell = (): void => {
    const now = state();
    const words = now.open ? undefined : now.message;
    if (words === told) return;
    told = words;
    if (words === undefined) logger.info('The admission policies are in force: versions and reveals are taken');
    else logger.warn('Versions and reveals are not taken', { why: words });
    for (const listener of listeners) listener();
  };
  /** Whether it is known now. */
  const look = async (signal: AbortSignal): Promise<boolean> => {
    const at = clock.monotonic();
    const findings = await Promise.all(probes.map((probe) => findingOf(client, probe, namespace, signal)));
    const problems = findings.flatMap(({ problem }) => problem ?? []);
    const problem = problems.find(({ unguarded }) => unguarded) ?? problems[0];
    const known = problem !== undefined || findings.every(({ known }) => known);
    // Looks may overlap, and the older one may end last.
    if (known && (seen === undefined || at >= seen.at)) seen = { at, problem };
    if (!signal.aborted) tell();
    return known;
  };

  const sharedLook = shareLooks(clock, look);

  return {
    state,
    confirm: async (signal) => {
      await unlessAborted(sharedLook(), signal);
      return state();
    },
    onChange: (listener) => listeners.push(listener),
    run: async (signal) => {
      while (!signal.aborted) {
        const known = await look(signal);
        await sleep(clock, known && state().open ? INTERVAL : INTERVAL_UNSETTLED, signal);
      }
    },
  };
}

/** A look belongs to all who wait for it: one that gives up ends it for nobody else. */
function shareLooks(clock: Clock, look: (signal: AbortSignal) => Promise<unknown>): () => Promise<unknown> {
  return shareNext(async () => {
    const aborter = new AbortController();
    const timer = clock.after(LONGEST_LOOK, () => aborter.abort());
    await look(aborter.signal).finally(() => timer.cancel());
  });
}

async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  await Promise.race([work, whenAborted(signal)]);
  signal.throwIfAborted();
}

/** Runs `work` once at a time. Who calls while it runs gets the run after that, which begins after the call, as all others do who call meanwhile. */
function shareNext(work: () => Promise<unknown>): () => Promise<unknown> {
  let running: Promise<unknown> | undefined;
  let next: Promise<unknown> | undefined;
  const start = (): Promise<unknown> => {
    next = undefined;
    const run = work().finally(() => {
      if (running === run) running = undefined;
    });
    running = run;
    return run;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running.then(start, start);
    return next;
  };
}

interface Problem {
  readonly message: string;
  readonly unguarded?: boolean;
}

interface Finding {
  /** False where nothing could be learned. */
  readonly known: boolean;
  /** Why the policy does not do what it must; undefined where it does. */
  readonly problem?: Problem;
}

/** The policy must refuse what says to be from somebody that we are not. */
async function findingOf(
  client: KubeClient,
  { policy, resource, body }: Probe,
  namespace: string,
  signal: AbortSignal,
): Promise<Finding> {
  try {
    await client.create(resource, body(namespace), { signal, fieldManager: 'keyferry', dryRun: true });
  } catch (error) {
    const status = error instanceof KubeError ? error.status : 0;
    const isAnswer = definite.has(status);
    if (!isAnswer) return { known: false };
    if (!isForbidden(error)) return { known: true, problem: { message: otherDefinitions(resource, policy) } };
    const refusedByIt = error.message.includes(`ValidatingAdmissionPolicy '${policy}'`);
    return refusedByIt ? { known: true } : { known: true, problem: { message: refusedElsewhere(resource, policy) } };
  }
  const message = `admission policy ${policy} is missing or does not deny, so anybody could act in the name of anybody: apply policies/ of this release`;
  return { known: true, problem: { message, unguarded: true } };
}

/** Answers that say something about what is installed. All others are about the API server or the way to it. */
const definite: ReadonlySet<number> = new Set([400, 403, 404, 405, 409, 422]);

function otherDefinitions({ plural }: Resource, policy: string): string {
  return `whether admission policy ${policy} is in force can't be seen, as ${plural} are not those of this release: apply crds/ and policies/ of this release`;
}

function refusedElsewhere({ plural }: Resource, policy: string): string {
  return `whether admission policy ${policy} is in force can't be seen, as something else refuses the operator's dry runs: let it create ${plural} in its own namespace (apply rbac/ and policies/ of this release), and let other policies leave that namespace alone`;
}
