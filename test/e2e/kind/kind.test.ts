import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { kubernetesVersion } from '../../cluster/versions.ts';
import { baseImages } from '../images/bases.ts';
import { kindCommands } from './kind.ts';

test('the cluster of kind has one node, in the form that kind reads', () => {
  const schema = z.strictObject({
    kind: z.literal('Cluster'),
    apiVersion: z.literal('kind.x-k8s.io/v1alpha4'),
    nodes: z.tuple([z.strictObject({ role: z.literal('control-plane') })]),
  });

  expect(() => schema.parse(parse(readFileSync(join(import.meta.dirname, 'config.yaml'), 'utf8')))).not.toThrow();
});

test('kind gets the images of the same Dockerfiles, the same Kubernetes, and both images on its node', async () => {
  const commands = kindCommands('/tmp/kubeconfig', await baseImages()).map((words) => words.join(' '));

  expect(commands.map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
    'docker build',
    'docker build',
    'kind delete',
    'kind create',
    'kind load',
  ]);
  expect(commands[1]).toContain('--build-arg=NODE_IMAGE=docker.io/library/node:');
  expect(commands[3]).toContain(`--image=kindest/node:${kubernetesVersion}`);
  expect(commands[4]).toContain('ghcr.io/keyferry/keyferry:e2e localhost/keyferry-e2e-app:1');
});
