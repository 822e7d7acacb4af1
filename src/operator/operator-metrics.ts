import type { AuditLog } from '../controllers/audit.ts';
import type { CheckResult } from '../runtime/health.ts';
import type { Lead } from '../runtime/lifecycle.ts';
import { counter, gauge, type Registry } from '../runtime/metrics.ts';

/** The release, and whether the process is ready: replicas that stand by are. */
export function watchProcess(registry: Registry, version: string, readiness: () => CheckResult): void {
  gauge(registry, 'keyferry_build_info', 'The release that runs.', ['version']).set({ version }, 1);
  const help = 'Whether the process has read all that there is and does not stop: 1 or 0.';
  gauge(registry, 'keyferry_ready', help, [], (made) => made.set(readiness().ok ? 1 : 0));
}

/** Tells who leads, under the name that client-go gives it. `name` is that of the lease. */
export function watchLeadership(registry: Registry, name: string, lead: Lead): Lead {
  const help = 'Whether the process leads: 1 or 0.';
  const made = gauge(registry, 'leader_election_master_status', help, ['name']);
  made.set({ name }, 0);
  return (signal, onLeading) =>
    lead(signal, (leading) => {
      if (!leading.aborted) made.set({ name }, 1);
      leading.addEventListener('abort', () => made.set({ name }, 0), { once: true });
      return onLeading(leading);
    });
}

/** Counts the records of an audit log. A reveal or a read whose record fails does not happen; a put may stand in the status of its secret only. */
export function countRecords(registry: Registry, log: AuditLog): AuditLog {
  const records = counter(registry, 'keyferry_audit_records_total', 'Records of the audit log.', ['result']);
  // What was never there would not be seen to grow.
  for (const result of ['written', 'failed']) records.inc({ result }, 0);
  return {
    record: async (entry) => {
      try {
        await log.record(entry);
        records.inc({ result: 'written' });
      } catch (error) {
        records.inc({ result: 'failed' });
        throw error;
      }
    },
  };
}
