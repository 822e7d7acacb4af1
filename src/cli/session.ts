import { type ClientSession, createSession } from '../managers/embedded/client/session.ts';
import { defaultManager, type ManagerName } from '../managers/embedded/client/sealing-target.ts';
import { CliError, type CliContext } from './context.ts';
import { checkKnownKey } from './known-keys.ts';

export interface SessionChoice {
  /** `--manager`: whose key values are sealed to. */
  readonly manager?: string | undefined;
}

/** The embedded secrets of the chosen namespace. Nothing is sealed to a key that is not the one this computer knows of the cluster. */
export async function openSession(context: CliContext, choice: SessionChoice = {}): Promise<ClientSession> {
  const cluster = await context.cluster();
  const { client, namespace, server } = cluster;
  const { clock, configFolder } = context;
  const session = createSession({ client, namespace, clock, manager: managerName(choice.manager) });
  return {
    ...session,
    user: (signal) => cluster.user(signal),
    sealingTarget: async (signal) => {
      const target = await session.sealingTarget(signal);
      await checkKnownKey(configFolder, { ...target, server }, clock.now());
      return target;
    },
  };
}

/** `default`, `ClusterSecretManager/default` or `SecretManager/own`, as on a reference. */
export function managerName(text: string | undefined): ManagerName {
  if (text === undefined) return defaultManager;
  const [first = '', second, ...more] = text.split('/');
  const [kind, name] = second === undefined ? ['ClusterSecretManager', first] : [first, second];
  if ((kind === 'ClusterSecretManager' || kind === 'SecretManager') && name !== '' && more.length === 0) {
    return { kind, name };
  }
  throw new CliError('--manager takes a name, as in --manager default, or SecretManager/NAME', 2);
}
