/** Recent failed and slow calls, each with the course of its attempts. */
import { byId, create, keyedList, setText } from './dom.js';
import { clock, KINDS, ms, WAITS } from './words.js';

const MIN_WIDTH_PERCENT = 1;

export function recentCalls() {
  const failed = callList('failed', 'No observed call has failed.');
  const slow = callList('slow', 'No call has been observed in the last minute.');
  return {
    draw(calls) {
      failed(calls.failed);
      slow(calls.slow);
    },
    clear() {
      failed([]);
      slow([]);
    },
  };
}

function callList(id, none) {
  const list = byId(id);
  const empty = create('p', { class: 'soft' }, none);
  list.after(empty);
  const draw = keyedList(
    list,
    (call) => call.id,
    (call) => ({ node: callNode(call), draw() {} }),
  );
  return (calls) => {
    empty.hidden = calls.length > 0;
    draw(calls);
  };
}

function callNode(call) {
  const end = call.end.status === 'OK' ? '' : ` ${call.end.status}`;
  const head = create(
    'p',
    { class: 'call' },
    create('code', {}, call.method),
    create('b', { class: end === '' ? '' : 'lost' }, `${end === '' ? '' : `${end.trim()}, `}${ms(call.durationMs)} ms`),
    create('time', { class: 'soft' }, clock(call.time)),
  );
  const parts = [head];
  if (call.end.details !== '') parts.push(create('p', { class: 'soft' }, call.end.details));
  if (call.dropped) parts.push(create('p', { class: 'soft' }, 'This process refused the call before it was sent.'));
  else if (call.attempts.length === 0) parts.push(create('p', { class: 'soft' }, 'It never got an endpoint.'));
  else
    parts.push(create('ol', { class: 'attempts' }, ...call.attempts.map((each) => attemptNode(each, call.durationMs))));
  return create('li', {}, ...parts);
}

function attemptNode(attempt, durationMs) {
  const from = attempt.startedMs / durationMs;
  const to = Math.min(1, (attempt.endedMs ?? durationMs) / durationMs);
  const bar = create('i');
  bar.style.left = `${Math.min(100 - MIN_WIDTH_PERCENT, from * 100)}%`;
  bar.style.width = `${Math.max(MIN_WIDTH_PERCENT, (to - from) * 100)}%`;
  const waited =
    attempt.waitedMs > 0
      ? `waited ${ms(attempt.waitedMs)} ms${attempt.waitedFor ? ` for ${WAITS[attempt.waitedFor]}` : ''}, `
      : '';
  const end = attempt.end
    ? `${attempt.end.status} after ${ms(attempt.endedMs - attempt.startedMs)} ms${attempt.end.origin === 'local' && attempt.end.status !== 'OK' ? ', ended by this side' : ''}`
    : 'still running when the call ended';
  const text = `${waited}${KINDS[attempt.kind] ?? attempt.kind} to ${attempt.address} at ${ms(attempt.startedMs)} ms: ${end}`;
  const line = create('span');
  setText(line, text);
  return create(
    'li',
    { class: attempt.end?.status === 'OK' ? 'good' : 'bad' },
    line,
    create('div', { class: 'course' }, bar),
  );
}
