import { secretReferences } from '../../api/v1/resources.ts';
import { isForbidden } from '../../kube/errors.ts';
import { findObject } from '../../kube/find-object.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { type CliContext, CliError } from '../context.ts';
import { type ReferenceView, toReferenceView } from './reference.ts';

/** A reference of the chosen namespace. @throws CliError where there is none, with the name that was maybe meant */
export async function getReference(context: CliContext, name: string): Promise<ReferenceView> {
  const { client, namespace } = await context.cluster();
  const raw = await findObject(client, secretReferences, { namespace, name }, { signal: context.signal });
  if (raw === undefined) throw await notThere(context, name);
  const view = toReferenceView(raw);
  if (view === undefined) throw new CliError(`SecretReference ${namespace}/${name} is of another release of Keyferry`);
  return view;
}

async function notThere(context: CliContext, name: string): Promise<CliError> {
  const { namespace } = await context.cluster();
  const says = `there is no SecretReference ${name} in namespace ${namespace}`;
  const nearest = nearestName(name, await namesOf(context));
  return new CliError(
    nearest === undefined ? `${says}: keyferry refs lists them` : `${says}: did you mean ${nearest}?`,
  );
}

/** None where they may not be listed. */
async function namesOf(context: CliContext): Promise<readonly string[]> {
  const { client, namespace } = await context.cluster();
  try {
    const found = await client.list(secretReferences, { namespace }, { signal: context.signal });
    return found.map(({ metadata }) => metadata.name);
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}
