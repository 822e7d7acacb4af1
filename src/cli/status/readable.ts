import { isForbidden, isNotFound } from '../../kube/errors.ts';

/** What was read, or why it can't be seen. */
export type Readable<T> = { readonly value: T } | { readonly hidden: string };

/**
 * Reads what the user may not be allowed to: then `hidden` says so, and the rest of the answer is still of use.
 * @throws KubeError for anything but a refusal
 */
export async function readable<T>(what: string, read: () => Promise<T>): Promise<Readable<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (isForbidden(error)) return { hidden: `you may not read ${what}` };
    // Of a list: the cluster does not know the kind.
    if (isNotFound(error)) return { hidden: `this cluster has no ${what}` };
    throw error;
  }
}

/** The value, or what stands in for it where it can't be seen. */
export function valueOr<T>(read: Readable<T>, otherwise: T): T {
  return 'value' in read ? read.value : otherwise;
}
