import { ManagerError } from '../../managers/errors.ts';
import type { Selector } from '../../managers/manager.ts';
import { type CliContext, CliError } from '../context.ts';
import { showForAWhile } from '../show-value.ts';
import type { AwsPlace } from './place.ts';

/** `keyferry reveal NAME --manager aws/NAME`: reads the value from AWS, which notes it in CloudTrail. */
export async function revealAws(
  context: CliContext,
  place: AwsPlace,
  name: string,
  version: string | undefined,
): Promise<void> {
  const { io, signal } = context;
  const { namespace } = await context.cluster();
  const secret = place.names.full(name, namespace);
  const selector: Selector = version === undefined ? { kind: 'latest' } : { kind: 'version', version };
  io.note('CloudTrail records that you read it; a reason does not stand there.');
  const [result] = await place.aws.access([{ secret, selector }], signal);
  if (result === undefined) throw new CliError(`AWS left secret ${secret} out of its answer`);
  if (result instanceof ManagerError) throw result;
  if (context.raw()) io.outBytes(result.value.asBytes());
  else await showForAWhile(io, `Version ${result.version} of secret ${secret}:`, result.value);
}
