import type { HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';

/** Terminus does not export the name. */
type Session<Key extends string> = ReturnType<typeof HealthIndicatorService.prototype.check<Key>>;

/** A result of Terminus. */
export function healthResult<const Key extends string>(
  indicators: HealthIndicatorService,
  key: Key,
  status: 'up' | 'degraded' | 'down',
  details: object,
): HealthIndicatorResult<Key> {
  // Terminus 11 knows only up and down.
  const session: Pick<Session<Key>, 'up' | 'down'> & Partial<Pick<Session<Key>, 'degraded'>> = indicators.check(key);
  if (status === 'down') return session.down({ ...details });
  if (status === 'up') return session.up({ ...details });
  return session.degraded?.({ ...details }) ?? session.up({ ...details, degraded: true });
}
