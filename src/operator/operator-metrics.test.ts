import { describe, expect, test } from 'vitest';
import type { AuditEntry, AuditLog } from '../controllers/audit.ts';
import { healthy, unhealthy } from '../runtime/health.ts';
import { leadAlone } from '../runtime/lifecycle.ts';
import { createRegistry } from '../runtime/metrics.ts';
import { countRecords, watchLeadership, watchProcess } from './operator-metrics.ts';

const entry: AuditEntry = { action: 'put', user: 'ann', namespace: 'shop', secret: 'hidden', result: 'Allowed' };

test('a process says its release and, at each look, whether it is ready', async () => {
  const registry = createRegistry();
  let state = unhealthy('not yet');
  watchProcess(registry, '1.2.3', () => state);

  expect(await registry.metrics()).toContain('keyferry_ready 0');
  state = healthy;

  const text = await registry.metrics();
  expect(text).toContain('keyferry_ready 1');
  expect(text).toContain('keyferry_build_info{version="1.2.3"} 1');
});

test('a process says that it leads from when it does until it does not any more', async () => {
  const registry = createRegistry();
  const status = async (): Promise<string> => registry.getSingleMetricAsString('leader_election_master_status');
  const stop = new AbortController();
  const led = Promise.withResolvers<void>();
  const lead = watchLeadership(registry, 'keyferry-operator', leadAlone);
  expect(await status()).toContain('{name="keyferry-operator"} 0');

  const running = lead(stop.signal, async () => led.resolve());
  await led.promise;
  expect(await status()).toContain('{name="keyferry-operator"} 1');

  stop.abort();
  await running;
  expect(await status()).toContain('{name="keyferry-operator"} 0');
});

describe('records of the audit log', () => {
  const failing: AuditLog = { record: () => Promise.reject(new Error('no room')) };

  test('that can not be written are counted, and who wanted them is told', async () => {
    const registry = createRegistry();

    await expect(countRecords(registry, failing).record(entry)).rejects.toThrow('no room');

    expect(await registry.metrics()).toContain('keyferry_audit_records_total{result="failed"} 1');
  });

  test('that were written are counted, without a word of what they say', async () => {
    const registry = createRegistry();

    await countRecords(registry, { record: () => Promise.resolve() }).record(entry);

    const text = await registry.metrics();
    expect(text).toContain('keyferry_audit_records_total{result="written"} 1');
    expect(text).toContain('keyferry_audit_records_total{result="failed"} 0');
    expect(text).not.toContain('hidden');
  });
});
