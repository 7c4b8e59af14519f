/** Maps values to positions on an axis. */
export interface Scale {
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** Between powers of ten with 2 and 5 in between; values outside are placed at the edge. */
export function logScale(low: number, high: number, from: number, to: number): Scale {
  const [a, b] = [Math.log(low), Math.log(high)];
  const place = (value: number): number => {
    const share = (Math.log(Math.min(high, Math.max(low, value))) - a) / (b - a);
    return from + share * (to - from);
  };
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of [1, 2, 5]) {
      const tick = step * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(Number(tick.toPrecision(1)));
    }
  }
  return { place, ticks };
}

/** From 0 to a round number above the highest value. */
export function linearScale(high: number, from: number, to: number): Scale {
  const step = Math.max(0.001, roundUp(high / 5));
  const top = Math.max(step, Math.ceil(high / step - 1e-9) * step);
  return {
    place: (value) => from + (Math.min(top, Math.max(0, value)) / top) * (to - from),
    ticks: Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step),
  };
}

/** The next of 1, 2 and 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((digit) => digit * power).find((each) => each >= value * (1 - 1e-9))!;
}
