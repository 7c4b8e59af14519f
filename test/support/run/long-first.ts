import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Small files that take many seconds. */
const LONG =
  /test\/(properties\/sim-|docs\/(blocks|guide|names)|types\/|e2e\/(calls\/cancel-soak|health\/(ejection|own-stall)|policies\/refusals|server\/process|streams\/(many-)?moves?\.))/;

/**
 * Where vitest has not measured them yet, as in a new clone, it begins with the largest files, and ends with small ones
 * that take long: then one core computes, and the others are idle.
 */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- not that of an array
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
