import { clusterSecretManagers, secretManagers, secretReferences } from '../../api/v1/resources.ts';
import { neverBackedUp } from '../../api/v1/secret-manager.ts';
import type { KubeClient } from '../../kube/client.ts';
import { findObject } from '../../kube/find-object.ts';
import { leases } from '../../kube/lease-record.ts';
import { secrets } from '../../kube/resource.ts';
import { isThere } from '../is-there.ts';
import { leaderOf, operatorLease } from './leader.ts';
import { type ManagerView, toManagerView } from './manager.ts';
import { type Readable, readable, valueOr } from './readable.ts';
import { type ReferenceView, referenceLabel, targetOf, toReferenceView } from './reference.ts';
import type { Observation } from './report.ts';
import { judgeReference, verdicts } from './verdict.ts';

/** Of so many Secrets it is asked whether they are there: each is a call. */
const MOST_SECRETS = 50;

export interface StatusQuestion {
  readonly client: KubeClient;
  /** Where the operator runs. */
  readonly operatorNamespace: string;
  /** Whose references and managers; undefined for all. */
  readonly namespace: string | undefined;
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Reads what there is to say of an installation. Asks the API server only: it works with the operator dead. */
export async function observe(question: StatusQuestion): Promise<Observation> {
  const { client, operatorNamespace, now, signal } = question;
  const lease = { namespace: operatorNamespace, name: operatorLease };
  const [leader, managers, references] = await Promise.all([
    readable(`the lease ${operatorNamespace}/${operatorLease}`, async () =>
      leaderOf(await findObject(client, leases, lease, { signal }), now),
    ),
    listManagers(question),
    listReferences(client, question.namespace, signal),
  ]);
  const backup = backupOf(valueOr(managers, []));
  const { missing, lookedAt } = await missingTargets(question, valueOr(references, []));
  return { leader, managers, references, backup, missingSecrets: missing, lookedAt };
}

export function listReferences(
  client: Pick<KubeClient, 'list'>,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<Readable<readonly ReferenceView[]>> {
  const where = namespace === undefined ? 'of all namespaces (give one by -n)' : `of namespace ${namespace}`;
  return readable(`SecretReferences ${where}`, async () => {
    const found = await client.list(secretReferences, namespace === undefined ? {} : { namespace }, { signal });
    return found.flatMap((raw) => toReferenceView(raw) ?? []);
  });
}

async function listManagers({ client, namespace, signal }: StatusQuestion): Promise<Readable<readonly ManagerView[]>> {
  const [cluster, own] = await Promise.all([
    readable('ClusterSecretManagers', async () => client.list(clusterSecretManagers, {}, { signal })),
    readable('SecretManagers', async () =>
      client.list(secretManagers, namespace === undefined ? {} : { namespace }, { signal }),
    ),
  ]);
  if ('hidden' in cluster && 'hidden' in own) return { hidden: `${cluster.hidden}, nor SecretManagers` };
  return {
    value: [
      ...valueOr(cluster, []).flatMap((raw) => toManagerView('ClusterSecretManager', raw) ?? []),
      ...valueOr(own, []).flatMap((raw) => toManagerView('SecretManager', raw) ?? []),
    ],
  };
}

/** All embedded managers seal to the same keys, and say so in their status: no right on the keys themselves is needed. */
function backupOf(managers: readonly ManagerView[]): Observation['backup'] {
  const said = managers.flatMap(({ status }) => status.keyBackup ?? []);
  if (said.length === 0) return 'none';
  return said.includes(neverBackedUp) ? 'never' : 'done';
}

/** Asks for metadata only, the worst references first. */
async function missingTargets(
  { client, signal }: StatusQuestion,
  references: readonly ReferenceView[],
): Promise<{ readonly missing: readonly string[]; readonly lookedAt: number }> {
  const written = references.filter(({ status }) => status.target !== undefined);
  const looked = written.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST_SECRETS);
  const answers = await Promise.all(
    looked.map(async (view) => {
      const { namespace } = view.metadata;
      const name = targetOf(view);
      const there = await isThere(client, secrets, { namespace, name }, signal);
      return { there, says: `${namespace}/${name} (SecretReference ${referenceLabel(view)})` };
    }),
  );
  return {
    missing: answers.filter(({ there }) => there === false).map(({ says }) => says),
    lookedAt: answers.filter(({ there }) => there !== undefined).length,
  };
}

function rank(view: ReferenceView): number {
  return verdicts.indexOf(judgeReference(view).verdict);
}
