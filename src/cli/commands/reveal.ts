import { Command } from 'commander';
import { versionNumberOf } from '../../api/v1/embedded-name.ts';
import { nameOf, type SecretObject } from '../../managers/embedded/client/objects.ts';
import { revealVersion } from '../../managers/embedded/client/reveal-version.ts';
import { anyNameArgument } from '../arguments.ts';
import { inAws } from '../aws/place.ts';
import { revealAws } from '../aws/reveal.ts';
import { type CliContext, CliError } from '../context.ts';
import { knownSecret } from '../known-secret.ts';
import { managerOption, ownCredentials } from '../options.ts';
import { openPlace, type SessionChoice } from '../session.ts';
import { showForAWhile } from '../show-value.ts';

interface RevealOptions extends SessionChoice {
  readonly version?: string;
  readonly reason?: string;
}

const LONGEST_REASON = 256;

const help = `
Every reveal is noted in the audit log with who asked, what, when and why. On a terminal the value is
shown on a screen of its own, for 30 seconds. Into a pipe it goes by -o raw only:

  keyferry reveal db.password --reason 'restore drill' -o raw | psql ...${ownCredentials}
It needs no reason then: CloudTrail records who read it.`;

export function revealCommand(context: CliContext): Command {
  return new Command('reveal')
    .summary('show a value, which is noted with its reason')
    .description('Reveal the value of a version to you alone.')
    .argument('<name>', 'name of the secret, in any case', anyNameArgument)
    .option('--version <id>', 'the version (default: latest)')
    .addOption(managerOption())
    .option('--reason <text>', 'why, for the audit log (default: is asked for)')
    .addHelpText('after', help)
    .action((name: string, options: RevealOptions) => reveal(context, name, options));
}

async function reveal(context: CliContext, name: string, options: RevealOptions): Promise<void> {
  const { io, signal } = context;
  checkOutput(context);
  const place = await openPlace(context, options, name);
  if (!context.raw() && place.kind === 'aws') await warn(context);
  if (place.kind === 'aws') return inAws(place.aws, (aws) => revealAws(context, aws, name, options.version));
  const { session } = place;
  const number = options.version === undefined ? undefined : versionOf(options.version);
  const secret = await knownSecret(session, name, signal);
  if (secret.spec.writeOnly) {
    throw new CliError(
      `secret ${nameOf(secret)} is write-only: nobody can reveal it. Put a new value where it is lost`,
    );
  }
  const reason = await reasonFor(context, secret, options.reason);
  if (!context.raw()) await warn(context);
  const { version, value } = await revealVersion(session, secret, { version: number, reason }, signal);
  if (context.raw()) io.outBytes(value.asBytes());
  else await showForAWhile(io, `Version ${version} of secret ${nameOf(secret)}:`, value);
}

/** A value goes to a screen that is cleared, or into a pipe that somebody meant it for: nowhere else. */
function checkOutput(context: CliContext): void {
  const { outIsTerminal, inIsTerminal } = context.io;
  if (context.raw()) {
    if (!outIsTerminal) return;
    throw new CliError(
      '-o raw is for pipes and files: without it the value is shown here, and is gone after a while',
      2,
    );
  }
  const format = context.output();
  if (format === 'json' || format === 'yaml')
    throw new CliError('a value is not printed as json or yaml: use -o raw', 2);
  if (!outIsTerminal || !inIsTerminal) {
    throw new CliError('there is no terminal to show the value at: use -o raw to write it into a pipe', 2);
  }
}

function versionOf(text: string): number {
  const number = versionNumberOf(text);
  if (number !== undefined) return number;
  throw new CliError('--version takes the number of a version, for example 3', 2);
}

async function reasonFor({ io }: CliContext, secret: SecretObject, given: string | undefined): Promise<string> {
  if (given === undefined && !io.inIsTerminal) throw new CliError('say why, for the audit log: --reason TEXT', 2);
  const reason = (given ?? (await io.ask(`Why is the value of ${nameOf(secret)} needed (for the audit log)? `))).trim();
  if (reason === '') throw new CliError('without a reason nothing is revealed');
  if (reason.length > LONGEST_REASON) throw new CliError(`the reason may have at most ${LONGEST_REASON} characters`, 2);
  return reason;
}

async function warn({ io }: CliContext): Promise<void> {
  await io.ask(
    'The value will stand on this screen. Is it shared, or recorded, or looked at? Enter to go on, Ctrl-C to leave. ',
  );
}
