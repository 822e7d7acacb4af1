import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { suspensionOf } from '../../api/v1/suspension.ts';
import { annotations } from '../../api/v1/names.ts';
import { secretReferences } from '../../api/v1/resources.ts';
import { clientFieldManager } from '../../managers/embedded/client/session.ts';
import { waitFor } from '../../managers/embedded/client/wait-for.ts';
import { type CliContext, CliError } from '../context.ts';
import { timeoutOption } from '../options.ts';
import { getReference } from '../status/find-reference.ts';
import { presentReady, type ReferenceView, referenceLabel } from '../status/reference.ts';

export function syncCommand(context: CliContext): Command {
  return new Command('sync')
    .description('have a reference read its secrets now, past every cache, and wait for it')
    .argument('<name>', 'the SecretReference')
    .addOption(timeoutOption('how long to wait', 60_000))
    .action(async (name: string, { timeout }: { readonly timeout: number }) => {
      const before = await getReference(context, name);
      if (suspensionOf(before, context.clock.now()) !== undefined) {
        throw new CliError(`SecretReference ${referenceLabel(before)} is suspended: first keyferry resume ${name}`);
      }
      report(context, await synced(context, before, timeout));
    });
}

async function synced(context: CliContext, before: ReferenceView, timeout: number): Promise<ReferenceView> {
  const { clock, signal } = context;
  const { client } = await context.cluster();
  const { name, namespace } = before.metadata;
  const token = randomUUID();
  const metadata = { name, namespace, annotations: { [annotations.sync]: token } };
  await client.mergePatch(secretReferences, { metadata }, { signal, fieldManager: clientFieldManager });
  const obeyed = await waitFor(clock, timeout, signal, async () => {
    const view = await getReference(context, name);
    return view.status.lastSyncRequest === token ? view : undefined;
  });
  if (obeyed !== undefined) return obeyed;
  throw new CliError(
    `SecretReference ${referenceLabel(before)} was asked to sync, but the operator has not done it yet: keyferry status says whether it lives`,
  );
}

function report({ io }: CliContext, view: ReferenceView): void {
  const ready = presentReady(view);
  const label = `SecretReference ${referenceLabel(view)}`;
  if (ready?.status !== 'True') {
    throw new CliError(`${label} was synced, but is ${ready?.reason ?? 'not ready'}: ${ready?.message ?? ''}`);
  }
  io.note(`${label} is synced: ${view.status.summary ?? ready.message}`);
}
