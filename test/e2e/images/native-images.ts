import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Log, withProgress } from '../../cluster/progress.ts';
import { ctr } from '../native/containerd.ts';
import { root } from '../root.ts';
import { baseImages } from './bases.ts';
import { buildah } from './buildah.ts';
import { ensureBases } from './local-bases.ts';
import { appImage, operatorImage, pauseImage } from './names.ts';

const operator = `${operatorImage.repository}:${operatorImage.tag}`;

/** Builds all images by buildah: the operator's from the project's Dockerfile. */
export async function buildNativeImages(log: Log): Promise<void> {
  const bases = await baseImages();
  await ensureBases(bases, log);
  await withProgress('Building the image of the operator from the Dockerfile', log, () =>
    buildah(['bud', '--quiet', '--layers', '--pull=false', '--tag', operator, root]),
  );
  const app = join(import.meta.dirname, 'app');
  const args = [`--build-arg=NODE_IMAGE=${bases.node}`, `--build-arg=BASE_IMAGE=${bases.base}`];
  await withProgress('Building the image of the applications', log, () =>
    buildah(['bud', '--quiet', '--layers', '--pull=false', ...args, '--tag', appImage, app]),
  );
}

/** Hands the images to the node's containerd. */
export async function importImages(log: Log): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'keyferry-images-'));
  try {
    await withProgress('Importing the images into the node', log, async () => {
      for (const [index, name] of [pauseImage, operator, appImage].entries()) {
        const archive = join(dir, `${index}.tar`);
        await buildah(['push', '--quiet', name, `oci-archive:${archive}:${name}`]);
        await ctr(['images', 'import', archive]);
      }
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
