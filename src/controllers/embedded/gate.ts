import { secretReveals, secretVersions } from '../../api/v1/resources.ts';
import type { KubeBody, KubeClient } from '../../kube/client.ts';
import { isForbidden, KubeError } from '../../kube/errors.ts';
import type { Resource } from '../../kube/resource.ts';
import { whenAborted } from '../../runtime/abort.ts';
import { type Clock, sleep } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';

/** Whether new versions and reveals may be taken. */
export type GateState = { readonly open: true } | { readonly open: false; readonly message: string };

/** Knows whether the admission policies are in force: without them anybody could say to be anybody. */
export interface PolicyGate {
  state(): GateState;
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
const INTERVAL_CLOSED = 2_000;

/** Somebody that nobody is. */
const nobody = 'keyferry:probe';
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
  const starting = 'the admission policies of Keyferry were not seen in force yet';
  let seen: { readonly at: number; readonly problem: string | undefined } | undefined;
  let told = starting;

  const state = (): GateState => {
    if (seen === undefined) return { open: false, message: starting };
    if (seen.problem !== undefined) return { open: false, message: seen.problem };
    const message = 'whether the admission policies of Keyferry are in force could not be seen for a minute';
    return clock.monotonic() - seen.at < VALID ? { open: true } : { open: false, message };
  };
  const tell = (): void => {
    const now = state();
    const words = now.open ? '' : now.message;
    if (words === told) return;
    told = words;
    if (now.open) logger.info('the admission policies are in force');
    else logger.warn('secrets are not taken: an admission policy is not in force', { message: now.message });
    for (const listener of listeners) listener();
  };
  const look = async (signal: AbortSignal): Promise<void> => {
    const at = clock.monotonic();
    const problems = await Promise.all(probes.map((probe) => problemOf(client, probe, namespace, signal)));
    if (problems.includes('unknown')) return;
    seen = { at, problem: problems.find((problem) => problem !== undefined) };
  };

  return {
    state,
    onChange: (listener) => listeners.push(listener),
    run: async (signal) => {
      while (!signal.aborted) {
        await Promise.race([look(signal).catch(() => undefined), whenAborted(signal)]);
        if (signal.aborted) return;
        tell();
        await sleep(clock, state().open ? INTERVAL : INTERVAL_CLOSED, signal).catch(() => undefined);
      }
    },
  };
}

/** Undefined where the policy refuses what it must, `unknown` where nothing could be learned. */
async function problemOf(
  client: KubeClient,
  { policy, resource, body }: Probe,
  namespace: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const missing = `the admission policy ${policy} is not in force, so that anybody could act in anybody's name: apply the policies of Keyferry again`;
  try {
    await client.create(resource, body(namespace), { signal, fieldManager: 'keyferry', dryRun: true });
    return missing;
  } catch (error) {
    if (isForbidden(error)) {
      if (error.message.includes(`ValidatingAdmissionPolicy '${policy}'`)) return undefined;
      return `whether the admission policy ${policy} is in force can not be seen: the operator may not create ${resource.plural} in its own namespace. Apply the roles of Keyferry again`;
    }
    return error instanceof KubeError && error.status > 0 && error.status < 429 ? missing : 'unknown';
  }
}
