/** A ratio with its significant digits: `0.98`, `5.4`, `484`. */
export function ratio(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (value < 9.95) return value.toFixed(2);
  return value < 99.5 ? value.toFixed(1) : value.toFixed(0);
}

export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value < 0.1) return `${value.toFixed(3)} %`;
  return `${value.toFixed(value < 9.95 ? 2 : 1)} %`;
}

/** A round share, as on an axis: `5 %`. */
export function roundPercent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

export function milliseconds(value: number): string {
  return value < 99.5 ? value.toFixed(1) : value.toFixed(0);
}

export function loadName(load: number): string {
  return roundPercent(load);
}

export function clientsName(count: number): string {
  return count === 1 ? '1 client' : `${count} clients`;
}
