import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ensureBinary } from '../cluster/binaries.ts';
import { readPage } from '../docs/pages.ts';
import { chart, only, render, renderText, type Values } from './helm.ts';

vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => {
  await ensureBinary('helm');
}, 600_000);

const ruleSchema = z.object({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});
type Alert = z.infer<typeof ruleSchema>;
const rulesSchema = z.object({ groups: z.array(z.object({ rules: z.array(ruleSchema) })) });
const monitorSchema = z.object({
  spec: z.looseObject({ selector: z.object({ matchLabels: z.record(z.string(), z.string()) }) }),
});

const written = rulesIn(rulesSchema.parse(parse(read('alerts.yaml'))));

async function rulesWith(prometheusRule: Values): Promise<ReadonlyMap<string, Alert>> {
  const objects = await render({ metrics: { prometheusRule: { enabled: true, ...prometheusRule } } });
  return rulesIn(z.object({ spec: rulesSchema }).parse(only(objects, 'PrometheusRule')).spec);
}

describe('the chart makes of what is monitored', () => {
  it('a Service by default, and nothing that needs other operators', async () => {
    const kinds = (await render()).map(({ kind }) => kind);

    expect(kinds).toContain('Service');
    const others = new Set(['ServiceMonitor', 'PodMonitor', 'PrometheusRule', 'ConfigMap']);
    expect(kinds.filter((kind) => others.has(kind))).toEqual([]);
  });

  it('a ServiceMonitor that finds the Service, which finds the pods', async () => {
    const objects = await render({ metrics: { serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } } });

    const service = only(objects, 'Service');
    const monitor = only(objects, 'ServiceMonitor');
    expect(service.metadata.labels).toMatchObject(monitorSchema.parse(monitor).spec.selector.matchLabels);
    expect(monitor.metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(podLabels(only(objects, 'Deployment'))).toMatchObject(
      z.object({ spec: z.object({ selector: z.record(z.string(), z.string()) }) }).parse(service).spec.selector,
    );
  });

  it('a PodMonitor that finds the pods by itself', async () => {
    const relabelings = [{ action: 'labeldrop', regex: 'pod' }];
    const objects = await render({
      metrics: { service: { enabled: false }, podMonitor: { enabled: true, interval: '10s', relabelings } },
    });

    const monitor = only(objects, 'PodMonitor');
    expect(podLabels(only(objects, 'Deployment'))).toMatchObject(
      monitorSchema.parse(monitor).spec.selector.matchLabels,
    );
    expect(monitor).toMatchObject({ spec: { podMetricsEndpoints: [{ port: 'http', interval: '10s', relabelings }] } });
  });

  it('the alerts as they stand in the file', async () => {
    expect(await rulesWith({})).toEqual(written);
  });

  it('alerts with another threshold, another time, other labels and other docs', async () => {
    const rules = await rulesWith({
      thresholds: { KeyferryBackendCallsOverBudget: 50000, KeyferryMemoryNearLimit: 0.8 },
      for: { KeyferryReferencesStale: '1h' },
      alertLabels: { team: 'platform' },
      runbookUrl: 'https://wiki.example.com/keyferry',
      disabled: ['KeyferryRotationDue'],
      additionalRules: [{ alert: 'Mine', expr: 'keyferry_ready == 0' }],
    });

    expect(rules.get('KeyferryBackendCallsOverBudget')?.expr).toMatch(/ > 50000$/);
    expect(rules.get('KeyferryMemoryNearLimit')?.expr).toMatch(/\) > 0\.8$/);
    expect(rules.get('KeyferryReferencesStale')?.for).toBe('1h');
    expect(rules.get('KeyferryDown')?.labels).toEqual({ severity: 'critical', team: 'platform' });
    expect(rules.get('KeyferryDown')?.annotations['runbook_url']).toBe(
      'https://wiki.example.com/keyferry/operations.md#the-operator-is-down',
    );
    expect(rules.has('KeyferryRotationDue')).toBe(false);
    expect(rules.has('Mine')).toBe(true);
    expect(rules.get('KeyferryNoLeader')?.expr).toBe(written.get('KeyferryNoLeader')?.expr);
  });

  it('the dashboard, byte for byte, with the label that the sidecar looks for', async () => {
    const objects = await render({ metrics: { dashboard: { enabled: true } } });

    const dashboard = z.object({ data: z.record(z.string(), z.string()) }).parse(only(objects, 'ConfigMap'));
    expect(dashboard.data['keyferry.json']).toBe(read('dashboard.json').trimEnd());
    expect(only(objects, 'ConfigMap').metadata.labels).toMatchObject({ grafana_dashboard: '1' });
  });

  it.each<[what: string, metrics: Values, words: string]>([
    [
      'a monitor of no Service',
      { service: { enabled: false }, serviceMonitor: { enabled: true } },
      'take metrics.podMonitor',
    ],
    ['both monitors', { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } }, 'read everything twice'],
    [
      'an alert that there is not',
      { prometheusRule: { enabled: true, disabled: ['KeyferryDwon'] } },
      'there is no alert KeyferryDwon, but KeyferryDown',
    ],
    [
      'a threshold of none',
      { prometheusRule: { enabled: true, thresholds: { Nothing: 3 } } },
      'there is no alert Nothing',
    ],
    [
      'a threshold of one that has none',
      { prometheusRule: { enabled: true, thresholds: { KeyferryDown: 3 } } },
      'KeyferryDown has no threshold',
    ],
  ])('nothing of %s, and says why', async (_what, metrics, words) => {
    await expect(renderText({ metrics })).rejects.toThrow(words);
  });

  it('what the page on operations shows of its values', async () => {
    const blocks = readPage('docs/operations.md').blocks.filter(({ text }) => text.startsWith('# values of the chart'));
    const values = blocks.map(({ text }) => z.record(z.string(), z.unknown()).parse(parse(text)));
    const kinds = (await Promise.all(values.map((each) => render(each)))).flat().map(({ kind }) => kind);

    expect(values).toHaveLength(2);
    expect(kinds).toEqual(expect.arrayContaining(['ServiceMonitor', 'PrometheusRule', 'ConfigMap', 'NetworkPolicy']));
  });
});

function rulesIn({ groups }: z.infer<typeof rulesSchema>): ReadonlyMap<string, Alert> {
  return new Map(groups.flatMap(({ rules }) => rules.map((rule) => [rule.alert, rule] as const)));
}

function podLabels(deployment: unknown): unknown {
  const template = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) });
  return z.object({ spec: z.object({ template }) }).parse(deployment).spec.template.metadata.labels;
}

function read(file: string): string {
  return readFileSync(join(chart, 'files', file), 'utf8');
}
