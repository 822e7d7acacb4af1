import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { usesOf } from '../../src/controllers/rollout/pod-template.ts';
import { completeStatus, deploymentBody } from './deployment.ts';

const plan = { namespace: 'bench-0', name: 'app', secret: 'db', consumer: true } as const;

describe('deploymentBody', () => {
  it('uses the Secret, beside Secrets of its own', () => {
    const { spec } = z.object({ spec: z.object({ template: z.unknown() }) }).parse(deploymentBody(plan));
    const uses = usesOf(spec.template);

    expect(Object.fromEntries(uses)).toEqual({ 'app-tls': ['volume'], db: ['env'], registry: ['imagePull'] });
  });

  it('is as large as what people have', () => {
    const { metadata, spec } = deploymentBody(plan);

    expect(JSON.stringify({ metadata: { ...metadata, annotations: {} }, spec }).length).toBeGreaterThan(3_000);
  });

  it('carries the label only where it consumes a target', () => {
    expect(deploymentBody(plan).metadata['labels']).toHaveProperty(['bench/consumer'], 'db');
    expect(deploymentBody({ ...plan, consumer: false }).metadata['labels']).not.toHaveProperty(['bench/consumer']);
  });
});

describe('completeStatus', () => {
  it('is complete at its generation', () => {
    const status = completeStatus(2, '2026-01-01T00:00:00Z');

    expect(status).toMatchObject({ observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 });
  });
});
