const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The committed rules in compressed time: every window and every `for` is divided by the factor, so that an hour of 60
 * takes a minute. Nothing else changes: thresholds are ratios and counts.
 */
export function scaledRules(text: string, factor: number): string {
  const scaled = (count: string, unit: string): string => `${Math.round((Number(count) * UNITS[unit]!) / factor)}ms`;
  return text
    .replaceAll(/\[(\d+)([smhd])\]/g, (_, count: string, unit: string) => `[${scaled(count, unit)}]`)
    .replaceAll(
      /^( *for: )(\d+)([smhd])$/gm,
      (_, key: string, count: string, unit: string) => key + scaled(count, unit),
    );
}
