import { embeddedNameMistake } from '../api/v1/embedded-name.ts';
import { defaultManager, type ManagerName } from '../managers/embedded/client/sealing-target.ts';
import { type ClientSession, createSession } from '../managers/embedded/client/session.ts';
import { homeOf } from '../managers/embedded/names.ts';
import { backendOf } from '../managers/registry.ts';
import { type AwsPlace, openAws } from './aws/place.ts';
import { type CliContext, CliError, type Cluster } from './context.ts';
import { checkKnownKey } from './known-keys.ts';
import { findManager, managerChoice, managerTitle } from './manager-choice.ts';
import type { ManagerView } from './status/manager.ts';
import { unwatched } from './watched.ts';

export interface SessionChoice {
  /** `--manager`: who has the secrets. */
  readonly manager?: string | undefined;
}

/** Where a command finds secrets. */
export type Place =
  | { readonly kind: 'embedded'; readonly session: ClientSession }
  | { readonly kind: 'aws'; readonly aws: AwsPlace };

/** The secrets that the options choose: by default those that are kept in the namespace. `name` is that of the secret, where it is about one. */
export async function openPlace(context: CliContext, choice: SessionChoice, name?: string): Promise<Place> {
  if (choice.manager === undefined) checkKept(name);
  const cluster = await context.cluster();
  if (choice.manager === undefined) return { kind: 'embedded', session: sessionOf(context, cluster) };
  const view = await findManager(cluster.client, managerChoice(choice.manager), cluster.namespace, context.signal);
  const backend = backendOf(view.spec);
  if (backend === 'aws') return { kind: 'aws', aws: openAws(context, cluster, view) };
  if (backend === undefined) throw new CliError(`${managerTitle(view)} names no backend: set one in its spec`);
  checkKept(name);
  return { kind: 'embedded', session: sessionOf(context, cluster, view) };
}

function checkKept(name: string | undefined): void {
  const mistake = name === undefined ? undefined : embeddedNameMistake(name);
  if (mistake !== undefined) throw new CliError(`no secret in the cluster can have that name: it ${mistake}`, 2);
}

/**
 * The same for what can be done only with secrets that are kept in the cluster. `instead` says what to use in AWS.
 * @throws CliError for a manager whose secrets are elsewhere
 */
export async function openSession(context: CliContext, choice: SessionChoice, instead: string): Promise<ClientSession> {
  const place = await openPlace(context, choice);
  if (place.kind === 'embedded') return place.session;
  const { title } = place.aws;
  place.aws.close();
  throw new CliError(`${title} keeps its secrets in AWS, where this command does nothing: ${instead}`);
}

/** Nothing is sealed to a key that is not the one this computer knows of the cluster. */
function sessionOf(context: CliContext, cluster: Cluster, view?: ManagerView): ClientSession {
  const { client, server } = cluster;
  const { clock, configFolder } = context;
  const namespace = view === undefined ? cluster.namespace : homeFor(cluster, view);
  const manager = view === undefined ? defaultManager : { kind: view.kind, name: view.metadata.name };
  const session = createSession({ client, namespace, clock, manager });
  return {
    ...session,
    user: (signal) => cluster.user(signal),
    sealingTarget: async (signal) => {
      const target = await session.sealingTarget(signal);
      const nobody = unwatched(target.watchNamespaces, namespace);
      if (nobody !== undefined) throw new CliError(`nothing was put: ${nobody}`);
      await checkKnownKey(configFolder, { ...target, server }, clock.now());
      return target;
    },
  };
}

/** The namespace that a manager keeps secrets in. Two that differ are no guess. */
function homeFor({ namespace, namespaceGiven }: Cluster, view: ManagerView): string {
  const home = homeOf(view.spec, view.metadata.namespace, namespace) ?? namespace;
  if (namespaceGiven !== true || home === namespace) return home;
  throw new CliError(`${managerTitle(view)} keeps its secrets in namespace ${home}: leave out -n ${namespace}`, 2);
}

/** `default`, `ClusterSecretManager/default`, `SecretManager/own` or `embedded/default`: whose key is meant. */
export function managerName(text: string | undefined): ManagerName {
  if (text === undefined) return defaultManager;
  const { kind = 'ClusterSecretManager', name, backend } = managerChoice(text);
  if (backend !== 'aws') return { kind, name };
  throw new CliError(
    'secrets in AWS are not sealed, so there is no key of theirs: name a manager with embedded: {}',
    2,
  );
}
