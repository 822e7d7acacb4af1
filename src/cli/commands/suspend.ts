import { Command } from 'commander';
import { formatDuration } from '../../runtime/duration.ts';
import { sleep } from '../../runtime/clock.ts';
import { type CliContext, CliError } from '../context.ts';
import { durationOption } from '../options.ts';
import { getReference } from '../status/find-reference.ts';
import { type ReferenceView, referenceLabel } from '../status/reference.ts';
import { setSuspended } from '../status/suspend.ts';

/** Milliseconds that resuming may take after Ctrl-C, when nothing else may go on. */
const LAST_CALL = 10_000;

export function suspendCommand(context: CliContext): Command {
  return new Command('suspend')
    .description('stop reading, writing and repairing the Secret of a reference, and rolling out its consumers')
    .argument('<name>', 'the SecretReference')
    .option('--for <time>', 'wait here so long, then resume. Ctrl-C resumes at once', durationOption)
    .action(async (name: string, options: { readonly for?: number }) => {
      const { client } = await context.cluster();
      const view = await getReference(context, name);
      const label = `SecretReference ${referenceLabel(view)}`;
      if (view.spec.suspend && options.for !== undefined) {
        throw new CliError(`${label} is suspended already, maybe by somebody else: it is left as it is`);
      }
      await setSuspended(client, view, true, context.signal);
      context.io.note(`${label} is suspended: its Secret and its pods stay as they are`);
      if (options.for === undefined) return context.io.note(`to go on: keyferry resume ${name}`);
      await waitAndResume(context, view, options.for);
    });
}

/** Nothing in the cluster knows of the time: it is this process that resumes. */
async function waitAndResume(context: CliContext, view: ReferenceView, ms: number): Promise<void> {
  const { io, clock, signal } = context;
  const { client } = await context.cluster();
  const { name } = view.metadata;
  const until = new Date(clock.now() + ms).toISOString();
  io.note(`waiting ${formatDuration(ms)}, until ${until}, then it is resumed. Ctrl-C resumes at once.`);
  io.note(`Should this process be killed, it stays suspended: keyferry resume ${name}`);
  await sleep(clock, ms, signal);
  try {
    await setSuspended(client, view, false, AbortSignal.timeout(LAST_CALL));
  } catch {
    throw new CliError(`SecretReference ${referenceLabel(view)} could not be resumed: keyferry resume ${name}`);
  }
  io.note(`SecretReference ${referenceLabel(view)} is resumed${signal.aborted ? ' before its time' : ''}`);
}
