import { Command } from 'commander';
import { nameOf, type SecretObject } from '../../managers/embedded/client/objects.ts';
import { putVersion } from '../../managers/embedded/client/put-version.ts';
import { createSecret, findSecret } from '../../managers/embedded/client/secrets.ts';
import type { ClientSession } from '../../managers/embedded/client/session.ts';
import { checkSize } from '../../managers/embedded/client/value-size.ts';
import { checkValue } from '../../managers/embedded/types/check-value.ts';
import { ManagerError } from '../../managers/errors.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import { anyNameArgument, labelArgument, rotateAfterArgument } from '../arguments.ts';
import { inAws } from '../aws/place.ts';
import { putAws, refuseClusterOptions } from '../aws/put.ts';
import { type CliContext, CliError } from '../context.ts';
import { alphabetHelp } from '../generate.ts';
import { missing } from '../known-secret.ts';
import { managerOption, ownCredentials } from '../options.ts';
import { printObject } from '../output.ts';
import { getType, type KnownType, visibleType } from '../secret-types.ts';
import { openPlace } from '../session.ts';
import { takeValue, type ValueOptions } from '../take-value.ts';

interface PutOptions extends ValueOptions {
  readonly showOnce?: boolean;
  readonly create?: boolean;
  readonly type?: string;
  readonly description?: string;
  readonly rotateAfter?: string;
  readonly writeOnly?: boolean;
  readonly label?: Readonly<Record<string, string | null>>;
  readonly manager?: string;
}

const help = `
The value comes from standard input, from --file, from --generate, or is asked for without echo. It is
never taken from an argument: arguments stand in the shell's history and in the list of processes.

Examples:
  keyferry put db.password                          asks, twice, without echo
  keyferry put db.password --create --generate      a new secret with a random value
  printf %s "$TOKEN" | keyferry put api/token -     from standard input
  keyferry put web/tls --create --type tls          asks field by field${ownCredentials}`;

export function putCommand(context: CliContext): Command {
  return new Command('put')
    .summary('put a new version, which becomes latest')
    .description('Put a new version of a secret. It becomes latest, and what uses latest gets it.')
    .argument('<name>', 'name of the secret, in any case', anyNameArgument)
    .usage('[options] <name> [-]')
    .option('--file <path>', 'take the value from a file, byte for byte')
    .option('--generate', 'make a random value')
    .option('--length <n>', 'with --generate: characters (default: 32)')
    .option('--alphabet <name>', alphabetHelp)
    .option('--show-once', 'with --generate: print the value, this once')
    .option('--create', 'make the secret where there is none')
    .option('--type <name>', 'with --create: the SecretType that values must meet')
    .option('--description <text>', 'with --create: what it is for')
    .option(
      '--rotate-after <age>',
      'with --create: age of a version after which RotationDue says so, for example 90d',
      rotateAfterArgument,
    )
    .option('--write-only', 'with --create: nobody can reveal it, for good; only references get it')
    .option('--label <key=value>', 'with --create: a label; can be repeated', labelArgument)
    .addOption(managerOption())
    .allowExcessArguments()
    .addHelpText('after', help)
    .action((name: string, options: PutOptions, command: Command) =>
      put(context, name, { ...options, stdin: takesStdin(command.args.slice(1)) }),
    );
}

/** What else stands on the command line is not repeated: it could be the value. */
function takesStdin(rest: readonly string[]): boolean {
  if (rest.length === 0) return false;
  if (rest.length === 1 && rest[0] === '-') return true;
  throw new CliError(
    'a value is never taken from an argument, as those stand in the history of the shell and in the list of processes. ' +
      'If that was one, consider it known. Leave it out to be asked, or pipe it: printf %s "$VALUE" | keyferry put NAME -',
    2,
  );
}

