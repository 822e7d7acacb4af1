import { Command } from 'commander';
import { nameOf, type SecretObject } from '../../managers/embedded/client/objects.ts';
import { putVersion } from '../../managers/embedded/client/put-version.ts';
import { getSecret } from '../../managers/embedded/client/secrets.ts';
import type { ClientSession } from '../../managers/embedded/client/session.ts';
import { checkSize } from '../../managers/embedded/client/value-size.ts';
import { checkValue } from '../../managers/embedded/types/check-value.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import { anyNameArgument } from '../arguments.ts';
import { inAws } from '../aws/place.ts';
import { rotateAws } from '../aws/rotate.ts';
import { confirm } from '../confirm.ts';
import { type CliContext, CliError } from '../context.ts';
import { alphabetHelp } from '../generate.ts';
import { knownSecret } from '../known-secret.ts';
import { managerOption, ownCredentials, timeoutOption } from '../options.ts';
import { printObject } from '../output.ts';
import { runBefore } from '../rotate/before.ts';
import { destroyVersion } from '../rotate/destroy-old.ts';
import { describeMovers } from '../rotate/progress.ts';
import { embeddedRotation, type Watched, watchRotation } from '../rotate/watch.ts';
import { visibleType } from '../secret-types.ts';
import { openPlace } from '../session.ts';
import { takeValue, type ValueOptions } from '../take-value.ts';

interface RotateOptions extends ValueOptions {
  readonly before?: string;
  readonly destroyOld?: boolean;
  readonly yes?: boolean;
  readonly timeout: number;
  readonly manager?: string;
}

const help = `
Exit codes: 0 everything runs the new version, 1 it failed, 2 something still runs the old one.

Example, where the database has to learn of it first:
  keyferry rotate db.password --generate --before './set-password.sh' --destroy-old${ownCredentials}`;

export function rotateCommand(context: CliContext): Command {
  return new Command('rotate')
    .summary('put a new version and follow it to the last pod')
    .description(
      'Put a new version, then watch every consumer until it runs it. Says what moved, is pinned or can not be restarted.',
    )
    .argument('<name>', 'name of the secret, in any case', anyNameArgument)
    .option('--generate', 'make a random value')
    .option('--length <n>', 'with --generate: characters (default: 32)')
    .option('--alphabet <name>', alphabetHelp)
    .option('--file <path>', 'take the value from a file, byte for byte')
    .option('--before <command>', 'gets the value on standard input and must succeed before it becomes latest')
    .option('--destroy-old', 'destroy the version that was latest, once nothing runs it any more')
    .option('--yes', 'with --destroy-old: do not ask, for scripts')
    .addOption(timeoutOption('how long to watch', 900_000))
    .addOption(managerOption())
    .addHelpText('after', help)
    .action((name: string, options: RotateOptions) => rotate(context, name, options));
}

async function rotate(context: CliContext, name: string, options: RotateOptions): Promise<void> {
  const place = await openPlace(context, options, name);
  if (place.kind === 'aws') return inAws(place.aws, (aws) => rotateAws(context, aws, name, options));
  return rotateKept(context, place.session, name, options);
}

async function rotateKept(
  context: CliContext,
  session: ClientSession,
  name: string,
  options: RotateOptions,
): Promise<void> {
  const { signal, io } = context;
  const secret = await knownSecret(session, name, signal);
  const old = secret.status.latest;
  // First of all, so that nobody has to sit by: the rest may take minutes.
  if (options.destroyOld === true && old !== undefined) {
    io.note(`Version ${old} of secret ${nameOf(secret)} will be destroyed, for good, once nothing runs it any more.`);
    await confirm(context, nameOf(secret), options.yes);
  }
  const target = await session.sealingTarget(signal);
  const value = await newValue(context, session, secret, options);
  checkSize(nameOf(secret), value, target);
  if (options.before !== undefined) await runBefore(options.before, value, signal);
  const { version } = await put(session, secret, value, options, signal);
  io.note(`Version ${version} of secret ${nameOf(secret)} is latest; watching what uses it ...`);
  const { namespace, name: object } = secret.metadata;
  const rotation = await embeddedRotation(session.client, { secret: object, namespace, version }, signal);
  const watched = await watchRotation(context, rotation, { namespace, timeout: options.timeout });
  const unseen = await unseenUsers(session, secret, watched, signal);
  const through = watched.through && unseen === 0;
  const data = { namespace, secret: nameOf(secret), version, old, through, unseen, consumers: watched.movers };
  printObject(context, data, () => describe(watched, unseen));
  if (!through) throw new CliError(stillOld(nameOf(secret), watched, unseen, options), 2);
  if (options.destroyOld === true && old !== undefined) await destroy(context, session, secret, old);
}

async function newValue(
  { io, signal }: CliContext,
  { client }: ClientSession,
  secret: SecretObject,
  options: RotateOptions,
): Promise<SecretValue> {
  const type = await visibleType(client, secret.spec.type, signal);
  const { value } = await takeValue(io, options, type);
  const mistake = type === undefined ? undefined : checkValue(value, type.spec.schema);
  if (mistake === undefined) return value;
  throw new CliError(`the value is not of type ${type?.name}: ${mistake.message}. Nothing was put`);
}

async function put(
  session: ClientSession,
  secret: SecretObject,
  value: SecretValue,
  { before }: RotateOptions,
  signal: AbortSignal,
): Promise<{ readonly version: number }> {
  try {
    return await putVersion(session, secret, { value }, signal);
  } catch (error) {
    if (before === undefined || !(error instanceof Error)) throw error;
    // The two sides differ now, and only the person there can put that right.
    throw new CliError(
      `the command of --before succeeded, so the new value is in use there, but it is not latest here: ${error.message}`,
    );
  }
}

/** Users of other namespaces that the operator counts and we may not list. */
async function unseenUsers(
  session: ClientSession,
  { metadata }: SecretObject,
  { hidden }: Watched,
  signal: AbortSignal,
): Promise<number> {
  if (hidden === undefined) return 0;
  const { users = 0, usedBy = [] } = (await getSecret(session, metadata.name, signal)).status;
  return Math.max(0, users - usedBy.length);
}

function describe({ movers, hidden }: Watched, unseen: number): string {
  const text = movers.length === 0 ? 'nothing that can be seen uses it\n' : describeMovers(movers);
  return unseen === 0 ? text : `${text}${unseen} users are not shown: ${hidden}\n`;
}

function stillOld(name: string, { movers, settled }: Watched, unseen: number, options: RotateOptions): string {
  const left = movers.filter(({ state }) => state !== 'moved').length + unseen;
  const kept = options.destroyOld === true ? ', so the old version stays' : '';
  const fix = settled ? 'see each line above' : 'the time is over, and it goes on: keyferry show';
  return `${left} of what uses secret ${name} may still run the old version${kept}: ${fix}`;
}

async function destroy(context: CliContext, session: ClientSession, secret: SecretObject, old: number): Promise<void> {
  const gone = await destroyVersion(session, secret, old, context.signal);
  context.io.note(`Version ${old} of secret ${nameOf(secret)} ${gone ? 'is destroyed' : 'was gone already'}.`);
}
