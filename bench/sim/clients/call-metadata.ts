import { Metadata } from '@grpc/grpc-js';
import {
  CRITICALITY_KEY,
  CRITICALITY_LEVELS,
  type CriticalityLevel,
} from '../../../libs/grpc-lb/src/core/call/criticality.js';

const PREVIOUS_ATTEMPTS = 'grpc-previous-rpc-attempts';

function metadataOf(level: CriticalityLevel, isFirst: boolean): Metadata {
  const metadata = new Metadata();
  metadata.set(CRITICALITY_KEY, level);
  if (!isFirst) metadata.set(PREVIOUS_ATTEMPTS, '1');
  return metadata;
}

const FIRST = new Map(CRITICALITY_LEVELS.map((level) => [level, metadataOf(level, true)]));
const AGAIN = new Map(CRITICALITY_LEVELS.map((level) => [level, metadataOf(level, false)]));

/** What a server reads of an attempt on its arrival. */
export function attemptMetadata(level: CriticalityLevel, attempts: number): Metadata {
  return (attempts > 1 ? AGAIN : FIRST).get(level)!;
}