async function put(context: CliContext, name: string, options: PutOptions): Promise<void> {
  if (options.showOnce === true && options.generate !== true) throw new CliError('--show-once goes with --generate', 2);
  const place = await openPlace(context, options, name);
  if (place.kind === 'embedded') return putKept(context, place.session, name, options);
  return inAws(place.aws, (aws) => {
    refuseClusterOptions(options);
    return putAws(context, aws, name, options);
  });
}

async function putKept(context: CliContext, session: ClientSession, name: string, options: PutOptions): Promise<void> {
  const { io, signal } = context;
  const found = await findSecret(session, name, signal);
  const type = await typeFor(session, name, found, options, signal);
  // First of all: who is told so after having typed a value has typed it for nothing.
  const target = await session.sealingTarget(signal);
  const { value } = await takeValue(io, options, type);
  checkSize(name, value, target);
  refuseMisfit(value, type);
  const { secret, created } = found ? { secret: found, created: false } : await create(session, name, options, signal);
  if (io.noteIsTerminal) io.note('Sealed; waiting for the operator ...');
  const { version } = await putVersion(session, secret, { value }, signal).catch((error: unknown) => {
    throw created ? withWhatIsLeft(error, secret) : error;
  });
  report(context, secret, version, options.showOnce === true ? value : undefined);
}

async function typeFor(
  session: ClientSession,
  name: string,
  found: SecretObject | undefined,
  options: PutOptions,
  signal: AbortSignal,
): Promise<KnownType | undefined> {
  const { create, type } = options;
  if (found === undefined) {
    if (create === true) return type === undefined ? undefined : getType(session.client, type, signal);
    throw new CliError(`${await missing(session, name, signal)} To make it: keyferry put ${quoted(name)} --create`);
  }
  if (type !== undefined && type !== found.spec.type) {
    const now = found.spec.type === undefined ? 'no type' : `type ${found.spec.type}`;
    throw new CliError(
      `secret ${nameOf(found)} has ${now}: change it first, by keyferry edit ${quoted(name)} --type ${type}`,
    );
  }
  return visibleType(session.client, found.spec.type, signal);
}

function refuseMisfit(value: SecretValue, type: KnownType | undefined): void {
  const mistake = type === undefined ? undefined : checkValue(value, type.spec.schema);
  if (mistake === undefined || type === undefined) return;
  throw new CliError(`the value is not of type ${type.name}: ${mistake.message}. Nothing was put`);
}

/** A secret was made for a version that was refused then: who is not told would wonder where it comes from. */
function withWhatIsLeft(error: unknown, secret: SecretObject): unknown {
  // What is not definite says itself what became of the version.
  if (!(error instanceof ManagerError) || error.transient) return error;
  return new ManagerError(error.reason, `${error.message}. Secret ${nameOf(secret)} was made, and has no version yet`);
}

function create(
  session: ClientSession,
  name: string,
  options: PutOptions,
  signal: AbortSignal,
): Promise<{ readonly secret: SecretObject; readonly created: boolean }> {
  const { type, description, rotateAfter, writeOnly, label = {} } = options;
  const labels = Object.fromEntries(
    Object.entries(label).flatMap(([key, text]) => (text === null ? [] : [[key, text]])),
  );
  const spec = {
    ...(type !== undefined && { type }),
    ...(description !== undefined && { description }),
    ...(rotateAfter !== undefined && { rotateAfter }),
    ...(writeOnly === true && { writeOnly }),
  };
  return createSecret(session, { name, spec, labels }, signal);
}

function report(context: CliContext, secret: SecretObject, version: number, shown: SecretValue | undefined): void {
  const name = nameOf(secret);
  const { namespace } = secret.metadata;
  const data = { namespace, secret: name, version, ...(shown !== undefined && { value: shown.asString() }) };
  printObject(context, data, () => {
    const done = `Version ${version} of secret ${name} in namespace ${namespace} is latest.`;
    if (shown === undefined) return `${done}\n`;
    context.io.note(done);
    return `${shown.asString()}\n`;
  });
}

/** A name with a space needs quotes in a shell. */
function quoted(name: string): string {
  return name.includes(' ') ? `'${name}'` : name;
}
