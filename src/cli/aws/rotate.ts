import { type CliContext, CliError } from '../context.ts';
import { sizeError } from '../../managers/aws/put.ts';
import { printObject } from '../output.ts';
import { runBefore } from '../rotate/before.ts';
import { describeMovers, type Rotation } from '../rotate/progress.ts';
import { watchRotation } from '../rotate/watch.ts';
import { takeValue, type ValueOptions } from '../take-value.ts';
import type { AwsPlace } from './place.ts';
import { latestOf, missing } from './put.ts';

export interface AwsRotateOptions extends ValueOptions {
  readonly before?: string;
  readonly destroyOld?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

/** `keyferry rotate NAME --manager aws/NAME`: puts, and follows the new version to the last pod. */
export async function rotateAws(
  context: CliContext,
  place: AwsPlace,
  name: string,
  options: AwsRotateOptions,
): Promise<void> {
  const { io, signal } = context;
  const { namespace } = await context.cluster();
  if (options.destroyOld === true) {
    throw new CliError('--destroy-old is for secrets that are kept in the cluster: AWS removes old versions itself', 2);
  }
  const secret = place.names.full(name, namespace);
  const old = await latestOf(place, secret, signal);
  if (old === undefined) throw new CliError(await missing(place, name, secret, signal));
  const { value } = await takeValue(io, options, undefined);
  const refused = sizeError(secret, value);
  if (refused !== undefined) throw refused;
  if (options.before !== undefined) await runBefore(options.before, value, signal);
  const version = await put(place, secret, value, options, signal);
  io.note(
    `Version ${version} of secret ${secret} in AWS is latest; watching what uses it. References look every ${place.pollInterval}: keyferry sync NAME lets one look now.`,
  );
  const rotation: Rotation = {
    version,
    latestStage: 'AWSCURRENT',
    isSecret: (given, reference) => place.names.full(given, reference.metadata.namespace) === secret,
    isOurs: (reference, { manager }) => place.isMeant(reference, manager),
  };
  const { movers, through, settled, hidden } = await watchRotation(context, rotation, {
    namespace,
    timeout: options.timeout,
  });
  const data = { manager: place.title, secret, version, old: old === '' ? undefined : old, through, consumers: movers };
  printObject(context, data, () =>
    movers.length === 0 ? 'nothing that can be seen uses it\n' : describeMovers(movers),
  );
  if (hidden !== undefined) io.note(hidden);
  if (through) return;
  const left = movers.filter(({ state }) => state !== 'moved').length;
  const fix = settled ? 'see each line above' : 'the time is over, and it goes on: keyferry show';
  throw new CliError(`${left} of what uses secret ${secret} may still run the old version: ${fix}`, 2);
}

async function put(
  place: AwsPlace,
  secret: string,
  value: Parameters<AwsPlace['aws']['put']>[1],
  { before }: AwsRotateOptions,
  signal: AbortSignal,
): Promise<string> {
  try {
    return await place.aws.put(secret, value, signal);
  } catch (error) {
    if (before === undefined || !(error instanceof Error)) throw error;
    // The two sides differ now, and only the person there can put that right.
    throw new CliError(
      `the command of --before succeeded, so the new value is in use there, but it is not latest here: ${error.message}`,
    );
  }
}
