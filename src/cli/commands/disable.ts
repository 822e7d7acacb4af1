import { Command } from 'commander';
import { nameOf, type SecretObject } from '../../managers/embedded/client/objects.ts';
import { changeSecret, getSecret, type SecretChange } from '../../managers/embedded/client/secrets.ts';
import { type ClientSession, defaultPatience } from '../../managers/embedded/client/session.ts';
import { waitFor } from '../../managers/embedded/client/wait-for.ts';
import { nameArgument, versionArgument } from '../arguments.ts';
import { type CliContext, CliError } from '../context.ts';
import { knownSecret } from '../known-secret.ts';
import { managerOption } from '../options.ts';
import { openSession, type SessionChoice } from '../session.ts';

type State = 'Disabled' | 'Enabled';

interface TurnOptions extends SessionChoice {
  readonly version: number;
}

export function disableCommand(context: CliContext): Command {
  return new Command('disable')
    .summary('give a version to nobody any more')
    .description(
      'Disable a version: nobody gets it, and it can be enabled again. Not the latest: put or roll back first.',
    )
    .argument('<name>', 'name of the secret, in any case', nameArgument)
    .requiredOption('--version <n>', 'the version', versionArgument)
    .addOption(managerOption())
    .action((name: string, options: TurnOptions) => turn(context, name, options, 'Disabled'));
}

export function enableCommand(context: CliContext): Command {
  return new Command('enable')
    .summary('give a version again that was disabled')
    .description('Enable a version that was disabled.')
    .argument('<name>', 'name of the secret, in any case', nameArgument)
    .requiredOption('--version <n>', 'the version', versionArgument)
    .addOption(managerOption())
    .action((name: string, options: TurnOptions) => turn(context, name, options, 'Enabled'));
}

async function turn(context: CliContext, name: string, options: TurnOptions, state: State): Promise<void> {
  const { version } = options;
  const { io, signal } = context;
  const instead = 'versions have no such state there, so put another value, and keyferry show tells the stages';
  const session = await openSession(context, options, instead);
  const secret = await knownSecret(session, name, signal);
  const changed = await changeSecret(session, secret, (now) => turned(now, version, state), signal);
  await untilTurned(session, changed, version, state, signal);
  io.out(`Version ${version} of secret ${nameOf(secret)} is ${state.toLowerCase()}.\n`);
}

/** What to change; undefined where it is so already. @throws CliError */
export function turned(secret: SecretObject, version: number, state: State): SecretChange | undefined {
  const { disabledVersions = [] } = secret.spec;
  const { latest, versions = [] } = secret.status;
  const name = nameOf(secret);
  if (!versions.some((stored) => stored.version === version)) {
    throw new CliError(`secret ${name} has no version ${version}`);
  }
  if (state === 'Disabled' && version === latest) {
    throw new CliError(
      `version ${version} of secret ${name} is latest: put another or roll back first, then disable it`,
    );
  }
  if (disabledVersions.includes(version) === (state === 'Disabled')) return undefined;
  const others = disabledVersions.filter((other) => other !== version);
  const next = state === 'Disabled' ? [...others, version].toSorted((a, b) => a - b) : others;
  return { spec: { disabledVersions: next.length === 0 ? null : next } };
}

async function untilTurned(
  session: ClientSession,
  { metadata, spec }: SecretObject,
  version: number,
  state: State,
  signal: AbortSignal,
): Promise<void> {
  const { clock, patience = defaultPatience } = session;
  const done = await waitFor(clock, patience, signal, async () => {
    const { status } = await getSecret(session, metadata.name, signal);
    const stored = status.versions?.find((candidate) => candidate.version === version);
    return stored === undefined || stored.state === state ? true : undefined;
  });
  if (done === true) return;
  const name = nameOf({ metadata, spec });
  throw new CliError(
    `the operator has not taken it up within ${patience / 1000} s: is it running? Version ${version} of secret ${name} will be ${state.toLowerCase()} once it does`,
  );
}
