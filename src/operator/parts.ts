import type { Config } from '../config.ts';
import type { Transport } from '../kube/transport.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { ControllerMetrics } from '../runtime/controller-metrics.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Registry } from '../runtime/metrics.ts';

/** What every part of the operator is made with. */
export interface OperatorParts {
  readonly config: Config;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Metrics of the controllers' loops. */
  readonly metrics: ControllerMetrics;
}
