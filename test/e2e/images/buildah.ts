import { runCommand } from '../../cluster/command.ts';

/** No daemon, and no namespaces of its own: works in a container and in a virtual machine. */
const env = { BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: 'overlay' };

export function buildah(args: readonly string[]): Promise<string> {
  return runCommand('buildah', args, { env });
}

export async function hasImage(name: string): Promise<boolean> {
  return buildah(['inspect', '--type', 'image', name]).then(
    () => true,
    () => false,
  );
}
